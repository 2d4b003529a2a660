// The field for an array of numbers: typed, pasted, dropped, or a file of any size sent as an upload.
import { el, setText } from "../lib/dom.js";
import { elements, isArray } from "../lib/exact.js";
import { find, read, toJson } from "../lib/numbers.js";
import { bytes, number, plural } from "../lib/time.js";

const INLINE = 512 * 1024;

/** Beside control, raw and put it has file(): the dropped file that is too large to paste, or null. */
export function numbersField({ id, required, onInput }) {
  let file = null;
  const control = el("textarea", {
    id,
    required,
    rows: "7",
    class: "code",
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "3, 1, 2\n\nJSON, CSV or one a line. Or drop a file of any size.",
  });
  const count = el("span", { class: "count", text: "no numbers yet", "aria-live": "polite" });
  const picker = el("input", {
    type: "file",
    class: "sr",
    id: `${id}-file`,
    accept: ".json,.csv,.txt,.tsv,text/*,application/json",
    "aria-label": "Choose a file of numbers",
  });
  const chip = el("div", { class: "chip", hidden: true });
  const shuffle = (n) =>
    el("button", { type: "button", class: "quiet small", text: `${number(n)} random`, onclick: () => random(n) });
  const choose = el("label", { class: "button small", for: picker.id, text: "Choose a file" });
  const box = el(
    "div",
    { class: "drop" },
    control,
    chip,
    el("div", { class: "row between" }, count, el("div", { class: "row" }, shuffle(20), shuffle(1000), picker, choose)),
  );
  control.addEventListener("input", changed);
  picker.addEventListener("change", () => picker.files[0] && take(picker.files[0]));
  dropInto(box, take);
  let parsed = read("");
  return { control, box, raw, put, file: () => file, attach: take, show };

  function raw() {
    if (file) return null;
    return parsed.kind === "empty" && !required ? null : toJson(parsed);
  }

  function put(text) {
    control.value = isArray(text) ? `[${elements(text).join(", ")}]` : text;
    changed();
  }

  function changed() {
    parsed = read(control.value);
    const what = { empty: "no numbers yet", JSON: "JSON", "one a line": "one a line", separated: "separated values" }[
      parsed.kind
    ];
    setText(count, parsed.kind === "empty" ? what : `${plural(parsed.tokens.length, "number")}, ${what}`);
    onInput();
  }

  async function take(next) {
    if (next && next.size <= INLINE) {
      control.value = await next.text();
      next = null;
    }
    file = next;
    picker.value = "";
    control.hidden = Boolean(file);
    control.required = required && !file;
    chip.hidden = !file;
    if (file) {
      const name = el("strong", { text: file.name || "input.json" });
      chip.replaceChildren(
        name,
        el("span", { text: `${bytes(file.size)}, goes as an upload` }),
        el("button", { type: "button", class: "quiet small", text: "Remove", onclick: () => take(null) }),
      );
      setText(count, "the file is read where the job runs");
      onInput();
    } else changed();
  }

  function random(n) {
    file = null;
    chip.hidden = true;
    control.hidden = false;
    control.value = Array.from({ length: n }, () => Math.floor(Math.random() * 10 * n)).join(", ");
    changed();
  }

  // Selects the element that an error names.
  function show(index) {
    const range = find(control.value, index);
    control.focus();
    if (range) control.setSelectionRange(...range);
  }
}

function dropInto(box, take) {
  const over = (on) => (event) => {
    event.preventDefault();
    box.toggleAttribute("data-over", on);
  };
  box.addEventListener("dragenter", over(true));
  box.addEventListener("dragover", over(true));
  box.addEventListener("dragleave", over(false));
  box.addEventListener("drop", (event) => {
    over(false)(event);
    const dropped = event.dataTransfer.files[0];
    if (dropped) take(dropped);
  });
}
