"""A client of a running service, wherever it runs: plain HTTP, JSON, and waiting with a deadline."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from uuid import uuid4

from tests.support.running import until

ENDED = ("completed", "failed", "canceled")
LIMIT = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass(frozen=True, slots=True)
class Service:
    """`headers` go with every request: a deployed service wants a token. `minutely`: a schedule made at the start.
    `clients`: how many may race; each is a process of its own where an emulator plays Lambda.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    minutely: Any = None
    clients: int = 50

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body` is sent as JSON, bytes as they are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **self.headers, **headers}
        return fetch(method, self.url + path, data, sent)

    def submit(self, **request: Any) -> Any:
        answer = self.ask("POST", "/jobs", request)
        assert answer.status == 202, answer.raw
        return answer.body

    def job(self, job_id: str) -> Any:
        answer = self.ask("GET", f"/jobs/{job_id}")
        assert answer.status == 200, answer.raw
        return answer.body

    def ended(self, job_id: str) -> Any:
        """The job once it has ended."""

        def look() -> Any:
            job = self.ask("GET", f"/jobs/{job_id}?wait=20").body
            return job if job["status"] in ENDED else None

        return until(look, LIMIT, f"job {job_id} ends")

    def running(self, job_id: str) -> Any:
        """The job once it runs."""

        def look() -> Any:
            job = self.job(job_id)
            assert job["status"] not in ENDED, job
            return job if job["status"] == "running" else None

        return until(look, LIMIT, f"job {job_id} runs")

    def at_once(self, clients: int, body: Any, **headers: str) -> list[Answer]:
        """The answers to the same submission of so many clients."""
        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(lambda _: self.ask("POST", "/jobs", body, **headers), range(clients)))


def fetch(method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def some_object() -> str:
    return f"object-{uuid4().hex[:12]}"
