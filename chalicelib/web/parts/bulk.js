// The bar over selected jobs: cancel or retry them all after one question.
import { whyNot } from "../lib/api.js";
import { el, setText } from "../lib/dom.js";
import { canRetry, isOpen } from "../lib/status.js";
import { actOnMany } from "./jobactions.js";

/** {node, set(jobs)}; `picked` gives the selected jobs, `done` hears that they were acted on or let go. */
export function bulkBar(picked, done) {
  const text = el("span", { class: "n" });
  const button = (kind, label) =>
    el("button", {
      type: "button",
      class: "button small",
      text: label,
      onclick: async () => (await actOnMany(picked(), kind)) && done(),
    });
  const cancel = button("cancel", "Cancel");
  const retry = button("retry", "Retry");
  const node = el(
    "div",
    { class: "bulk", role: "toolbar", "aria-label": "Selected jobs", hidden: true },
    text,
    cancel,
    retry,
    el("button", { type: "button", class: "quiet small", text: "Clear", onclick: done }),
  );
  return { node, set };

  function set(jobs) {
    node.hidden = !jobs.length;
    setText(text, `${jobs.length} selected`);
    const why = whyNot();
    cancel.disabled = Boolean(why) || !jobs.some(isOpen);
    retry.disabled = Boolean(why) || !jobs.some(canRetry);
    cancel.title = why || (cancel.disabled ? "None of these is scheduled, pending or running" : "");
    retry.title = why || (retry.disabled ? "None of these has failed or was canceled" : "");
  }
}
