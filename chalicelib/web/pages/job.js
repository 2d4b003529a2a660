// One job: its status, its life, its input and output, and what one can do with it.
import { get, Problem, reason, whyNot } from "../lib/api.js";
import { copyButton, el, empty, fill, say, setText } from "../lib/dom.js";
import { jobHref, lastList, listHref, objectQuery } from "../lib/links.js";
import { poll } from "../lib/poll.js";
import { dueAt, isOpen, short, took } from "../lib/status.js";
import { span } from "../lib/time.js";
import { actionButton, againButton } from "../parts/jobactions.js";
import { logPanel } from "../parts/logpanel.js";
import { numbersOf, payloadPanel, rawOf } from "../parts/payload.js";
import { plot } from "../parts/plot.js";
import { pill, progressBar, setPill } from "../parts/progress.js";
import { timelinePanel } from "../parts/timeline.js";
import { setWhen, when } from "../parts/when.js";

export async function show(main, { params: [id], signal }) {
  let drawn = null;
  let last = null;
  fill(
    main,
    el("div", { class: "headline" }, el("h1", { text: `Job ${short(id)}`, dataset: { title: `Job ${short(id)}` } })),
    el("p", { class: "soft boot", text: "Loading…" }),
  );
  const refresh = poll(load, 2, signal, (error) => {
    if (!drawn) failed(main, error, refresh);
    else drawn.stale(error);
  });

  async function load() {
    const { data, text } = await get(`jobs/${encodeURIComponent(id)}`, { signal });
    if (!drawn) drawn = layout(main, data, signal, refresh);
    drawn.set(data, text);
    if (last && last !== data.status && !isOpen(data)) {
      say(`The job is ${data.status}`);
      document.title = `${data.status} · ${data.task} ${short(id)} · Sortie`;
    }
    const before = last;
    last = data.status;
    return pause(data, before);
  }
}

// Often while something happens, at its time when it is scheduled, rarely once it has ended.
function pause(job, before) {
  if (job.status === "scheduled") return Math.min(10, Math.max(0.7, (new Date(dueAt(job)) - Date.now()) / 1000));
  if (!isOpen(job)) return 60;
  const age = (Date.now() - new Date(job.started_at || job.created_at)) / 1000;
  return before === null || age < 10 ? 0.6 : age < 60 ? 1 : 2;
}

function failed(main, error, again) {
  const gone = error instanceof Problem && error.status === 404;
  fill(
    main,
    el("div", { class: "headline" }, el("h1", { text: gone ? "No such job" : "The job could not be read" })),
    empty(
      gone ? "Nothing has this id" : reason(error),
      gone
        ? "It was never submitted here, belongs to someone else, or its retention has passed."
        : "The page tries again by itself.",
      gone
        ? el("a", { class: "button", href: "#/jobs", text: "Look at all jobs" })
        : el("button", { class: "button", type: "button", text: "Try now", onclick: again }),
    ),
  );
}

function layout(main, job, signal, refresh) {
  const state = pill(job.status);
  const actions = el("div", { class: "row actions" });
  const again = el("div", { class: "row actions" });
  const bar = progressBar("Progress");
  const percent = el("output", {});
  const progress = el("div", { class: "uploading" }, el("span", { text: "Progress" }), bar.node, percent);
  const error = el("div", { class: "wrong", role: "alert", hidden: true });
  const stale = el("p", { class: "trouble", role: "status", hidden: true });
  const life = timelinePanel();
  const facts = factsPanel(job);
  const pictures = el("div", { class: "pictures" });
  const drawn = {};
  const input = payloadPanel("Input", job, "input", signal, (raw) => picture("before", raw));
  const output = payloadPanel("Output", job, "output", signal, (raw) => picture("after", raw));
  const log = job.task === "container" ? logPanel(job, signal) : null;
  const seen = {};
  const heading = el(
    "h1",
    { dataset: { title: `${job.task} ${short(job.id)}` } },
    job.task,
    " ",
    el("code", { text: short(job.id), title: job.id }),
  );
  fill(
    main,
    el("a", { class: "back", href: lastList(), text: "← Jobs" }),
    el("div", { class: "headline" }, heading, state, el("div", { class: "row actions" }, actions, again)),
    stale,
    error,
    progress,
    el(
      "div",
      { class: "two job" },
      el("div", { class: "stack" }, log?.node, pictures, el("div", { class: "pair" }, input.node, output.node)),
      el("div", { class: "stack" }, life.node, facts.node),
    ),
  );
  let current = job;
  poll(async () => void life.set(current), 1, signal);
  return { set, stale: showStale };

  function showStale(problem) {
    stale.hidden = false;
    setText(stale, `This is not fresh: ${reason(problem)}. Trying again.`);
  }

  function set(next, text) {
    current = next;
    stale.hidden = true;
    setPill(state, next.status);
    const key = `${next.status}/${next.attempts}/${next.cancel_requested}`;
    if (actions.dataset.key !== key) {
      actions.dataset.key = key;
      fill(
        actions,
        actionButton(next, () => refresh()),
      );
      fill(
        again,
        ...(isOpen(next) ? [] : [againButton(next, (made) => (location.hash = jobHref(made.id)))]),
        changed(next),
      );
    }
    progress.hidden = next.status !== "running";
    bar.set(next.progress);
    setText(percent, next.progress === null ? "" : `${Math.round(next.progress * 100)} %`);
    error.hidden = !(next.error && next.status !== "completed");
    if (!error.hidden && error.dataset.text !== next.error.message) {
      error.dataset.text = next.error.message;
      fill(error, el("strong", { text: errorTitle(next) }), el("pre", { tabindex: "0", text: next.error.message }));
    }
    life.set(next);
    log?.set(next);
    facts.set(next);
    payload("input", input, next, text, "This task takes no input.");
    payload(
      "output",
      output,
      next,
      text,
      isOpen(next) ? "Not yet: the output is here when the job completes." : "This job has no output.",
    );
  }

  function payload(name, panel, next, text, none) {
    const raw = rawOf(text, name);
    const key = next[name]?.href ? `href ${next[name].bytes}` : raw === "null" ? `none ${none}` : raw;
    if (seen[name] === key) return;
    seen[name] = key;
    if (raw === "null") panel.missing(none);
    else panel.set(raw, next[name]);
  }

  function picture(which, raw) {
    const all = numbersOf(raw);
    if (!all || all.length < 3) return;
    drawn[which] = plot(which === "before" ? "Before" : "After", all);
    fill(pictures, drawn.before, drawn.after || (isOpen(current) ? later() : null));
  }
}

// Keeps the place of the second picture, so that nothing moves when it comes.
const later = () =>
  el(
    "figure",
    { class: "plot" },
    el("figcaption", {}, el("span", { text: "After" })),
    el("p", { class: "soft", text: "Drawn when the job completes" }),
  );

function errorTitle(job) {
  const words = String(job.error.type).replaceAll("_", " ");
  if (job.status === "failed") return `Failed: ${words}`;
  return isOpen(job) ? `The last attempt did not succeed: ${words}` : `Ended: ${words}`;
}

function changed(job) {
  const why = whyNot();
  return el("a", {
    class: "button",
    href: `#/new?from=${encodeURIComponent(job.id)}`,
    "data-off": Boolean(why),
    title: why,
    text: isOpen(job) ? "New job like this" : "Run again with changes",
  });
}

function factsPanel(job) {
  const rows = new Map();
  const list = el("dl", { class: "facts" });
  const add = (name, node) => {
    rows.set(name, node);
    list.append(el("dt", { text: name }), el("dd", {}, node));
  };
  const id = el("code", { text: job.id });
  list.append(el("dt", { text: "Id" }), el("dd", {}, id, copyButton(job.id, "job id")));
  for (const name of ["Ran for", "Attempts", "Time-out"]) add(name, el("span"));
  for (const name of ["Created", "Due", "Ended"]) add(name, when(null));
  if (job.task === "container") {
    add("Image", el("code"));
    add("Container", el("span"));
  }
  if (job.object_id !== null && job.object_id !== undefined)
    add("Object", link({ object_id: objectQuery(job.object_id) }, job.object_id));
  if (job.window) add("Window", el("span", {}, el("span"), when(job.window.ends_at)));
  if (job.group) add("Group", el("a", { href: `#/groups/${encodeURIComponent(job.group)}`, text: job.group }));
  if (job.label) add("Name", el("span", { text: job.label }));
  if (job.run_id)
    add(
      "Run",
      el("a", {
        href: `#/groups/${encodeURIComponent(job.group)}/runs/${encodeURIComponent(job.run_id)}`,
        text: short(job.run_id),
      }),
    );
  if (job.schedule_id) {
    add("Schedule", link({ schedule_id: job.schedule_id }, short(job.schedule_id)));
    add("Slot", when(job.slot_at));
  }
  if (job.owner) add("Owner", el("span", { text: job.owner }));
  if (job.parent_id) add("Made from", el("a", { href: jobHref(job.parent_id), text: short(job.parent_id) }));
  if (job.traceparent) add("Trace", el("code", { text: job.traceparent.split("-")[1] }));
  return { node: el("section", { class: "panel", "aria-label": "Facts" }, el("h2", { text: "Facts" }), list), set };

  function set(next) {
    setText(rows.get("Ran for"), took(next));
    setText(rows.get("Attempts"), `${next.attempts} of ${next.max_attempts}`);
    setText(rows.get("Time-out"), next.timeout ? `${span(next.timeout)} an attempt` : "–");
    if (rows.has("Image")) {
      setText(rows.get("Image"), next.input?.image || "–");
      setText(rows.get("Container"), containerText(next));
    }
    setWhen(rows.get("Created"), next.created_at);
    setWhen(rows.get("Due"), dueAt(next));
    setWhen(rows.get("Ended"), next.finished_at);
    steered("Canceled by", next.canceled_by, next.canceled_at);
    steered("Retried by", next.retried_by, next.retried_at);
    if (next.window) setText(rows.get("Window").firstChild, windowText(next));
  }

  // The row comes once somebody has done it.
  function steered(name, who, at) {
    if (!who) return;
    if (!rows.has(name)) add(name, el("span", {}, el("span"), when(at)));
    setText(rows.get(name).firstChild, `${who}, `);
    setWhen(rows.get(name).lastChild, at);
  }
}

function containerText({ phase, elapsed_ms, container }) {
  if (phase) return `${phase} for ${span(elapsed_ms / 1000)}`;
  const code = container?.exit_code;
  return code === null || code === undefined ? "–" : `exit code ${code}`;
}

function windowText({ id, window }) {
  const who = window.job_id && window.job_id !== id ? `, held by ${short(window.job_id)}` : "";
  return `${span(window.seconds)}, ${window.on_repeat}${who}, ends `;
}

const link = (query, text) => el("a", { href: listHref(query), text });
