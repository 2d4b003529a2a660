// Monitor: throughput, waits, durations and the queue, over the last hour or day; asks every so many seconds.
import { call, get, Problem, reason } from "../lib/api.js";
import { el, fill, setText } from "../lib/dom.js";
import { listHref } from "../lib/links.js";
import { poll } from "../lib/poll.js";
import { number, plural, span } from "../lib/time.js";
import { chart } from "../parts/chart.js";
import { laneTable } from "../parts/lanes.js";
import { percentileTable } from "../parts/percentiles.js";

const EVERY = { hour: 15, day: 60 };
const SOON = 2;
const KEPT = 720;
const OUTCOMES = [
  { name: "completed", color: "--completed" },
  { name: "failed", color: "--failed" },
  { name: "canceled", color: "--canceled" },
  { name: "retried", color: "--pending", line: true },
];
const QUEUE = [
  { name: "waiting", color: "--pending" },
  { name: "in_flight", color: "--running", label: "with workers" },
  { name: "delayed", color: "--scheduled" },
  { name: "dead", color: "--failed" },
];
const PARTS = ["p50", "p95", "p99"].map((name) => ({ name, color: `--${name}` }));
const samples = [];

export async function show(main, { query, signal }) {
  const state = { span: query.get("span") === "day" ? "day" : "hour" };
  const tiles = tileRow();
  const health = el("p", { class: "health", role: "status", text: "Checking table, queue and bucket…" });
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const outcomes = chart("Jobs by outcome", {
    series: named(OUTCOMES),
    unit: "count",
    stacked: true,
  });
  const waits = chart("Wait, from due to started", { series: named(PARTS), unit: "ms" });
  const durations = chart("Duration, execution alone", { series: named(PARTS), unit: "ms" });
  const queue = chart("Queue", { series: named(QUEUE), unit: "count" });
  const oldest = chart("Oldest pending", { series: [{ label: "oldest", color: "--pending" }], unit: "s" });
  const percentiles = percentileTable();
  const lanes = laneTable();
  const choice = el(
    "div",
    { class: "switch", role: "group", "aria-label": "Span" },
    ["hour", "day"].map((name) =>
      el("a", { href: `#/monitor?span=${name}`, dataset: { span: name }, text: `Last ${name}` }),
    ),
  );
  fill(
    main,
    el("div", { class: "headline" }, el("h1", { text: "Monitor" }), choice, health),
    trouble,
    tiles.node,
    el(
      "div",
      { class: "figures" },
      outcomes.node,
      percentiles.node,
      waits.node,
      durations.node,
      queue.node,
      lanes.node,
      oldest.node,
    ),
  );
  mark();
  const refresh = poll(load, EVERY.hour, signal, (error) => {
    trouble.hidden = false;
    setText(trouble, `These numbers are not fresh: ${reason(error)}. Trying again.`);
  });
  poll(() => check(health, signal), 60, signal);
  return (next) => {
    state.span = next.get("span") === "day" ? "day" : "hour";
    mark();
    refresh();
  };

  function mark() {
    for (const link of choice.children) link.setAttribute("aria-current", String(link.dataset.span === state.span));
  }

  async function load() {
    const asked = state.span;
    const { data } = await get("stats", { query: asked === "day" ? { span: "day" } : {}, signal });
    if (asked !== state.span) return 0;
    trouble.hidden = true;
    sample(data);
    tiles.set(data, asked);
    percentiles.set(data, asked);
    lanes.set(data);
    draw(data, asked);
    return samples.length < 2 ? SOON : EVERY[asked];
  }

  function draw({ per_minute: entries }, asked) {
    const xs = entries.map((entry) => new Date(entry.minute) / 1000);
    const columns = OUTCOMES.map(({ name, line }) => entries.map((entry) => entry[name] || (line ? null : 0)));
    const sums = OUTCOMES.map(({ name }, at) => `${number(columns[at].reduce((a, b) => a + b, 0))} ${name}`);
    outcomes.set(
      xs,
      columns,
      `${sums.join(", ")} in the last ${asked}, ${asked === "day" ? "in steps of minutes" : "a minute each"}`,
    );
    over(waits, "wait_ms", entries, xs, asked);
    over(durations, "duration_ms", entries, xs, asked);
    const at = samples.map((look) => look.at);
    const seen =
      samples.length < 2
        ? "Grows while this page is open: a look every few seconds"
        : `While this page is open: ${plural(samples.length, "look")} so far`;
    queue.set(
      at,
      QUEUE.map(({ name }) => samples.map((look) => look.queue[name] ?? null)),
      seen,
    );
    oldest.set(at, [samples.map((look) => look.oldest)], seen);
  }

  // Percentiles by the minute where the API gives them, else what this page has seen so far.
  function over(figure, name, entries, xs, asked) {
    if (entries.some((entry) => entry[name])) {
      return figure.set(
        xs,
        PARTS.map(({ name: part }) => entries.map((entry) => entry[name]?.[part] ?? null)),
        `By the minute, over the last ${asked}`,
      );
    }
    return figure.set(
      samples.map((look) => look.at),
      PARTS.map(({ name: part }) => samples.map((look) => look[name]?.[part] ?? null)),
      "Over the last hour, as seen while this page is open",
    );
  }
}

const named = (columns) => columns.map(({ name, color, line, label = name }) => ({ label, color, line }));

function sample(data) {
  samples.push({
    at: Date.now() / 1000,
    queue: data.queue,
    oldest: data.oldest_pending_seconds ?? 0,
    wait_ms: data.wait_ms,
    duration_ms: data.duration_ms,
  });
  if (samples.length > KEPT) samples.shift();
}

function tileRow() {
  const tile = (label, href) => {
    const value = el("b", { text: "–" });
    const note = el("small", { text: " " });
    return {
      node: el(href ? "a" : "div", { class: "stat", href }, el("span", { text: label }), value, note),
      value,
      note,
    };
  };
  const all = {
    waiting: tile("Waiting", listHref({ status: "pending" })),
    in_flight: tile("With workers", listHref({ status: "running" })),
    delayed: tile("Delayed", listHref({ status: "scheduled" })),
    oldest: tile("Oldest pending", listHref({ status: "pending" })),
    failed: tile("Failed", listHref({ status: "failed" })),
    retried: tile("Retried"),
    dead: tile("Dead letters"),
  };
  return {
    node: el(
      "div",
      { class: "stats" },
      Object.values(all).map(({ node }) => node),
    ),
    set,
  };

  function set({ queue, counts, oldest_pending_seconds: oldest, per_minute: entries }, asked) {
    for (const name of ["waiting", "in_flight", "delayed", "dead"]) setText(all[name].value, number(queue[name] ?? 0));
    setText(all.waiting.note, `${number(counts.pending || 0)} pending`);
    setText(all.in_flight.note, `${number(counts.running || 0)} running`);
    setText(all.delayed.note, `${number(counts.scheduled || 0)} scheduled`);
    setText(all.oldest.value, oldest ? span(oldest) : "none");
    setText(all.oldest.note, oldest ? "due, and not started" : "nothing waits");
    const sum = (name) => entries.reduce((total, entry) => total + (entry[name] || 0), 0);
    for (const name of ["failed", "retried"]) {
      setText(all[name].value, number(sum(name)));
      setText(all[name].note, `in the last ${asked}`);
    }
    setText(all.dead.note, queue.dead ? "messages that no worker could take" : "as it should be");
    all.dead.node.toggleAttribute("data-bad", queue.dead > 0);
    all.oldest.node.toggleAttribute("data-bad", oldest > 300);
  }
}

async function check(node, signal) {
  try {
    await call("GET", "health", { signal, quiet: true });
    node.dataset.ok = "yes";
    setText(node, "Table, queue and bucket answer");
  } catch (error) {
    if (signal.aborted) return;
    node.dataset.ok = "no";
    setText(node, error instanceof Problem ? `Not healthy: ${error.detail || error.title}` : error.message);
  }
}
