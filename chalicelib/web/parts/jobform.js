// The form of one job request: a task, its input, its options. Used to submit a job and in a schedule.
import { el, fill } from "../lib/dom.js";
import { whyContainersAreOff } from "../lib/tasks.js";
import { formOf } from "./fields.js";
import { optionsForm } from "./options.js";

/**
 * {node, request(uploadId), put(job, raw), keep(job), changes(uploadId), problem(errors) -> those that have no field,
 *  clear(), task(), upload() -> the chosen file, attach(file), takesFiles()}
 */
export function jobForm(tasks, { onInput, first = null, timing = true }) {
  const names = Object.keys(tasks);
  let task = first && tasks[first] ? first : names[0];
  let input = null;
  let before = null;
  const inputBox = el("div");
  const summary = el("p", { class: "hint" });
  const options = optionsForm(onInput, { timing });
  const radios = new Map(names.map((name) => [name, el("input", { type: "radio", name: "task", value: name })]));
  for (const [name, radio] of radios) {
    radio.addEventListener("change", () => choose(name));
  }
  const cards = el(
    "div",
    { class: "cards", role: "radiogroup", "aria-label": "Task" },
    [...radios].map(([name, radio]) => el("label", {}, radio, el("span", { text: name }))),
  );
  const node = el(
    "div",
    { class: "jobform" },
    el("div", { class: "field" }, el("span", { class: "label", text: "Task" }), cards, summary),
    inputBox,
    options.node,
  );
  choose(task);
  return {
    node,
    request,
    put,
    keep,
    changes,
    problem,
    clear,
    task: () => task,
    upload: () => numbers()?.file() || null,
    attach: (file) => numbers().attach(file),
    takesFiles: () => Boolean(numbers()),
  };

  function choose(name) {
    task = name;
    radios.get(name).checked = true;
    summary.textContent = tasks[name].summary;
    if (name === "container") warn();
    input = formOf(tasks[name].input, onInput);
    fill(inputBox, input.node);
    onInput();
  }

  async function warn() {
    const off = await whyContainersAreOff();
    if (off && task === "container") summary.textContent = off;
  }

  function numbers() {
    return [...input.fields.values()].find((field) => field.kind === "numbers");
  }

  /** The request as JSON text; with an upload id that stands for the input. A plain sort takes its short form. */
  function request(uploadId = null) {
    const raw = input.raw();
    const plain =
      task === "sort" && !uploadId && /^\{"array": \[[\s\S]*\]\}$/.test(raw) && !input.fields.get("descending")?.raw();
    const what = plain
      ? [raw.slice(1, -1)]
      : [`"task": ${JSON.stringify(task)}`, `"input": ${uploadId ? `{"upload": ${JSON.stringify(uploadId)}}` : raw}`];
    return { body: textOf([...what, ...[...options.values()].map(pairOf)]), input: raw };
  }

  /** From now on `changes` says what differs from this job, which is what the form holds; the task stays. */
  function keep(job) {
    options.putAgain(job);
    for (const [name, radio] of radios) radio.disabled = name !== task;
    before = { input: input.raw(), file: numbers()?.file() || null, options: options.values() };
    onInput();
  }

  /** As `request`, with the fields alone that are not as they were; `input` is null where it stays. */
  function changes(uploadId = null) {
    const raw = input.raw();
    const same = raw === before.input && (numbers()?.file() || null) === before.file;
    const next = options.values();
    const said = same ? [] : [`"input": ${uploadId ? `{"upload": ${JSON.stringify(uploadId)}}` : raw}`];
    for (const pair of next) if (before.options.get(pair[0]) !== pair[1]) said.push(pairOf(pair));
    if (before.options.has("object_id") && !next.has("object_id")) said.push('"object_id": null');
    return { body: textOf(said), input: same ? null : raw };
  }

  function put(job, raw) {
    if (tasks[job.task] && job.task !== task) choose(job.task);
    options.put(job);
    if (raw) input.put(raw);
    onInput();
  }

  function clear() {
    for (const field of [...input.fields.values(), ...options.fields.values()]) field.clear();
  }

  /** Puts each error beside its field; gives those that have none. */
  function problem(errors) {
    clear();
    const homeless = errors.filter((error) => !settle(error));
    node.querySelector("[aria-invalid]")?.focus();
    return homeless;
  }

  function settle({ loc, msg }) {
    const path = String(loc).replace(/^job\./, "");
    if (path === "task") return false;
    const option = options.fields.get(path === "window" ? "object_id" : path);
    if (option) {
      option.fail(msg);
      return true;
    }
    const [, name, index] = /^(?:input\.)?([^.[]+)(?:\[(\d+)\])?/.exec(path) || [];
    const field =
      input.fields.get(name) ||
      (name === "upload" || path === "input" ? numbers() || [...input.fields.values()][0] : null);
    if (!field) return false;
    const at = index === undefined ? null : Number(index);
    const show =
      at !== null && field.show && !field.file()
        ? el("button", { type: "button", class: "quiet small", text: "Show it", onclick: () => field.show(at) })
        : null;
    field.fail(at === null ? msg : `Number ${at + 1}: ${msg}`, show);
    return true;
  }
}

const textOf = (parts) => `{${parts.join(", ")}}`;
const pairOf = ([name, raw]) => `${JSON.stringify(name)}: ${raw}`;
