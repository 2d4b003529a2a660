// What narrows the list of jobs down: status, task, object, group, schedule and time, all of them in the address.
import { el, setText } from "../lib/dom.js";
import { listHref, rememberList } from "../lib/links.js";

export const FILTERS = ["status", "task", "object_id", "group", "schedule_id", "since", "until"];
const STATUSES = ["scheduled", "pending", "running", "completed", "failed", "canceled"];
const OPEN_NOW = STATUSES.slice(0, 3);
// The API says what it cannot read.
const TIME = "How long ago, such as 30m, 1h or 7d, or a time such as 2027-03-28T14:30:00Z";

/** The filters of an address as an object, some of them changed; the cursor is left out. */
export function kept(query, changes) {
  const all = { ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name) || ""])), ...changes };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

/** One link per status with how many jobs it has: {node, mark(query), count(counts)} */
export function statusTabs() {
  const link = (status) =>
    el("a", { dataset: { status }, href: "#" }, el("span", { text: status || "all" }), el("b", {}));
  const links = ["", ...STATUSES].map(link);
  return { node: el("nav", { class: "tabs", "aria-label": "Status" }, links), mark, count };

  function mark(query) {
    rememberList(query);
    for (const node of links) {
      const next = kept(query, { status: node.dataset.status });
      node.href = listHref(next);
      if ((query.get("status") || "") === node.dataset.status) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    }
  }

  function count(all) {
    for (const node of links) {
      const status = node.dataset.status;
      if (!status || all[status] === undefined) continue;
      setText(node.lastChild, String(all[status]));
      node.title = OPEN_NOW.includes(status)
        ? `${all[status]} ${status} now`
        : `${all[status]} ${status} in the last hour`;
    }
  }
}

/** {node, mark(query), tasks(names)}; `current` gives the query that a change builds on. */
export function filterRow(current) {
  const task = el("select", { id: "f-task" }, el("option", { value: "", text: "any" }));
  const fields = {
    task,
    object_id: searchField("f-object", "any"),
    group: searchField("f-group", "any"),
    schedule_id: searchField("f-schedule", "any"),
    since: searchField("f-since", "any, or 1h", TIME),
    until: searchField("f-until", "now", TIME),
  };
  const marked = {};
  const clear = el("a", { class: "button small", href: "#/jobs", text: "Clear filters" });
  const typed = () => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value.trim()]));
  const apply = () => {
    location.hash = listHref(kept(current(), typed()));
  };
  const submit = (event) => {
    event.preventDefault();
    apply();
  };
  const form = el(
    "form",
    { class: "filters", "aria-label": "Filters", onsubmit: submit },
    el("label", {}, "Task ", task),
    el("label", {}, "Object ", fields.object_id),
    el("label", {}, "Group ", fields.group),
    el("label", {}, "Schedule ", fields.schedule_id),
    el("label", {}, "Since ", fields.since),
    el("label", {}, "Until ", fields.until),
    clear,
    el("button", { class: "sr", type: "submit", tabindex: "-1", text: "Apply" }),
  );
  for (const field of Object.values(fields)) field.addEventListener("change", apply);
  return { node: form, mark, tasks };

  function mark(query) {
    if (query.get("task")) tasks([query.get("task")]);
    for (const [name, field] of Object.entries(fields)) {
      const value = query.get(name) || "";
      // What is being typed comes with its own change: the address does not know it yet.
      if (field !== document.activeElement || field.value === marked[name]) field.value = value;
      marked[name] = value;
    }
    clear.hidden = !FILTERS.some((name) => query.get(name));
  }

  function tasks(names) {
    const known = new Set([...task.options].map((option) => option.value));
    task.append(...names.filter((name) => !known.has(name)).map((name) => el("option", { value: name, text: name })));
  }
}

function searchField(id, placeholder, title = "") {
  return el("input", { id, type: "search", placeholder, title, autocomplete: "off", spellcheck: "false" });
}
