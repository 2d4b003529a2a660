// Times and amounts as people read them.

const UNITS = [
  ["y", 31536000],
  ["mo", 2592000],
  ["d", 86400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];
const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});
const numberFormat = new Intl.NumberFormat("en");

export const exact = (iso) => `${exactFormat.format(new Date(iso))} (${iso})`;
export const clock = (iso) => clockFormat.format(new Date(iso));
export const number = (n) => numberFormat.format(n);
export const plural = (n, singular, many = `${singular}s`) => `${number(n)} ${n === 1 ? singular : many}`;

/** 1.234 s, 850 ms, 2 m 5 s; takes seconds. */
export function span(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return `${(seconds * 1000).toFixed(3)} ms`;
  if (seconds < 1) return `${trim(seconds * 1000, seconds < 0.1 ? 1 : 0)} ms`;
  if (seconds < 60) return `${trim(seconds, seconds < 10 ? 2 : 1)} s`;
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[at];
  const [unit2, size2] = UNITS[at + 1];
  const whole = Math.floor(seconds / size);
  const rest = Math.floor((seconds - whole * size) / size2);
  return rest ? `${whole} ${unit} ${rest} ${unit2}` : `${whole} ${unit}`;
}

export const milliseconds = (value) => (value === null || value === undefined ? "–" : span(value / 1000));

const trim = (value, digits) => String(Number(value.toFixed(digits)));

/** "in 5 m", "12 s ago", "now". */
export function relative(iso, now = Date.now()) {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 1.5) return "now";
  const [unit, unitSize] = UNITS.find(([name, s]) => size >= (name === "s" ? s : 2 * s));
  const amount = `${Math.round(size / unitSize)} ${unit}`;
  return seconds > 0 ? `in ${amount}` : `${amount} ago`;
}

export function bytes(n) {
  if (n < 1000) return `${n} bytes`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

/** 14:05 for the axis of a chart, 14:05:30 where `fine`; takes seconds. */
export const hourMinute = (seconds, fine = false) =>
  new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: fine ? "2-digit" : undefined,
    hourCycle: "h23",
  });
