// Cancel, retry and run again, one job or many, with what the API says about each.
import { call, reason, whyNot } from "../lib/api.js";
import { el, say, toast } from "../lib/dom.js";
import { poster } from "../lib/once.js";
import { canRetry, isOpen, short } from "../lib/status.js";
import { plural } from "../lib/time.js";
import { confirm } from "./dialog.js";

const AT_ONCE = 4;
const cancelOne = (job) => call("DELETE", `jobs/${encodeURIComponent(job.id)}`);
const retryOne = (job) => call("POST", `jobs/${encodeURIComponent(job.id)}/retry`);

/** Asks first when the job runs, since its work is lost. Gives the job as it is now, or null. */
async function cancel(job) {
  if (
    job.status === "running" &&
    !(await confirm(
      "Cancel a running job?",
      `${job.task} ${short(job.id)} stops at its next checkpoint; its work so far is lost.`,
      { yes: "Cancel the job", no: "Let it run", danger: true },
    ))
  )
    return null;
  return send(
    () => cancelOne(job),
    job,
    (status) => (status === 202 ? "will stop at its next checkpoint" : "is canceled"),
  );
}

const retry = (job) =>
  send(
    () => retryOne(job),
    job,
    () => "will run again",
  );

async function send(act, job, outcome) {
  try {
    const { data, status } = await act();
    toast(`${job.task} ${short(job.id)} ${outcome(status)}`);
    return data || job;
  } catch (error) {
    toast(reason(error), "bad");
    return null;
  }
}

/** Cancels or retries many after one confirmation, a few at a time, and says how many did. */
export async function actOnMany(jobs, kind) {
  const fit = jobs.filter(kind === "cancel" ? isOpen : canRetry);
  const left = jobs.length - fit.length;
  const note = left
    ? ` ${plural(left, "selected job")} cannot be ${kind === "cancel" ? "canceled" : "retried"} and will be left alone.`
    : "";
  const yes = kind === "cancel" ? `Cancel ${plural(fit.length, "job")}` : `Retry ${plural(fit.length, "job")}`;
  const text =
    kind === "cancel"
      ? `What runs stops at its next checkpoint; its work is lost.${note}`
      : `Each gets its attempts anew.${note}`;
  if (!(await confirm(`${yes}?`, text, { yes, danger: kind === "cancel" }))) return false;
  const queue = [...fit];
  const failures = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let job = queue.shift(); job; job = queue.shift()) {
        await (kind === "cancel" ? cancelOne(job) : retryOne(job)).catch((error) => failures.push(error));
      }
    }),
  );
  const done = fit.length - failures.length;
  toast(
    `${plural(done, "job")} ${kind === "cancel" ? "canceled" : "put back"}${failures.length ? `, ${failures.length} refused: ${reason(failures[0])}` : ""}`,
    failures.length ? "bad" : "good",
  );
  return true;
}

/** The one button that fits a job's status, or null; it is disabled with the reason when the role forbids it. */
export function actionButton(job, onChange) {
  const kind = isOpen(job) ? "cancel" : canRetry(job) ? "retry" : null;
  if (!kind) return null;
  const why =
    whyNot() ||
    (job.cancel_requested && kind === "cancel" ? "It was asked to stop, and will at its next checkpoint" : null);
  const name = kind === "cancel" ? "Cancel" : "Retry";
  const button = el("button", {
    type: "button",
    class: "button small",
    "aria-label": `${name} ${job.task} ${short(job.id)}`,
    text: job.cancel_requested && kind === "cancel" ? "Stopping" : name,
    disabled: Boolean(why),
    title: why,
  });
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    button.disabled = true;
    const next = await (kind === "cancel" ? cancel(job) : retry(job));
    button.disabled = false;
    if (!next) return;
    say(`${name} was sent`);
    onChange(next);
  });
  return button;
}

/** Makes a new job like this one that has ended, and gives it to `onMade`. */
export function againButton(job, onMade) {
  const why = whyNot();
  const post = poster();
  const button = el("button", {
    type: "button",
    class: "button",
    "aria-label": `Run again ${job.task} ${short(job.id)}`,
    text: "Run again",
    disabled: Boolean(why),
    title: why,
  });
  button.addEventListener("click", async () => {
    button.disabled = true;
    const next = await send(
      () => post(`jobs/${encodeURIComponent(job.id)}/run-again`),
      job,
      (status) => (status === 200 ? "runs again already" : "runs again as a new job"),
    );
    button.disabled = false;
    if (next) onMade(next);
  });
  return button;
}
