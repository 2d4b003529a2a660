// Builds elements. Text only ever becomes text nodes, so no data can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** el("a", {href, class, onclick, dataset: {}}, ...children); null and false children are left out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "value") node.value = value;
  else if (name === "text") node.textContent = value;
  else node.setAttribute(name, value === true ? "" : value);
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Sets text only where it changed, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return node;
}

/** Says something to a screen reader without showing it. */
export function say(text) {
  const live = document.getElementById("live");
  live.textContent = "";
  requestAnimationFrame(() => (live.textContent = text));
}

/** Shows a short message for a while; kind is "good" or "bad". */
export function toast(text, kind = "good") {
  const close = el("button", { type: "button", class: "quiet", "aria-label": "Dismiss", text: "×" });
  const node = el("div", { class: `toast ${kind}` }, el("span", { text }), close);
  close.addEventListener("click", () => node.remove());
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), kind === "bad" ? 12000 : 5000);
}

/** A place that says what is missing, or wrong, and what to do next. */
export function empty(title, text, ...actions) {
  return el(
    "div",
    { class: "empty" },
    el("h2", { text: title }),
    el("p", { text }),
    el("div", { class: "row" }, actions),
  );
}

export function copyButton(text, label) {
  const button = el("button", { type: "button", class: "quiet small", "aria-label": `Copy ${label}`, text: "Copy" });
  button.addEventListener("click", async () => {
    const copied = await copy(typeof text === "function" ? text() : text);
    setText(button, copied ? "Copied" : "Select and copy by hand");
    say(copied ? `${label} copied` : "The browser did not allow copying");
    setTimeout(() => setText(button, "Copy"), 2000);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

function copyByHand(text) {
  const box = el("textarea", { class: "sr", value: text, "aria-hidden": "true" });
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  return done;
}
