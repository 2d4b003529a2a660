// The only place that talks to the API: relative addresses, the tab's token, problems as errors, the role.

const TOKEN = "sortie-token";
const RANK = { read: 0, submit: 1, admin: 2 };
const listeners = new Set();
let role = null;
let askForToken = () => Promise.resolve(false);
let asking = null;
let declined = false;

/** What the API answered when it refused: status, title, detail, and errors of {loc, msg}. */
export class Problem extends Error {
  constructor(status, body, headers) {
    super(body.detail || body.title || `The API answered ${status}`);
    this.status = status;
    this.body = body;
    this.title = body.title || `The API answered ${status}`;
    this.detail = body.detail || body.message || body.Message || "";
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.retryAfter = Number(headers?.get("Retry-After")) || null;
    this.requestId = headers?.get("X-Request-Id") || null;
  }
}

/** No answer at all: the network, or nobody is listening. */
export class Unreachable extends Error {}

/** What went wrong, as one line for a reader. */
export const reason = (error) =>
  error instanceof Problem
    ? `${error.title}${error.detail && error.detail !== error.title ? `: ${error.detail}` : ""}`
    : error.message;

export const address = (path) => new URL(path, document.baseURI.split("#")[0]).href;
export const token = () => sessionStorage.getItem(TOKEN);
export const currentRole = () => role;
export const wasDeclined = () => declined;

export function keepToken(value) {
  if (value) sessionStorage.setItem(TOKEN, value);
  else sessionStorage.removeItem(TOKEN);
  setRole(null);
}

export function onRole(listener) {
  listeners.add(listener);
}

export function onTokenNeeded(ask) {
  askForToken = ask;
}

/** Why this role may not do what needs `least`, or null when it may. */
export function whyNot(least = "submit") {
  if (role === null || !(role in RANK) || RANK[role] >= RANK[least]) return null;
  return `Your token has the role “${role}”; this needs “${least}”`;
}

/** Sends one request and gives {data, text, status, headers}; asks for a token when one is missing. */
export async function call(method, path, { query, body, headers, signal, quiet } = {}) {
  for (;;) {
    const used = token();
    const response = await send(method, path, { query, body, headers, signal });
    const text = await response.text();
    setRole(response.headers.get("Sortie-Role") || role);
    if (response.ok)
      return { data: text ? parse(text) : null, text, status: response.status, headers: response.headers };
    const problem = new Problem(response.status, parse(text) || {}, response.headers);
    if (quiet || !wantsToken(response) || !(await newToken(used, problem))) throw problem;
  }
}

export const get = (path, options) => call("GET", path, options);

/** Learns the role where no answer has told it yet; a page that offers to change things waits for this. */
export async function knowRole() {
  if (role === null) await get("jobs", { query: { limit: "1" } }).catch(() => {});
}

async function send(method, path, { query, body, headers, signal }) {
  const url = new URL(address(path));
  for (const [name, value] of Object.entries(query || {})) if (value) url.searchParams.set(name, value);
  const all = new Headers(headers || {});
  if (token()) all.set("Authorization", `Bearer ${token()}`);
  if (body !== undefined) all.set("Content-Type", "application/json");
  const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  try {
    return await fetch(url, { method, headers: all, body: payload, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("Sortie does not answer. Is it running, and are you online?");
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// An authorizer's refusal names no role; a refusal by the app does, and no other token is asked for then.
function wantsToken(response) {
  return (response.status === 401 || response.status === 403) && !response.headers.get("Sortie-Role");
}

// Requests under way at once share one question.
async function newToken(used, problem) {
  if (used !== token()) return true;
  if (declined) return false;
  asking ||= ask(Boolean(used), problem).finally(() => (asking = null));
  return asking;
}

// Who said no is not asked again by every poll; the button in the head still asks.
async function ask(again, problem) {
  const accepted = await askForToken(again, problem);
  declined = !accepted;
  tell();
  return accepted;
}

function setRole(next) {
  if (next === role) return;
  role = next;
  tell();
}

function tell() {
  for (const listener of listeners) listener(role);
}
