// What narrows the list of jobs down: status, task, object, group, schedule and time, all of them in the address.
import { el, setText } from "../lib/dom.js";
import { listHref, rememberList } from "../lib/links.js";

export const FILTERS = ["status", "task", "object_id", "group", "schedule_id", "since", "until"];
const STATUSES = ["scheduled", "pending", "running", "completed", "failed", "canceled"];
const OPEN_NOW = STATUSES.slice(0, 3);

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
  const object = el("input", {
    id: "f-object",
    type: "search",
    placeholder: "any",
    autocomplete: "off",
    spellcheck: "false",
  });
  const group = el("input", {
    id: "f-group",
    type: "search",
    placeholder: "any",
    autocomplete: "off",
    spellcheck: "false",
  });
  const schedule = el("input", {
    id: "f-schedule",
    type: "search",
    placeholder: "any",
    autocomplete: "off",
    spellcheck: "false",
  });
  const since = timeField("f-since", "any, or 1h");
  const until = timeField("f-until", "now");
  const clear = el("a", { class: "button small", href: "#/jobs", text: "Clear filters" });
  const apply = () =>
    (location.hash = listHref(
      kept(current(), {
        task: task.value,
        object_id: object.value.trim(),
        group: group.value.trim(),
        schedule_id: schedule.value.trim(),
        since: since.value.trim(),
        until: until.value.trim(),
      }),
    ));
  const submit = (event) => {
    event.preventDefault();
    apply();
  };
  const form = el(
    "form",
    { class: "filters", "aria-label": "Filters", onsubmit: submit },
    el("label", {}, "Task ", task),
    el("label", {}, "Object ", object),
    el("label", {}, "Group ", group),
    el("label", {}, "Schedule ", schedule),
    el("label", {}, "Since ", since),
    el("label", {}, "Until ", until),
    clear,
    el("button", { class: "sr", type: "submit", tabindex: "-1", text: "Apply" }),
  );
  for (const field of [task, object, group, schedule, since, until]) field.addEventListener("change", apply);
  return { node: form, mark, tasks };

  function mark(query) {
    if (query.get("task")) tasks([query.get("task")]);
    task.value = query.get("task") || "";
    object.value = query.get("object_id") || "";
    group.value = query.get("group") || "";
    schedule.value = query.get("schedule_id") || "";
    since.value = query.get("since") || "";
    until.value = query.get("until") || "";
    clear.hidden = !FILTERS.some((name) => query.get(name));
  }

  function tasks(names) {
    const known = new Set([...task.options].map((option) => option.value));
    task.append(...names.filter((name) => !known.has(name)).map((name) => el("option", { value: name, text: name })));
  }
}

/** How long ago, or RFC 3339: the API says what it cannot read. */
function timeField(id, placeholder) {
  const title = "How long ago, such as 30m, 1h or 7d, or a time such as 2027-03-28T14:30:00Z";
  return el("input", { id, type: "search", placeholder, title, autocomplete: "off", spellcheck: "false" });
}
