// The one script of the built-in pages. It uses the public JSON API of its own origin and nothing else, so whatever
// it does a front end of yours can do as well. The server has the last word on every rule checked here.

const $ = (id) => document.getElementById(id);

// Storage may be refused (private windows, blocked site data): the pages then only forget across reloads.
const quietly = (act) => { try { return act(); } catch { return null; } };
const memory = {
  get: (key) => quietly(() => JSON.parse(sessionStorage.getItem(`ostiary.${key}`))),
  set: (key, value) => quietly(() => sessionStorage.setItem(`ostiary.${key}`, JSON.stringify(value))),
  forget: (...keys) => keys.forEach((key) => quietly(() => sessionStorage.removeItem(`ostiary.${key}`))),
};

// -- The API --

/** Always resolves: a refusal, or a network that fails, is an answer the page has to show. */
async function call(method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout?.(30_000),
    });
    const data = (await response.json().catch(() => null)) ?? {};
    const wait = Number.parseInt(response.headers.get("Retry-After"), 10) || null;
    return { ok: response.ok, status: response.status, data, code: data.code, errors: data.errors ?? [], wait };
  } catch {
    return { ok: false, status: 0, data: {}, code: "unreachable", errors: [], wait: null };
  }
}

function duration(seconds) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function explain(answer) {
  if (answer.status === 0) return "The service cannot be reached. Check your connection and try again; what you typed is still here.";
  if (answer.status === 429) return `That was too often. Please wait ${answer.wait ? duration(answer.wait) : "a few minutes"} and try again.`;
  if (answer.status === 503) return `The service is busy. Please try again in ${duration(answer.wait ?? 10)}.`;
  if (answer.status >= 500) return "Something went wrong on our side. Please try again in a little while.";
  return answer.data.detail ?? answer.data.title ?? "That did not work. Please try again.";
}

// -- Messages --

function alertWith(...sentences) {
  $("alert").replaceChildren(...sentences.map((sentence) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = sentence;
    return paragraph;
  }));
  if (sentences.length) $("alert").scrollIntoView({ block: "nearest" });
}

/** For what went well. Takes the focus, because the button that was pressed is about to be disabled. */
function announce(sentence) {
  $("status").textContent = sentence;
  $("status").focus();
}

function fieldError(id, message) {
  document.querySelector(`.field-error[data-for="${id}"]`).textContent = message ?? "";
  if (message) $(id).setAttribute("aria-invalid", "true");
  else $(id).removeAttribute("aria-invalid");
}

function retype(id) {
  $(id).focus();
  $(id).select();
}

/** Puts the server's errors beside their fields, and whatever has no field on this page into the summary. */
function showRefusal(answer, fields) {
  const messages = new Map();
  const homeless = [];
  for (const { field, message } of answer.errors) {
    const id = String(field).replaceAll("_", "-");
    if (fields.includes(id)) messages.set(id, [...(messages.get(id) ?? []), message]);
    else homeless.push(message);
  }
  messages.forEach((texts, id) => fieldError(id, texts.join(" ")));
  if (homeless.length || !messages.size) alertWith(...(homeless.length ? homeless : [explain(answer)]));
  $(fields.find((id) => messages.has(id)))?.focus();
}

// -- Forms --

/** Marked busy, not disabled: a disabled button would drop the keyboard's focus. */
function setBusy(button, busy) {
  button.dataset.label ??= button.textContent;
  if (!button.disabled) button.textContent = busy ? button.dataset.busy : button.dataset.label; // else it counts down
  button.ariaBusy = button.ariaDisabled = busy ? "true" : null;
}

/** `act` returns true when the page is being left: the button then stays busy until it is gone. */
function onSubmit(form, isValid, act) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.ariaBusy === "true") return;
    alertWith();
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
function watch(rules) {
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
  button.textContent = revealed ? "Hide" : "Show";
  button.setAttribute("aria-label", revealed ? "Hide password" : "Show password");
}

function hidePasswords(form) {
  form.querySelectorAll("[data-reveal]").forEach((button) => setRevealed(button, false));
}

/** Disables the button for as long as another letter would be refused anyway, also across a reload. */
function coolDown(button, seconds) {
  if (seconds) memory.set("resend-at", Date.now() + seconds * 1000);
  const until = memory.get("resend-at") ?? Date.now() + (seconds ?? 0) * 1000;
  button.dataset.label ??= button.textContent;
  clearInterval(button.timer);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${button.dataset.label} (in ${left} s)` : button.dataset.label;
    if (left <= 0) clearInterval(button.timer);
  };
  button.timer = setInterval(tick, 1000);
  tick();
}

// -- Rules --

// Until the policy has arrived, or if it never does, only emptiness is refused here.
let policy = {};

// People and the server count characters; `length` counts UTF-16 units.
const characters = (text) => [...text].length;

const required = (message) => (value) => (value.trim() ? null : message);

function emailRule(value) {
  if (!value.trim()) return "Enter your e-mail address.";
  return /^\S+@\S+[.\u3002]\S+$/.test(value.trim()) ? null : "That does not look like an e-mail address: name@example.com";
}

const nameRule = (isRequired) => (value) => {
  const { max_length: most = Infinity } = policy.name ?? {};
  if (!value.trim()) return isRequired ? "Enter your name." : null;
  return characters(value.trim()) > most ? `Use at most ${most} characters.` : null;
};

const usernameRule = (isRequired) => (value) => {
  const { min_length: least = 1, max_length: most = Infinity, pattern = "" } = policy.username ?? {};
  const name = value.trim().toLowerCase();
  if (!name) return isRequired ? "Choose a username." : null;
  if (characters(name) < least) return `Use at least ${least} characters.`;
  if (characters(name) > most) return `Use at most ${most} characters.`;
  return new RegExp(pattern, "u").test(name) ? null : "Use letters, digits, dots, dashes and underscores; begin with a letter or digit.";
};

function passwordRule(value) {
  const rules = policy.password ?? {};
  if (!value) return "Choose a password.";
  const count = characters(value);
  if (count < rules.min_length) return `Use at least ${rules.min_length} characters.`;
  if (count > rules.max_length || new TextEncoder().encode(value).length > rules.max_bytes) return `Use at most ${rules.max_length} characters.`;
  const missing = [
    [rules.require_upper, /\p{Lu}/u, "a capital letter"],
    [rules.require_lower, /\p{Ll}/u, "a small letter"],
    [rules.require_digit, /\p{Nd}/u, "a digit"],
    [rules.require_special, /[^\p{L}\p{N}]/u, "a special character"],
  ].filter(([wanted, pattern]) => wanted && !pattern.test(value)).map(([, , what]) => what);
  return missing.length ? `Add ${missing.join(", ")}.` : null;
}

/** Claims no more than can be seen from here: how long it is, and whether it merely repeats itself. */
function describePassword(input) {
  const least = policy.password?.min_length;
  if (!least) return;
  const count = characters(input.value);
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
async function adoptPolicy(passwordField) {
  const input = $(passwordField);
  input.addEventListener("input", () => describePassword(input));
  const answer = await call("GET", "/auth/policy");
  if (!answer.ok) return;
  policy = answer.data;
  const rules = policy.password;
  const classes = ["upper", "lower", "digit", "special"].filter((name) => rules[`require_${name}`]);
  input.minLength = rules.min_length; // no maxLength: it would cut a pasted password short without a word
  input.setAttribute("passwordrules", [
    `minlength: ${rules.min_length}`, `maxlength: ${rules.max_length}`, ...classes.map((name) => `required: ${name}`),
  ].join("; "));
  describePassword(input);
  if ($("username-hint")) $("username-hint").textContent = `${policy.username.min_length} to ${policy.username.max_length} characters. Others can see it.`;
}

// -- The pages --

function signup() {
  const names = ["name", "email", "username", "password"].filter($);
  const rules = { name: nameRule($("name").required), email: emailRule, username: usernameRule($("username")?.required), password: passwordRule };
  const isValid = watch(Object.fromEntries(names.map((name) => [name, rules[name]])));
  adoptPolicy("password");
  $("email").value ||= memory.get("email") ?? ""; // back from the next page to correct a typing error
  onSubmit($("signup-form"), isValid, async () => {
    const entered = names.map((name) => [name, name === "password" ? $(name).value : $(name).value.trim()]);
    const answer = await call("POST", "/auth/signup", Object.fromEntries(entered.filter(([, value]) => value)));
    $("taken").hidden = !answer.errors.some(({ field, code }) => field === "email" && code === "taken");
    if (!answer.ok) return showRefusal(answer, names);
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

async function resend(target, sentence) {
  const answer = await call("POST", "/auth/resend-verification", target);
  if (answer.ok) {
    announce(sentence);
    return 60;
  }
  showRefusal(answer, "email" in target ? ["email"] : []);
  return answer.status === 429 ? answer.wait ?? 60 : 0;
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
    const pause = await resend({ email: known ?? $("email").value.trim() }, "Done. If this address waits to be confirmed, another letter is on its way.");
    if (pause) coolDown($("resend"), pause);
  });
}

function verify() {
  const query = new URLSearchParams(location.search);
  // Out of the address bar before anything else: it must not stay in the history, a bookmark or a screenshot.
  if (location.search) history.replaceState(null, "", location.pathname);
  const letter = query.get("token") ? { token: query.get("token"), email: query.get("email") ?? undefined } : memory.get("letter");
  if (letter) memory.set("letter", letter);
  const { token, email } = letter ?? {};

  let current;
  const go = (step) => {
    if (current) current.hidden = true;
    current = $(`step-${step}`);
    current.hidden = false;
    current.querySelector("h2")?.focus();
  };
  go(token ? "confirm" : "missing");
  if (!token) return;
  if (email) {
    document.querySelectorAll("[data-address]").forEach((element) => { element.textContent = email; });
    document.querySelectorAll("[data-address-value]").forEach((input) => { input.value = email; });
  }

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
      fieldError("password", "That is not the password chosen at sign-up. Try again, or choose a new one below.");
      retype("password");
    } else if (step) {
      go(step);
    } else {
      showRefusal(answer, fields);
    }
    return false;
  };

  onSubmit($("confirm-form"), () => true, () => post({}, []));

  const passwordIsValid = watch({ password: required("Enter the password you chose at sign-up.") });
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
    const pause = await resend({ token }, "A fresh link is on its way, unless the address has been confirmed meanwhile. You can close this page.");
    if (pause) coolDown($("resend"), pause);
  });
}

function signin() {
  const email = $("email");
  const usernames = "usernames" in email.dataset;
  const isValid = watch({
    email: required(`Enter your e-mail address${usernames ? " or username" : ""}.`),
    password: required("Enter your password."),
  });
  onSubmit($("signin-form"), isValid, async () => {
    const who = email.value.trim();
    const answer = await call("POST", "/auth/signin", {
      [usernames && !who.includes("@") ? "username" : "email"]: who,
      password: $("password").value,
      remember: $("remember").checked,
    });
    if (answer.ok) {
      memory.forget("email", "resend-at");
      location.replace("/auth/account");
      return true;
    }
    if (answer.code === "invalid_credentials") {
      alertWith(`${usernames ? "The e-mail address, username" : "The e-mail address"} or password is not right.`, "If you signed up recently, open the letter first.");
      retype("password");
    } else {
      // The identifier has one field here, whichever of its names the server uses.
      const errors = answer.errors.map((error) => (error.field === "username" ? { ...error, field: "email" } : error));
      showRefusal({ ...answer, errors }, ["email", "password"]);
    }
    return false;
  });
}

async function account() {
  const answer = await call("GET", "/auth/me");
  if (answer.status === 401) return location.replace("/auth/signin");
  $("loading").hidden = true;
  if (!answer.ok) return alertWith(explain(answer));
  const { name, email, email_verified: verified } = answer.data;
  $("who").textContent = name ? `${name} (${email})` : email;
  $("badge").textContent = verified ? "Address verified" : "Address not verified yet";
  $("badge").classList.toggle("good", Boolean(verified));
  $("account").hidden = false;
  $("resend-form").hidden = Boolean(verified);
  if (!verified && memory.get("written-to") === email) {
    $("status").textContent = `We have written to ${email}. Open the link in the letter to confirm the address.`;
  }
  coolDown($("resend"));
  onSubmit($("resend-form"), () => true, async () => {
    const pause = await resend({ email }, `Done. Another letter to ${email} is on its way.`);
    if (pause) coolDown($("resend"), pause);
  });
  onSubmit($("sign-out-form"), () => true, async () => {
    const goodbye = await call("POST", "/auth/signout", {});
    if (!goodbye.ok && goodbye.status !== 401) return alertWith(explain(goodbye));
    memory.forget("written-to", "resend-at");
    location.replace("/auth/signin");
    return true;
  });
}

function devInbox() {
  const newest = document.querySelector("[data-letter]")?.dataset.letter;
  setInterval(async () => {
    if (document.hidden) return;
    const { ok, data } = await call("GET", "/dev/inbox.json");
    if (ok && data[0] && String(data[0].id) !== newest) location.reload();
  }, 2000);
}

document.querySelectorAll("[data-reveal]").forEach((button) => {
  button.addEventListener("click", () => setRevealed(button, $(button.dataset.reveal).type === "password"));
});

// A page that "back" restores from memory still shows the busy button and the state it was left in.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const pages = { signup, "check-inbox": checkInbox, verify, signin, account, "dev-inbox": devInbox };
pages[document.body.dataset.page]?.();
