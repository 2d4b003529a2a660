// A request, a list of them, or the changes of a job that runs again, written as JSON by hand.
import { setText } from "../lib/dom.js";
import { isArray, isObject, members } from "../lib/exact.js";
import { fieldOf, isJson } from "./fields.js";

/** {node, put(text), clear(), plan() -> {path, body}, changesFor(path), problem(error) -> errors not shown} */
export function requestEditor(onInput) {
  let again = null;
  const field = fieldOf(
    "request",
    { title: "Request", description: 'One request, or a list of up to 100, or {"jobs": [...]}' },
    true,
    onInput,
  );
  field.control.rows = 14;
  return { node: field.node, put: (text) => field.put(text), clear: () => field.clear(), plan, changesFor, problem };

  function plan() {
    const text = field.control.value.trim() || "{}";
    if (again) return { path: again, body: text };
    if (isArray(text)) return { path: "jobs/bulk", body: `{"jobs": ${text}}` };
    return { path: isJson(text) && isObject(text) && members(text).jobs ? "jobs/bulk" : "jobs", body: text };
  }

  function changesFor(path) {
    again = path;
    setText(field.node.querySelector(".hint"), "What is to be different; the rest stays as it was");
  }

  function problem(error) {
    const [first] = error.errors || [];
    field.fail(first ? `${first.loc ? `${first.loc}: ` : ""}${first.msg}` : error.message);
    field.control.focus();
    return (error.errors || []).slice(1);
  }
}
