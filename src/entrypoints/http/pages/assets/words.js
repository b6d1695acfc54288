// Networks, devices and events, as people say them.

import { sentenceCase, t } from "./sentences.js";

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
  return browser && system ? t("%(browser)s on %(system)s", { browser, system }) : browser ?? system ?? "";
}

const SIGNED_OUT = { this: t("Signed out"), others: t("Ended all other sessions"), all: t("Signed out everywhere") };
const EVENTS = {
  sign_up_requested: t("Signed up"),
  verification_requested: t("Asked for the confirmation letter again"),
  address_verified: t("Confirmed the e-mail address"),
  verification_refused: t("A link to confirm the address did not work"),
  signed_in: t("Signed in"),
  sign_in_failed: t("A sign-in failed"),
  signed_out: ({ reason }) => SIGNED_OUT[reason] ?? SIGNED_OUT.this,
  session_ended: t("Ended a session on another device"),
  sessions_ended: t("All sessions ended"),
  refresh_reused: t("A copy of a session was used; that session has ended"),
  reauthentication_failed: t("A wrong password was given where it was asked for again"),
  rate_limited: t("Too many attempts were turned away"),
  password_reset_requested: t("Asked for a letter to choose a new password"),
  password_reset_sent: t("A letter to choose a new password was sent"),
  password_reset: t("Chose a new password by a letter’s link"),
  password_changed: t("Changed the password"),
  email_change_requested: t("Asked for another e-mail address"),
  email_changed: t("Changed the e-mail address"),
  profile_changed: t("Changed the profile"),
  account_deleted: t("The account was deleted"),
  change_undone: t("“This wasn’t me”: the account was taken back"),
  link_refused: t("A link from a letter did not work"),
  user_created: t("The account was created"),
  user_imported: t("The account was brought here from another system"),
  user_changed: t("The account was changed"),
  user_disabled: t("The account was disabled"),
  user_enabled: t("The account was enabled again"),
  password_expired: t("The password was made invalid"),
};
// What upkeep leaves behind, or somebody else's mishap, is nothing that a person did to their account.
const UPKEEP = new Set(["sign_up_conflict", "password_rehashed", "hash_unusable", "breach_check_failed", "users_exported", "letter_sent", "letter_skipped", "letter_delayed", "letter_abandoned", "letter_requeued", "address_suppressed", "suppression_lifted", "purged"]);

/** What happened, or null for what is of no interest to the person it is about. */
export function story(event) {
  if (UPKEEP.has(event.kind)) return null;
  const words = EVENTS[event.kind] ?? sentenceCase(event.kind.replaceAll("_", " "));
  const what = typeof words === "function" ? words(event) : words;
  return event.actor_id ? t("%(what)s, by an administrator", { what }) : what;
}
