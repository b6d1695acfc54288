// The public JSON API of this origin, and what a tab remembers between two pages.

import { duration, t } from "./sentences.js";

// Storage may be refused (private windows, blocked site data): the pages then only forget across reloads.
const quietly = (act) => { try { return act(); } catch { return null; } };
export const memory = {
  get: (key) => quietly(() => JSON.parse(sessionStorage.getItem(`ostiary.${key}`))),
  set: (key, value) => quietly(() => sessionStorage.setItem(`ostiary.${key}`, JSON.stringify(value))),
  forget: (...keys) => keys.forEach((key) => quietly(() => sessionStorage.removeItem(`ostiary.${key}`))),
};

/** Always resolves: a refusal, or a network that fails, is an answer the page has to show. */
export async function call(method, path, body) {
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

export function explain(answer) {
  if (answer.status === 0) return t("The service cannot be reached. Check your connection and try again; what you typed is still here.");
  if (answer.status === 429) {
    if (!answer.wait) return t("That was too often. Please wait a few minutes and try again.");
    return t("That was too often. Please wait %(duration)s and try again.", { duration: duration(answer.wait) });
  }
  if (answer.status === 503) return t("The service is busy. Please try again in %(duration)s.", { duration: duration(answer.wait ?? 10) });
  if (answer.status >= 500) return t("Something went wrong on our side. Please try again in a little while.");
  return answer.data.detail ?? answer.data.title ?? t("That did not work. Please try again.");
}

/**
 * The fields of the link in a letter. Out of the address bar before anything else: a token must not stay in the
 * history, a bookmark or a screenshot. Kept for this tab, so that a reload does not lose it.
 */
export function takeLetter(key) {
  const query = new URLSearchParams(location.search);
  if (location.search) history.replaceState(null, "", location.pathname);
  const letter = query.get("token") ? { token: query.get("token"), email: query.get("email") ?? undefined } : memory.get(key);
  if (letter) memory.set(key, letter);
  return letter ?? {};
}
