// A time that stays relative to now. One ticker keeps all of them on the page fresh.
import { el, setText } from "../lib/dom.js";
import { exact, relative } from "../lib/time.js";

/** A <time> that stays relative; the exact time shows on hover and to a screen reader. */
export function when(iso) {
  const node = el("time", { dataset: { relative: "" } });
  setWhen(node, iso);
  return node;
}

export function setWhen(node, iso) {
  if (!iso) {
    node.removeAttribute("datetime");
    node.removeAttribute("title");
    return setText(node, "–");
  }
  if (node.getAttribute("datetime") !== iso) {
    node.setAttribute("datetime", iso);
    node.title = exact(iso);
  }
  setText(node, relative(iso));
}

setInterval(() => {
  if (document.hidden) return;
  for (const node of document.querySelectorAll("time[data-relative][datetime]")) setText(node, relative(node.dateTime));
}, 1000);
