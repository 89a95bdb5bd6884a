// Charts over time, of calls or deliveries, drawn from the figures in the table below them, in the colours of the legend beside them.
import uPlot from "./vendor/uplot.js";

const HEIGHT = 180;
const POINT_SIZE = 8;
const whole = new Intl.NumberFormat();
const time = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
let drawn = [];

/** Draw every chart in the page that waits to be drawn; those that have left it are forgotten. */
export function draw(root) {
  drawn = drawn.filter((chart) => chart.box.isConnected || chart.end());
  for (const pair of root.querySelectorAll("[data-charts]:not([data-drawn])")) {
    const figures = read(document.getElementById(pair.dataset.charts));
    pair.dataset.drawn = "";
    for (const box of pair.querySelectorAll("[data-chart]")) drawn.push(chartIn(box, figures));
  }
}

/** Draw all charts anew when colours change. */
export function listen() {
  const again = () => drawn.forEach((chart) => chart.again());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

function read(table) {
  const { since, step, steps } = Object.fromEntries(Object.entries(table.dataset).map(([name, value]) => [name, Number(value)]));
  // What is counted is called as the table's heads call it: the whole, and two parts of it that are not well.
  const words = [...table.tHead.rows[0].cells].slice(1, 4).map((cell) => cell.textContent.toLowerCase());
  const columns = { words, starts: [], calls: [], refused: [], errors: [], p50: [], p95: [] };
  for (let number = 0; number < steps; number++) {
    columns.starts.push((since + number * step) / 1000);
    for (const name of ["calls", "refused", "errors"]) columns[name].push(0);
    for (const name of ["p50", "p95"]) columns[name].push(null);
  }
  for (const row of table.tBodies[0].rows) {
    const number = (Number(row.dataset.start) - since) / step;
    const [calls, refused, errors, p50, p95] = row.dataset.figures.split(" ").map(Number);
    const took = [p50, p95].map((duration) => (Number.isFinite(duration) ? duration / 1000 : null));
    Object.entries({ calls, refused, errors, p50: took[0], p95: took[1] }).forEach(([name, value]) => (columns[name][number] = value));
  }
  return columns;
}

function chartIn(box, figures) {
  let plot;
  const make = () => {
    plot?.destroy();
    const colors = colorsOf(box);
    plot = box.dataset.chart === "calls" ? calls(box, figures, colors) : durations(box, figures, colors);
  };
  make();
  const sizes = new ResizeObserver(() => box.clientWidth && plot.setSize({ width: box.clientWidth, height: HEIGHT }));
  sizes.observe(box);
  const end = () => {
    sizes.disconnect();
    plot.destroy();
  };
  return { box, again: make, end };
}

function colorsOf(box) {
  const legend = box.parentElement.querySelectorAll(".legend li");
  const own = getComputedStyle(box);
  return { series: [...legend].map((item) => getComputedStyle(item, "::before").backgroundColor), text: own.color, line: own.borderTopColor, font: `12px ${own.fontFamily}` };
}

function calls(box, { words, starts, calls, refused, errors }, colors) {
  // Each bar stands before the taller one, so that what is seen of it is its own part.
  const bars = uPlot.paths.bars({ size: [0.8, 24], radius: 0.1 });
  const notAnswered = refused.map((count, number) => count + errors[number]);
  const series = colors.series.map((color) => ({ fill: color, stroke: color, width: 0, paths: bars, points: { show: false } }));
  const say = (at) => [calls, refused, errors].map((counted, place) => `${whole.format(counted[at])} ${words[place]}`).join(", ");
  return plotIn(box, [starts, calls, notAnswered, errors], series, colors, (value) => (Number.isInteger(value) ? compact(value) : ""), say);
}

function durations(box, { starts, p50, p95 }, colors) {
  const dashes = [undefined, [5, 4]];
  // Where there is little, points are all that is seen: a line needs two of them.
  const show = p50.filter((value) => value !== null).length * 2 * POINT_SIZE <= box.clientWidth;
  const points = (fill) => ({ show, size: POINT_SIZE, width: 0, fill });
  const series = colors.series.map((color, number) => ({ stroke: color, width: 2, dash: dashes[number], spanGaps: true, points: points(color) }));
  const say = (at) => (p50[at] === null ? "none" : `median ${took(p50[at])}, 95th percentile ${took(p95[at])}`);
  return plotIn(box, [starts, p50, p95], series, colors, took, say);
}

function plotIn(box, data, series, colors, label, say) {
  const axis = { stroke: colors.text, font: colors.font, grid: { stroke: colors.line, width: 1 }, ticks: { show: false } };
  const edges = padded(data[0]);
  const said = document.createElement("p");
  said.className = "chart-said";
  said.hidden = true;
  const options = {
    width: box.clientWidth,
    height: HEIGHT,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { range: () => edges }, y: { range: (_, low, high) => [0, Math.max(high * 1.08, 1)] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, space: 70, values: times },
      { ...axis, size: 50, space: 36, values: (_, values) => values.map((value) => label(value)) },
    ],
    series: [{}, ...series],
    hooks: {
      setCursor: [
        ({ cursor: { idx: at } }) => {
          said.hidden = at === null || at === undefined;
          if (!said.hidden) said.textContent = `${time.format(data[0][at] * 1000)}: ${say(at)}`;
        },
      ],
    },
  };
  const plot = new uPlot(options, data, box);
  plot.root.append(said);
  return plot;
}

// Half a step on each side, so that what stands at an edge is seen whole.
function padded(starts) {
  const [low, high] = [starts[0], starts.at(-1)];
  const room = Math.max((high - low) / (starts.length - 1) / 2, (high - low) / 50);
  return [low - room, high + room];
}

function times(_, splits, __, ___, step) {
  const options = step >= 86400 ? { month: "short", day: "numeric" } : { hour: "numeric", minute: "2-digit" };
  const shown = new Intl.DateTimeFormat(undefined, options);
  return splits.map((at) => shown.format(at * 1000));
}

function compact(count) {
  return new Intl.NumberFormat(undefined, { notation: "compact" }).format(count);
}

function took(milliseconds) {
  if (milliseconds >= 1000) return `${Number((milliseconds / 1000).toPrecision(3))} s`;
  return `${Number(milliseconds.toPrecision(milliseconds < 10 ? 2 : 3))} ms`;
}
