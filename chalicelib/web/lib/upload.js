// Sends a file of any size to the address that the API signs for it, and says how far it is.
import { call, Problem, Unreachable } from "./api.js";
import { bytes } from "./time.js";

/** Gives the upload's id. onProgress hears a fraction of 0 to 1. */
export async function upload(blob, { onProgress, signal }) {
  const { data } = await call("POST", "uploads", { body: { bytes: blob.size }, signal });
  await put(data, blob, onProgress, signal);
  return data.id;
}

// Only XMLHttpRequest tells how much of a body has left.
function put({ href, headers }, blob, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", href);
    for (const [name, value] of Object.entries(headers || {}))
      if (!/^(host|content-length)$/i.test(name)) request.setRequestHeader(name, value);
    request.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && onProgress(event.loaded / event.total),
    );
    request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(refused(request, blob))));
    request.addEventListener("error", () =>
      reject(new Unreachable("The upload was cut off. Check the connection and submit again.")),
    );
    request.addEventListener("abort", () => reject(new DOMException("The upload was stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(blob);
  });
}

function refused(request, blob) {
  const title = `The store refused the upload of ${bytes(blob.size)} (${request.status})`;
  return new Problem(request.status, { title, detail: "Its link may have run out: submit again." });
}
