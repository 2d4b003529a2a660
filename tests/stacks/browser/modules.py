"""Calls the page's pure modules in the browser, one function at a time; no service is asked for anything."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

WEB = Path(__file__).parents[3] / "chalicelib" / "web"
ORIGIN = "http://modules.test"


class Modules:
    def __init__(self, page: Page) -> None:
        self._page = page
        page.route(f"{ORIGIN}/**", _from_the_folder)
        page.goto(ORIGIN + "/")

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """What the function gives back, as JSON carries it. `module`: such as "lib/exact.js"."""
        return self._page.evaluate(
            """async ([module, name, args]) => {
              const answer = (await import(module))[name](...args);
              return answer === undefined ? null : answer;
            }""",
            [f"/{module}", function, list(arguments)],
        )


def _from_the_folder(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path == "/":
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")
    else:
        route.fulfill(body=(WEB / path[1:]).read_text("utf-8"), content_type="text/javascript")
