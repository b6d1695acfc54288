// What is said, in the language of the page. The code has the English; the page brings what it is in its language.

const root = document.documentElement;
const said = JSON.parse(document.getElementById("sentences")?.textContent ?? "{}");

/** A sentence in the language of the page, in English where nobody has translated it. Figures stand in it as `%(name)s`. */
export const t = (english, figures = {}) => (said[english] ?? english).replace(/%\((\w+)\)s/g, (_, name) => figures[name]);

export const LANGUAGE = root.lang;

// As people of the browser's country write it, where they speak the language of the page; with the digits of the page.
const [spoken] = navigator.language.split("-");
const LOCALE = new Intl.Locale(spoken === LANGUAGE.split("-")[0] ? navigator.language : LANGUAGE === "en" ? "en-GB" : LANGUAGE, { numberingSystem: "latn" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];
const moments = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const distances = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const lists = new Intl.ListFormat(LOCALE, { type: "unit" });

export const moment = (text) => moments.format(new Date(text));

export function ago(text) {
  const seconds = (Date.now() - Date.parse(text)) / 1000;
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? [];
  return unit ? distances.format(-Math.floor(seconds / size), unit) : t("just now");
}

export function duration(seconds) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat(LOCALE, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

export const list = (parts) => lists.format(parts);

export const sentenceCase = (text) => text.charAt(0).toLocaleUpperCase(LOCALE.language) + text.slice(1);

/** What the speakers of a language call it. */
export const nameOf = (language) => sentenceCase(new Intl.DisplayNames([language], { type: "language" }).of(language));
