// The groups that groups.yaml defines: what is in them, what is wrong, and a trigger.
import { get, reason } from "../lib/api.js";
import { el, empty, fill } from "../lib/dom.js";
import { groupHref } from "../lib/links.js";
import { plural } from "../lib/time.js";
import { jobLine, jobsOf, problemList, triggerButton } from "../parts/groupjobs.js";

export async function show(main, { signal }) {
  const head = el(
    "div",
    { class: "headline" },
    el("h1", { text: "Groups" }),
    el("p", { class: "soft", text: "Named lists of jobs, started together" }),
  );
  fill(main, head, el("p", { class: "boot", text: "Loading…" }));
  try {
    const { data } = await get("groups", { signal });
    const none = empty(
      "No groups are defined",
      "Write one in chalicelib/groups.yaml: a name and the jobs that it starts.",
    );
    fill(
      main,
      head,
      data.problems?.length ? problemList(data.problems) : null,
      data.groups.length ? el("div", { class: "tiles" }, data.groups.map(tile)) : none,
    );
  } catch (error) {
    if (error.name === "AbortError") return;
    fill(
      main,
      head,
      empty(
        "The groups could not be read",
        reason(error),
        el("button", { class: "button", type: "button", text: "Try again", onclick: () => show(main, { signal }) }),
      ),
    );
  }
}

function tile(group) {
  const jobs = jobsOf(group);
  return el(
    "article",
    { class: "panel tile", "aria-label": `Group ${group.name}` },
    el(
      "div",
      { class: "row between" },
      el("h2", {}, el("a", { href: groupHref(group.name), text: group.name })),
      el("span", {
        class: "soft",
        text: Number.isInteger(group.jobs) ? plural(group.jobs, "job") : plural(jobs.length, "job"),
      }),
    ),
    jobs.length
      ? el(
          "ul",
          { class: "joblist" },
          jobs.slice(0, 5).map((job) => el("li", {}, jobLine(job))),
          jobs.length > 5 ? el("li", { class: "soft", text: `and ${jobs.length - 5} more` }) : null,
        )
      : null,
    problemList(group.problems || []),
    el("div", { class: "row end" }, triggerButton(group)),
  );
}
