// Reads pasted numbers (JSON, CSV, one a line) as tokens; the API judges them, this only finds them.
import { elements, isArray, isNumber, isObject, members } from "./exact.js";

const SPLIT = /[\s,;]+/;

/** {kind, tokens}: the texts between separators, or the raw elements of a JSON array. */
export function read(text) {
  const trimmed = text.trim();
  if (!trimmed) return { kind: "empty", tokens: [] };
  const json = fromJson(trimmed);
  if (json) return { kind: "JSON", tokens: json };
  const tokens = trimmed
    .replace(/^\[|\]$/g, "")
    .split(SPLIT)
    .filter(Boolean);
  const lines = trimmed.split("\n").length;
  return { kind: lines === tokens.length && lines > 1 ? "one a line" : "separated", tokens };
}

function fromJson(text) {
  if (!isArray(text) && !isObject(text)) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const raw = isObject(text) ? members(text).array : text;
  return raw && isArray(raw) ? elements(raw) : null;
}

/** The JSON text of an array; what is not a number goes as a string, so that the API can name its place. */
export function toJson({ kind, tokens }) {
  return `[${tokens.map(kind === "JSON" ? (token) => token : literal).join(", ")}]`;
}

function literal(token) {
  if (isNumber(token)) return token;
  const plain = token
    .replace(/^\+/, "")
    .replace(/^(-?)\./, "$10.")
    .replace(/\.($|e)/i, ".0$1")
    .replace(/^(-?)0+(?=\d)/, "$1");
  if (isNumber(plain)) return plain;
  return isWhole(token) ? token : JSON.stringify(token);
}

const isWhole = (token) => token === "null" || token === "true" || token === "false";

/** Where token number `index` stands in the text, as [start, end]. */
export function find(text, index) {
  let seen = -1;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[^\s,;[\]{}:]+/g)) {
    if (match[0] === '"array"') continue;
    seen += 1;
    if (seen === index) return [match.index, match.index + match[0].length];
  }
  return null;
}

/** A file made fit for upload: JSON and one-a-line as they are, other separators become line ends. */
async function fitForUpload(file) {
  const head = await file.slice(0, 65536).text();
  if (/^\s*[[{]/.test(head) || !/[^\s,;][,; \t]+[^\s,;]/.test(head)) return file.slice(0, file.size);
  const lines = new TransformStream({ transform: (chunk, out) => out.enqueue(chunk.replace(/[,;\s]+/g, "\n")) });
  const text = file
    .stream()
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(lines)
    .pipeThrough(new TextEncoderStream());
  const blob = await new Response(text).blob();
  return blob.slice(0, blob.size);
}

/** The other fields of an input beside its numbers, as [name, raw text]. */
export const fieldsBeside = (input) => Object.entries(members(input)).filter(([name]) => name !== "array");

/** A file of numbers as an upload; the input's other fields travel in it, unless it holds a whole input already. */
export async function uploadOf(file, input) {
  const rest = fieldsBeside(input);
  const fit = await fitForUpload(file);
  if (!rest.length || isObject(await fit.slice(0, 64).text())) return fit;
  const text = await fit.text();
  const array = isArray(text) ? text : toJson(read(text));
  return new Blob([`{${rest.map(([name, raw]) => `${JSON.stringify(name)}: ${raw}, `).join("")}"array": `, array, "}"]);
}
