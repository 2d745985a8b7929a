// The network, its outages and its crews on a plain background: no tiles, no outside host.
import * as maplibregl from "../maplibre/maplibre-gl.mjs";
import { colour, follow } from "./data.js";

const place = document.getElementById("map");
const empty = { type: "FeatureCollection", features: [] };
const REFRESH = 20_000; // how old the drawn switch states may be; unchanged ones cost a 304
const TONES = ["critical", "high", "medium", "low"];

function toned(property) {
  return ["match", ["get", property], ...TONES.flatMap((tone) => [tone, colour(tone)]), colour("quiet")];
}

function layers() {
  const line = { "line-cap": "round", "line-join": "round" };
  return [
    { id: "ground", type: "background", paint: { "background-color": colour("ground") } },
    { id: "lines", type: "line", source: "network", filter: ["==", ["geometry-type"], "LineString"], layout: line,
      paint: { "line-color": ["case", ["==", ["get", "energised"], false], colour("grid-dark"), colour("grid")], "line-width": ["interpolate", ["linear"], ["zoom"], 9, 0.8, 15, 2.5] } },
    { id: "points", type: "circle", source: "network", filter: ["==", ["geometry-type"], "Point"], minzoom: 12,
      paint: { "circle-radius": 2.5, "circle-color": colour("ground"), "circle-stroke-color": ["case", ["==", ["get", "closed"], false], colour("high"), colour("grid")], "circle-stroke-width": 1.25 } },
    { id: "trace-down", type: "line", source: "trace", filter: ["all", ["==", ["geometry-type"], "LineString"], ["==", ["get", "part"], "downstream"]], layout: line,
      paint: { "line-color": colour("critical"), "line-width": 3 } },
    { id: "trace-up", type: "line", source: "trace", filter: ["all", ["==", ["geometry-type"], "LineString"], ["==", ["get", "part"], "upstream"]], layout: line,
      paint: { "line-color": colour("good"), "line-width": 3 } },
    { id: "halo", type: "circle", source: "outages",
      paint: { "circle-radius": ["interpolate", ["linear"], ["get", "customers"], 0, 8, 100, 13, 1000, 22], "circle-color": toned("severity"), "circle-opacity": 0.22 } },
    { id: "outages", type: "circle", source: "outages",
      paint: { "circle-radius": 5, "circle-color": toned("severity"), "circle-stroke-color": colour("ground"), "circle-stroke-width": 1.5 } },
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
    sources: { network: geojson(empty), trace: geojson(empty), outages: geojson(empty), crews: geojson(empty) },
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
}

async function fetchNetwork() {
  const answer = await fetch(place.dataset.network);
  return answer.ok ? answer.json() : empty;
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
  const network = await fetchNetwork();
  if (!map.loaded()) await map.once("load");
  map.getSource("network").setData(network);
  let drawnAt = Date.now();
  document.addEventListener("oms:fresh", async () => {
    if (Date.now() - drawnAt < REFRESH) return;
    drawnAt = Date.now();
    map.getSource("network").setData(await fetchNetwork());
  });
  greet(map);
  follow("map-data", (data) => {
    for (const name of ["outages", "crews", "trace"]) map.getSource(name).setData(data[name] ?? empty);
    const aim = data.trace?.features.length ? [data.trace] : network.features.length ? [network] : [data.outages, data.crews];
    const box = spread(aim);
    if (!place.dataset.aimed && !box.isEmpty()) {
      map.fitBounds(box, { padding: 36, animate: false, maxZoom: 15 });
      place.dataset.aimed = "1";
    }
  });
  document.addEventListener("oms:theme", () => repaint(map));
  map.once("idle", () => (place.dataset.ready = "1"));
}

if (place) {
  start().catch(() => {
    place.querySelector(".map-note")?.removeAttribute("hidden");
  });
}
