// The development inbox: asks for new letters every other second while somebody looks, and keeps what they look at.

const $ = (id) => document.getElementById(id);
const READ = "ostiary-inbox-read";
const MOST_REMEMBERED = 400;
const wide = matchMedia("(min-width: 56rem)");
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

let letters = [];
let view = "html";
let shown = "";
let read = new Set();
try { read = new Set(JSON.parse(localStorage.getItem(READ) ?? "[]")); } catch { /* nothing is remembered, then */ }

const selected = () => letters.find((letter) => `#${letter.id}` === location.hash);
const matching = () => {
  const wanted = $("filter").value.trim().toLowerCase();
  return letters.filter((letter) => `${letter.to}\n${letter.subject}`.toLowerCase().includes(wanted));
};

function moment(date) {
  const when = new Date(date);
  return (when.toDateString() === new Date().toDateString() ? clock : calendar).format(when);
}

function element(tag, text, fields = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...fields });
}

function entry(letter) {
  const unread = !read.has(letter.id);
  const link = element("a", "", { className: unread ? "entry unread" : "entry", href: letter.html_url });
  link.dataset.letter = letter.id;
  if (unread) link.append(element("span", "Unread: ", { className: "unseen" }));
  link.append(element("strong", letter.subject, { dir: "auto" }), element("span", letter.to));
  link.append(element("time", moment(letter.date), { dateTime: letter.date }));
  if (letter === selected()) link.setAttribute("aria-current", "true");
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function list() {
  const focused = document.activeElement?.dataset?.letter;
  const found = matching();
  $("letters").replaceChildren(...found.map(entry));
  if (focused) document.querySelector(`[data-letter="${CSS.escape(focused)}"]`)?.focus();
  $("none").hidden = found.length > 0;
  $("empty").hidden = letters.length > 0;
  $("mail").hidden = letters.length === 0;
  const unread = letters.filter((letter) => !read.has(letter.id)).length;
  document.title = document.title.replace(/^(\(\d+\) )?/, unread ? `(${unread}) ` : "");
}

async function show() {
  const letter = selected();
  $("letter").hidden = !letter;
  $("mail").toggleAttribute("data-open", Boolean(letter));
  if (letter) {
    read.add(letter.id);
    try { localStorage.setItem(READ, JSON.stringify([...read].slice(-MOST_REMEMBERED))); } catch { /* only until a reload, then */ }
    $("subject").textContent = letter.subject;
    $("to").textContent = letter.to;
    $("date").textContent = moment(letter.date);
    $("date").dateTime = letter.date;
    $("way").hidden = !letter.link;
    if (letter.link) $("link").href = letter.link;
    for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    $("page").hidden = view !== "html";
    $("plain").hidden = view === "html";
    $("plain").dataset.as = view;
    const now = `${letter.id} ${letter.date} ${view}`;
    if (now !== shown) {
      shown = now;
      if (view === "html") $("page").src = letter.html_url;
      else if (view === "text") $("plain").textContent = letter.text;
      else {
        $("plain").textContent = "";
        const source = await (await fetch(letter.source_url)).text();
        if (shown === now) $("plain").textContent = source;
      }
    }
  }
  list();
}

function choose(letter) {
  if (!letter) return;
  location.hash = letter.id;
}

function step(by) {
  const found = matching();
  const at = found.indexOf(selected());
  choose(found[at < 0 ? 0 : Math.min(Math.max(at + by, 0), found.length - 1)]);
}

function lookAs(wanted) {
  view = wanted;
  show();
}

async function refresh() {
  if (document.hidden) return;
  let fresh;
  try {
    const answer = await fetch("/dev/inbox.json");
    if (!answer.ok) return;
    fresh = await answer.json();
  } catch { return; } // the service is starting anew: the next time, then
  const known = new Set(letters.map((letter) => letter.id));
  const key = (some) => some.map((letter) => letter.id + letter.date).join();
  if (key(fresh) === key(letters)) return;
  const first = letters.length === 0;
  const news = fresh.filter((letter) => !known.has(letter.id)).length;
  letters = fresh;
  if (!first && news) $("news").textContent = news === 1 ? "A new letter" : `${news} new letters`;
  if (!selected() && wide.matches && letters.length) history.replaceState(null, "", `#${letters[0].id}`);
  show();
}

$("letters").addEventListener("click", (event) => {
  const link = event.target.closest("[data-letter]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(letters.find((letter) => letter.id === link.dataset.letter));
});
$("filter").addEventListener("input", list);
$("back").addEventListener("click", () => {
  const was = selected()?.id;
  history.replaceState(null, "", location.pathname);
  show();
  document.querySelector(`[data-letter="${CSS.escape(was ?? "")}"]`)?.focus();
});
for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => lookAs(button.dataset.view));
addEventListener("hashchange", () => {
  show();
  if (!wide.matches && selected()) $("subject").focus();
});
document.addEventListener("visibilitychange", refresh);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  const does = { j: () => step(1), k: () => step(-1), h: () => lookAs("html"), t: () => lookAs("text"), s: () => lookAs("source"), "/": () => $("filter").focus() }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

await refresh();
setInterval(refresh, 2000);
