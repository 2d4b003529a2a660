// The registered tasks and the schemas of their inputs, read once from the API's own description.
import { get } from "./api.js";

const MAIN = "sort";
let known = null;

/** The main task first: {name: {summary, input: JSON schema with references resolved}} */
export function tasks() {
  known ||= read().catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

/** Why container jobs are off on this machine; empty where they are not, or the service does not say. */
export async function whyContainersAreOff() {
  const { data } = await get("health").catch(() => ({ data: null }));
  return (data?.containers || "").replace(/^off: /, "");
}

async function read() {
  const { data } = await get("openapi.json");
  const named = Object.entries(data["x-tasks"] || {}).sort(([a], [b]) => (b === MAIN) - (a === MAIN));
  return Object.fromEntries(
    named.map(([name, task]) => [name, { summary: task.summary || "", input: resolve(task.input || {}, data, 0) }]),
  );
}

// Schemas may name one another; eight levels are enough for a form.
function resolve(schema, root, depth) {
  if (schema === null || typeof schema !== "object" || depth > 8) return schema;
  if (Array.isArray(schema)) return schema.map((item) => resolve(item, root, depth + 1));
  if (typeof schema.$ref === "string") {
    const target = schema.$ref
      .replace(/^#\//, "")
      .split("/")
      .reduce((at, key) => at?.[key], root);
    return resolve(
      { ...target, ...Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$ref")) },
      root,
      depth + 1,
    );
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolve(value, root, depth + 1)]));
}
