// Events a minute by source over the last hour.
import uPlot from "../uplot/uPlot.esm.js";
import { colour, follow } from "./data.js";

const place = document.getElementById("rate");
const TONES = ["busy", "medium", "good", "high", "low", "critical", "quiet"];
let chart = null;
let shown = null;
let width = 0;

function size() {
  return { width, height: 116 };
}

const named = ({ series }) => series.map(({ label }) => label).join();

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
    value: (_, __, ___, at) => (at === null ? "–" : String(shown.series[i].counts[at])),
  }));
  chart = new uPlot(
    {
      ...size(),
      cursor: { y: false },
      legend: { live: true },
      scales: { y: { range: (_, __, high) => [0, Math.max(4, high ?? 0)] } },
      series: [{ label: place.dataset.time, value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(11, 16)) }, ...lines.reverse()],
      axes: [
        { ...axis, size: 24, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 16)) },
        { ...axis, size: 44, space: 22, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000] },
      ],
    },
    [shown.minutes, ...layers.reverse()],
    place,
  );
}

if (place) {
  width = place.clientWidth - 16;
  follow("rate-data", (data) => {
    const isSame = chart && named(shown) === named(data);
    shown = data;
    if (isSame) chart.setData([shown.minutes, ...stacked(shown.series).reverse()]);
    else draw();
  });
  document.addEventListener("oms:theme", draw);
  new ResizeObserver(() => {
    width = place.clientWidth - 16;
    chart?.setSize(size());
  }).observe(place);
}
