// What a job's status and times say about it.
import { span } from "./time.js";

const OPEN = ["scheduled", "pending", "running"];
export const isOpen = (job) => OPEN.includes(job.status);
export const canRetry = (job) => job.status === "failed" || job.status === "canceled";
/** When a job that waits may run: after a failed attempt that is later than its own time. */
export const dueAt = (job) => job.next_attempt_at || job.run_at;
export const short = (id) => (id.length > 12 ? `…${id.slice(-8)}` : id);

/** How long it ran, or has been running. */
export function took(job) {
  if (job.duration_ms !== null && job.duration_ms !== undefined && !isOpen(job)) return span(job.duration_ms / 1000);
  if (job.status === "running" && job.started_at)
    return span(Math.max(0, Math.round((Date.now() - new Date(job.started_at)) / 1000)));
  return "–";
}
