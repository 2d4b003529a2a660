"""Jobs per second and latencies of a running stack: `make run` in one terminal, `python -m benchmarks.service` here."""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import urllib3

from dev.client import Client, NoAnswer

NUMBERS = 100


class Service:
    """One keep-alive connection."""

    def __init__(self, url: str) -> None:
        self._client = Client(url, connections=urllib3.PoolManager())

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._client.ask(method, path, body)
        if answer.status >= 400:
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.body.get('detail')}")
        return answer.body


def array() -> list[float]:
    return [random.random() for _ in range(NUMBERS)]


def milliseconds(call: Callable[[], Any], times: int) -> tuple[float, float]:
    """Median and 95th percentile."""
    times_ms = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        times_ms.append((time.perf_counter() - start) * 1000)
    return statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[-1]


def throughput(service: Service, jobs: int) -> float:
    """Jobs per second, from the first submit until the last has ended."""
    start = time.perf_counter()
    ids = []
    for _ in range(jobs // 100):
        batch = service.ask("POST", "/jobs/bulk", {"jobs": [{"array": array()} for _ in range(100)]})
        ids += [result["job"]["id"] for result in batch["results"]]
    for job_id in reversed(ids):
        while service.ask("GET", f"/jobs/{job_id}?wait=25")["status"] != "completed":
            pass
    return jobs / (time.perf_counter() - start)


def round_trip(service: Service) -> None:
    job = service.ask("POST", "/jobs", {"array": array()})
    service.ask("GET", f"/jobs/{job['id']}?wait=25")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--jobs", type=int, default=500)
    options = parser.parse_args()
    service = Service(options.url)
    try:
        job_id = service.ask("POST", "/jobs", {"array": [2, 1]})["id"]
    except NoAnswer:
        raise SystemExit(
            f"nothing answers at {options.url}: start it with `make run`, or name another address"
        ) from None
    rows = {
        "POST /jobs": milliseconds(lambda: service.ask("POST", "/jobs", {"array": array()}), 100),
        "GET /jobs/{id}": milliseconds(lambda: service.ask("GET", f"/jobs/{job_id}"), 100),
        "GET /jobs": milliseconds(lambda: service.ask("GET", "/jobs"), 30),
        "submit to result": milliseconds(lambda: round_trip(service), 30),
    }
    for name, (median, high) in rows.items():
        print(f"{name:<20} {median:8.1f} ms median {high:8.1f} ms p95")
    print(f"{options.jobs} jobs of {NUMBERS} numbers: {throughput(service, options.jobs):.0f} jobs a second")


if __name__ == "__main__":
    main()
