// The queue of each lane: what waits, is with workers and is delayed.
import { el, fill, setText } from "../lib/dom.js";
import { number } from "../lib/time.js";

const COLUMNS = { waiting: "Waiting", in_flight: "With workers", delayed: "Delayed" };
const LABELS = { quick: "Quick", long: "Long" };

export function laneTable() {
  const body = el("tbody");
  const note = el("p", { class: "soft", text: "Quick jobs pass by the long ones: each lane has a queue of its own" });
  const head = ["", ...Object.values(COLUMNS)].map((text) => el("th", { scope: "col", text }));
  const node = el(
    "section",
    { class: "panel figure", "aria-label": "Lanes" },
    el("h2", { text: "Lanes" }),
    note,
    el("table", { class: "plain" }, el("thead", {}, el("tr", {}, head)), body),
  );
  return { node, set };

  function set({ lanes = {} }) {
    if (Object.keys(lanes).length === 0) setText(note, "This service does not tell its lanes apart");
    fill(body, ...Object.entries(LABELS).map(([name, label]) => row(label, lanes[name])));
  }

  function row(label, depth = {}) {
    const cells = Object.keys(COLUMNS).map((column) => el("td", { text: number(depth[column] ?? 0) }));
    return el("tr", {}, el("th", { scope: "row", text: label }), cells);
  }
}
