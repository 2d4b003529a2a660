"""What the Python client costs beside curl and bare transfers, taken in turn in one run.

`make run` in one terminal, `python -m benchmarks.client [URL] [--numbers 10000000] [--rounds 3]` in another.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import orjson

from dev import command
from dev.client import Client, NoAnswer
from dev.settings import ROOT, BadStart

# Measured as it stands here, whether or not it is installed.
sys.path.insert(0, str(ROOT / "clients" / "python" / "src"))
from sortie_client import Sortie  # noqa: E402

SMALL = [3, 1, 2.5, 2, 5]
SMALL_JOBS = 40
JSON = ["-H", "Content-Type: application/json"]


def curl(*arguments: str) -> bytes:
    return subprocess.run(["curl", "-sS", "--fail-with-body", *arguments], check=True, stdout=subprocess.PIPE).stdout


def curl_json(url: str, body: Any = None) -> Any:
    sent = [] if body is None else [*JSON, "-d", json.dumps(body)]
    return json.loads(curl(*sent, url))


def waited(url: str, job_id: str) -> Any:
    while (job := curl_json(f"{url}/jobs/{job_id}?wait=25"))["status"] not in ("completed", "failed"):
        pass
    assert job["status"] == "completed", job["error"]
    return job


def small_by_curl(url: str) -> None:
    job = curl_json(f"{url}/jobs", {"array": SMALL})
    assert waited(url, job["id"])["output"]["array"] == sorted(SMALL)


def small_by_client(client: Sortie) -> None:
    assert client.submit("sort", array=SMALL).result(timeout=60) == sorted(SMALL)


def large_bare(url: str, folder: Path) -> None:
    """What no client can do without: the text is on disk before, and stays text after."""
    upload = curl_json(f"{url}/uploads", {"bytes": (folder / "in.json").stat().st_size})
    headers = [part for name, value in upload["headers"].items() for part in ("-H", f"{name}: {value}")]
    curl("-T", str(folder / "in.json"), *headers, upload["href"])
    job = curl_json(f"{url}/jobs", {"task": "sort", "input": {"upload": upload["id"]}})
    curl("-o", str(folder / "out.json"), waited(url, job["id"])["output"]["href"])


def large_by_client(client: Sortie, numbers: Any) -> None:
    result = client.submit("sort", array=numbers).result(timeout=600)
    assert result.dtype == numbers.dtype
    assert len(result) == len(numbers)
    assert bool((result[1:] >= result[:-1]).all())


def in_turn(rounds: int, first: Callable[[], None], second: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Seconds of both, one after the other, so that what else the machine does falls on both."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, into in ((first, took[0]), (second, took[1])):
            start = perf_counter()
            call()
            into.append(perf_counter() - start)
    return took


def report(name: str, bare: list[float], ours: list[float], limit: float) -> None:
    ratio = statistics.median(ours) / statistics.median(bare)
    verdict = "held" if ratio <= limit else "MISSED"
    print(f"{name}: bare {statistics.median(bare):.3f} s, client {statistics.median(ours):.3f} s, "
          f"ratio {ratio:.2f} (at most {limit}: {verdict}), {len(ours)} rounds", flush=True)  # fmt: skip


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--numbers", type=_positive, default=10_000_000)
    parser.add_argument("--rounds", type=_positive, default=3)
    options = parser.parse_args()
    try:
        Client(options.url).ask("GET", "/health")
    except NoAnswer:
        raise BadStart(f"nothing answers at {options.url}: start it with `make run`, or name another address") from None
    client = Sortie(options.url)
    small_by_client(client)  # httpx2 is imported, the worker is warm
    report(
        "a lone small job",
        *in_turn(SMALL_JOBS, lambda: small_by_curl(options.url), lambda: small_by_client(client)),
        1.15,
    )
    numbers = np.random.default_rng(20261125).random(options.numbers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.json").write_bytes(b'{"array":%b}' % orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY))
        took = in_turn(
            options.rounds, lambda: large_bare(options.url, folder), lambda: large_by_client(client, numbers)
        )
    report(f"{options.numbers:,} numpy floats", *took, 1.2)


if __name__ == "__main__":
    command.run(main)
