// The rules of the forms, as the server tells them. It has the last word on each of them.

import { call } from "./api.js";
import { $ } from "./forms.js";
import { list, t } from "./sentences.js";

// Until the policy has arrived, or if it never does, only emptiness is refused here.
let policy = {};

// People and the server count characters; `length` counts UTF-16 units.
const characters = (text) => [...text].length;

export const required = (message) => (value) => (value.trim() ? null : message);

export function emailRule(value) {
  if (!value.trim()) return t("Enter your e-mail address.");
  return /^\S+@\S+[.\u3002]\S+$/.test(value.trim()) ? null : t("That does not look like an e-mail address. Example: name@example.com");
}

export const nameRule = (isRequired) => (value) => {
  const { max_length: most = Infinity } = policy.name ?? {};
  if (!value.trim()) return isRequired ? t("Enter your name.") : null;
  return characters(value.trim()) > most ? t("Use at most %(most)s characters.", { most }) : null;
};

export const usernameRule = (isRequired) => (value) => {
  const { min_length: least = 1, max_length: most = Infinity, pattern = "" } = policy.username ?? {};
  const name = value.trim().toLowerCase();
  if (!name) return isRequired ? t("Choose a username.") : null;
  if (characters(name) < least) return t("Use at least %(least)s characters.", { least });
  if (characters(name) > most) return t("Use at most %(most)s characters.", { most });
  return new RegExp(pattern, "u").test(name) ? null : t("Use letters, digits, dots, dashes and underscores; begin with a letter or digit.");
};

export function passwordRule(value) {
  const rules = policy.password ?? {};
  if (!value) return t("Choose a password.");
  const count = characters(value.normalize("NFC"));
  if (count < rules.min_length) return t("Use at least %(least)s characters.", { least: rules.min_length });
  if (count > rules.max_length || new TextEncoder().encode(value).length > rules.max_bytes) return t("Use at most %(most)s characters.", { most: rules.max_length });
  const missing = [
    ["upper", t("a capital letter")],
    ["lower", t("a small letter")],
    ["digit", t("a digit")],
    ["special", t("a special character")],
  ].filter(([name]) => rules[`require_${name}`] && !new RegExp(rules.classes[name], "u").test(value)).map(([, what]) => what);
  return missing.length ? t("Add %(missing)s.", { missing: list(missing) }) : null;
}

/** Claims no more than can be seen from here: how long it is, and whether it merely repeats itself. */
function describePassword(input) {
  const least = policy.password?.min_length;
  if (!least) return;
  const count = characters(input.value.normalize("NFC"));
  const variety = new Set(input.value.toLowerCase()).size;
  const [level, text] =
    count === 0 ? [0, t("At least %(least)s characters. Long beats complicated: a few unrelated words work well.", { least })]
    : count < least ? [1, t("%(count)s of at least %(least)s characters.", { count, least })]
    : variety < 6 ? [1, t("Long enough, but it repeats itself: easy to guess.")]
    : count < least + 6 ? [2, t("Long enough. A few characters more make it better still.")]
    : [3, t("Good length. Use it nowhere else.")];
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
  if ($("username-hint")) $("username-hint").textContent = t("%(least)s to %(most)s characters. Others can see it.", { least: policy.username.min_length, most: policy.username.max_length });
}
