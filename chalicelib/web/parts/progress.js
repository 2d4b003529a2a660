// How far a job is: its status as a pill, its progress as a bar.
import { el, setText } from "../lib/dom.js";

export function pill(status) {
  return el("span", { class: "pill", dataset: { status }, text: status });
}

export function setPill(node, status) {
  node.dataset.status = status;
  setText(node, status);
}

export function progressBar(label) {
  const inner = el("i");
  const node = el(
    "span",
    { class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" },
    inner,
  );
  return { node, set: (fraction) => setProgress(node, inner, fraction) };
}

function setProgress(node, inner, fraction) {
  node.toggleAttribute("data-unknown", fraction === null || fraction === undefined);
  if (fraction === null || fraction === undefined) return node.removeAttribute("aria-valuenow");
  const percent = Math.round(Math.max(0, Math.min(1, fraction)) * 100);
  node.setAttribute("aria-valuenow", percent);
  inner.style.width = `${percent}%`;
}
