// What a run of a group submits, what is wrong with it, and the button that starts one.
import { reason, whyNot } from "../lib/api.js";
import { el, toast } from "../lib/dom.js";
import { runHref } from "../lib/links.js";
import { poster } from "../lib/once.js";
import { plural } from "../lib/time.js";
import { confirm } from "./dialog.js";

export const jobsOf = (group) => (Array.isArray(group.jobs) ? group.jobs : []);

/** A group names its jobs; a fuller answer also says what they run. */
export const jobLine = (job) =>
  typeof job === "string"
    ? [el("strong", { text: job })]
    : [el("strong", { text: job.task || "sort" }), " ", el("code", { text: brief(job) })];

export function brief(job) {
  const text = JSON.stringify(job.array ?? job.input ?? {});
  return text.length > 70 ? `${text.slice(0, 68)}…` : text;
}

export function problemList(problems) {
  if (!problems.length) return null;
  return el(
    "div",
    { class: "wrong" },
    el("strong", { text: plural(problems.length, "problem") }),
    el(
      "ul",
      {},
      problems.map((problem) =>
        el("li", {
          text:
            typeof problem === "string" ? problem : [problem.job, problem.loc, problem.msg].filter(Boolean).join(": "),
        }),
      ),
    ),
  );
}

export function triggerButton(group) {
  const broken = group.problems?.length ? "Nothing is started while the group has problems" : null;
  const why = whyNot() || broken;
  const button = el("button", {
    type: "button",
    class: "button primary",
    "aria-label": `Start a run of ${group.name}`,
    text: "Start a run",
    disabled: Boolean(why),
    title: why,
  });
  const post = poster();
  button.addEventListener("click", () => trigger(group, button, post));
  return button;
}

async function trigger(group, button, post) {
  const n = jobsOf(group).length;
  if (
    n > 20 &&
    !(await confirm(`Start ${plural(n, "job")}?`, `A run of ${group.name} submits them all.`, {
      yes: "Start the run",
      no: "Not now",
    }))
  )
    return;
  button.disabled = true;
  try {
    const { data } = await post(`groups/${encodeURIComponent(group.name)}/runs`);
    toast(`A run of ${group.name} has started`);
    location.hash = runHref(group.name, data.run_id);
  } catch (error) {
    toast([reason(error), ...(error.errors || []).map(({ loc, msg }) => `${loc}: ${msg}`)].join(" · "), "bad");
    button.disabled = false;
  }
}
