// The same request for a terminal.
import { address, token } from "../lib/api.js";
import { copyButton, el, setText } from "../lib/dom.js";

const SHOWN = 1500;
// In a comment of the shell, where a new line would be a command.
const onOneLine = (text) => text.replace(/\s+/g, " ");
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const auth = () => (token() ? ' \\\n  -H "Authorization: Bearer $SORTIE_TOKEN"' : "");

export function curlOf(path, body, { key = null, file = null, rest = "" } = {}) {
  const idempotent = key ? ` \\\n  -H ${quote(`Idempotency-Key: ${key}`)}` : "";
  const send = (to, data) =>
    `curl -X POST ${quote(address(to))}${auth()}${idempotent} \\\n  -H 'Content-Type: application/json' \\\n  -d ${data}`;
  if (!file) return send(path, quote(body));
  return `# 1. ask for a place: the answer holds id, href and headers\ncurl -X POST ${quote(address("uploads"))}${auth()} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify({ bytes: file.size }))}\n\n# 2. put the file there, with each of the answer's headers as -H${rest ? `; it must hold {${onOneLine(rest)}, "array": [...]}` : ""}\ncurl -T ${quote(file.name || "input.json")} "$HREF"\n\n# 3. submit the job\n${send(path, quote(body))}`;
}

/** {node, set(path, body, extra)}: shown in short when long, copied whole. */
export function curlPanel() {
  let whole = "";
  const code = el("pre", { class: "curl", tabindex: "0", "aria-label": "The curl command" });
  const node = el(
    "section",
    { class: "panel", "aria-label": "As curl" },
    el(
      "div",
      { class: "row between" },
      el("h2", { text: "The same from a terminal" }),
      copyButton(() => whole, "curl command"),
    ),
    code,
  );
  return { node, set };

  function set(path, body, extra) {
    whole = curlOf(path, body, extra);
    setText(
      code,
      whole.length > SHOWN
        ? `${whole.slice(0, SHOWN - 200)}\n  … ${whole.length - SHOWN} more characters; Copy takes them all …\n${whole.slice(-200)}`
        : whole,
    );
  }
}
