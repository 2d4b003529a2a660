"""What a browser context did: errors it said, addresses it asked, dialogs that markup in data would have opened."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, WebError

# A refusal is an answer that the page deals with; the browser still notes it as an error.
REFUSAL = "Failed to load resource: the server responded with a status of 4"


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


class Watch:
    def __init__(self, context: BrowserContext) -> None:
        self.errors: list[str] = []
        self.requests: list[Request] = []
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("dialog", self._opened)
        context.on("request", self._sent)

    def asked(self, path: str) -> list[Request]:
        """Requests whose path ends in `path`."""
        return [request for request in self.requests if urlsplit(request.url).path.endswith(path)]

    def _sent(self, request: Request) -> None:
        self.requests.append(request)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REFUSAL):
            self.errors.append(message.text)

    def _threw(self, error: WebError) -> None:
        self.errors.append(str(error.error))

    def _opened(self, dialog: Dialog) -> None:
        self.errors.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()
