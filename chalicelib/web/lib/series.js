// Numbers over time, made ready for a chart.

/** Columns stood upon one another: each on those after it, so the first one drawn is the tallest. A line stands apart. */
export function stackUp(columns, series) {
  const sums = columns.map((column, s) => (series[s].line ? column : []));
  for (let at = 0; at < (columns[0]?.length || 0); at += 1) {
    let sum = 0;
    for (let s = columns.length - 1; s >= 0; s -= 1) {
      if (series[s].line) continue;
      sum += columns[s][at] || 0;
      sums[s][at] = sum;
    }
  }
  return sums;
}

const missing = (value) => value === null || value === undefined;

/** The places of values with none before and none after: a line has nothing to draw there. */
export function standingAlone(values) {
  return [...values.keys()].filter((at) => !missing(values[at]) && missing(values[at - 1]) && missing(values[at + 1]));
}
