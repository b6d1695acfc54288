// The account page: who somebody is, where they are signed in, what happened, and the ways to change it.

import { call, explain, memory } from "./api.js";
import { $, alertIn, alertOf, alertWith, announce, coolDown, onSubmit, showAddress, showRefusal, watch } from "./forms.js";
import { resend } from "./letters.js";
import { adoptPolicy, emailRule, nameRule, passwordRule, required, usernameRule } from "./rules.js";
import { ago, moment, nameOf, sentenceCase, t } from "./sentences.js";
import { device, network, story } from "./words.js";

const EVENTS_A_PAGE = 20;

/** As `call`; whose session is over meanwhile is led to signing in. */
async function ask(method, path, body) {
  const answer = await call(method, path, body);
  if (answer.status === 401) location.replace("/auth/signin");
  return answer;
}

function element(tag, attributes, ...content) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...content);
  return made;
}

/** A line of facts, of which none turns another one around where the page is read from the right. */
function details(...parts) {
  const facts = parts.filter(Boolean).map((part) => element("bdi", { dir: /\p{L}/u.test(part) ? "auto" : "ltr" }, part));
  return element("p", { className: "small" }, ...facts.flatMap((fact) => [" · ", fact]).slice(1));
}

/** Asks before something is ended. Escape is a no, and the focus goes back to where it was. */
function confirmed(question, consequence, yes) {
  const dialog = $("sure");
  $("sure-title").textContent = question;
  $("sure-text").textContent = consequence;
  $("sure-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// -- Who --

let user = {};

function showUser(data) {
  user = data;
  const { name, email, username, locale, email_verified: verified } = user;
  $("who").textContent = name ? `${name} (${email})` : email;
  $("badge").textContent = verified ? t("Address verified") : t("Address not verified yet");
  $("badge").classList.toggle("good", Boolean(verified));
  $("resend-form").hidden = Boolean(verified);
  showAddress(email);
  for (const [id, value] of [["name", name], ["username", username], ["locale", locale]]) if ($(id)) $(id).value = value ?? "";
  document.querySelectorAll("[data-if-verified]").forEach((one) => { one.hidden = !verified; });
  document.querySelectorAll("[data-unless-verified]").forEach((one) => { one.hidden = Boolean(verified); });
}

function profile() {
  const names = ["name", "username", "locale"].filter($);
  const rules = { name: nameRule($("name").required), username: usernameRule($("username")?.required), locale: () => null };
  onSubmit($("profile-form"), watch(Object.fromEntries(names.map((id) => [id, rules[id]]))), async () => {
    const typed = names.map((id) => [id, $(id).value.trim() || null]);
    const changes = Object.fromEntries(typed.filter(([id, value]) => value !== (user[id] ?? null)));
    if (!Object.keys(changes).length) return announce(t("There was nothing to change."), $("profile-status"));
    const answer = await ask("PATCH", "/auth/me", changes);
    if (!answer.ok) return showRefusal(answer, names, alertOf($("profile-form")));
    showUser(answer.data);
    announce(t("Saved."), $("profile-status"));
    showEvents();
  });
}

// -- Sessions --

function sessionRow({ id, current, device: name, address, last_seen_at: seen, created_at: created }) {
  const title = element("strong", { id: `session-${id}` }, sentenceCase(name));
  const words = element("div", {}, title, details(current ? t("Active now") : t("Last seen %(when)s", { when: ago(seen) }), network(address), t("signed in %(when)s", { when: moment(created) })));
  if (current) return element("li", {}, words, element("span", { className: "badge good" }, t("This one")));
  const end = element("button", { type: "button", className: "secondary slim", ariaLabel: t("End the session on %(device)s, last seen %(when)s", { device: name, when: ago(seen) }) }, t("End"));
  end.addEventListener("click", async () => {
    if (await confirmed(t("End this session?"), t("%(device)s will be signed out at once. A letter tells you about it.", { device: sentenceCase(name) }), t("End session"))) {
      await endSessions("DELETE", `/auth/sessions/${id}`, undefined, t("%(device)s is signed out.", { device: sentenceCase(name) }));
    }
  });
  return element("li", {}, words, end);
}

async function endSessions(method, path, body, sentence) {
  alertIn($("sessions-alert"));
  const answer = await ask(method, path, body);
  await Promise.all([showSessions(), showEvents()]);
  if (answer.ok || answer.status === 404) announce(sentence, $("sessions-status"));
  else alertIn($("sessions-alert"), explain(answer));
}

async function showSessions() {
  const answer = await ask("GET", "/auth/sessions");
  if (!answer.ok) return alertIn($("sessions-alert"), explain(answer));
  const { sessions } = answer.data;
  sessions.sort((one, other) => other.current - one.current); // this one first, then as they were last seen
  $("sessions-list").replaceChildren(...sessions.map(sessionRow));
  $("end-others").hidden = sessions.length < 2;
}

// -- What happened --

let next = null;

function eventRow(event) {
  const what = element("strong", {}, story(event));
  const row = element("li", { tabIndex: -1 }, element("div", {}, what, details(moment(event.at), device(event.user_agent), network(event.address))));
  row.classList.toggle("failed", event.failed);
  return row;
}

async function showEvents(before) {
  const answer = await ask("GET", `/auth/events?most=${EVENTS_A_PAGE}${before ? `&before=${before}` : ""}`);
  if (!answer.ok) return alertIn($("events-alert"), explain(answer));
  const rows = answer.data.events.filter(story).map(eventRow);
  if (before) $("events-list").append(...rows);
  else $("events-list").replaceChildren(...rows);
  next = answer.data.next;
  $("more").hidden = !next;
  $("no-events").hidden = $("events-list").childElementCount > 0;
  if (before) rows[0]?.focus();
}

// -- Password, address, farewell --

function changePassword() {
  const form = $("password-form");
  const isValid = watch({ "current-password": required(t("Enter your current password.")), "new-password": passwordRule });
  onSubmit(form, isValid, async () => {
    const answer = await ask("POST", "/auth/change-password", { current_password: $("current-password").value, password: $("new-password").value });
    if (!answer.ok) return showRefusal(answer, { current_password: "current-password", password: "new-password" }, alertOf(form));
    form.reset();
    $("new-password").dispatchEvent(new Event("input")); // the meter
    $("password-change").open = false;
    await Promise.all([showSessions(), showEvents()]);
    announce(t("Your password is changed. All other devices are signed out."), $("security-status"));
  });
}

function changeEmail() {
  const form = $("email-form");
  const proof = $("email-proof");
  const isValid = watch({
    "new-email": emailRule,
    "email-password": (value) => (proof.hidden || value ? null : t("Enter your password.")),
  });
  onSubmit(form, isValid, async () => {
    const email = $("new-email").value.trim();
    const answer = await ask("POST", "/auth/change-email", { email, password: $("email-password").value || undefined });
    if (answer.code === "reauthentication_required") {
      proof.hidden = false;
      alertIn(alertOf(form), t("You signed in a while ago. Please enter your password as well."));
      return $("email-password").focus();
    }
    if (!answer.ok) return showRefusal(answer, { email: "new-email", password: "email-password" }, alertOf(form));
    form.reset();
    proof.hidden = true;
    $("email-change").open = false;
    showEvents();
    announce(t("If %(email)s can be used, a letter is on its way there. Nothing changes until its link is opened.", { email: answer.data.email }), $("security-status"));
  });
}

function deleteAccount() {
  const form = $("delete-form");
  onSubmit(form, watch({ "delete-password": required(t("Enter your password.")) }), async () => {
    const answer = await ask("DELETE", "/auth/me", { password: $("delete-password").value });
    if (!answer.ok) return showRefusal(answer, { password: "delete-password" }, alertOf(form));
    memory.forget("written-to", "resend-at", "email", "sign-in-as");
    form.reset();
    $("account").hidden = $("signed-in").hidden = true;
    $("farewell").hidden = false;
    $("farewell-title").focus();
  });
}

export async function account() {
  const me = await ask("GET", "/auth/me");
  if (me.status === 401) return;
  if (!me.ok) {
    $("loading").hidden = true;
    return alertWith(explain(me));
  }
  for (const option of $("locale")?.options ?? []) if (option.value) option.textContent = nameOf(option.value);
  showUser(me.data);
  await Promise.all([adoptPolicy("new-password"), showSessions(), showEvents()]); // so that nothing moves later
  $("loading").hidden = true;
  $("account").hidden = $("signed-in").hidden = false;

  const { email, email_verified: verified } = user;
  if (!verified && memory.get("written-to") === email) {
    $("status").textContent = t("We have written to %(email)s. Open the link in the letter to confirm the address.", { email });
  }
  coolDown($("resend"));
  onSubmit($("resend-form"), () => true, async () => {
    const pause = await resend({ email }, t("Done. Another letter to %(email)s is on its way.", { email }));
    if (pause) coolDown($("resend"), pause);
  });
  onSubmit($("sign-out-form"), () => true, async () => {
    const goodbye = await call("POST", "/auth/signout", {});
    if (!goodbye.ok && goodbye.status !== 401) return alertWith(explain(goodbye));
    memory.forget("written-to", "resend-at");
    location.replace("/auth/signin");
    return true;
  });
  for (const [id, answer] of [["sure-yes", "yes"], ["sure-no", ""]]) $(id).addEventListener("click", () => $("sure").close(answer));
  $("end-others").addEventListener("click", async () => {
    if (await confirmed(t("End all other sessions?"), t("Every device but this one will be signed out at once. A letter tells you about it."), t("End all others"))) {
      await endSessions("POST", "/auth/signout", { scope: "others" }, t("All other devices are signed out."));
    }
  });
  $("more").addEventListener("click", () => showEvents(next));
  profile();
  changePassword();
  changeEmail();
  deleteAccount();
}
