// Times, networks, devices and events, as people say them.

const LOCALE = navigator.language.startsWith("en") ? navigator.language : "en-GB"; // the pages are in English
const moments = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const distances = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];

export const moment = (text) => moments.format(new Date(text));

export function ago(text) {
  const seconds = (Date.now() - Date.parse(text)) / 1000;
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? [];
  return unit ? distances.format(-Math.floor(seconds / size), unit) : "just now";
}

export const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** 192.0.2.* for 192.0.2.0/24; whole addresses stay as they are. */
export function network(address) {
  const [start, size] = address.split("/");
  if (!size) return start;
  return start.includes(":") ? `${start.replace(/:+$/, "")}:*` : start.replace(/\.\d+$/, ".*");
}

const BROWSERS = [["Edge", /Edg/], ["Opera", /OPR\//], ["Firefox", /Firefox|FxiOS/], ["Chrome", /Chrome|CriOS/], ["Safari", /Safari/]];
const SYSTEMS = [["iOS", /iPhone|iPad/], ["Android", /Android/], ["Windows", /Windows/], ["macOS", /Mac OS X/], ["Linux", /Linux/]];

/** A guess at the device, from what browsers say of themselves; empty for anything that is no browser we know. */
export function device(userAgent) {
  const [browser, system] = [BROWSERS, SYSTEMS].map((names) => names.find(([, pattern]) => pattern.test(userAgent))?.[0]);
  return browser && system ? `${browser} on ${system}` : browser ?? system ?? "";
}

const SIGNED_OUT = { this: "Signed out", others: "Ended all other sessions", all: "Signed out everywhere" };
const EVENTS = {
  sign_up_requested: "Signed up",
  verification_requested: "Asked for the confirmation letter again",
  address_verified: "Confirmed the e-mail address",
  verification_refused: "A link to confirm the address did not work",
  signed_in: "Signed in",
  sign_in_failed: "A sign-in failed",
  signed_out: ({ reason }) => SIGNED_OUT[reason] ?? SIGNED_OUT.this,
  session_ended: "Ended a session on another device",
  refresh_reused: "A copy of a session was used; that session has ended",
  reauthentication_failed: "A wrong password was given where it was asked for again",
  rate_limited: "Too many attempts were turned away",
  password_reset_requested: "Asked for a letter to choose a new password",
  password_reset_sent: "A letter to choose a new password was sent",
  password_reset: "Chose a new password by a letter’s link",
  password_changed: "Changed the password",
  email_change_requested: "Asked for another e-mail address",
  email_changed: "Changed the e-mail address",
  profile_changed: "Changed the profile",
  change_undone: "“This wasn’t me”: the account was taken back",
  link_refused: "A link from a letter did not work",
  user_created: "The account was created",
  user_imported: "The account was brought here from another system",
  user_changed: "The account was changed",
  user_disabled: "The account was disabled",
  user_enabled: "The account was enabled again",
};
// What the upkeep of hashes and letters leaves behind is nothing that a person did.
const UPKEEP = new Set(["password_rehashed", "hash_unusable", "letter_sent", "letter_skipped", "letter_delayed", "letter_abandoned", "letter_requeued", "address_suppressed", "suppression_lifted", "purged"]);

/** What happened, or null for what is of no interest to the person it is about. */
export function story(event) {
  if (UPKEEP.has(event.kind)) return null;
  const words = EVENTS[event.kind] ?? sentenceCase(event.kind.replaceAll("_", " "));
  const what = typeof words === "function" ? words(event) : words;
  return event.actor_id ? `${what}, by an administrator` : what;
}
