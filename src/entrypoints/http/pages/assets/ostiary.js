// The scripts of the built-in pages use the public JSON API of their own origin and nothing else, so whatever they do a
// front end of yours can do as well. The server has the last word on every rule checked here.

import { account } from "./account.js";
import { call, memory, takeLetter } from "./api.js";
import { $, alertWith, coolDown, fieldError, onSubmit, retype, showAddress, showRefusal, stepper, watch } from "./forms.js";
import { confirmEmailChange, forgot, resend, reset, undo } from "./letters.js";
import { adoptPolicy, emailRule, nameRule, passwordRule, required, usernameRule } from "./rules.js";
import { LANGUAGE, t } from "./sentences.js";

function signup() {
  const names = ["name", "email", "username", "password"].filter($);
  const rules = { name: nameRule($("name").required), email: emailRule, username: usernameRule($("username")?.required), password: passwordRule };
  // The operator's declared fields: their ids begin with "field-", so that they are no other element's.
  const declared = [...document.querySelectorAll("[data-declared]")];
  const inText = declared.filter(({ dataset }) => dataset.type !== "boolean");
  const declaredRule = ({ dataset }) => (value) =>
    !value.trim() ? t("Fill this in.") : dataset.type === "integer" && !/^-?\d+$/.test(value.trim()) ? t("Enter a whole number.") : null;
  // Numbers that a double cannot hold are sent as typed text, for the server to refuse rather than for us to change.
  const number = (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text);
  const valueOf = ({ dataset, checked, value }) => (dataset.type === "boolean" ? checked : dataset.type === "integer" ? number(value.trim()) : value.trim());
  const isValid = watch(Object.fromEntries([...names.map((name) => [name, rules[name]]), ...inText.map((input) => [input.id, declaredRule(input)])]));
  adoptPolicy("password");
  $("email").value ||= memory.get("email") ?? ""; // back from the next page to correct a typing error
  onSubmit($("signup-form"), isValid, async () => {
    const entered = names.map((name) => [name, name === "password" ? $(name).value : $(name).value.trim()]);
    const fields = Object.fromEntries(declared.map((input) => [input.dataset.declared, valueOf(input)]));
    const answer = await call("POST", "/auth/signup", { ...Object.fromEntries(entered.filter(([, value]) => value)), ...fields, locale: LANGUAGE });
    answer.errors.forEach((error) => { if (error.field in fields) error.field = `field-${error.field}`; });
    $("taken").hidden = !answer.errors.some(({ field, code }) => field === "email" && code === "taken");
    if (!answer.ok) return showRefusal(answer, [...names, ...declared.map(({ id }) => id)]);
    memory.set("resend-at", Date.now() + 60_000);
    if (answer.status === 201) {
      // Where verification is optional there is a user already, and usually a session.
      memory.set("written-to", answer.data.user.email);
      location.assign("/auth/account");
    } else {
      memory.set("email", answer.data.email);
      location.assign("/auth/check-inbox");
    }
    return true;
  });
}

function checkInbox() {
  const known = memory.get("email");
  $("address").textContent = known ?? "";
  $("known").hidden = !known;
  $("unknown").hidden = Boolean(known);
  const isValid = known ? () => true : watch({ email: emailRule });
  coolDown($("resend"));
  onSubmit($("resend-form"), isValid, async () => {
    $("status").textContent = "";
    const pause = await resend({ email: known ?? $("email").value.trim() }, t("Done. If this address waits to be confirmed, another letter is on its way."));
    if (pause) coolDown($("resend"), pause);
  });
}

function verify() {
  const { token, email } = takeLetter("letter");
  const go = stepper();
  go(token ? "confirm" : "missing");
  if (!token) return;
  if (email) showAddress(email);

  const steps = { password_required: "password", token_expired: "expired", token_invalid: "invalid", already_verified: "verified" };
  const post = async (proof, fields) => {
    const answer = await call("POST", "/auth/verify-email", { token, email, ...proof });
    if (answer.ok) {
      memory.forget("letter", "email", "written-to", "resend-at");
      location.replace("/auth/account"); // "back" must not lead to a used link
      return true;
    }
    const mangled = answer.errors.some(({ field }) => field === "token" || field === "email");
    const step = mangled ? "invalid" : steps[answer.code];
    if (step === "invalid" || step === "verified") memory.forget("letter");
    if (step === "password" && proof.password) {
      fieldError("password", t("That is not the password chosen at sign-up. Try again, or choose a new one below."));
      retype("password");
    } else if (step) {
      go(step);
    } else {
      showRefusal(answer, fields);
    }
    return false;
  };

  onSubmit($("confirm-form"), () => true, () => post({}, []));

  const passwordIsValid = watch({ password: required(t("Enter the password you chose at sign-up.")) });
  onSubmit($("password-form"), passwordIsValid, () => post({ password: $("password").value }, ["password"]));

  const newIsValid = watch({ name: nameRule(false), "new-password": passwordRule });
  adoptPolicy("new-password");
  onSubmit($("new-form"), newIsValid, () => post({
    new_password: $("new-password").value,
    name: $("name").value.trim() || undefined,
  }, ["name", "new-password"]));

  for (const [button, step] of [["choose-new", "new"], ["know-it", "password"]]) {
    $(button).addEventListener("click", () => {
      alertWith();
      go(step);
    });
  }

  onSubmit($("resend-form"), () => true, async () => {
    const pause = await resend({ token }, t("A fresh link is on its way, unless the address has been confirmed meanwhile. You can close this page."));
    if (pause) coolDown($("resend"), pause);
  });
}

function signin() {
  const email = $("email");
  const usernames = "usernames" in email.dataset;
  email.value ||= memory.get("sign-in-as") ?? "";
  // Typed here, known there.
  $("forgot").addEventListener("click", () => memory.set("sign-in-as", email.value.includes("@") ? email.value.trim() : ""));
  const isValid = watch({
    email: required(usernames ? t("Enter your e-mail address or username.") : t("Enter your e-mail address.")),
    password: required(t("Enter your password.")),
  });
  onSubmit($("signin-form"), isValid, async () => {
    const who = email.value.trim();
    const answer = await call("POST", "/auth/signin", {
      [usernames && !who.includes("@") ? "username" : "email"]: who,
      password: $("password").value,
      remember: $("remember").checked,
    });
    if (answer.ok) {
      memory.forget("email", "resend-at", "sign-in-as", "forgot-at");
      location.replace("/auth/account");
      return true;
    }
    if (answer.code === "invalid_credentials") {
      const wrong = usernames ? t("The e-mail address, username or password is not right.") : t("The e-mail address or password is not right.");
      alertWith(wrong, t("If you signed up recently, open the letter first."));
      retype("password");
    } else {
      // The identifier has one field here, whichever of its names the server uses.
      const errors = answer.errors.map((error) => (error.field === "username" ? { ...error, field: "email" } : error));
      showRefusal({ ...answer, errors }, ["email", "password"]);
    }
    return false;
  });
}

// A page that "back" restores from memory still shows the busy button and the state it was left in.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const pages = { signup, "check-inbox": checkInbox, verify, signin, forgot, reset, "confirm-email-change": confirmEmailChange, undo, account };
pages[document.body.dataset.page]?.();
