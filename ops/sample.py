"""One job through a deployed API, as any client would send it."""

import json
import urllib.error
import urllib.request
from typing import Any

ARRAY, SORTED = [3, 1.5, -2], [-2, 1.5, 3]


class SampleFailed(Exception):
    """The API did not sort three numbers; the message says what it answered."""


def run(url: str, token: str) -> str:
    """What came of it, in words. Raises SampleFailed."""
    job = ask(url, token, "POST", "/jobs", {"array": ARRAY})
    done = ask(url, token, "GET", f"/jobs/{job['id']}?wait=25")
    if done["status"] != "completed":
        done = ask(url, token, "GET", f"/jobs/{job['id']}?wait=25")
    if done["status"] != "completed" or done["output"] != {"array": SORTED}:
        raise SampleFailed(f"the sample job came to nothing: {done}")
    return f"A sample job sorted {ARRAY} into {SORTED}."


def ask(url: str, token: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise SampleFailed(f"{method} {path} answered {error.code}: {error.read(2000).decode()}") from error
    except (OSError, ValueError) as error:
        raise SampleFailed(f"{method} {path}: {error}") from error
