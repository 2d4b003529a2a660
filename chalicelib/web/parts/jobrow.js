// One job in a table, changed in place: nothing moves and nothing loses focus when it is refreshed.
import { el, setText } from "../lib/dom.js";
import { jobHref, listHref, objectQuery } from "../lib/links.js";
import { dueAt, short, took } from "../lib/status.js";
import { actionButton } from "./jobactions.js";
import { pill, progressBar, setPill } from "./progress.js";
import { setWhen, when } from "./when.js";

/** A row with {node, job, box, update(job)}. onPick(row) hears the check box, onChange(job) a cancel or retry. */
export function jobRow(job, { onPick, onChange }) {
  const box = el("input", { type: "checkbox", "aria-label": `Select ${job.task} ${short(job.id)}` });
  const state = pill(job.status);
  const link = el(
    "a",
    { href: jobHref(job.id), dataset: { job: job.id } },
    el("strong", { text: job.task }),
    job.label ? el("span", { class: "soft", text: job.label }) : null,
    el("code", { text: short(job.id), title: job.id }),
  );
  const note = el("td", { role: "cell", class: "note" });
  const created = when(job.created_at);
  const run = el("span");
  const tries = el("small");
  const act = el("td", { role: "cell", class: "act" });
  const node = el(
    "tr",
    { role: "row" },
    el("td", { role: "cell", class: "pick" }, el("label", { class: "hit" }, box)),
    el("td", { role: "cell", class: "state" }, state),
    el("td", { role: "cell", class: "what" }, link),
    note,
    el("td", { role: "cell", class: "for" }, tags(job)),
    el("td", { role: "cell", class: "created" }, created),
    el("td", { role: "cell", class: "took" }, run, tries),
    act,
  );
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
    const changedTo = (after) => {
      update(after);
      onChange(after);
    };
    act.replaceChildren(...[actionButton(next, changedTo)].filter(Boolean));
    if (focused) link.focus();
  }
}

function tags(job) {
  const list = [];
  if (job.object_id !== null && job.object_id !== undefined)
    list.push(
      el("a", {
        class: "tag",
        href: listHref({ object_id: objectQuery(job.object_id) }),
        title: `object ${job.object_id}`,
        text: job.object_id,
      }),
    );
  if (job.group)
    list.push(
      el("a", {
        class: "tag group",
        href: listHref({ group: job.group }),
        title: `group ${job.group}`,
        text: job.group,
      }),
    );
  if (job.schedule_id)
    list.push(
      el("a", {
        class: "tag schedule",
        href: listHref({ schedule_id: job.schedule_id }),
        title: `schedule ${job.schedule_id}`,
        text: "schedule",
      }),
    );
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
  return el(
    "thead",
    { role: "rowgroup" },
    el(
      "tr",
      { role: "row" },
      labels.map((label) =>
        typeof label === "string" ? el("th", { role: "columnheader", scope: "col", text: label }) : label,
      ),
    ),
  );
}
