// Percentiles of waits and durations: a table, and marks on one shared logarithmic line.
import { el, fill, setText, svg } from "../lib/dom.js";
import { milliseconds } from "../lib/time.js";

export function percentileTable() {
  const body = el("tbody");
  const note = el("p", { class: "soft" });
  const node = el(
    "section",
    { class: "panel figure", "aria-label": "Percentiles" },
    el("h2", { text: "Percentiles" }),
    note,
    el(
      "table",
      { class: "plain" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["", "p50", "p95", "p99"].map((text) => el("th", { scope: "col", text })),
        ),
      ),
      body,
    ),
  );
  return { node, set };

  function set({ wait_ms: wait, duration_ms: duration }, asked) {
    setText(note, `Over the last ${asked}; the bars share one logarithmic scale`);
    const most = Math.max(10, wait?.p99 || 0, duration?.p99 || 0);
    const row = (label, values) => [
      el(
        "tr",
        {},
        el("th", { scope: "row", text: label }),
        ["p50", "p95", "p99"].map((part) => el("td", { text: milliseconds(values?.[part]) })),
      ),
      el("tr", { class: "picture" }, el("td", { colspan: "4" }, percentileBar(values || { p50: null }, most))),
    ];
    fill(body, row("Wait", wait), row("Duration", duration));
  }
}

/** Percentiles as marks on one shared logarithmic line: a picture that needs no library. */
function percentileBar(values, most) {
  const least = 0.01;
  const x = (v) =>
    (100 * Math.log10(Math.max(v, least) / least)) / Math.max(0.3, Math.log10(Math.max(most, 10) / least));
  const line = svg("svg", {
    viewBox: "0 0 100 8",
    preserveAspectRatio: "none",
    class: "percentiles",
    "aria-hidden": "true",
  });
  line.append(svg("rect", { x: 0, y: 3, width: 100, height: 2, class: "base" }));
  if (values.p50 !== null) {
    line.append(svg("rect", { x: 0, y: 1, width: x(values.p50), height: 6, class: "p50" }));
    line.append(
      svg("rect", {
        x: x(values.p50),
        y: 1,
        width: Math.max(0, x(values.p95) - x(values.p50)),
        height: 6,
        class: "p95",
      }),
    );
    line.append(
      svg("rect", {
        x: x(values.p95),
        y: 1,
        width: Math.max(0, x(values.p99) - x(values.p95)),
        height: 6,
        class: "p99",
      }),
    );
  }
  return line;
}
