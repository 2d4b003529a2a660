"""The page as a reader uses it, and the API as the test's own hands."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect


class Site:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, path: str = "") -> "Site":
        """Afresh, and not by a change of the address alone. `place`: what follows the #."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}#{path}")
        expect(self.page.locator("main h1")).to_be_visible()
        return self

    def submit(self, request: Mapping[str, Any]) -> str:
        """Submits through the API, as somebody else would; gives the id."""
        status, answer = self.api("POST", "jobs", request)
        assert status in (200, 202), answer
        return str(answer["id"])

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        answer = self.page.request.fetch(self.url + path, method=method, data=data, headers=headers)
        return answer.status, json.loads(answer.text() or "null")

    def ended(self, job_id: str) -> dict[str, Any]:
        """The job once it has ended."""
        for _ in range(3):
            _, answer = self.api("GET", f"jobs/{job_id}?wait=20")
            if answer["status"] in ("completed", "failed", "canceled"):
                break
        return dict(answer)

    def give_token(self, token: str) -> None:
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Bearer token").fill(token)
        dialog.get_by_role("button", name="Use this token").click()

    def row(self, job_id: str) -> Locator:
        return self.page.locator(f'tr:has(a[data-job="{job_id}"])')

    def card(self, job_id: str) -> Locator:
        return self.page.locator(f'article:has(a[data-job="{job_id}"])')

    @property
    def status(self) -> Locator:
        """The status in the head of one job's page."""
        return self.page.locator(".headline .pill")

    def field(self, name: str) -> Locator:
        return self.page.locator(f'[data-field="{name}"]')

    def choose(self, task: str) -> None:
        self.page.get_by_role("radio", name=task, exact=True).check()

    def job_id(self) -> str:
        """Of the job that the page shows."""
        self.page.wait_for_url("**/#/jobs/*")
        return self.page.url.rsplit("/", 1)[1]


def unique(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{uuid4().hex[:8]}"
