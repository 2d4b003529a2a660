// What a container writes, live: it follows the end, can be searched, and downloaded whole.
import { call } from "../lib/api.js";
import { el, fill, setText } from "../lib/dom.js";
import { poll } from "../lib/poll.js";
import { isOpen } from "../lib/status.js";

const SHOWN_LINES = 2000;

/** A section with set(job), which follows the attempt that is chosen; the newest one until somebody chooses. */
export function logPanel(job, signal) {
  let current = job;
  let chosen = null;
  let place = "";
  let lines = [];
  let endedAt = 0;
  const choice = el("select", { "aria-label": "Attempt", onchange: choose });
  const search = el("input", { type: "search", placeholder: "Search", "aria-label": "Search the log", oninput: draw });
  const count = el("output", { class: "soft" });
  const output = el("pre", { class: "log", tabindex: "0", role: "log", "aria-label": "Log" });
  const save = el("button", { class: "button", type: "button", text: "Download", onclick: download });
  const node = el(
    "section",
    { class: "panel", "aria-label": "Log of the container" },
    el("h2", { text: "Log" }),
    el("div", { class: "row" }, choice, search, save, count),
    output,
  );
  const ask = poll(read, 1, signal);
  set(job);
  return { node, set };

  function set(next) {
    const more = next.attempts !== current.attempts || choice.options.length === 0;
    if (isOpen(current) && !isOpen(next)) endedAt = Date.now();
    current = next;
    if (!more) return;
    const newest = chosen === null || chosen === choice.options.length;
    fill(
      choice,
      Array.from({ length: Math.max(1, next.attempts) }, (_, index) =>
        el("option", { value: String(index + 1), text: `Attempt ${index + 1}` }),
      ),
    );
    if (newest) start(Math.max(1, next.attempts));
    choice.value = String(chosen);
  }

  function choose() {
    start(Number(choice.value));
    ask();
  }

  function start(attempt) {
    chosen = attempt;
    place = "";
    lines = [];
    draw();
  }

  async function read() {
    if (current.attempts === 0) return 1;
    const attempt = chosen;
    const query = { attempt: String(attempt), after: place };
    const { text, headers } = await call("GET", `jobs/${encodeURIComponent(current.id)}/log`, { query, signal });
    if (attempt !== chosen) return 0.1;
    place = headers.get("Log-After") || place;
    if (text) {
      lines = lines.concat(text.replace(/\n$/, "").split("\n"));
      draw();
    }
    // The last lines may come a while after the end.
    return isOpen(current) || Date.now() - endedAt < 10_000 ? 1 : text ? 0.1 : Number.POSITIVE_INFINITY;
  }

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const fitting = wanted ? lines.filter((line) => line.toLowerCase().includes(wanted)) : lines;
    const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 30;
    setText(output, fitting.slice(-SHOWN_LINES).join("\n") || (wanted ? "No line has this." : "Nothing yet."));
    const hidden = fitting.length > SHOWN_LINES ? `, the last ${SHOWN_LINES} shown` : "";
    setText(count, `${fitting.length} ${fitting.length === 1 ? "line" : "lines"}${hidden}`);
    if (atEnd) output.scrollTop = output.scrollHeight;
  }

  function download() {
    const href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
    el("a", { href, download: `${current.id}-${chosen}.log` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }
}
