// The board: scheduled, running and history side by side.
import { get, reason } from "../lib/api.js";
import { el, fill, setText } from "../lib/dom.js";
import { listHref } from "../lib/links.js";
import { poll } from "../lib/poll.js";
import { dueAt } from "../lib/status.js";
import { cardList } from "../parts/card.js";

const COLUMNS = [
  [
    "scheduled",
    "Scheduled",
    "Nothing waits for its time. Give a job “run in” to see it here.",
    { status: "scheduled" },
  ],
  ["running", "Running", "Nothing runs just now.", { status: "running" }],
  ["history", "History", "Nothing has ended yet.", {}],
];
const HEAD = 25;

export async function show(main, { signal }) {
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const columns = COLUMNS.map(([key, title, nothing, query]) =>
    boardColumn(key, title, nothing, query, () => refresh()),
  );
  fill(
    main,
    el(
      "div",
      { class: "headline" },
      el("h1", { text: "Board" }),
      el("p", { class: "soft", id: "pulse", text: "live" }),
    ),
    trouble,
    el(
      "div",
      { class: "board" },
      columns.map((column) => column.node),
    ),
  );
  const refresh = poll(load, 3, signal, (error) => {
    trouble.hidden = false;
    setText(trouble, `The board is not fresh: ${reason(error)}. Trying again.`);
  });

  async function load() {
    const { data } = await get("board", { signal });
    trouble.hidden = true;
    for (const column of columns) column.set(Object.values(data[column.key]));
    return Object.keys(data.running).length ? 1.5 : 4;
  }
}

function boardColumn(key, title, nothing, query, onChange) {
  const count = el("b", { class: "n" });
  const list = el("div", { class: "cardlist" }, el("p", { class: "none soft", text: "Loading…" }));
  const draw = cardList(list, onChange, nothing);
  const all = el("a", { class: "soft", href: listHref(query), text: "More in the list" });
  all.hidden = true;
  return { key, node: el("section", { "aria-label": title }, el("h2", {}, title, " ", count), list, all), set };

  function set(jobs) {
    const sorted = jobs.sort(
      key === "scheduled" ? (a, b) => (dueAt(a) < dueAt(b) ? -1 : 1) : (a, b) => (latest(a) > latest(b) ? -1 : 1),
    );
    setText(count, jobs.length >= 100 ? "100+" : String(jobs.length));
    all.hidden = jobs.length <= HEAD;
    draw(sorted.slice(0, HEAD));
  }
}

const latest = (job) => job.finished_at || job.started_at || job.created_at;
