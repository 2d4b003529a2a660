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

/** 0.04 ms, 850 ms, 1.23 s, 2 m 5 s, 3 h 20 m; takes seconds. */
export function span(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 0.0000005) return "under 0.001 ms";
  if (seconds < 0.001) return `${trim(seconds * 1000, 3)} ms`;
  if (seconds < 0.9995) return `${trim(seconds * 1000, seconds < 0.1 ? 1 : 0)} ms`;
  if (seconds < 59.95) return `${trim(seconds, seconds < 10 ? 2 : 1)} s`;
  const rounded = Math.round(seconds);
  const at = UNITS.findIndex(([, size]) => rounded >= size);
  const [unit, size] = UNITS[at];
  const [unit2, size2] = UNITS[at + 1];
  const whole = Math.floor(rounded / size);
  const rest = Math.floor((rounded - whole * size) / size2);
  return rest ? `${whole} ${unit} ${rest} ${unit2}` : `${whole} ${unit}`;
}

export const milliseconds = (value) => (value === null || value === undefined ? "–" : span(value / 1000));

const trim = (value, digits) => String(Number(value.toFixed(digits)));

/** "in 5 m", "12 s ago", "now". */
export function relative(iso, now = Date.now()) {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const size = Math.round(Math.abs(seconds));
  if (Math.abs(seconds) < 1.5) return "now";
  // Two of a unit at least, once rounded to the next smaller one: 119 m, then 2 h.
  const [unit, unitSize] = UNITS.find(([, s], at) => size + (UNITS[at + 1]?.[1] ?? 2) / 2 >= 2 * s);
  const amount = `${Math.round(size / unitSize)} ${unit}`;
  return seconds > 0 ? `in ${amount}` : `${amount} ago`;
}

export function bytes(n) {
  if (n < 1000) return `${n} bytes`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

const STEPS = [1, 2, 5, 10, 15, 30]
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60))
  .concat([1, 2, 3, 6, 12, 24, 48, 120, 240].map((hours) => hours * 3600));

/** The steps that an axis of times may take, with so many of its units to a second: 0.5, 10 s, 5 m, 2 h. */
export function timeSteps(perSecond) {
  const parts = [-6, -5, -4, -3, -2, -1].flatMap((zeros) =>
    [1, 2, 5].map((n) => Number(`${n}e${zeros + Math.log10(perSecond)}`)),
  );
  return [...parts, ...STEPS.map((seconds) => seconds * perSecond)];
}

/** 14:05 for the axis of a chart, 14:05:30 where `fine`; takes seconds. */
export const hourMinute = (seconds, fine = false) =>
  new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: fine ? "2-digit" : undefined,
    hourCycle: "h23",
  });
