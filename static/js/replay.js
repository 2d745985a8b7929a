// Plays the minutes of a past period: a slider, a list and the map that every page has.
import { read } from "./data.js";

const film = read("film-data");
const board = document.getElementById("map-data");
const slider = document.getElementById("film-at");
const play = document.getElementById("film-play");
const speed = document.getElementById("film-speed");
const zone = document.documentElement.dataset.zone || "UTC";
const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, hourCycle: "h23", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});
const collection = (features) => ({ type: "FeatureCollection", features });

function cell(text, name = "") {
  const made = document.createElement("td");
  made.textContent = text;
  made.className = name;
  return made;
}

// Each minute says who comes and who goes; so one walks to the minute that is asked for.
const shown = new Set();
let position = -1;
function walk(to) {
  while (position < to) {
    const frame = film.frames[++position];
    for (const n of frame.went) shown.delete(n);
    for (const n of frame.came) shown.add(n);
  }
  while (position > to) {
    const frame = film.frames[position--];
    for (const n of frame.came) shown.delete(n);
    for (const n of frame.went) shown.add(n);
  }
}

function draw() {
  const frame = film.frames[Number(slider.value)];
  if (!frame) return;
  walk(Number(slider.value));
  const going = [...shown].map((n) => film.outages[n]).filter((one) => !one.over);
  going.sort((a, b) => b.customers - a.customers || (a.device < b.device ? -1 : 1));
  document.getElementById("film-time").textContent = `${clock.format(new Date(frame.at))} ${zone}`;
  document.getElementById("film-events").textContent = Object.entries(frame.events)
    .map(([source, n]) => `${film.sources[source] ?? source} ${n}`)
    .join(" · ");
  document.getElementById("film-count").textContent = going.length;
  document.getElementById("film-rows").replaceChildren(
    ...going.slice(0, 200).map((one) => {
      const row = document.createElement("tr");
      row.append(cell(one.device, "mono"), cell(clock.format(new Date(one.since)), "nowrap"), cell(one.customers, "num"));
      return row;
    }),
  );
  board.textContent = JSON.stringify({
    outages: collection(going.map((one) => one.feature).filter(Boolean)),
    crews: collection([]),
    dead: [...new Set(going.flatMap((one) => film.below[one.device] ?? []))],
  });
  document.dispatchEvent(new CustomEvent("oms:fresh"));
}

let timer = null;
function pause() {
  clearInterval(timer);
  timer = null;
  play.setAttribute("aria-pressed", "false");
  play.textContent = play.dataset.play;
}

function start() {
  if (Number(slider.value) >= Number(slider.max)) slider.value = 0;
  play.setAttribute("aria-pressed", "true");
  play.textContent = play.dataset.pause;
  timer = setInterval(() => {
    slider.value = Number(slider.value) + 1;
    draw();
    if (Number(slider.value) >= Number(slider.max)) pause();
  }, 60_000 / Number(speed.value));
}

// While it is made the page shows how far it is; then it is drawn anew, with the player.
function wait() {
  const look = () => document.querySelector("#live-making[data-made]") && location.reload();
  for (const name of ["oms:fresh", "htmx:oobAfterSwap"]) document.addEventListener(name, look);
}

if (film) {
  document.getElementById("film").hidden = false;
  document.getElementById("film-list").hidden = false;
  slider.max = film.frames.length - 1;
  const first = film.frames.findIndex((frame) => frame.came.length);
  slider.value = Math.max(0, first);
  slider.addEventListener("input", draw);
  play.addEventListener("click", () => (timer ? pause() : start()));
  speed.addEventListener("change", () => timer && (pause(), start()));
  draw();
} else wait();
