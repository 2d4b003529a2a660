"""One job through the API, as any client sends it: what `make run` and every deployment to an emulator end with."""

import time
from collections.abc import Callable

from dev.client import Answer, Client, NoAnswer
from dev.settings import BadStart

ARRAY, SORTED = [3, 1.5, -2], [-2, 1.5, 3]


class SampleFailed(BadStart):
    """The API does not answer or did not sort three numbers; the message says what it answered."""


def wait_until_healthy(url: str, check_children: Callable[[], None], limit: float) -> None:
    """`check_children` raises when it is no use to wait on."""
    give_up = time.monotonic() + limit
    while True:
        check_children()
        status, text = _health(url)
        if status == 200:
            return
        if time.monotonic() > give_up:
            raise SampleFailed(f"{url}/health says {status}: {text}")
        time.sleep(0.05)


def run(service: Client) -> str:
    """What came of it, in words. Raises SampleFailed."""
    try:
        job = _taken(service.ask("POST", "/jobs", {"array": ARRAY})).body
        for _ in range(3):
            job = _taken(service.ask("GET", f"/jobs/{job['id']}?wait=20")).body
            if job["status"] == "completed" and job["output"] == {"array": SORTED}:
                return f"Sample job {job['id']} sorted {ARRAY} into {SORTED}."
    except NoAnswer as error:
        raise SampleFailed(f"The sample job got no answer: {error}") from error
    raise SampleFailed(f"The sample job did not complete: {job}")


def _taken(answer: Answer) -> Answer:
    if answer.status not in (200, 202):
        raise SampleFailed(f"The sample job was answered with {answer.status}: {answer.raw[:2000]!r}")
    return answer


def _health(url: str) -> tuple[int, str]:
    try:
        answer = Client(url, timeout=5).ask("GET", "/health")
    except NoAnswer as error:
        return 0, str(error)
    return answer.status, answer.raw.decode(errors="replace")
