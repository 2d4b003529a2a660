// Reads JSON text without turning numbers into doubles, so that every digit stays as it was sent.

const QUOTE = 34;
const ESCAPE = 92;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** The members of a JSON object's text as {name: raw text}. */
export function members(text) {
  const rawByName = {};
  for (const part of parts(text, "{")) {
    const end = part.charCodeAt(0) === QUOTE ? stringEnd(part, 0) : -1;
    if (end > 0) rawByName[JSON.parse(part.slice(0, end))] = part.slice(part.indexOf(":", end) + 1).trim();
  }
  return rawByName;
}

/** The elements of a JSON array's text as raw texts. */
export function elements(text) {
  const inside = text.trim();
  if (!/["[{]/.test(inside.slice(1))) {
    const flat = inside.slice(1, -1).trim();
    return flat ? flat.split(",").map((part) => part.trim()) : [];
  }
  return parts(inside, "[");
}

export const isArray = (raw) => /^\s*\[/.test(raw);
export const isObject = (raw) => /^\s*\{/.test(raw);
export const isNumber = (raw) => NUMBER.test(raw);

function parts(text, open) {
  const start = text.indexOf(open) + 1;
  const raws = [];
  let depth = 0;
  let from = start;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if (code === 91 || code === 123) depth += 1;
    else if ((code === 93 || code === 125) && depth > 0) depth -= 1;
    else if (code === 44 && depth === 0) {
      raws.push(text.slice(from, at).trim());
      from = at + 1;
    } else if (code === 93 || code === 125) {
      const last = text.slice(from, at).trim();
      return last ? [...raws, last] : raws;
    }
  }
  return raws;
}

// The index after the closing quote of the string that opens at `at`.
function stringEnd(text, at) {
  for (let i = at + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === ESCAPE) i += 1;
    else if (code === QUOTE) return i + 1;
  }
  return text.length;
}

/** JSON text laid out for reading; tokens are kept as they are. */
export function pretty(raw, indent = "") {
  if (isObject(raw)) {
    const all = Object.entries(members(raw));
    if (!all.length) return "{}";
    return `{\n${all.map(([name, value]) => `${indent}  ${JSON.stringify(name)}: ${pretty(value, `${indent}  `)}`).join(",\n")}\n${indent}}`;
  }
  if (isArray(raw)) {
    const all = elements(raw);
    if (all.every((element) => !isObject(element) && !isArray(element))) return `[${all.join(", ")}]`;
    return `[\n${all.map((element) => `${indent}  ${pretty(element, `${indent}  `)}`).join(",\n")}\n${indent}]`;
  }
  return raw.trim();
}
