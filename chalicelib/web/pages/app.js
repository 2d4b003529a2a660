// Boots the page: routes in the address bar, the role, the theme, the keys.
import { currentRole, onRole, onTokenNeeded, token, wasDeclined, whyNot } from "../lib/api.js";
import { el, empty, fill } from "../lib/dom.js";
import { askToken, showKeys, showToken } from "../parts/dialog.js";

const VIEWS = [
  [/^\/jobs$/, "jobs", () => import("./jobs.js")],
  [/^\/jobs\/([^/]+)$/, "jobs", () => import("./job.js")],
  [/^\/new$/, "new", () => import("./new.js")],
  [/^\/board$/, "board", () => import("./board.js")],
  [/^\/groups$/, "groups", () => import("./groups.js")],
  [/^\/groups\/([^/]+)$/, "groups", () => import("./group.js")],
  [/^\/groups\/([^/]+)\/runs\/([^/]+)$/, "groups", () => import("./group.js")],
  [/^\/schedules$/, "schedules", () => import("./schedules.js")],
  [/^\/monitor$/, "monitor", () => import("./monitor.js")],
];
const main = document.getElementById("main");
let shown = null;

function currentAddress() {
  const [path, search = ""] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/jobs", query: new URLSearchParams(search) };
}

async function route() {
  const { path, query } = currentAddress();
  if (shown?.path === path && shown.update) return shown.update(query);
  const view = VIEWS.find(([pattern]) => pattern.test(path));
  shown?.leave.abort();
  const leave = new AbortController();
  const first = shown === null;
  shown = { path, leave };
  if (!view)
    return fill(
      main,
      empty(
        "There is no such page",
        `Nothing is at ${path}.`,
        el("a", { class: "button", href: "#/jobs", text: "Go to the jobs" }),
      ),
    );
  const [pattern, nav, load] = view;
  mark(nav);
  try {
    const params = pattern.exec(path).slice(1).map(decodeURIComponent);
    const page = await load();
    if (leave.signal.aborted) return;
    window.scrollTo(0, 0);
    const update = await page.show(main, { params, query, signal: leave.signal });
    if (shown.leave === leave) shown.update = update;
  } catch (error) {
    if (leave.signal.aborted) return;
    fill(
      main,
      empty(
        "This page could not be drawn",
        error.message,
        el("button", { class: "button", type: "button", onclick: () => location.reload(), text: "Load it again" }),
      ),
    );
  }
  settle(first);
}

// A new page is announced by its title and the reader starts at its heading.
function settle(first) {
  const heading = main.querySelector("h1");
  document.title = heading ? `${heading.dataset.title || heading.textContent} · Sortie` : "Sortie";
  if (!heading || first) return;
  if (main.contains(document.activeElement) && document.activeElement !== main) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function mark(nav) {
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === nav) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showRole() {
  const who = document.getElementById("who");
  const role = currentRole();
  who.hidden = !token() && !wasDeclined();
  who.textContent = !token() ? "Give a token" : role ? `Role: ${role}` : "Token";
  const why = whyNot();
  const band = document.getElementById("band");
  band.hidden = !why;
  band.textContent = why
    ? "You are looking with a read token: submitting, canceling and retrying are switched off."
    : "";
  document.getElementById("new").toggleAttribute("data-off", Boolean(why));
}

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  const next = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("sortie-theme", next);
  } catch {
    // kept for this page only
  }
  document.dispatchEvent(new Event("themechange"));
}

function keys() {
  let on = localStorage.getItem("sortie-keys") !== "off";
  let g = 0;
  const setOn = (value) => {
    on = value;
    localStorage.setItem("sortie-keys", value ? "on" : "off");
  };
  const hashByKey = { j: "#/jobs", b: "#/board", g: "#/groups", s: "#/schedules", m: "#/monitor" };
  document.getElementById("keys").addEventListener("click", () => showKeys(on, setOn));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    if (event.key === "?") return void showKeys(on, setOn);
    if (!on) return;
    if (Date.now() - g < 1200 && hashByKey[event.key]) {
      location.hash = hashByKey[event.key];
      g = 0;
      return;
    }
    if (event.key === "g") g = Date.now();
    if (event.key === "n") location.hash = "#/new";
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("find-id").focus();
    }
    if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    if (event.key === "x") document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click();
  });
}

function step(by) {
  const links = [...main.querySelectorAll("a[data-job]")];
  const at = links.indexOf(document.activeElement.closest("tr, article, li")?.querySelector("a[data-job]"));
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

async function whoGoesThere() {
  if (token()) return showToken();
  if (await askToken(false)) location.reload();
}

function start() {
  onTokenNeeded(askToken);
  onRole(showRole);
  document.getElementById("theme").addEventListener("click", switchTheme);
  document.getElementById("who").addEventListener("click", whoGoesThere);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  document.getElementById("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = document.getElementById("find-id").value.trim();
    if (id) location.hash = `#/jobs/${encodeURIComponent(id)}`;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("themechange")),
  );
  // A file dropped beside its field must not replace the page.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  keys();
  showRole();
  window.addEventListener("hashchange", route);
  route();
}

start();
