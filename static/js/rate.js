// Events a minute by source over the last hour.
import uPlot from "../uplot/uPlot.esm.js";
import { colour, follow } from "./data.js";

const place = document.getElementById("rate");
const TONES = ["busy", "medium", "good", "high", "low", "critical", "quiet"];
let chart = null;
let shown = null;

function size() {
  return { width: place.clientWidth - 16, height: Math.max(90, place.clientHeight - 34) };
}

function stacked(series) {
  const sums = series[0].counts.map(() => 0);
  return series.map((one) => one.counts.map((count, i) => (sums[i] += count)));
}

function draw() {
  chart?.destroy();
  const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const layers = stacked(shown.series);
  const lines = shown.series.map((one, i) => ({
    label: one.label,
    stroke: colour(TONES[i % TONES.length]),
    fill: `color-mix(in srgb, ${colour(TONES[i % TONES.length])} 35%, transparent)`,
    width: 1,
    points: { show: false },
    value: (_, __, ___, at) => (at === null ? "–" : String(one.counts[at])),
  }));
  chart = new uPlot(
    {
      ...size(),
      cursor: { y: false },
      legend: { live: true },
      scales: { y: { range: (_, __, high) => [0, Math.max(4, high ?? 0)] } },
      series: [{ value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(11, 16)) }, ...lines.reverse()],
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 16)) },
        { ...axis, size: 34 },
      ],
    },
    [shown.minutes, ...layers.reverse()],
    place,
  );
}

if (place) {
  follow("rate-data", (data) => {
    shown = data;
    draw();
  });
  document.addEventListener("oms:theme", draw);
  new ResizeObserver(() => chart?.setSize(size())).observe(place);
}
