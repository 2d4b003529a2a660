// Submit: any task, by form or as JSON, once or many times, large inputs through an upload; or an ended job again.
import { get, knowRole, Problem, reason, whyNot } from "../lib/api.js";
import { el, empty, fill, say, setText, toast } from "../lib/dom.js";
import { isObject, members } from "../lib/exact.js";
import { jobHref } from "../lib/links.js";
import { fieldsBeside, uploadOf } from "../lib/numbers.js";
import { isSettled, poster } from "../lib/once.js";
import { isOpen, short } from "../lib/status.js";
import { tasks } from "../lib/tasks.js";
import { plural, span } from "../lib/time.js";
import { upload } from "../lib/upload.js";
import { curlPanel } from "../parts/curl.js";
import { fieldOf } from "../parts/fields.js";
import { jobForm } from "../parts/jobform.js";
import { fetchPayload, rawOf } from "../parts/payload.js";
import { progressBar } from "../parts/progress.js";
import { requestEditor } from "../parts/requesteditor.js";

const TOO_LARGE = 768 * 1024;
const TOO_LONG_TO_SHOW = 600_000;
const MOST_COPIES = 100;
const COPIES = {
  type: "integer",
  minimum: 1,
  maximum: MOST_COPIES,
  default: 1,
  title: "How many of it",
  description: `Up to ${MOST_COPIES} go in one request`,
};
const KEY = {
  type: "string",
  maxLength: 128,
  title: "Idempotency key",
  description: "The same key never makes a second job. Left empty, the page makes one.",
};

export async function show(main, { query, signal }) {
  const head = el("div", { class: "headline" }, el("h1", { text: "New job" }));
  fill(main, head, el("p", { class: "boot", text: "Loading…" }));
  let known;
  try {
    [known] = await Promise.all([tasks(), knowRole()]);
  } catch (error) {
    const again = el("button", {
      class: "button",
      type: "button",
      text: "Try again",
      onclick: () => show(main, { query, signal }),
    });
    return fill(main, head, empty("The tasks could not be read", reason(error), again));
  }
  if (signal.aborted) return undefined;
  if (!Object.keys(known).length)
    return fill(
      main,
      head,
      empty("No tasks are registered", "Add one under chalicelib/tasks, then load this page again."),
    );
  const draft = new Draft(known, query.get("task"), signal);
  draft.layOut(main, head);
  if (query.get("from")) draft.takeFrom(query.get("from"));
  return undefined;
}

class Draft {
  byHand = false;
  post = poster();
  uploaded = null;
  again = null;
  curl = curlPanel();
  copies = fieldOf("copies", COPIES, false, () => this.changed());
  key = fieldOf("Idempotency-Key", KEY, false, () => this.changed());
  editor = requestEditor(() => this.changed());
  more = el(
    "details",
    {},
    el("summary", { text: "More" }),
    el("div", { class: "grid" }, this.copies.node, this.key.node),
  );
  modes = el(
    "div",
    { class: "switch", role: "group", "aria-label": "Write the request" },
    this.mode("Form", false),
    this.mode("JSON", true),
  );
  bar = progressBar("Upload");
  percent = el("output", {});
  progress = el(
    "div",
    { class: "uploading", hidden: true },
    el("span", { text: "Uploading" }),
    this.bar.node,
    this.percent,
  );
  wrong = el("div", { class: "wrong", role: "alert", tabindex: "-1", hidden: true });
  origin = el("p", { class: "hint", hidden: true });

  constructor(known, first, signal) {
    this.signal = signal;
    this.form = jobForm(known, { onInput: () => setTimeout(() => this.changed()), first });
  }

  layOut(main, head) {
    const why = whyNot();
    this.submit = el("button", {
      type: "submit",
      class: "button primary",
      text: "Submit",
      disabled: Boolean(why),
      title: why,
    });
    const said = el("span", {
      class: why ? "soft why" : "soft",
      text: why || "Answers at once; the job runs on its own.",
    });
    const send = el(
      "div",
      { class: "panel send" },
      this.wrong,
      this.progress,
      el("div", { class: "row" }, this.submit, said),
    );
    this.page = el(
      "form",
      { class: "two submit", novalidate: true, onsubmit: (event) => this.send(event) },
      el("div", { class: "panel stack" }, this.origin, this.form.node, this.editor.node, this.more),
      el("div", { class: "side stack" }, send, this.curl.node),
    );
    head.append(this.modes);
    fill(main, head, this.page);
    this.changed();
  }

  mode(text, byHand) {
    return el("button", { type: "button", "aria-pressed": String(!byHand), text, onclick: () => this.turn(byHand) });
  }

  turn(byHand) {
    if (byHand && !this.byHand) this.editor.put(this.asked().body);
    this.byHand = byHand;
    [...this.modes.children].forEach((button, at) => {
      button.setAttribute("aria-pressed", String(Boolean(at) === byHand));
    });
    this.changed();
  }

  changed() {
    this.form.node.hidden = this.byHand;
    this.more.hidden = this.byHand;
    this.editor.node.hidden = !this.byHand;
    const { path, body, input } = this.plan();
    const rest = input
      ? fieldsBeside(input)
          .map(([name, raw]) => `"${name}": ${raw}`)
          .join(", ")
      : "";
    this.curl.set(path, body, { key: this.ownKey(), file: input ? this.form.upload() : null, rest });
  }

  /** What the form asks for, with an upload's id in the place of its input: a whole job, or what changes of one. */
  asked(uploadId = null) {
    return this.again ? this.form.changes(uploadId) : this.form.request(uploadId);
  }

  /** Where the request goes and its JSON text; an upload that is still to be made has a name to stand for it. */
  plan(uploadId = null) {
    if (this.byHand) return this.editor.plan();
    const { body, input } = this.asked(this.form.upload() ? uploadId || "UPLOAD_ID" : uploadId);
    if (this.again) return { path: this.again, body, input };
    const n = this.howMany();
    return n > 1
      ? { path: "jobs/bulk", body: `{"jobs": [${Array(n).fill(body).join(", ")}]}`, input }
      : { path: "jobs", body, input };
  }

  /** How many copies are wanted, or 0 for what is no such number. */
  howMany() {
    const n = Number(this.copies.raw() || "1");
    return Number.isInteger(n) && n >= 1 && n <= MOST_COPIES ? n : 0;
  }

  ownKey() {
    return this.key.control.value.trim() || null;
  }

  async send(event) {
    event.preventDefault();
    if (this.submit.disabled || !this.ready()) return;
    this.submit.disabled = true;
    try {
      const { path, body } = this.plan(this.byHand ? null : await this.ahead());
      this.done(await this.post(path, { body, key: this.ownKey(), signal: this.signal }));
    } catch (error) {
      if (error.name !== "AbortError") this.failed(error);
    } finally {
      this.submit.disabled = Boolean(whyNot());
      this.progress.hidden = true;
    }
  }

  // The number of copies is this page's own field: the API would not judge it.
  ready() {
    this.wrong.hidden = true;
    for (const part of [this.form, this.editor, this.copies]) part.clear();
    if (this.byHand || this.howMany()) return true;
    this.copies.fail(`A whole number from 1 to ${MOST_COPIES}`);
    this.copies.control.focus();
    return false;
  }

  // What is too large for one request goes ahead as an upload, and only once if it has to be sent again.
  async ahead() {
    const file = this.form.upload();
    const { input } = this.asked();
    if (input === null || (!file && input.length < TOO_LARGE)) return null;
    if (this.uploaded?.file === file && this.uploaded.input === input) return this.uploaded.id;
    this.progress.hidden = false;
    say("Uploading");
    const blob = file ? await uploadOf(file, input) : new Blob([input]);
    const id = await upload(blob, { signal: this.signal, onProgress: (fraction) => this.showProgress(fraction) });
    this.uploaded = { file, input, id };
    return id;
  }

  showProgress(fraction) {
    this.bar.set(fraction);
    setText(this.percent, `${Math.round(fraction * 100)} %`);
  }

  done({ data, status }) {
    if (!data.results) {
      toast(status === 200 ? "An earlier job answers for this one" : "Submitted");
      location.hash = jobHref(data.id);
      return;
    }
    const refused = data.results.filter((result) => result.problem);
    const submitted = data.results.length - refused.length;
    if (refused.length) return this.failed(refusal(submitted, refused));
    toast(`${plural(submitted, "job")} submitted`);
    location.hash = "#/jobs";
  }

  failed(error) {
    if (isSettled(error)) this.uploaded = null; // else the same request, byte for byte, may have to be sent again
    const left = this.byHand ? this.editor.problem(error) : this.form.problem(error.errors || []);
    const beside = (error.errors || []).length && !left.length;
    fill(this.wrong, beside ? el("strong", { text: "Some fields need another look" }) : wordsOf(error, left));
    this.wrong.hidden = false;
    if (!this.page.querySelector("[aria-invalid]")) this.wrong.focus();
  }

  /** Fills the form with the input and options of an earlier job, which runs again if it has ended. */
  async takeFrom(id) {
    this.submit.disabled = true;
    try {
      const { data, text } = await get(`jobs/${encodeURIComponent(id)}`, { signal: this.signal });
      await this.put(data, data.input?.href ? await fetchPayload(data.input.href, this.signal) : rawOf(text, "input"));
      if (!isOpen(data) && data.task === this.form.task()) this.runAgain(data);
      toast("The form holds the input of the earlier job");
    } catch (error) {
      if (error.name !== "AbortError") toast(`The earlier job could not be read: ${reason(error)}`, "bad");
    } finally {
      this.submit.disabled = Boolean(whyNot());
    }
  }

  // A large array becomes a file, beside which the other fields keep their place in the form.
  async put(job, raw) {
    this.form.put(job, null);
    if (raw.length <= TOO_LONG_TO_SHOW || !this.form.takesFiles()) return this.form.put(job, raw);
    const whole = isObject(raw) ? members(raw) : { array: raw };
    const rest = Object.entries(whole).filter(([name]) => name !== "array");
    this.form.put(job, `{${rest.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(", ")}}`);
    return this.form.attach(new File([whole.array], "input.json"));
  }

  // From here on only what differs is sent, and the new job names the earlier one.
  runAgain(job) {
    this.again = `jobs/${encodeURIComponent(job.id)}/run-again`;
    this.form.keep(job);
    this.editor.changesFor(this.again);
    this.copies.node.hidden = true;
    fill(
      this.origin,
      "Runs ",
      el("a", { href: jobHref(job.id), text: `${job.task} ${short(job.id)}` }),
      " again as a new job. What you leave as it is stays the same; its window and its time are not taken over.",
    );
    this.origin.hidden = false;
    this.changed();
  }
}

function refusal(submitted, refused) {
  const [{ problem }] = refused;
  return new Problem(refused.some(({ status }) => status >= 500) ? 503 : 422, {
    title: `${plural(submitted, "job")} submitted, ${refused.length} refused`,
    detail: problem.detail || problem.title,
    errors: problem.errors,
  });
}

function wordsOf(error, left) {
  const title = error instanceof Problem ? error.title : "The job was not submitted";
  const text = error instanceof Problem ? error.detail : error.message;
  const wait = error.retryAfter ? ` Try again in ${span(error.retryAfter)}.` : "";
  const lines = left.map(({ loc, msg }) => el("li", {}, loc ? el("code", { text: loc }) : null, ` ${msg}`));
  return [
    el("strong", { text: title }),
    el("p", { text: `${text}${wait}` }),
    lines.length ? el("ul", {}, lines) : null,
  ];
}
