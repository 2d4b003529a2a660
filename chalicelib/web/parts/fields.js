// A form made from a task's JSON Schema: one control per property, values given back as JSON text.
import { el, fill, setText } from "../lib/dom.js";
import { isNumber, members, pretty } from "../lib/exact.js";
import { numbersField } from "./numbersfield.js";

let serial = 0;

/** {node, raw() -> JSON text of the input, put(raw), fields: Map(name -> field)} */
export function formOf(schema, onInput) {
  const fields = new Map();
  for (const [name, property] of Object.entries(schema.properties || {})) {
    fields.set(name, fieldOf(name, property, (schema.required || []).includes(name), onInput));
  }
  const node = el(
    "div",
    { class: "fields" },
    [...fields.values()].map((field) => field.node),
  );
  if (!fields.size && schema.type === "object")
    node.append(el("p", { class: "hint", text: "This task takes no input." }));
  return { node, fields, raw, put };

  function raw() {
    const parts = [];
    for (const [name, field] of fields) {
      const value = field.raw();
      if (value !== null) parts.push(`${JSON.stringify(name)}: ${value}`);
    }
    return `{${parts.join(", ")}}`;
  }

  function put(text) {
    for (const [name, value] of Object.entries(members(text))) fields.get(name)?.put(value);
  }
}

export function fieldOf(name, schema, required, onInput) {
  const kind = kindOf(schema);
  serial += 1;
  const id = `field-${serial}`;
  const parts = MAKERS[kind]({ id, name, schema, required, onInput });
  return dress({
    ...parts,
    id,
    name,
    kind,
    required,
    help: schema.description || "",
    label: schema.title && schema.title !== name ? schema.title : name,
  });
}

// The label, the control, the help and the place for an error, tied together for a screen reader.
export function dress(field) {
  const error = el("p", { class: "error", id: `${field.id}-error`, role: "alert", hidden: true });
  const hint = el("p", { class: "hint", id: `${field.id}-hint`, text: field.help || field.hint || "" });
  hint.hidden = !hint.textContent;
  const label = el(
    "label",
    { for: field.id },
    field.label,
    !field.required && field.kind !== "boolean" ? el("span", { class: "optional", text: " optional" }) : null,
  );
  field.control.setAttribute("aria-describedby", `${hint.id} ${error.id}`);
  const parts =
    field.kind === "boolean"
      ? [el("div", { class: "check" }, field.control, label)]
      : [label, field.box || field.control];
  const node = el("div", { class: `field ${field.kind}`, dataset: { field: field.name } }, parts, hint, error);
  return Object.assign(field, { node, fail, clear });

  function fail(text, action = null) {
    error.hidden = false;
    fill(error, el("span", { text }), action);
    field.control.setAttribute("aria-invalid", "true");
  }

  function clear() {
    error.hidden = true;
    setText(error, "");
    field.control.removeAttribute("aria-invalid");
  }
}

export function kindOf(schema) {
  const open = (schema.anyOf || schema.oneOf || []).filter((option) => option.type !== "null");
  const types = new Set(
    [].concat(schema.type || open.map((option) => option.type)).filter((type) => type && type !== "null"),
  );
  if (schema.enum || schema.const !== undefined) return "choice";
  if (types.has("array") && numeric(schema.items || open[0]?.items || {})) return "numbers";
  if (types.size === 1 || [...types].every((type) => type === "integer" || type === "number")) {
    const [type] = types;
    if (type === "boolean") return "boolean";
    if (type === "integer" || type === "number") return "number";
    if (type === "string") return "text";
  }
  return "json";
}

function numeric(items) {
  const types = [].concat(items.type || []).concat((items.anyOf || items.oneOf || []).map((option) => option.type));
  return types.length > 0 && types.every((type) => type === "integer" || type === "number");
}

const MAKERS = {
  numbers: numbersField,
  boolean: ({ id, schema, onInput }) => {
    const control = el("input", { type: "checkbox", id, onchange: onInput });
    control.checked = schema.default === true;
    return {
      control,
      raw: () => (control.checked === (schema.default === true) ? null : String(control.checked)),
      put: (raw) => (control.checked = raw === "true"),
    };
  },
  number: ({ id, schema, required, onInput }) => {
    const control = el("input", {
      type: "text",
      inputmode: "decimal",
      id,
      required,
      autocomplete: "off",
      placeholder: placeholder(schema),
      oninput: onInput,
    });
    return {
      control,
      hint: bounds(schema),
      raw: () => typed(control.value, (text) => (isNumber(text) ? text : JSON.stringify(text))),
      put: (raw) => (control.value = raw === "null" ? "" : raw),
    };
  },
  text: ({ id, schema, required, onInput }) => {
    const long = (schema.maxLength || 1000) > 200;
    const control = el(long ? "textarea" : "input", {
      id,
      required,
      rows: long ? "2" : null,
      autocomplete: "off",
      placeholder: placeholder(schema),
      oninput: onInput,
    });
    return {
      control,
      raw: () => (control.value || required ? JSON.stringify(control.value) : null),
      put: (raw) => (control.value = raw === "null" ? "" : JSON.parse(raw)),
    };
  },
  choice: ({ id, schema, required, onInput }) => {
    const values = schema.enum || [schema.const];
    const control = el(
      "select",
      { id, required, onchange: onInput },
      !required ? el("option", { value: "", text: "default" }) : null,
      values.map((value) => el("option", { value: JSON.stringify(value), text: String(value) })),
    );
    return { control, raw: () => control.value || null, put: (raw) => (control.value = raw) };
  },
  json: ({ id, schema, required, onInput }) => {
    const control = el("textarea", {
      id,
      required,
      rows: "4",
      class: "code",
      spellcheck: "false",
      placeholder: placeholder(schema) || "JSON",
      oninput: onInput,
    });
    return {
      control,
      raw: () => typed(control.value, (text) => (isJson(text) ? text : JSON.stringify(text))),
      put: (raw) => (control.value = pretty(raw)),
    };
  },
};

const typed = (value, give) => (value.trim() ? give(value.trim()) : null);
const placeholder = (schema) =>
  schema.default === undefined || schema.default === null
    ? null
    : typeof schema.default === "object"
      ? JSON.stringify(schema.default)
      : String(schema.default);

function bounds(schema) {
  const range = (schema.anyOf || []).find((option) => option.type !== "null") || schema;
  const low = range.minimum ?? range.exclusiveMinimum;
  const high = range.maximum ?? range.exclusiveMaximum;
  if (low !== undefined && high !== undefined) return `${low} to ${high}`;
  return low !== undefined ? `At least ${low}` : high !== undefined ? `At most ${high}` : "";
}

export function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
