// A request, or a list of them, written as JSON by hand.
import { isArray, isObject, members } from "../lib/exact.js";
import { fieldOf, isJson } from "./fields.js";

/** {node, put(text), clear(), plan() -> {path, body}, problem(error) -> errors not shown} */
export function requestEditor(onInput) {
  const field = fieldOf(
    "request",
    { title: "Request", description: 'One request, or a list of up to 100, or {"jobs": [...]}' },
    true,
    onInput,
  );
  field.control.rows = 14;
  return { node: field.node, put: (text) => field.put(text), clear: () => field.clear(), plan, problem };

  function plan() {
    const text = field.control.value.trim() || "{}";
    if (isArray(text)) return { path: "jobs/bulk", body: `{"jobs": ${text}}` };
    return { path: isJson(text) && isObject(text) && members(text).jobs ? "jobs/bulk" : "jobs", body: text };
  }

  function problem(error) {
    const [first] = error.errors || [];
    field.fail(first ? `${first.loc ? `${first.loc}: ` : ""}${first.msg}` : error.message);
    field.control.focus();
    return (error.errors || []).slice(1);
  }
}
