// Schedules: the cron lines that submit jobs, when each fires next, add and remove.
import { call, get, knowRole, Problem, reason, whyNot } from "../lib/api.js";
import { inWords } from "../lib/cron.js";
import { el, empty, fill, setText, toast } from "../lib/dom.js";
import { listHref } from "../lib/links.js";
import { poster } from "../lib/once.js";
import { poll } from "../lib/poll.js";
import { tasks } from "../lib/tasks.js";
import { exact } from "../lib/time.js";
import { confirm } from "../parts/dialog.js";
import { fieldOf } from "../parts/fields.js";
import { jobForm } from "../parts/jobform.js";
import { when } from "../parts/when.js";

export async function show(main, { signal }) {
  const list = el("div", { class: "schedules" }, el("p", { class: "boot", text: "Loading…" }));
  const drawer = el("div", {});
  fill(main, el("div", { class: "headline" }, el("h1", { text: "Schedules" })), list);
  await knowRole();
  if (signal.aborted) return;
  const why = whyNot();
  const add = el("button", {
    type: "button",
    class: "button primary",
    text: "Add a schedule",
    "aria-expanded": "false",
    disabled: Boolean(why),
    title: why,
    onclick: open,
  });
  fill(
    main,
    el(
      "div",
      { class: "headline" },
      el("h1", { text: "Schedules" }),
      el("p", { class: "soft", text: "Cron lines that submit a job each time they fire" }),
      el("div", { class: "row actions" }, add),
    ),
    drawer,
    list,
  );
  const refresh = poll(load, 15, signal, (error) =>
    fill(
      list,
      empty(
        "The schedules could not be read",
        reason(error),
        el("button", { class: "button", type: "button", text: "Try again", onclick: () => refresh() }),
      ),
    ),
  );

  async function load() {
    const { data } = await get("schedules?limit=100", { signal });
    const sorted = data.schedules.sort((a, b) => ((a.next_run_at || "9") < (b.next_run_at || "9") ? -1 : 1));
    const key = JSON.stringify(sorted);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    fill(
      list,
      sorted.length
        ? sorted.map((schedule) => item(schedule, refresh))
        : empty(
            "No schedules",
            "A schedule submits the same job again and again: every night at three, or each Monday morning.",
            why ? null : el("button", { class: "button", type: "button", text: "Add the first one", onclick: open }),
          ),
    );
  }

  async function open() {
    if (drawer.firstChild) return close();
    add.setAttribute("aria-expanded", "true");
    try {
      const added = () => {
        close();
        refresh();
      };
      drawer.replaceChildren(editor(await tasks(), added, close, signal));
      drawer.querySelector("input").focus();
    } catch (error) {
      toast(reason(error), "bad");
    }
  }

  function close() {
    add.setAttribute("aria-expanded", "false");
    drawer.replaceChildren();
    add.focus();
  }
}

function item(schedule, refresh) {
  const why = whyNot();
  const task = schedule.task;
  const remove = el("button", {
    type: "button",
    class: "button small",
    "aria-label": `Remove the schedule ${schedule.cron} of ${task}`,
    text: "Remove",
    disabled: Boolean(why),
    title: why,
  });
  remove.addEventListener("click", async () => {
    if (
      !(await confirm(
        "Remove this schedule?",
        `${schedule.cron} (${schedule.timezone}) submits no more jobs. A job that waits for its next slot is canceled, others stay.`,
        { yes: "Remove it", danger: true },
      ))
    )
      return;
    try {
      await call("DELETE", `schedules/${encodeURIComponent(schedule.id)}`);
      toast("The schedule is gone");
    } catch (error) {
      toast(reason(error), "bad");
    }
    refresh();
  });
  const later = (schedule.next_runs || []).slice(1, 5);
  return el(
    "article",
    { class: "panel schedule", "aria-label": `Schedule ${schedule.cron}` },
    el(
      "div",
      {},
      el("code", { class: "cron", text: schedule.cron }),
      el("p", { class: "soft", text: [inWords(schedule.cron), schedule.timezone].filter(Boolean).join(", ") }),
    ),
    el(
      "div",
      {},
      el("strong", { text: task }),
      el("p", {}, el("a", { href: listHref({ schedule_id: schedule.id }), text: "its jobs" })),
    ),
    el(
      "div",
      {},
      el("span", { class: "soft", text: "next " }),
      schedule.next_run_at ? when(schedule.next_run_at) : "never",
      el("p", { class: "soft", text: schedule.next_run_at ? exact(schedule.next_run_at).split(" (")[0] : "" }),
      later.length
        ? el(
            "p",
            { class: "soft" },
            "then ",
            later.map((iso, at) => [at ? ", " : "", when(iso)]),
          )
        : null,
    ),
    remove,
  );
}

function editor(known, done, close, signal) {
  const zones = el(
    "datalist",
    { id: "zones" },
    ["UTC", ...(Intl.supportedValuesOf?.("timeZone") || [])].map((zone) => el("option", { value: zone })),
  );
  const cron = fieldOf(
    "cron",
    { type: "string", maxLength: 100, title: "Cron line", description: "minute hour day month weekday" },
    true,
    words,
  );
  const zone = fieldOf(
    "timezone",
    { type: "string", maxLength: 60, title: "Time zone", description: "An IANA name" },
    true,
    () => {},
  );
  const said = el("p", { class: "soft", "aria-live": "polite" });
  cron.control.placeholder = "0 3 * * *";
  zone.control.setAttribute("list", "zones");
  zone.control.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const job = jobForm(known, { onInput: () => {}, timing: false });
  const post = poster();
  const wrong = el("div", { class: "wrong", role: "alert", hidden: true });
  const save = el("button", { type: "submit", class: "button primary", text: "Add the schedule" });
  return el(
    "form",
    { class: "panel", novalidate: true, "aria-label": "New schedule", onsubmit: send },
    el("h2", { text: "New schedule" }),
    el("div", { class: "grid" }, cron.node, zone.node),
    said,
    zones,
    job.node,
    wrong,
    el("div", { class: "row" }, save, el("button", { type: "button", class: "button", text: "Close", onclick: close })),
  );

  function words() {
    setText(said, inWords(cron.control.value));
  }

  async function send(event) {
    event.preventDefault();
    save.disabled = true;
    wrong.hidden = true;
    cron.clear();
    zone.clear();
    try {
      const body = `{"cron": ${JSON.stringify(cron.control.value.trim())}, "timezone": ${JSON.stringify(zone.control.value.trim())}, "job": ${job.request().body}}`;
      await post("schedules", { body, signal });
      toast("The schedule is set");
      done();
    } catch (error) {
      if (error.name !== "AbortError") failed(error);
    }
    save.disabled = false;
  }

  function failed(error) {
    const own = { cron, timezone: zone };
    const errors = error.errors || [];
    for (const { loc, msg } of errors) own[loc]?.fail(msg);
    const rest = errors.filter(({ loc }) => !own[loc]);
    const left = job.problem(rest);
    if (left.length || !errors.length) {
      wrong.hidden = false;
      fill(
        wrong,
        el("strong", { text: error instanceof Problem ? error.title : "The schedule was not added" }),
        el("p", { text: error.detail || error.message }),
        el(
          "ul",
          {},
          left.map(({ loc, msg }) => el("li", { text: `${loc}: ${msg}` })),
        ),
      );
    }
    (cron.control.getAttribute("aria-invalid")
      ? cron
      : zone.control.getAttribute("aria-invalid")
        ? zone
        : null
    )?.control.focus();
  }
}
