// The rules of the forms, as the server tells them. It has the last word on each of them.

import { call } from "./api.js";
import { $ } from "./forms.js";

// Until the policy has arrived, or if it never does, only emptiness is refused here.
let policy = {};

// People and the server count characters; `length` counts UTF-16 units.
const characters = (text) => [...text].length;

export const required = (message) => (value) => (value.trim() ? null : message);

export function emailRule(value) {
  if (!value.trim()) return "Enter your e-mail address.";
  return /^\S+@\S+[.\u3002]\S+$/.test(value.trim()) ? null : "That does not look like an e-mail address: name@example.com";
}

export const nameRule = (isRequired) => (value) => {
  const { max_length: most = Infinity } = policy.name ?? {};
  if (!value.trim()) return isRequired ? "Enter your name." : null;
  return characters(value.trim()) > most ? `Use at most ${most} characters.` : null;
};

export const usernameRule = (isRequired) => (value) => {
  const { min_length: least = 1, max_length: most = Infinity, pattern = "" } = policy.username ?? {};
  const name = value.trim().toLowerCase();
  if (!name) return isRequired ? "Choose a username." : null;
  if (characters(name) < least) return `Use at least ${least} characters.`;
  if (characters(name) > most) return `Use at most ${most} characters.`;
  return new RegExp(pattern, "u").test(name) ? null : "Use letters, digits, dots, dashes and underscores; begin with a letter or digit.";
};

export function passwordRule(value) {
  const rules = policy.password ?? {};
  if (!value) return "Choose a password.";
  const count = characters(value.normalize("NFC"));
  if (count < rules.min_length) return `Use at least ${rules.min_length} characters.`;
  if (count > rules.max_length || new TextEncoder().encode(value).length > rules.max_bytes) return `Use at most ${rules.max_length} characters.`;
  const missing = [
    ["upper", "a capital letter"],
    ["lower", "a small letter"],
    ["digit", "a digit"],
    ["special", "a special character"],
  ].filter(([name]) => rules[`require_${name}`] && !new RegExp(rules.classes[name], "u").test(value)).map(([, what]) => what);
  return missing.length ? `Add ${missing.join(", ")}.` : null;
}

/** Claims no more than can be seen from here: how long it is, and whether it merely repeats itself. */
function describePassword(input) {
  const least = policy.password?.min_length;
  if (!least) return;
  const count = characters(input.value.normalize("NFC"));
  const variety = new Set(input.value.toLowerCase()).size;
  const [level, text] =
    count === 0 ? [0, `At least ${least} characters. Long beats complicated: a few unrelated words work well.`]
    : count < least ? [1, `${count} of at least ${least} characters.`]
    : variety < 6 ? [1, "Long enough, but it repeats itself: easy to guess."]
    : count < least + 6 ? [2, "Long enough. A few characters more make it better still."]
    : [3, "Good length. Use it nowhere else."];
  $(`${input.id}-strength`).dataset.level = level;
  $(`${input.id}-hint`).textContent = text;
}

/** Makes the policy known to the rules, the hints and, through attributes, to password managers. */
export async function adoptPolicy(passwordField) {
  const input = $(passwordField);
  input.addEventListener("input", () => describePassword(input));
  const answer = await call("GET", "/auth/policy");
  if (!answer.ok) return;
  policy = answer.data;
  const rules = policy.password;
  input.minLength = rules.min_length; // no maxLength: it would cut a pasted password short without a word
  input.setAttribute("passwordrules", rules.passwordrules);
  describePassword(input);
  if ($("username-hint")) $("username-hint").textContent = `${policy.username.min_length} to ${policy.username.max_length} characters. Others can see it.`;
}
