// The life of a job: every wait and every attempt with how long it took, as a strip and as a list.
import { el, fill } from "../lib/dom.js";
import { dueAt, isOpen } from "../lib/status.js";
import { clock, exact, relative, span } from "../lib/time.js";

const GENTLE = { completed: 1, canceled: 1, running: 1 };
const KINDS = { wait: "waiting", start: "starting its container" };
const at = (iso) => new Date(iso).getTime();

/** The spans of a job's life, in order: {kind: "hold"|"wait"|"start"|"run", from, to, outcome, attempt, error}. */
export function spansOf(job, now) {
  const attempts = attemptsOf(job);
  const spans = [];
  let from = at(job.created_at);
  for (const attempt of attempts) {
    const start = at(attempt.started_at);
    if (start > from) spans.push({ kind: "wait", from, to: start });
    const end = attempt.ended_at ? at(attempt.ended_at) : now;
    const began = attempt.attempt === job.attempts && startedAt(job, end);
    if (began > start) spans.push({ kind: "start", from: start, to: began });
    spans.push({
      kind: "run",
      from: began || start,
      to: Math.max(end, start),
      outcome: attempt.outcome || "running",
      attempt: attempt.attempt,
      error: attempt.error,
    });
    from = Math.max(end, start);
  }
  const end = job.finished_at ? at(job.finished_at) : now;
  const last = spans.at(-1);
  if (end > from && !(last?.kind === "run" && job.status === "running"))
    spans.push({ kind: "wait", from, to: end, open: isOpen(job) });
  return spans;
}

// A container's start takes a while, of which only the newest attempt's is known.
function startedAt(job, end) {
  if (job.phase === "starting") return end;
  return job.container?.started_at ? Math.min(at(job.container.started_at), end) : 0;
}

// The attempt that goes on, and one that the log does not hold, are known from the job's own times.
function attemptsOf(job) {
  const log = job.attempt_log || [];
  const known = !job.started_at || job.attempts === 0 || log.some((entry) => entry.attempt === job.attempts);
  if (known) return log;
  const outcome = job.finished_at ? job.status : job.status === "running" ? "running" : "failed";
  return [
    ...log,
    { attempt: job.attempts, started_at: job.started_at, ended_at: job.finished_at, outcome, error: job.error },
  ];
}

/** A section with set(job), which redraws it. */
export function timelinePanel() {
  const strip = el("div", { class: "strip", "aria-hidden": "true" });
  const list = el("ol", { class: "life" });
  const node = el(
    "section",
    { class: "panel", "aria-label": "Time line" },
    el("h2", { text: "Its life" }),
    strip,
    list,
  );
  return { node, set };

  function set(job, now = Date.now()) {
    const spans = spansOf(job, now);
    drawStrip(strip, spans);
    const items = steps(job, spans);
    const key = JSON.stringify(items);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    fill(list, items.map(step));
  }
}

// Every span gets its share of the width, and the short ones enough to be seen.
function drawStrip(strip, spans) {
  const total = spans.reduce((sum, { from, to }) => sum + to - from, 0) || 1;
  while (strip.children.length > spans.length) strip.lastChild.remove();
  spans.forEach((phase, index) => {
    const part = strip.children[index] || strip.appendChild(el("i"));
    part.dataset.kind = phase.kind;
    part.dataset.outcome = phase.outcome || "";
    part.style.flexGrow = String(Math.max((phase.to - phase.from) / total, 0.006));
    part.title = `${KINDS[phase.kind] || `attempt ${phase.attempt}`}: ${span((phase.to - phase.from) / 1000)}`;
  });
}

function steps(job, spans) {
  const log = job.attempt_log || [];
  const items = [{ mark: "created", title: "Created", when: job.created_at, note: job.owner ? `by ${job.owner}` : "" }];
  if (at(job.run_at) - at(job.created_at) > 1000 && !spans.some((phase) => phase.kind === "run"))
    items.push({
      mark: "due",
      title: "Due",
      when: job.run_at,
      note: job.status === "scheduled" ? relative(job.run_at) : "",
    });
  if (log.length && log[0].attempt > 1)
    items.push({
      mark: "gap",
      title: `Attempts 1 to ${log[0].attempt - 1} are no longer listed`,
      when: null,
      note: "",
    });
  spans.forEach((phase, index) => {
    if (phase.kind !== "run") return;
    const started = spans[index - 1]?.kind === "start" ? spans[index - 1] : null;
    const before = spans[index - (started ? 2 : 1)];
    const took = ({ from, to }) => span((to - from) / 1000);
    const waited = `${before?.kind === "wait" ? `waited ${took(before)}, ` : ""}${started ? `started in ${took(started)}, ` : ""}`;
    const running = phase.outcome === "running";
    const how = running ? "running" : `${words(phase.outcome)} after ${span((phase.to - phase.from) / 1000)}`;
    items.push({
      mark: phase.outcome in GENTLE ? phase.outcome : "failed",
      title: `Attempt ${phase.attempt}`,
      when: new Date(started ? started.from : phase.from).toISOString(),
      note: `${waited}${how}`,
      error: phase.error ? `${phase.error.type}: ${phase.error.message}` : "",
    });
  });
  if (job.status === "scheduled" && job.attempts)
    items.push({ mark: "due", title: "Next attempt due", when: dueAt(job), note: relative(dueAt(job)) });
  if (job.status === "pending") items.push({ mark: "pending", title: "Waiting for a worker", when: null, note: "" });
  if (job.finished_at)
    items.push({
      mark: job.status,
      title: `Ended: ${job.status}`,
      when: job.finished_at,
      note: `${span((at(job.finished_at) - at(job.created_at)) / 1000)} after it was created`,
    });
  return items;
}

const WORDS = {
  completed: "completed",
  canceled: "canceled",
  timeout: "ran out of time",
  worker_lost: "its worker was lost",
};
const words = (outcome) => WORDS[outcome] || "failed";

function step(item) {
  return el(
    "li",
    { dataset: { mark: item.mark } },
    el(
      "span",
      { class: "step" },
      el("strong", { text: item.title }),
      item.note ? el("span", { class: "soft", text: item.note }) : null,
      item.error ? el("span", { class: "why bad", text: item.error }) : null,
    ),
    item.when ? el("time", { datetime: item.when, title: exact(item.when), text: clock(item.when) }) : null,
  );
}
