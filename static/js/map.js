// The network, its outages and its crews on a plain background: no tiles, no outside host.
import * as maplibregl from "../maplibre/maplibre-gl.mjs";
import { colour, follow } from "./data.js";

const place = document.getElementById("map");
const empty = { type: "FeatureCollection", features: [] };
const REFRESH = 20_000; // how old the drawn switch states may be; unchanged ones cost a 304
const TONES = ["critical", "high", "medium", "low"];

const SHADES = [0, 1, 2, 3, 4, 5];

function shaded() {
  return ["match", ["get", "shade"], ...SHADES.flatMap((n) => [n, colour(`feeder-${n}`)]), colour("grid")];
}

function toned(property) {
  return ["match", ["get", property], ...TONES.flatMap((tone) => [tone, colour(tone)]), colour("quiet")];
}

// How far an outage shines. Thousands would shine over each other, and cost frames.
const HALO = ["interpolate", ["linear"], ["get", "customers"], 0, 3, 100, 8, 1000, 17];
const MANY = 300;

function layers() {
  const line = { "line-cap": "round", "line-join": "round" };
  const lines = ["==", ["geometry-type"], "LineString"];
  const part = (name) => ["all", lines, ["==", ["get", "part"], name]];
  const switches = ["all", ["==", ["geometry-type"], "Point"], ["==", ["get", "closed"], false]];
  const width = (thin, thick) => ["interpolate", ["linear"], ["zoom"], 9, thin, 15, thick];
  return [
    { id: "ground", type: "background", paint: { "background-color": colour("ground") } },
    { id: "lines", type: "line", source: "network", filter: lines, layout: line,
      paint: { "line-color": shaded(), "line-width": width(0.9, 2.5) } },
    { id: "reach", type: "line", source: "network", filter: lines,
      paint: { "line-color": colour("grid"), "line-width": 9, "line-opacity": 0 } },
    { id: "dead", type: "line", source: "dead", layout: line,
      paint: { "line-color": colour("grid-dark"), "line-width": width(1.6, 3.5) } },
    { id: "points", type: "circle", source: "network", filter: ["==", ["geometry-type"], "Point"], minzoom: 14,
      paint: { "circle-radius": 2.5, "circle-color": colour("ground"), "circle-stroke-color": colour("grid"), "circle-stroke-width": 1.25 } },
    { id: "open-switches", type: "circle", source: "network", filter: switches,
      paint: { "circle-radius": 3, "circle-color": colour("ground"), "circle-stroke-color": colour("quiet"), "circle-stroke-width": 1.5 } },
    { id: "trace-past", type: "line", source: "trace", filter: part("restored"), layout: line,
      paint: { "line-color": colour("low"), "line-width": 3 } },
    { id: "trace-down", type: "line", source: "trace", filter: part("downstream"), layout: line,
      paint: { "line-color": colour("critical"), "line-width": 3 } },
    { id: "trace-below", type: "line", source: "trace", filter: part("below"), layout: line,
      paint: { "line-color": colour("busy"), "line-width": 3 } },
    { id: "trace-up", type: "line", source: "trace", filter: part("upstream"), layout: line,
      paint: { "line-color": colour("good"), "line-width": 3 } },
    { id: "outages", type: "circle", source: "outages",
      paint: { "circle-radius": 5, "circle-color": toned("severity"), "circle-stroke-color": toned("severity"), "circle-stroke-opacity": 0.25,
        "circle-stroke-width": HALO } },
    { id: "crews", type: "circle", source: "crews",
      paint: { "circle-radius": 5, "circle-color": colour("ground"), "circle-stroke-color": colour("busy"), "circle-stroke-width": 2.5 } },
    { id: "crew-names", type: "symbol", source: "crews", minzoom: 11,
      layout: { "text-field": ["get", "name"], "text-size": 11, "text-offset": [0, 1.2], "text-anchor": "top", "text-optional": true },
      paint: { "text-color": colour("text"), "text-halo-color": colour("ground"), "text-halo-width": 1.5 } },
    { id: "outage-names", type: "symbol", source: "outages",
      layout: { "text-field": ["get", "number"], "text-size": 11, "text-offset": [0, -1.1], "text-anchor": "bottom", "text-optional": true, "symbol-sort-key": ["-", 0, ["get", "customers"]] },
      paint: { "text-color": colour("strong"), "text-halo-color": colour("ground"), "text-halo-width": 1.5 } },
  ];
}

function style() {
  const geojson = (data) => ({ type: "geojson", data });
  return {
    version: 8,
    sources: { network: geojson(empty), dead: geojson(empty), trace: geojson(empty), outages: geojson(empty), crews: geojson(empty) },
    layers: layers(),
  };
}

function spread(collections) {
  const box = new maplibregl.LngLatBounds();
  const take = (at) => (typeof at[0] === "number" ? box.extend(at) : at.forEach(take));
  for (const { features } of collections) for (const feature of features) take(feature.geometry.coordinates);
  return box;
}

function repaint(map) {
  for (const layer of layers()) {
    for (const [name, value] of Object.entries(layer.paint)) map.setPaintProperty(layer.id, name, value);
  }
}

// The outages come as rows, for thousands as features would take most of what the page weighs.
// A replay makes its features itself.
function feature([longitude, latitude, number, severity, customers, where], { page, words }) {
  return {
    type: "Feature",
    id: Number(number.replace(/\D/g, "")),
    geometry: { type: "Point", coordinates: [longitude, latitude] },
    properties: { number, severity, customers, url: page + number, label: [number, words[severity], where, customers].join(" · ") },
  };
}

// Of the outages only what changed goes to the map: to draw all of them anew costs.
class Outages {
  constructor(map) {
    this.map = map;
    this.source = map.getSource("outages");
    this.drawn = null;
  }

  draw(told) {
    if (!told?.rows) {
      this.drawn = null;
      this.source.setData(told ?? empty);
      return;
    }
    const rows = new Map(told.rows.map((row) => [row[2], row.join()]));
    if (this.drawn) this.update(told, rows);
    else this.source.setData({ type: "FeatureCollection", features: told.rows.map((row) => feature(row, told)) });
    this.drawn = rows;
    this.crowd(rows.size > MANY);
  }

  // Names and halos of many outages are for who looks closer.
  crowd(isCrowded, isRepainted = false) {
    if (isCrowded === this.isCrowded && !isRepainted) return;
    this.isCrowded = isCrowded;
    this.map.setLayerZoomRange("outage-names", isCrowded ? 13 : 0, 24);
    this.map.setPaintProperty("outages", "circle-stroke-width", isCrowded ? 1.5 : HALO);
  }

  update(told, rows) {
    const gone = [...this.drawn.keys()].filter((number) => rows.get(number) !== this.drawn.get(number));
    const add = told.rows.filter((row) => rows.get(row[2]) !== this.drawn.get(row[2])).map((row) => feature(row, told));
    if (gone.length + add.length) this.source.updateData({ remove: gone.map((number) => Number(number.replace(/\D/g, ""))), add });
  }
}

function greet(map) {
  const popup = new maplibregl.Popup({ closeButton: false, offset: 10 });
  for (const id of ["outages", "crews"]) {
    map.on("mouseenter", id, (event) => {
      map.getCanvas().style.cursor = "pointer";
      const { geometry, properties } = event.features[0];
      popup.setLngLat(geometry.coordinates).setText(properties.label).addTo(map);
    });
    map.on("mouseleave", id, () => {
      map.getCanvas().style.cursor = "";
      popup.remove();
    });
    map.on("click", id, (event) => {
      const { url } = event.features[0].properties;
      if (url) location.assign(url);
    });
  }
  const named = new maplibregl.Popup({ closeButton: false, offset: 6 });
  map.on("mousemove", "reach", (event) => {
    if (map.queryRenderedFeatures(event.point, { layers: ["outages", "crews"] }).length) return named.remove();
    const { feeder } = event.features[0].properties;
    if (feeder) named.setLngLat(event.lngLat).setText(feeder).addTo(map);
    else named.remove();
  });
  map.on("mouseleave", "reach", () => named.remove());
}

// The lines without supply: those whose switches say so, and those below an open outage.
function dead(network, numbers) {
  const below = new Set(numbers);
  const features = network.features.filter(
    ({ id, geometry, properties }) =>
      geometry.type === "LineString" && (below.has(id) || properties.energised === false),
  );
  return { type: "FeatureCollection", features };
}

// The lines of a trace: by their numbers in the network, or as shapes where it is not all here.
function trace(network, told) {
  if (!told) return empty;
  const part = new Map(Object.entries(told.parts).flatMap(([name, numbers]) => numbers.map((n) => [n, name])));
  const named = network.features
    .filter(({ id }) => part.has(id))
    .map(({ id, geometry }) => ({ type: "Feature", geometry, properties: { part: part.get(id) } }));
  return { type: "FeatureCollection", features: [...named, ...told.shapes] };
}

// The network where it is another than the last, otherwise nothing: drawing it again costs.
let tag = null;
async function fetchNetwork() {
  const answer = await fetch(place.dataset.network);
  if (!answer.ok || answer.headers.get("ETag") === tag) return null;
  tag = answer.headers.get("ETag");
  return answer.json();
}

async function start() {
  maplibregl.setWorkerUrl(new URL("../maplibre/maplibre-gl-worker.mjs", import.meta.url).href);
  const map = new maplibregl.Map({
    container: place,
    style: style(),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    cooperativeGestures: false,
    fadeDuration: 0,
    maxZoom: 18,
  });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  let network = (await fetchNetwork()) ?? empty;
  let below = [];
  let way = null;
  if (!map.loaded()) await map.once("load");
  const draw = () => {
    map.getSource("network").setData(network);
    map.getSource("dead").setData(dead(network, below));
    map.getSource("trace").setData(trace(network, way));
  };
  draw();
  let drawnAt = Date.now();
  document.addEventListener("oms:fresh", async () => {
    if (Date.now() - drawnAt < REFRESH) return;
    drawnAt = Date.now();
    const fresh = await fetchNetwork().catch(() => null);
    if (!fresh) return;
    network = fresh;
    draw();
  });
  greet(map);
  // The view fits what it shows, in every size of the window, until somebody moves it.
  let aim = [];
  let aimed = false;
  let moved = false;
  const fit = () => {
    const box = spread(aim);
    if (moved || box.isEmpty()) return;
    map.fitBounds(box, { padding: 36, animate: false, maxZoom: 15 });
    aimed = true;
  };
  map.on("movestart", (event) => (moved ||= Boolean(event.originalEvent)));
  map.on("resize", fit);
  const last = {};
  const outages = new Outages(map);
  const isNew = (name, value) => last[name] !== (last[name] = JSON.stringify(value));
  follow("map-data", (data) => {
    outages.draw(data.outages);
    if (isNew("crews", data.crews)) map.getSource("crews").setData(data.crews ?? empty);
    if (isNew("dead", data.dead)) {
      below = data.dead ?? [];
      map.getSource("dead").setData(dead(network, below));
    }
    if (isNew("trace", data.trace)) {
      way = data.trace;
      map.getSource("trace").setData(trace(network, way));
    }
    const traced = trace(network, way);
    if (aimed) return;
    const points = (data.outages?.rows ?? []).map((row) => feature(row, data.outages));
    aim = traced.features.length ? [traced] : network.features.length ? [network] : [{ features: points }, data.crews ?? empty];
    fit();
  });
  document.addEventListener("oms:theme", () => {
    repaint(map);
    outages.crowd(outages.isCrowded, true);
  });
  map.once("idle", () => (place.dataset.ready = "1"));
}

if (place) {
  start().catch(() => {
    place.querySelector(".map-note")?.removeAttribute("hidden");
  });
}
