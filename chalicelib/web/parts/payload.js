// An input or output: read exactly, shown as text (the ends of large ones), drawn, downloaded.
import { call, Problem, reason, Unreachable } from "../lib/api.js";
import { copyButton, el, fill, setText } from "../lib/dom.js";
import { elements, isArray, isNumber, isObject, members, pretty } from "../lib/exact.js";
import { bytes, number, plural } from "../lib/time.js";

const ENDS = 1000;
const TEXT = 40_000;
const AT_ONCE = 2_000_000;

/** The raw text of one member of a job's answer. */
export const rawOf = (text, name) => members(text)[name] ?? "null";

/** Reads a payload kept outside the row. The link signs itself: no token goes along. */
export async function fetchPayload(href, signal) {
  let response;
  try {
    response = await fetch(href, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The stored payload does not answer");
  }
  if (!response.ok)
    throw new Problem(response.status, {
      title: "The stored payload could not be read",
      detail: "Its link may have run out: load the job again.",
    });
  return response.text();
}

/** The numbers of a payload as texts, or null when it holds none. */
export function numbersOf(raw) {
  const array = isObject(raw) ? members(raw).array : raw;
  if (!array || !isArray(array)) return null;
  const all = elements(array);
  return all.length && isNumber(all[0]) ? all : null;
}

/** A section for one payload; onRaw(raw) hears the whole text once it is there. */
export function payloadPanel(title, job, name, signal, onRaw) {
  const head = el("div", { class: "row between" }, el("h2", { text: title }));
  const body = el("div", { class: "payload" });
  const tools = el("div", { class: "row" });
  head.append(tools);
  return {
    node: el("section", { class: "panel", "aria-label": title, dataset: { payload: name } }, head, body),
    set,
    missing,
  };

  function missing(text) {
    tools.replaceChildren();
    fill(body, el("p", { class: "soft", text }));
  }

  function set(raw, value) {
    if (!value?.href) return draw(raw);
    tools.replaceChildren();
    const load = el("button", {
      type: "button",
      class: "button",
      text: `Load ${bytes(value.bytes)}`,
      onclick: () => read(value, load),
    });
    fill(body, el("p", { class: "soft", text: `${bytes(value.bytes)}, kept outside the row.` }), load);
    if (value.bytes <= AT_ONCE) read(value, load);
  }

  async function read(value, button) {
    button.disabled = true;
    setText(button, "Loading…");
    try {
      draw(await fresh(value, job));
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(body, el("p", { class: "trouble", text: reason(error) }), button);
      button.disabled = false;
      setText(button, "Try again");
    }
  }

  // Links are short-lived: an expired one is renewed by asking for the job again.
  async function fresh(value, { id }) {
    try {
      return await fetchPayload(value.href, signal);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { data } = await call("GET", `jobs/${encodeURIComponent(id)}`, { signal });
      return fetchPayload(data[name].href, signal);
    }
  }

  function draw(raw) {
    fill(tools, copyButton(raw, title), downloadLink(raw, `${job.id}-${name}.json`, title));
    fill(body, ...shown(raw));
    onRaw(raw);
  }
}

function shown(raw) {
  const all = numbersOf(raw);
  if (!all)
    return [
      text(raw.length > TEXT ? `${raw.slice(0, TEXT)}…` : pretty(raw)),
      raw.length > TEXT
        ? el("p", { class: "soft", text: `The first ${bytes(TEXT)} of ${bytes(raw.length)}. Download has it all.` })
        : null,
    ];
  const rest = isObject(raw) ? Object.entries(members(raw)).filter(([name]) => name !== "array") : [];
  const extra = rest.map(([name, value]) => el("p", { class: "soft" }, `${name}: `, el("code", { text: value })));
  if (all.length <= 2 * ENDS)
    return [el("p", { class: "soft", text: plural(all.length, "number") }), extra, text(all.join(", "))].flat();
  return [
    el("p", { class: "soft", text: `${number(all.length)} numbers; the first and the last thousand are shown.` }),
    ...extra,
    el("h3", { text: "First thousand" }),
    text(all.slice(0, ENDS).join(", ")),
    el("h3", { text: "Last thousand" }),
    text(all.slice(-ENDS).join(", ")),
  ];
}

const text = (content) => el("pre", { tabindex: "0", text: content });

function downloadLink(raw, name, title) {
  const button = el("button", {
    type: "button",
    class: "quiet small",
    "aria-label": `Download ${title}`,
    text: "Download",
  });
  button.addEventListener("click", () => {
    const href = URL.createObjectURL(new Blob([raw], { type: "application/json" }));
    el("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  });
  return button;
}
