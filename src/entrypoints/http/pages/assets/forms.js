// Forms: errors beside their fields, a button that is busy, a keyboard that never loses its place.

import { explain, memory } from "./api.js";
import { t } from "./sentences.js";

export const $ = (id) => document.getElementById(id);

// -- Messages --

export const alertWith = (...sentences) => alertIn($("alert"), ...sentences);

export function alertIn(region, ...sentences) {
  region.replaceChildren(...sentences.map((sentence) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = sentence;
    return paragraph;
  }));
  if (sentences.length) region.scrollIntoView({ block: "nearest" });
}

/** For what went well. Takes the focus, because the button that was pressed is about to be disabled. */
export function announce(sentence, region = $("status")) {
  region.textContent = sentence;
  region.focus();
}

export function fieldError(id, message) {
  document.querySelector(`.field-error[data-for="${id}"]`).textContent = message ?? "";
  if (message) $(id).setAttribute("aria-invalid", "true");
  else $(id).removeAttribute("aria-invalid");
}

export function retype(id) {
  $(id).focus();
  $(id).select();
}

/**
 * Puts the server's errors beside their fields, and whatever has no field on this page into the summary. `fields` are
 * the ids of the fields, or, where a page has two of a name, which id each has.
 */
export function showRefusal(answer, fields, region = $("alert")) {
  const ids = Array.isArray(fields) ? Object.fromEntries(fields.map((id) => [id.replaceAll("-", "_"), id])) : fields;
  const messages = new Map();
  const homeless = [];
  for (const { field, message } of answer.errors) {
    const id = ids[String(field).replaceAll("-", "_")];
    if (id) messages.set(id, [...(messages.get(id) ?? []), message]);
    else homeless.push(message);
  }
  messages.forEach((texts, id) => {
    fieldError(id, texts.join(" "));
    if (!$(`${id}-strength`)) return;
    $(`${id}-strength`).dataset.level = 1; // whatever seemed good about it has been refused
    $(`${id}-hint`).textContent = "";
  });
  if (homeless.length || !messages.size) alertIn(region, ...(homeless.length ? homeless : [explain(answer)]));
  $(Object.values(ids).find((id) => messages.has(id)))?.focus();
}

// -- Forms --

/** Marked busy, not disabled: a disabled button would drop the keyboard's focus. */
function setBusy(button, busy) {
  button.dataset.label ??= button.textContent;
  if (!button.disabled) button.textContent = busy ? button.dataset.busy : button.dataset.label; // else it counts down
  button.ariaBusy = button.ariaDisabled = busy ? "true" : null;
}

/** Where a form's refusals are told: in itself, where a page has several, or at the top. */
export const alertOf = (form) => form.querySelector("[role=alert]") ?? $("alert");

/** `act` returns true when the page is being left: the button then stays busy until it is gone. */
export function onSubmit(form, isValid, act) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.ariaBusy === "true") return;
    alertIn(alertOf(form));
    if (!isValid()) return;
    hidePasswords(form);
    setBusy(button, true);
    let leaving = false;
    try {
      leaving = (await act()) === true;
    } finally {
      if (!leaving) setBusy(button, false);
    }
  });
}

// An error that appears on blur moves what is below it. While a press is under way that would pull the pressed button
// from under the pointer and lose the click, so the error waits for the release.
let pressing = false;
addEventListener("pointerdown", () => { pressing = true; }, true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { pressing = false; }, true);

function whenReleased(show) {
  if (!pressing) show();
  else addEventListener("pointerup", () => setTimeout(show), { once: true });
}

/**
 * Checks fields as people leave them, and from then on as they type; nobody is told off for a word half typed.
 * Returns the check of everything for the moment of submission.
 */
export function watch(rules) {
  const left = new Set();
  const check = (id) => {
    const message = rules[id]($(id).value);
    fieldError(id, message);
    return !message;
  };
  for (const id of Object.keys(rules)) {
    const input = $(id);
    input.addEventListener("input", () => {
      if (left.has(id) || input.hasAttribute("aria-invalid")) check(id);
    });
    input.addEventListener("blur", () => whenReleased(() => {
      if (!input.value) return; // merely passing through
      left.add(id);
      if (!input.hasAttribute("aria-invalid")) check(id); // keep what the server said until it is edited
    }));
  }
  return () => {
    const wrong = Object.keys(rules).filter((id) => {
      left.add(id);
      return !check(id);
    });
    $(wrong[0])?.focus();
    return wrong.length === 0;
  };
}

function setRevealed(button, revealed) {
  $(button.dataset.reveal).type = revealed ? "text" : "password";
  button.textContent = revealed ? t("Hide") : t("Show");
  button.setAttribute("aria-label", revealed ? t("Hide password") : t("Show password"));
}

function hidePasswords(form) {
  form.querySelectorAll("[data-reveal]").forEach((button) => setRevealed(button, false));
}

/** Disables the button for as long as another letter would be refused anyway, also across a reload. */
export function coolDown(button, seconds, key = "resend-at") {
  if (seconds) memory.set(key, Date.now() + seconds * 1000);
  const until = memory.get(key) ?? Date.now() + (seconds ?? 0) * 1000;
  button.dataset.label ??= button.textContent;
  clearInterval(button.timer);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? t("%(label)s (in %(seconds)s s)", { label: button.dataset.label, seconds: left }) : button.dataset.label;
    if (left <= 0) clearInterval(button.timer);
  };
  button.timer = setInterval(tick, 1000);
  tick();
}

/** Shows one step of a page at a time, and takes the focus to its heading. */
export function stepper() {
  let current;
  return (step) => {
    if (current) current.hidden = true;
    current = $(`step-${step}`);
    current.hidden = false;
    current.querySelector("h2")?.focus();
  };
}

/** Whose page it is, for the reader and for password managers. */
export function showAddress(email) {
  document.querySelectorAll("[data-address]").forEach((element) => { element.textContent = email; });
  document.querySelectorAll("[data-address-value]").forEach((input) => { input.value = email; });
}

document.querySelectorAll("[data-reveal]").forEach((button) => {
  button.addEventListener("click", () => setRevealed(button, $(button.dataset.reveal).type === "password"));
});
