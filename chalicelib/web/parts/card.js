// One job as a card, for the board and for the run of a group; changed in place.
import { el, setText } from "../lib/dom.js";
import { jobHref } from "../lib/links.js";
import { dueAt, short, took } from "../lib/status.js";
import { actionButton } from "./jobactions.js";
import { pill, progressBar, setPill } from "./progress.js";
import { setWhen, when } from "./when.js";

/** {node, update(job)} */
export function jobCard(job, onChange) {
  const state = pill(job.status);
  const about = el("span", {
    class: "soft",
    text: [job.label, job.object_id, job.group].filter((text) => text !== null && text !== undefined).join(" · "),
  });
  const time = when(null);
  const word = el("span");
  const bar = progressBar(`Progress of ${job.task} ${short(job.id)}`);
  const act = el("div", { class: "act" });
  const why = el("p", { class: "why bad" });
  const node = el(
    "article",
    { class: "card", "aria-label": `${job.task} ${short(job.id)}` },
    el(
      "div",
      { class: "row between" },
      el(
        "a",
        { href: jobHref(job.id), dataset: { job: job.id } },
        el("strong", { text: job.task }),
        " ",
        el("code", { text: short(job.id), title: job.id }),
      ),
      state,
    ),
    about,
    why,
    bar.node,
    el("div", { class: "row between foot" }, el("span", { class: "soft" }, word, time), act),
  );
  let status = null;
  update(job);
  return { node, update };

  function update(next) {
    setPill(state, next.status);
    node.dataset.status = next.status;
    bar.node.hidden = next.status !== "running";
    bar.set(next.progress);
    setText(why, next.status === "failed" && next.error ? next.error.message : "");
    setText(
      word,
      { scheduled: "due ", pending: "since ", running: "started " }[next.status] ||
        `${next.status === "canceled" ? "" : `took ${took(next)}, `}ended `,
    );
    setWhen(
      time,
      { scheduled: dueAt(next), pending: next.created_at, running: next.started_at }[next.status] || next.finished_at,
    );
    const key = `${next.status} ${next.cancel_requested}`;
    if (status === key) return;
    status = key;
    act.replaceChildren(...[actionButton(next, onChange)].filter(Boolean));
  }
}

/** Keeps a list of cards equal to `jobs`, moving as little as it can. */
export function cardList(node, onChange, nothing) {
  const cards = new Map();
  return (jobs) => {
    const ids = new Set(jobs.map((job) => job.id));
    for (const [id, card] of cards) {
      if (ids.has(id)) continue;
      card.node.remove();
      cards.delete(id);
    }
    jobs.forEach((job, at) => {
      const card = cards.get(job.id) || jobCard(job, onChange);
      if (cards.has(job.id)) card.update(job);
      cards.set(job.id, card);
      if (node.children[at] !== card.node) node.insertBefore(card.node, node.children[at] || null);
    });
    node.querySelector(".none")?.remove();
    if (!jobs.length) node.append(el("p", { class: "none soft", text: nothing }));
  };
}
