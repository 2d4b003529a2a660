// Charts by uPlot, fetched when the first one is drawn; stacked bars or lines, redrawn with size and theme.
import { el } from "../lib/dom.js";
import { stackUp, standingAlone } from "../lib/series.js";
import { hourMinute, milliseconds, number, span, timeSteps } from "../lib/time.js";

const HEIGHT = 220;
const SHORT = 600;
const WHOLE = [0, 1, 2, 3, 4, 5, 6].flatMap((zeros) => [1, 2, 5].map((n) => n * 10 ** zeros));
/** How the values of a unit are worded, the steps its axis may take, and the least height of the axis. */
const UNITS = {
  count: { format: (value) => number(Math.round(value)), steps: WHOLE, least: 4 },
  ms: { format: milliseconds, steps: timeSteps(1000), least: 0 },
  s: { format: span, steps: timeSteps(1), least: 1 },
};
const vendored = (name) => new URL(`../vendor/${name}`, import.meta.url).href;
let loading = null;

function library() {
  loading ||= new Promise((resolve, reject) => {
    document.head.append(el("link", { rel: "stylesheet", href: vendored("uPlot.min.css") }));
    const script = el("script", { src: vendored("uPlot.iife.min.js") });
    script.addEventListener("load", () => resolve(window.uPlot));
    script.addEventListener("error", () => {
      loading = null;
      reject(new Error("The chart library could not be loaded"));
    });
    document.head.append(script);
  });
  return loading;
}

/**
 * A figure with set(xs, columns, summary): xs are times in seconds, columns one array per series.
 * series: [{label, color: a CSS variable, line}], unit: one of UNITS; stacked draws bars upon one another (a line
 * stands apart).
 */
export function chart(title, { series, unit, stacked = false }) {
  const { format, steps, least } = UNITS[unit];
  const canvasBox = el("div", { class: "chart" });
  const node = el(
    "figure",
    { class: "panel figure", role: "group", "aria-label": title },
    el("figcaption", {}, el("h2", { text: title }), el("p", { class: "soft" })),
    canvasBox,
  );
  const summary = node.querySelector("p");
  let plot = null;
  let last = null;
  new ResizeObserver(
    () => plot && canvasBox.clientWidth && plot.setSize({ width: canvasBox.clientWidth, height: HEIGHT }),
  ).observe(canvasBox);
  const themed = () => (node.isConnected ? redraw() : document.removeEventListener("themechange", themed));
  document.addEventListener("themechange", themed);
  return { node, set };

  async function set(xs, columns, text) {
    last = [xs, columns];
    summary.textContent = text;
    if (xs.length < 2) return;
    const UPlot = await library();
    if (last[0] !== xs || !canvasBox.clientWidth) return;
    const data = [xs, ...(stacked ? stackUp(columns, series) : columns)];
    if (!plot) plot = new UPlot(options(UPlot), data, canvasBox);
    else plot.setData(data);
  }

  function redraw() {
    if (!plot) return;
    plot.destroy();
    plot = null;
    set(last[0], last[1], summary.textContent);
  }

  function options(UPlot) {
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--soft"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
      font: `12px ${css.getPropertyValue("--sans")}`,
    };
    const drawn = series.map(({ label, color: tone, line = false }, at) => ({
      label,
      stroke: color(tone),
      width: stacked && !line ? 0 : 2,
      fill: stacked && !line ? color(tone) : undefined,
      dash: line ? [5, 3] : undefined,
      paths: stacked && !line ? UPlot.paths.bars({ size: [0.78, 24], radius: 0 }) : undefined,
      points: stacked && !line ? { show: false } : { size: 7, fill: color(tone), filter: loners },
      value: (_plot, _value, _series, index) =>
        index === null || index === undefined || last[1][at][index] === null ? "–" : format(last[1][at][index]),
    }));
    return {
      width: canvasBox.clientWidth,
      height: HEIGHT,
      padding: [8, 20, 0, 0],
      series: [{ value: (_plot, v) => (v ? hourMinute(v, true) : "–") }, ...drawn],
      axes: [
        {
          ...axis,
          values: ({ scales: { x } }, splits) => splits.map((v) => hourMinute(v, x.max - x.min < SHORT)),
          space: 70,
        },
        {
          ...axis,
          size: 62,
          incrs: steps,
          values: (_plot, splits) => splits.map((v) => (v === null ? "" : format(v))),
        },
      ],
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(high * 1.08, least) || 1] } },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !stacked } },
      legend: { live: true },
    };
  }
}

// Where a line is too dense for points, the values with no neighbour still get one: else nothing of them is seen.
function loners(plot, index, shown) {
  const places = shown ? [] : standingAlone(plot.data[index]);
  return places.length ? places : null;
}
