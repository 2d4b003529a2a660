// What a request may say beside its task and input: object and window, when to run, how often to try.
import { el } from "../lib/dom.js";
import { isNumber } from "../lib/exact.js";
import { objectQuery } from "../lib/links.js";
import { fieldOf } from "./fields.js";

const REPEAT = {
  delay: "delay: run it when the window ends",
  reuse: "reuse: give the earlier job",
  reject: "reject: refuse it",
};

/** {node, values() -> Map(name -> JSON text), put(job), putAgain(job), fields: Map(loc -> field)} */
export function optionsForm(onInput, { timing = true } = {}) {
  const fields = new Map();
  const add = (loc, schema, label, help) => {
    const field = fieldOf(loc, { ...schema, title: label, description: help }, false, onInput);
    fields.set(loc, field);
    return field.node;
  };
  const object = [
    add(
      "object_id",
      { type: "string", maxLength: 128 },
      "Object id",
      "What the job is about, such as an order. With a window, it runs at most once in that time.",
    ),
    add("window.seconds", { type: "integer", minimum: 1, maximum: 86400 }, "Window, seconds"),
    repeat(fields, onInput),
  ];
  const due = timing
    ? [
        add("run_in", { type: "string", maxLength: 20 }, "Run in", "Such as 30s, 2m, 1h, 4d"),
        timeField(fields, onInput),
      ]
    : [];
  const tries = [
    add("max_attempts", { type: "integer", minimum: 1, maximum: 10, default: 3 }, "Attempts at most"),
    add("timeout", { type: "number", minimum: 1 }, "Seconds an attempt may take"),
  ];
  const section = (title, nodes) =>
    nodes.length ? el("fieldset", {}, el("legend", { text: title }), el("div", { class: "grid" }, nodes)) : null;
  const node = el(
    "div",
    { class: "options" },
    section("When", due),
    section("Object and window", object),
    section("Attempts", tries),
  );
  const objectField = fields.get("object_id");
  const asText = objectField.raw;
  objectField.raw = () => {
    const typed = objectField.control.value.trim();
    return typed ? objectJson(typed) : asText();
  };
  return { node, fields, values, put, putAgain };

  function values() {
    const said = new Map();
    for (const name of ["object_id", "run_in", "run_at", "timeout", "max_attempts"]) {
      const raw = fields.get(name)?.raw();
      if (raw) said.set(name, raw);
    }
    const window = ["seconds", "on_repeat"]
      .map((name) => [name, fields.get(`window.${name}`).raw()])
      .filter(([, raw]) => raw);
    if (window.length) said.set("window", `{${window.map(([name, raw]) => `"${name}": ${raw}`).join(", ")}}`);
    return said;
  }

  function put(job) {
    putObject(job);
    if (job.window?.seconds) fields.get("window.seconds").put(String(job.window.seconds));
    if (job.window?.on_repeat) fields.get("window.on_repeat").put(JSON.stringify(job.window.on_repeat));
  }

  /** What a job that runs again keeps of an earlier one: neither its window nor its time. */
  function putAgain(job) {
    putObject(job);
    fields.get("max_attempts").put(String(job.max_attempts));
    for (const name of ["timeout", "max_attempts"]) fields.get(name).control.placeholder = "as before";
  }

  function putObject(job) {
    if (job.object_id !== null && job.object_id !== undefined)
      fields.get("object_id").put(JSON.stringify(objectQuery(job.object_id)));
    if (isNumber(String(job.timeout ?? ""))) fields.get("timeout").put(String(job.timeout));
  }
}

// 7 is the number and "7" the text, here as in the filter of the list.
function objectJson(typed) {
  if (/^-?(0|[1-9]\d{0,15})$/.test(typed)) return typed;
  return JSON.stringify(/^".+"$/.test(typed) ? typed.slice(1, -1) : typed);
}

function repeat(fields, onInput) {
  const field = fieldOf(
    "window.on_repeat",
    { enum: Object.keys(REPEAT), title: "A second job in the window" },
    false,
    onInput,
  );
  const [none, ...choices] = field.control.options;
  none.textContent = "no window, or delay";
  for (const choice of choices) choice.textContent = REPEAT[JSON.parse(choice.value)];
  fields.set("window.on_repeat", field);
  return field.node;
}

// A local time is chosen, and sent in UTC.
function timeField(fields, onInput) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const field = fieldOf(
    "run_at",
    { type: "string", title: "Or run at", description: `In your time zone, ${zone}`, maxLength: 40 },
    false,
    onInput,
  );
  field.control.type = "datetime-local";
  field.control.step = "1";
  field.raw = () => {
    const chosen = new Date(field.control.value);
    return field.control.value && !Number.isNaN(chosen.getTime()) ? JSON.stringify(chosen.toISOString()) : null;
  };
  fields.set("run_at", field);
  return field.node;
}
