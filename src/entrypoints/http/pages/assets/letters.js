// The pages that letters ask for or lead to. Opening one changes nothing: mail scanners open links, too.

import { call, memory, takeLetter } from "./api.js";
import { $, alertWith, announce, coolDown, onSubmit, showAddress, showRefusal, stepper, watch } from "./forms.js";
import { adoptPolicy, emailRule, passwordRule } from "./rules.js";
import { t } from "./sentences.js";

/** Asks for the letter of a sign-up again; how many seconds to wait before the next. */
export async function resend(target, sentence) {
  const answer = await call("POST", "/auth/resend-verification", target);
  if (answer.ok) {
    announce(sentence);
    return 60;
  }
  showRefusal(answer, "email" in target ? ["email"] : []);
  return answer.status === 429 ? answer.wait ?? 60 : 0;
}

const askForReset = (email) => call("POST", "/auth/forgot-password", { email });

/** A button that has the letter to choose a new password sent once more. */
function offerAnother(form, email) {
  const button = form.querySelector("button");
  onSubmit(form, () => true, async () => {
    $("status").textContent = "";
    const answer = await askForReset(email());
    const pause = answer.ok ? 60 : answer.status === 429 ? answer.wait ?? 60 : 0;
    if (answer.ok) announce(t("Done. If there is an account for this address, another letter is on its way."));
    else showRefusal(answer, []);
    if (pause) coolDown(button, pause, "forgot-at");
  });
}

export function forgot() {
  const go = stepper();
  go("ask");
  $("email").value ||= memory.get("sign-in-as") ?? "";
  onSubmit($("forgot-form"), watch({ email: emailRule }), async () => {
    const email = $("email").value.trim();
    const answer = await askForReset(email);
    if (!answer.ok) return showRefusal(answer, ["email"]);
    memory.set("sign-in-as", email);
    showAddress(email);
    coolDown($("again"), 60, "forgot-at");
    go("sent");
  });
  offerAnother($("again-form"), () => $("email").value.trim());
  $("other").addEventListener("click", () => {
    alertWith();
    $("status").textContent = "";
    go("ask");
    $("email").focus();
    $("email").select();
  });
}

/**
 * Posts a letter's token to `path`. What comes of it is a step of the page: done, or that the link has expired, is
 * good no more, or whatever else `steps` says for a code.
 */
async function spend(key, path, fields, { go, steps = {}, ids = {} }) {
  const answer = await call("POST", path, fields);
  if (answer.ok) {
    memory.forget(key);
    return answer;
  }
  const mangled = answer.errors.some(({ field }) => field === "token");
  const step = mangled ? "invalid" : { token_expired: "expired", token_invalid: "invalid", ...steps }[answer.code];
  if (step === "invalid") memory.forget(key);
  if (step) go(step);
  else showRefusal(answer, ids);
  return null;
}

export function reset() {
  const { token, email } = takeLetter("reset");
  const go = stepper();
  go(token ? "choose" : "missing");
  if (!token) return;
  if (email) showAddress(email);
  adoptPolicy("new-password");
  onSubmit($("reset-form"), watch({ "new-password": passwordRule }), async () => {
    const fields = { token, password: $("new-password").value };
    if (!(await spend("reset", "/auth/reset-password", fields, { go, ids: { password: "new-password" } }))) return;
    if (email) memory.set("sign-in-as", email);
    go("done");
  });
  $("expired-with-address").hidden = !email;
  $("expired-without").hidden = Boolean(email);
  offerAnother($("again-form"), () => email);
}

export function confirmEmailChange() {
  const { token, email } = takeLetter("new-address");
  const go = stepper();
  go(token ? "confirm" : "missing");
  if (!token) return;
  if (email) showAddress(email);
  onSubmit($("confirm-form"), () => true, async () => {
    const answer = await spend("new-address", "/auth/confirm-email-change", { token }, { go });
    if (!answer) return;
    showAddress(answer.data.email);
    go("done");
  });
}

export function undo() {
  const { token } = takeLetter("undo");
  const go = stepper();
  go(token ? "confirm" : "missing");
  if (!token) return;
  let email;
  onSubmit($("undo-form"), () => true, async () => {
    const answer = await spend("undo", "/auth/undo", { token }, { go, steps: { conflict: "conflict" } });
    if (!answer) return;
    email = answer.data.email;
    memory.set("sign-in-as", email);
    showAddress(email);
    coolDown($("again"), 60, "forgot-at");
    go("done");
  });
  $("retry").addEventListener("click", () => go("confirm"));
  offerAnother($("again-form"), () => email);
}
