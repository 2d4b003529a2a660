// The list of jobs: newest first, filters in the address bar, live without moving under the reader.
import { get, reason } from "../lib/api.js";
import { el, empty, fill, setText } from "../lib/dom.js";
import { listHref } from "../lib/links.js";
import { poll } from "../lib/poll.js";
import { isOpen } from "../lib/status.js";
import { plural } from "../lib/time.js";
import { bulkBar } from "../parts/bulk.js";
import { FILTERS, filterRow, kept, statusTabs } from "../parts/filters.js";
import { jobRow, tableHead } from "../parts/jobrow.js";

const PAGE = 25;
const LOOKS = 6;
const RECHECKS = 5;
const EVERY = 3;
const EVERY_OPEN = 1.5;
const COUNT_EVERY = 15;
const AT_THE_TOP = 60;

export async function show(main, { query, signal }) {
  const list = new JobList(query, signal);
  list.layOut(main);
  list.start();
  return (next) => list.turnTo(next);
}

class JobList {
  rows = new Map();
  waiting = [];
  next = null;
  whole = true;
  tabs = statusTabs();
  filters = filterRow(() => this.query);
  bulk = bulkBar(
    () => this.picked(),
    () => this.letGo(),
  );
  all = el("input", {
    type: "checkbox",
    "aria-label": "Select all jobs on this page",
    disabled: true,
    onchange: () => this.pickAll(),
  });
  fresh = el("button", { type: "button", class: "fresh", hidden: true, onclick: () => this.takeIn() });
  body = el("tbody", { role: "rowgroup" });
  table = el(
    "table",
    { class: "jobs", role: "table", "aria-label": "Jobs, newest first" },
    headOf(this.all),
    this.body,
  );
  pages = el("nav", { class: "pages", "aria-label": "Pages" });
  rest = el("div", { class: "rest" });
  trouble = el("p", { class: "trouble", role: "alert", hidden: true });

  constructor(query, signal) {
    this.query = query;
    this.signal = signal;
  }

  layOut(main) {
    const head = el(
      "div",
      { class: "headline" },
      el("h1", { text: "Jobs" }),
      el("p", { class: "soft", id: "pulse", text: "live" }),
    );
    fill(
      main,
      head,
      this.tabs.node,
      this.filters.node,
      this.trouble,
      el("div", { class: "listing" }, this.bulk.node, this.fresh, this.table),
      this.rest,
      this.pages,
    );
  }

  // The counts come after the list itself.
  start() {
    this.tabs.mark(this.query);
    this.filters.mark(this.query);
    this.refresh = poll(
      () => this.load(),
      EVERY,
      this.signal,
      (error) => this.failed(error),
    );
    setTimeout(
      () => !this.signal.aborted && poll(() => counts(this.tabs, this.filters), COUNT_EVERY, this.signal),
      300,
    );
  }

  turnTo(query) {
    this.query = query;
    this.rows.clear();
    this.waiting = [];
    this.body.replaceChildren();
    this.rest.replaceChildren();
    this.fresh.hidden = true;
    this.table.classList.add("loading");
    this.all.disabled = true;
    this.unpick();
    this.tabs.mark(query);
    this.filters.mark(query);
    this.refresh();
  }

  async load() {
    const asked = this.query;
    const page = await pageOf(asked, this.signal, this.rows.size ? 1 : LOOKS);
    if (asked !== this.query) return 0;
    this.trouble.hidden = true;
    this.table.classList.remove("loading");
    this.whole = page.jobs.length >= PAGE || !page.next;
    if (this.whole || !this.rows.size) this.next = page.next;
    this.merge(page.jobs);
    drawPages(this.pages, asked, this.next);
    this.rest.replaceChildren(...(this.rows.size ? [] : [nothing(asked, page)]));
    this.table.hidden = this.all.disabled = !this.rows.size;
    return [...this.rows.values()].some((row) => isOpen(row.job)) ? EVERY_OPEN : EVERY;
  }

  failed(error) {
    this.trouble.hidden = false;
    setText(this.trouble, `The list is not fresh: ${reason(error)}. Trying again.`);
    if (!this.rows.size) this.rest.replaceChildren();
  }

  // Jobs already shown change in place; new ones wait behind a button unless the reader is at rest at the top.
  merge(jobs) {
    for (const job of jobs) this.rows.get(job.id)?.update(job);
    this.recheck(new Set(jobs.map((job) => job.id)));
    this.waiting = jobs.filter((job) => !this.rows.has(job.id));
    if (!this.rows.size || this.atRest()) return this.takeIn();
    this.fresh.hidden = !this.waiting.length;
    setText(this.fresh, `${plural(this.waiting.length, "newer job")}: show`);
  }

  atRest() {
    return (
      scrollY < AT_THE_TOP &&
      !this.picked().length &&
      !this.body.contains(document.activeElement) &&
      !this.body.matches(":hover")
    );
  }

  takeIn() {
    this.fresh.hidden = true;
    if (!this.waiting.length) return;
    const newRows = this.waiting.map((job) =>
      jobRow(job, { onPick: () => this.bulk.set(this.picked()), onChange: () => this.refresh() }),
    );
    const most = this.whole && !this.picked().length ? Math.max(PAGE, this.rows.size) : Infinity;
    const sorted = [...newRows, ...this.rows.values()].sort(newestFirst).slice(0, most);
    this.rows = new Map(sorted.map((row) => [row.job.id, row]));
    this.waiting = [];
    placeRows(this.body, sorted);
  }

  // A job that left the filter stays where it is, with its new status, until the view changes.
  recheck(listed) {
    const gone = [...this.rows.values()].filter((row) => !listed.has(row.job.id) && isOpen(row.job));
    for (const row of gone.sort((a, b) => (a.checked || 0) - (b.checked || 0)).slice(0, RECHECKS)) {
      row.checked = Date.now();
      get(`jobs/${encodeURIComponent(row.job.id)}`, { signal: this.signal, quiet: true }).then(
        ({ data }) => row.update(data),
        () => {},
      );
    }
  }

  picked() {
    return [...this.rows.values()].filter((row) => row.box.checked).map((row) => row.job);
  }

  pickAll() {
    for (const row of this.rows.values()) row.box.checked = this.all.checked;
    this.bulk.set(this.picked());
  }

  letGo() {
    this.unpick();
    this.refresh();
  }

  unpick() {
    this.all.checked = false;
    this.pickAll();
  }
}

function headOf(all) {
  const pick = el("th", { role: "columnheader", scope: "col", class: "pick" }, el("label", { class: "hit" }, all));
  const act = el(
    "th",
    { role: "columnheader", scope: "col", class: "act" },
    el("span", { class: "sr", text: "Action" }),
  );
  return tableHead([pick, "Status", "Job", "Note", "Object, group", "Created", "Took", act]);
}

function newestFirst({ job: a }, { job: b }) {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

function placeRows(body, rows) {
  rows.forEach((row, at) => {
    if (body.children[at] !== row.node) body.insertBefore(row.node, body.children[at] || null);
  });
  while (body.children.length > rows.length) body.lastChild.remove();
}

// A page may come back short while there is more: go on until it is full, within reason. Later looks for
// what is new need only the first one.
async function pageOf(query, signal, looks) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]));
  let cursor = query.get("cursor");
  const jobs = [];
  for (let look = 0; look < looks; look += 1) {
    const { data } = await get("jobs", { query: { ...filters, limit: String(PAGE - jobs.length), cursor }, signal });
    jobs.push(...data.jobs);
    cursor = data.next;
    if (!cursor || jobs.length >= PAGE) break;
  }
  return { jobs, next: cursor };
}

async function counts(tabs, filters) {
  if (!filters.known) {
    const { tasks } = await import("../lib/tasks.js");
    filters.tasks(Object.keys(await tasks()));
    filters.known = true;
  }
  tabs.count((await get("stats", { quiet: true })).data.counts);
}

function drawPages(node, query, next) {
  const older = next
    ? el("a", {
        class: "button",
        rel: "next",
        href: listHref({ ...kept(query, {}), cursor: next }),
        text: "Older jobs",
      })
    : null;
  const newest = query.get("cursor")
    ? el("a", { class: "button", href: listHref(kept(query, {})), text: "Back to the newest" })
    : null;
  const now = [newest, older].filter(Boolean);
  if ([...node.children].map((link) => link.href).join() !== now.map((link) => link.href).join())
    node.replaceChildren(...now);
}

function nothing(query, page) {
  const filtered = FILTERS.some((name) => query.get(name));
  if (page.next) return empty("Nothing here yet", "None of the jobs looked at so far fits. There are older ones.");
  if (query.get("cursor"))
    return empty(
      "That was all",
      "There are no older jobs.",
      el("a", { class: "button", href: listHref(kept(query, {})), text: "Back to the newest" }),
    );
  if (filtered)
    return empty(
      "No job fits these filters",
      "Jobs also leave the list when their retention has passed.",
      el("a", { class: "button", href: "#/jobs", text: "Clear the filters" }),
    );
  return empty(
    "No jobs yet",
    "Give Sortie some numbers to sort, or any other task. The job shows up here and stays for its retention time.",
    el("a", { class: "button primary", href: "#/new", text: "Submit the first job" }),
  );
}
