// The groups that groups.yaml defines: what is in them, what is wrong, and a trigger.
import { call, get, whyNot } from "./api.js";
import { el, empty, fill, toast } from "./dom.js";
import { confirm } from "./dialog.js";
import { reason } from "./steer.js";
import { plural } from "./time.js";

export const groupHref = (name) => `#/groups/${encodeURIComponent(name)}`;
export const runHref = (name, run) => `${groupHref(name)}/runs/${encodeURIComponent(run)}`;

export async function show(main, { signal }) {
  const head = el("div", { class: "headline" }, el("h1", { text: "Groups" }), el("p", { class: "soft", text: "Named lists of jobs, started together" }));
  fill(main, head, el("p", { class: "boot", text: "Loading…" }));
  try {
    const { data } = await get("groups", { signal });
    const none = empty("No groups are defined", "Write one in chalicelib/groups.yaml: a name and the jobs that it starts.");
    fill(main, head, data.problems?.length ? problemList(data.problems) : null, data.groups.length ? el("div", { class: "tiles" }, data.groups.map(tile)) : none);
  } catch (error) {
    if (error.name === "AbortError") return;
    fill(main, head, empty("The groups could not be read", reason(error), el("button", { class: "button", type: "button", text: "Try again", onclick: () => show(main, { signal }) })));
  }
}

function tile(group) {
  const jobs = jobsOf(group);
  return el("article", { class: "panel tile", "aria-label": `Group ${group.name}` },
    el("div", { class: "row between" }, el("h2", {}, el("a", { href: groupHref(group.name), text: group.name })), el("span", { class: "soft", text: Number.isInteger(group.jobs) ? plural(group.jobs, "job") : plural(jobs.length, "job") })),
    jobs.length ? el("ul", { class: "joblist" }, jobs.slice(0, 5).map((job) => el("li", {}, jobLine(job))), jobs.length > 5 ? el("li", { class: "soft", text: `and ${jobs.length - 5} more` }) : null) : null,
    problemList(group.problems || []), el("div", { class: "row end" }, triggerButton(group)));
}

export const jobsOf = (group) => (Array.isArray(group.jobs) ? group.jobs : []);

/** A group names its jobs; a fuller answer also says what they run. */
export const jobLine = (job) => (typeof job === "string" ? [el("strong", { text: job })] : [el("strong", { text: job.task || "sort" }), " ", el("code", { text: brief(job) })]);

export function brief(job) {
  const text = JSON.stringify(job.array ?? job.input ?? {});
  return text.length > 70 ? `${text.slice(0, 68)}…` : text;
}

export function problemList(problems) {
  if (!problems.length) return null;
  return el("div", { class: "wrong" }, el("strong", { text: plural(problems.length, "problem") }), el("ul", {}, problems.map((one) => el("li", { text: typeof one === "string" ? one : [one.job, one.loc, one.msg].filter(Boolean).join(": ") }))));
}

export function triggerButton(group) {
  const broken = group.problems?.length ? "Nothing is started while the group has problems" : null;
  const why = whyNot() || broken;
  const button = el("button", { type: "button", class: "button primary", "aria-label": `Start a run of ${group.name}`, text: "Start a run", disabled: Boolean(why), title: why });
  button.addEventListener("click", () => trigger(group, button));
  return button;
}

async function trigger(group, button) {
  const n = jobsOf(group).length;
  if (n > 20 && !(await confirm(`Start ${plural(n, "job")}?`, `A run of ${group.name} submits them all.`, { yes: "Start the run", no: "Not now" }))) return;
  button.disabled = true;
  try {
    const { data } = await call("POST", `groups/${encodeURIComponent(group.name)}/runs`);
    toast(`A run of ${group.name} has started`);
    location.hash = runHref(group.name, data.run_id);
  } catch (error) {
    toast([reason(error), ...(error.errors || []).map(({ loc, msg }) => `${loc}: ${msg}`)].join(" · "), "bad");
    button.disabled = false;
  }
}
