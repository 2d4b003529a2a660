// One group with its recent runs, or one run of it with its progress.
import { get, Problem, reason } from "../lib/api.js";
import { el, empty, fill, setText } from "../lib/dom.js";
import { groupHref, listHref, runHref } from "../lib/links.js";
import { poll } from "../lib/poll.js";
import { isOpen, short } from "../lib/status.js";
import { plural } from "../lib/time.js";
import { cardList } from "../parts/card.js";
import { jobLine, jobsOf, problemList, triggerButton } from "../parts/groupjobs.js";
import { actOnMany } from "../parts/jobactions.js";
import { pill, progressBar } from "../parts/progress.js";
import { when } from "../parts/when.js";

export function show(main, { params: [name, run], signal }) {
  return run ? showRun(main, name, run, signal) : showGroup(main, name, signal);
}

async function showGroup(main, name, signal) {
  const head = el("div", { class: "headline" }, el("h1", { text: name }));
  const back = el("a", { class: "back", href: "#/groups", text: "← Groups" });
  try {
    const { data: answer } = await get(`groups/${encodeURIComponent(name)}`, { signal });
    const data = answer.groups ? answer.groups[0] : answer;
    const recent = el("div", {});
    head.append(el("div", { class: "row actions" }, triggerButton(data)));
    const jobs = jobsOf(data);
    fill(
      main,
      back,
      head,
      problemList(data.problems || []),
      el(
        "div",
        { class: "two even" },
        el(
          "section",
          { class: "panel", "aria-label": "Jobs" },
          el("h2", { text: "What a run submits" }),
          jobs.length
            ? el(
                "ul",
                { class: "joblist" },
                jobs.map((job) => el("li", {}, jobLine(job))),
              )
            : el("p", { class: "soft", text: "Nothing: the group holds no jobs that can run." }),
        ),
        el(
          "section",
          { class: "panel", "aria-label": "Recent runs" },
          el(
            "div",
            { class: "row between" },
            el("h2", { text: "Recent runs" }),
            el("a", { href: listHref({ group: name }), text: "its jobs in the list" }),
          ),
          recent,
        ),
      ),
    );
    poll(() => runs(recent, name, signal), 5, signal);
  } catch (error) {
    if (error.name !== "AbortError") gone(main, back, error, "group");
  }
}

async function runs(node, name, signal) {
  const { data } = await get("jobs", { query: { group: name, limit: "100" }, signal });
  const jobsByRun = new Map();
  for (const job of data.jobs) {
    if (!job.run_id) continue;
    if (!jobsByRun.has(job.run_id)) jobsByRun.set(job.run_id, []);
    jobsByRun.get(job.run_id).push(job);
  }
  const key = JSON.stringify(data.jobs.map((job) => [job.run_id, job.status]));
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  fill(
    node,
    jobsByRun.size
      ? el(
          "ul",
          { class: "runs" },
          [...jobsByRun]
            .slice(0, 15)
            .map(([run, jobs]) =>
              el(
                "li",
                {},
                el("a", { href: runHref(name, run) }, el("code", { text: short(run) })),
                when(jobs.at(-1).created_at),
                el("span", { class: "row" }, tally(jobs)),
              ),
            ),
        )
      : el("p", { class: "soft", text: "None yet. Start one." }),
  );
}

function tally(jobs) {
  const counts = {};
  for (const job of jobs) counts[job.status] = (counts[job.status] || 0) + 1;
  return countPills(counts);
}

const countPills = (counts) =>
  Object.entries(counts)
    .filter(([, n]) => n)
    .map(([status, n]) => {
      const node = pill(status);
      node.textContent = `${n} ${status}`;
      return node;
    });

async function showRun(main, name, run, signal) {
  const back = el("a", { class: "back", href: groupHref(name), text: `← ${name}` });
  const bar = progressBar("Progress of the run");
  const percent = el("output", {});
  const counts = el("div", { class: "row" });
  const list = el("div", { class: "cardlist wide" }, el("p", { class: "none soft", text: "Loading…" }));
  const cancel = el("button", { type: "button", class: "button", text: "Cancel what is open", hidden: true });
  const draw = cardList(list, () => refresh(), "This run holds no jobs.");
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  let open = [];
  cancel.addEventListener("click", async () => (await actOnMany(open, "cancel")) && refresh());
  fill(
    main,
    back,
    el(
      "div",
      { class: "headline" },
      el("h1", { dataset: { title: `Run of ${name}` } }, "Run ", el("code", { text: short(run), title: run })),
      el("p", { class: "soft", text: `of ${name}` }),
      el("div", { class: "row actions" }, cancel),
    ),
    trouble,
    el("div", { class: "uploading" }, el("span", { text: "Progress" }), bar.node, percent),
    counts,
    list,
  );
  const refresh = poll(load, 2, signal, (error) => {
    if (error instanceof Problem && error.status === 404) return gone(main, back, error, "run");
    trouble.hidden = false;
    setText(trouble, `The run is not fresh: ${reason(error)}. Trying again.`);
  });

  async function load() {
    const { data } = await get(`groups/${encodeURIComponent(name)}/runs/${encodeURIComponent(run)}`, { signal });
    trouble.hidden = true;
    bar.set(data.progress);
    setText(percent, `${Math.round(data.progress * 100)} %`);
    fill(counts, countPills(data.counts));
    draw(data.jobs);
    open = data.jobs.filter(isOpen);
    cancel.hidden = !open.length;
    setText(cancel, `Cancel ${plural(open.length, "open job")}`);
    return open.length ? 1 : 30;
  }
}

function gone(main, back, error, what) {
  const missing = error instanceof Problem && error.status === 404;
  fill(
    main,
    back,
    el("div", { class: "headline" }, el("h1", { text: missing ? `No such ${what}` : `The ${what} could not be read` })),
    empty(
      missing ? "Nothing has this name" : reason(error),
      "See which groups are defined.",
      el("a", { class: "button", href: "#/groups", text: "All groups" }),
    ),
  );
}
