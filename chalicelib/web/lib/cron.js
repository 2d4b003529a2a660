// Says a five-field cron line in words, where words are shorter than the line.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = [
  "",
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const two = (n) => String(n).padStart(2, "0");

/** "every day at 03:00", or "" when the line says more than a short phrase can. */
export function inWords(cron) {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) return "";
  const [minute, hour, day, month, weekday] = fields;
  const time = timeOf(minute, hour);
  const days = daysOf(day, month, weekday);
  return time && days !== null ? `${time}${days}`.trim() : "";
}

function timeOf(minute, hour) {
  if (minute === "*" && hour === "*") return "every minute";
  const step = /^\*\/(\d+)$/.exec(minute);
  if (step && hour === "*") return `every ${step[1]} minutes`;
  if (/^\d+$/.test(minute) && hour === "*") return `every hour at :${two(minute)}`;
  if (/^\d+$/.test(minute) && /^\d+(,\d+)*$/.test(hour))
    return `at ${hour
      .split(",")
      .map((hourText) => `${two(hourText)}:${two(minute)}`)
      .join(", ")}`;
  return "";
}

function daysOf(day, month, weekday) {
  if (day !== "*" && weekday !== "*") return null;
  const months = month === "*" ? "" : named(month, MONTHS);
  if (months === null) return null;
  const inMonth = months ? ` in ${months}` : "";
  if (day !== "*")
    return /^\d+(,\d+)*$/.test(day) ? `, on day ${day.replaceAll(",", ", ")} of ${months || "the month"}` : null;
  if (weekday === "*") return inMonth;
  const range = /^([0-7])-([0-7])$/.exec(weekday);
  if (range) return `, ${DAYS[range[1]]} to ${DAYS[range[2]]}${inMonth}`;
  const list = named(weekday, DAYS);
  return list === null ? null : `, on ${list}${inMonth}`;
}

function named(field, names) {
  const parts = field.split(",").map((number) => (/^\d+$/.test(number) ? names[Number(number)] : null));
  return parts.every(Boolean) ? parts.join(", ") : null;
}
