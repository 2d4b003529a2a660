// The API's own description in Swagger UI, with the tab's token on every request that is tried.
import { address, token } from "../lib/api.js";
import { empty, fill } from "../lib/dom.js";
import { askToken, showToken } from "../parts/dialog.js";

const container = document.getElementById("docs");
const who = document.getElementById("who");

async function start() {
  who.addEventListener("click", async () => {
    if (token()) return showToken();
    return (await askToken(false)) && showWho();
  });
  showWho();
  try {
    const response = await fetch(address("openapi.json"));
    if (!response.ok) throw new Error(`openapi.json answered ${response.status}`);
    draw(await response.json());
  } catch (error) {
    fill(
      container,
      empty("The description could not be read", `${error.message}. Load this page again when Sortie answers.`),
    );
  }
}

function showWho() {
  who.textContent = token() ? "Token kept" : "Set a token";
}

// Requests go to where this page is, whatever stage that is. The long list of schemas stays shut.
function draw(spec) {
  container.className = "";
  window.SwaggerUIBundle({
    spec: { ...spec, servers: [{ url: address(".").replace(/\/$/, "") }] },
    domNode: container,
    validatorUrl: null,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    syntaxHighlight: { activated: true, theme: "nord" },
    requestInterceptor: (request) => {
      if (token()) request.headers.Authorization = `Bearer ${token()}`;
      return request;
    },
  });
  new MutationObserver(describe).observe(container, { childList: true, subtree: true });
}

// Names what Swagger UI leaves without a name, and lets the keyboard scroll what scrolls.
function describe() {
  for (const box of container.querySelectorAll("textarea:not([aria-label])"))
    box.setAttribute("aria-label", "Request body");
  for (const code of container.querySelectorAll(".microlight:not([tabindex])")) code.tabIndex = 0;
}

start();
