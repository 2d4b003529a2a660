// Numbers as a picture: bars while they are few, else the least and the most of each column of pixels.
import { el } from "../lib/dom.js";
import { number } from "../lib/time.js";

const BARS = 160;
const HEIGHT = 140;

/** A figure of the numbers (given as texts) under a caption, redrawn when its size or the theme changes. */
export function plot(caption, texts) {
  const values = Float64Array.from(texts, Number);
  const [low, high] = range(values);
  const canvas = el("canvas", {
    role: "img",
    "aria-label": `${caption}: ${number(values.length)} numbers between ${low} and ${high}`,
  });
  const node = el(
    "figure",
    { class: "plot" },
    el("figcaption", {}, el("span", { text: caption }), el("small", { text: `${fine(low)} to ${fine(high)}` })),
    canvas,
  );
  const redraw = () => canvas.isConnected && draw(canvas, values, low, high);
  new ResizeObserver(redraw).observe(node);
  const themed = () => (canvas.isConnected ? redraw() : document.removeEventListener("themechange", themed));
  document.addEventListener("themechange", themed);
  return node;
}

function range(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

const fine = (value) =>
  Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : String(Number(value.toFixed(3)));

function draw(canvas, values, low, high) {
  const width = canvas.clientWidth;
  if (!width) return;
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = HEIGHT * scale;
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  pen.scale(scale, scale);
  const floor = Math.min(low, 0);
  const size = Math.max(high, 0) - floor || 1;
  const y = (value) => HEIGHT - 2 - ((value - floor) / size) * (HEIGHT - 4);
  pen.fillStyle = style.getPropertyValue("--line");
  pen.fillRect(0, y(0), width, 1);
  pen.fillStyle = style.getPropertyValue("--plot");
  if (values.length <= BARS) bars(pen, values, width, y);
  else columns(pen, values, width, y);
}

function bars(pen, values, width, y) {
  const step = width / values.length;
  const gap = step > 4 ? Math.min(2, step / 4) : 0;
  values.forEach((value, at) => {
    const top = Math.min(y(value), y(0));
    pen.fillRect(at * step, top, step - gap, Math.max(1, Math.abs(y(value) - y(0))));
  });
}

function columns(pen, values, width, y) {
  for (let x = 0; x < width; x += 1) {
    const from = Math.floor((x * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * values.length) / width));
    let low = Infinity;
    let high = -Infinity;
    for (let at = from; at < to && at < values.length; at += 1) {
      if (values[at] < low) low = values[at];
      if (values[at] > high) high = values[at];
    }
    if (high >= low) pen.fillRect(x, y(high), 1, Math.max(2, y(low) - y(high)));
  }
}
