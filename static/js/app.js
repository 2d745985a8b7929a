// What every page does: theme, relative times, live status, drafts, keys, messages.
import { follow } from "./data.js";

const words = document.getElementById("words")?.dataset ?? {};
const say = (name, values = {}) =>
  (words[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

// --- Theme ---------------------------------------------------------------------------
const root = document.documentElement;
const brightness = matchMedia("(prefers-color-scheme: light)");

function applyTheme(wish) {
  root.dataset.themeWish = wish;
  const light = wish === "light" || (wish === "system" && brightness.matches);
  root.dataset.bsTheme = light ? "light" : "dark";
  for (const button of document.querySelectorAll("[data-theme-form] button")) {
    button.setAttribute("aria-pressed", String(button.value === wish));
  }
  document.dispatchEvent(new CustomEvent("oms:theme"));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]")) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  fetch(form.action, { method: "POST", body, redirect: "manual" });
  applyTheme(event.submitter.value);
});

// Live parts are drawn for all who look, so their forms get the token of this reader here.
const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
document.addEventListener(
  "submit",
  ({ target: form }) => {
    if (form.method !== "post" || !token) return;
    const field = form.elements.csrfmiddlewaretoken ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name: "csrfmiddlewaretoken", value: token });
    form.append(field);
  },
  true,
);
brightness.addEventListener("change", () => {
  if (root.dataset.themeWish === "system") applyTheme("system");
});

// --- Times ---------------------------------------------------------------------------
function span(seconds) {
  if (seconds < 5) return "";
  if (seconds < 60) return say("s", { n: seconds });
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 60) return say("min", { n: minutes });
  if (hours < 24) return say("h", { h: hours, m: String(minutes % 60).padStart(2, "0") });
  return say("d", { d: Math.floor(hours / 24), h: hours % 24 });
}

function tellTimes() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-since]")) {
    const away = Math.round((Date.parse(time.dateTime) - now) / 1000);
    const text = span(Math.abs(away));
    const told = text ? say(away > 0 ? "in" : "ago", { span: text }) : say("now");
    if (time.textContent !== told) time.textContent = told;
  }
}
setInterval(tellTimes, 5000);

// --- Live ----------------------------------------------------------------------------
const status = document.getElementById("live");
const banner = document.getElementById("live-banner");
const socket = document.getElementById("live-socket");
const SILENCE = 25_000;
const POLL = 30_000;
let heardAt = Date.now();
let freshAt = new Date();
let state = "connecting";
let wrapper = null;

function setState(next) {
  state = next;
  status.dataset.state = next;
  status.textContent = say(next === "signed-out" ? "signedOut" : next);
  const key = { polling: "pollingLong", offline: "offlineLong", "signed-out": "signedOutLong" }[next];
  banner.hidden = !key;
  if (key) banner.lastElementChild.textContent = say(key, { time: `${freshAt.toISOString().slice(11, 19)} UTC` });
}

function heard() {
  heardAt = Date.now();
  freshAt = new Date();
}

function poll() {
  document.body.dispatchEvent(new CustomEvent("oms:poll"));
}

if (socket) {
  document.addEventListener("htmx:wsOpen", (event) => {
    wrapper = event.detail.socketWrapper;
    heardAt = Date.now();
  });
  // An open socket says nothing while its page cannot be drawn: only what comes over it is live.
  document.addEventListener("htmx:wsBeforeMessage", () => {
    heard();
    if (state !== "live") setState("live");
  });
  document.addEventListener("htmx:wsAfterMessage", () => document.dispatchEvent(new CustomEvent("oms:fresh")));
  document.addEventListener("htmx:wsClose", (event) => {
    const code = event.detail.event.code;
    if (code === 4401) setState("signed-out");
    else if (state !== "offline") setState("polling");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "live-poll") return;
    if (event.detail.successful) {
      heard();
      if (state !== "live") setState("polling");
      document.dispatchEvent(new CustomEvent("oms:fresh"));
    } else if (state !== "signed-out") setState("offline");
  });
  document.addEventListener("htmx:sendError", () => state !== "signed-out" && setState("offline"));
  setInterval(() => state !== "live" && state !== "signed-out" && poll(), POLL);
  setInterval(() => {
    if (["live", "connecting"].includes(state) && Date.now() - heardAt > SILENCE) {
      setState("polling");
      poll();
      wrapper?.reconnect();
    }
  }, 2000);
  addEventListener("offline", () => setState("offline"));
  addEventListener("online", () => {
    setState("polling");
    poll();
    wrapper?.reconnect();
  });
}
document.addEventListener("htmx:afterSettle", tellTimes);
document.addEventListener("oms:fresh", tellTimes);

// A live update leaves open what the reader opened, and marks what is new.
// What somebody has typed or chosen and not sent yet stays as it is.
const isTyped = (node) =>
  (node.matches("input:not([type=hidden], [type=checkbox], [type=radio]), textarea") && node.value !== node.defaultValue) ||
  (node.matches("select") && [...node.options].some((one) => one.selected !== one.defaultSelected));
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !(node.nodeType === Node.ELEMENT_NODE && isTyped(node));
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  !(name === "open" && node.matches("details, dialog"));
Idiomorph.defaults.callbacks.afterNodeAdded = (node) => {
  if (node.nodeType === Node.ELEMENT_NODE && node.matches("tr[data-new]")) node.classList.add("arrived");
};

// What was picked stays picked while the list is drawn again.
const picked = new Set();
document.addEventListener("change", (event) => {
  if (!event.target.matches("input.pick")) return;
  if (event.target.checked) picked.add(event.target.id);
  else picked.delete(event.target.id);
});
function pickAgain() {
  for (const box of document.querySelectorAll("input.pick")) box.checked = picked.has(box.id);
}
document.addEventListener("htmx:afterSettle", pickAgain);
document.addEventListener("oms:fresh", pickAgain);

// The draft of a notice follows the outage until somebody writes into it.
let draft = null;
follow("notice-draft", (words) => {
  const field = document.querySelector("#notice-form textarea");
  if (draft !== null && field?.value === draft) field.value = field.defaultValue = words;
  draft = words;
});

// --- Keys ----------------------------------------------------------------------------
const typing = (node) => node.closest("input, textarea, select, [contenteditable]");

function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    document.querySelector("details.menu[open]")?.removeAttribute("open");
    return;
  }
  if (typing(event.target)) return;
  const search = document.querySelector("main [data-search]") ?? document.querySelector("[data-search]");
  const deeds = {
    "/": () => search?.offsetParent && (search.focus(), search.select()),
    j: () => step(1),
    k: () => step(-1),
    x: () => document.activeElement?.closest("tr")?.querySelector("input.pick")?.click(),
    a: () => document.querySelector("main [data-acknowledge]")?.click(),
    "?": () => document.getElementById("keys")?.showModal(),
  };
  const deed = deeds[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
});

document.addEventListener("click", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});

// --- Messages ------------------------------------------------------------------------
const messages = document.getElementById("messages");

function settle(message) {
  if (message.dataset.settled) return;
  message.dataset.settled = "1";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", say("dismiss"));
  close.addEventListener("click", () => message.remove());
  message.append(close);
  if (message.dataset.tone === "good") setTimeout(() => message.remove(), 6000);
}

if (messages) {
  new MutationObserver(() => messages.querySelectorAll(".message").forEach(settle)).observe(messages, {
    childList: true,
  });
  messages.querySelectorAll(".message").forEach(settle);
}
