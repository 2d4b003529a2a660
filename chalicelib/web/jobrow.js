// One job in a table, changed in place: nothing moves and nothing loses focus when it is refreshed.
import { el, setText } from "./dom.js";
import { dueAt, isOpen, short, steerButton } from "./steer.js";
import { setWhen, span, when } from "./time.js";

export const jobHref = (id) => `#/jobs/${encodeURIComponent(id)}`;
export const listHref = (query) => `#/jobs?${new URLSearchParams(query)}`;

let last = "#/jobs";

/** The list as it was last looked at, for the way back from one job. */
export const lastList = () => last;
export const rememberList = (query) => (last = query.size ? listHref(query) : "#/jobs");

export function pill(status) {
  return el("span", { class: "pill", dataset: { status }, text: status });
}

export function setPill(node, status) {
  node.dataset.status = status;
  setText(node, status);
}

export function progressBar(label) {
  const inner = el("i");
  const node = el("span", { class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, inner);
  return { node, set: (fraction) => setProgress(node, inner, fraction) };
}

function setProgress(node, inner, fraction) {
  node.toggleAttribute("data-unknown", fraction === null || fraction === undefined);
  if (fraction === null || fraction === undefined) return node.removeAttribute("aria-valuenow");
  const percent = Math.round(Math.max(0, Math.min(1, fraction)) * 100);
  node.setAttribute("aria-valuenow", percent);
  inner.style.width = `${percent}%`;
}

/** How long it ran, or has been running. */
export function took(job) {
  if (job.duration_ms !== null && job.duration_ms !== undefined && !isOpen(job)) return span(job.duration_ms / 1000);
  if (job.status === "running" && job.started_at) return span(Math.max(0, Math.round((Date.now() - new Date(job.started_at)) / 1000)));
  return "–";
}

/** A row with {node, job, box, update(job)}. onPick(row) hears the check box, onChange(job) a steering. */
export function jobRow(job, { onPick, onChange }) {
  const box = el("input", { type: "checkbox", "aria-label": `Select ${job.task} ${short(job.id)}` });
  const state = pill(job.status);
  const link = el("a", { href: jobHref(job.id), dataset: { job: job.id } }, el("strong", { text: job.task }), job.label ? el("span", { class: "soft", text: job.label }) : null, el("code", { text: short(job.id), title: job.id }));
  const note = el("td", { role: "cell", class: "note" });
  const made = when(job.created_at);
  const run = el("span");
  const tries = el("small");
  const act = el("td", { role: "cell", class: "act" });
  const node = el("tr", { role: "row" },
    el("td", { role: "cell", class: "pick" }, el("label", { class: "hit" }, box)),
    el("td", { role: "cell", class: "state" }, state),
    el("td", { role: "cell", class: "what" }, link),
    note,
    el("td", { role: "cell", class: "for" }, tags(job)),
    el("td", { role: "cell", class: "made" }, made),
    el("td", { role: "cell", class: "took" }, run, tries),
    act);
  const row = { node, box, job: null, update };
  const bar = progressBar(`Progress of ${job.task} ${short(job.id)}`);
  box.addEventListener("change", () => onPick(row));
  update(job);
  return row;

  function update(next) {
    const changed = !row.job || row.job.status !== next.status || row.job.cancel_requested !== next.cancel_requested;
    row.job = next;
    setPill(state, next.status);
    setText(run, took(next));
    setText(tries, next.attempts > 1 ? `attempt ${next.attempts} of ${next.max_attempts}` : "");
    setNote(note, next, bar);
    if (!changed) return;
    node.dataset.status = next.status;
    const focused = act.contains(document.activeElement);
    act.replaceChildren(...[steerButton(next, (after) => (update(after), onChange(after)))].filter(Boolean));
    if (focused) link.focus();
  }
}

/** In a query 7 is the number; the text "7" wears quotes. */
export const objectQuery = (id) => (typeof id === "string" && /^-?\d+$|^".*"$/.test(id) ? `"${id}"` : String(id));

function tags(job) {
  const list = [];
  if (job.object_id !== null && job.object_id !== undefined) list.push(el("a", { class: "tag", href: listHref({ object_id: objectQuery(job.object_id) }), title: `object ${job.object_id}`, text: job.object_id }));
  if (job.group) list.push(el("a", { class: "tag group", href: listHref({ group: job.group }), title: `group ${job.group}`, text: job.group }));
  return list;
}

// Running shows its progress, scheduled when it is due, failed why.
function setNote(cell, job, bar) {
  cell.removeAttribute("data-empty");
  if (job.status === "running") {
    bar.set(job.progress);
    if (bar.node.parentNode !== cell) cell.replaceChildren(bar.node);
    return;
  }
  if (job.status === "scheduled") {
    const time = cell.querySelector("time");
    if (time) return setWhen(time, dueAt(job));
    cell.replaceChildren(el("span", { text: job.attempts ? "next attempt " : "due " }), when(dueAt(job)));
    return;
  }
  const text = job.error && job.status !== "completed" ? job.error.message : "";
  cell.toggleAttribute("data-empty", !text);
  if (cell.textContent === text && !cell.querySelector(".bar")) return;
  cell.replaceChildren(el("span", { class: job.status === "failed" ? "why bad" : "why", text, title: text }));
}

export function tableHead(labels) {
  return el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, labels.map((label) => (typeof label === "string" ? el("th", { role: "columnheader", scope: "col", text: label }) : label))));
}
