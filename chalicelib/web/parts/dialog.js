// Questions: a confirmation, the token, the keys. Native dialogs hold the focus and close on Escape.
import { currentRole, keepToken } from "../lib/api.js";
import { el } from "../lib/dom.js";

/** Resolves to true when the reader agrees. */
export function confirm(title, text, { yes = "Yes", no = "Keep", danger = false } = {}) {
  return ask(title, [el("p", { text })], { yes, no, danger }).then((answer) => answer === "yes");
}

export async function askToken(again, problem) {
  const input = el("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  const body = [
    el("p", {
      text: again
        ? `The token was not accepted (${problem.status}). Check it, or use another one.`
        : "This stage is not open to everyone: paste the bearer token that you were given.",
    }),
    el("label", { for: "token", text: "Bearer token" }),
    input,
    el("p", { class: "hint", text: "It stays in this tab and is forgotten when you close it." }),
  ];
  const answer = await ask("Who goes there?", body, { yes: "Use this token", no: "Not now" });
  if (answer !== "yes" || !input.value.trim()) return false;
  keepToken(input.value.trim());
  return true;
}

/** Shows whose eyes one looks through, and lets one change or forget the token. */
export async function showToken() {
  const role = currentRole();
  const can = {
    read: "look at jobs, but not submit or change them",
    submit: "submit jobs, and cancel or retry your own",
    admin: "do everything",
  };
  const answer = await ask(
    "Your token",
    [el("p", { text: `Its role is “${role}”: you may ${can[role] || "do what the API allows"}.` })],
    { yes: "Forget it", no: "Close" },
  );
  if (answer === "yes") {
    keepToken(null);
    location.reload();
  }
}

export function showKeys(on, setOn) {
  const keys = [
    ["n", "new job"],
    ["/", "look up a job id"],
    ["g j", "jobs"],
    ["g b", "board"],
    ["g g", "groups"],
    ["g s", "schedules"],
    ["g m", "monitor"],
    ["j k", "next, previous job in a list"],
    ["x", "select the job"],
    ["?", "these keys"],
  ];
  const box = el("input", { type: "checkbox", id: "keys-on" });
  box.checked = on;
  box.addEventListener("change", () => setOn(box.checked));
  const list = el(
    "dl",
    { class: "keys" },
    keys.map(([key, what]) => [
      el(
        "dt",
        {},
        key.split(" ").map((k) => el("kbd", { text: k })),
      ),
      el("dd", { text: what }),
    ]),
  );
  return ask("Keys", [list, el("label", { class: "check" }, box, " Use single-letter keys")], { no: "Close" });
}

function ask(title, body, { yes = null, no, danger = false }) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const cancel = el("button", { type: "button", class: "button", text: no });
  const agree = yes && el("button", { type: "submit", class: `button ${danger ? "danger" : "primary"}`, text: yes });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id, text: title }),
    body,
    el("div", { class: "row end" }, cancel, agree),
  );
  const dialog = el("dialog", { "aria-labelledby": id }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    const close = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    cancel.addEventListener("click", () => close("no"));
    const closeOn = (target, name, answer) =>
      target.addEventListener(name, (event) => {
        event.preventDefault();
        close(answer);
      });
    closeOn(dialog, "cancel", "no");
    closeOn(form, "submit", "yes");
    dialog.showModal();
    (form.querySelector("input:not([type=checkbox])") || agree || cancel).focus();
  });
}
