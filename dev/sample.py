"""Waits until the service answers, then sends it one job as any client would."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from dev.settings import BadStart

NUMBERS = [3, 1, 2]


def wait_until_healthy(url: str, still_there: Callable[[], None], limit: float) -> None:
    """`still_there` raises when it is no use to wait on."""
    give_up = time.monotonic() + limit
    while True:
        still_there()
        status, body = _ask(f"{url}/health", seconds=5)
        if status == 200:
            return
        if time.monotonic() > give_up:
            raise BadStart(f"{url}/health says {status}: {body}")
        time.sleep(0.05)


def run(url: str) -> str:
    """What became of the sample job, in one line; BadStart when it did not complete."""
    status, job = _ask(f"{url}/jobs", {"array": NUMBERS})
    if status != 202:
        raise BadStart(f"The sample job was refused with {status}: {job}")
    for _ in range(3):
        _, job = _ask(f"{url}/jobs/{job['id']}?wait=20")
        if job.get("status") == "completed":
            return f"Sample job {job['id']} sorted {NUMBERS} into {job['output']['array']}"
    raise BadStart(f"The sample job did not complete: {job}")


def _ask(url: str, body: Mapping[str, Any] | None = None, seconds: float = 40) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)
