"""A client of a running service, wherever it runs: plain HTTP, JSON, and waiting with a deadline."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from dev.client import Answer, Client
from tests.support.running import until

ENDED = ("completed", "failed", "canceled")
LIMIT = 90.0


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
        return Client(self.url, self.headers).ask(method, path, body, **headers)

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


def some_object() -> str:
    return f"object-{uuid4().hex[:12]}"
