"""The hot path: 500 small sorts from 16 clients, submit to done, beside bare code that makes the same calls.

python -m benchmarks.hot_path [--jobs 500] [--rounds 3]

service   `make run`: POST /jobs, then GET /jobs/{id} with `wait`
boto3     16 threads put the row and send the message; two workers read, sort, write, tally and delete ten at a
          time; then one GetItem a job
route     the same calls behind a bare route of `chalice local`, with the same workers

All three share one emulator, that of `make run`, and take turns; each has a table and queues of its own, made from
resources.yaml, and rows of the same size. The ratio is of the best rounds.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import bare
from dev import command, resources
from dev.emulator import free_port
from dev.settings import ROOT

CLIENTS, WORKERS = 16, 2
AT_MOST = {"boto3": 1.6, "route": 1.3}
"""Times of the service, as multiples of theirs."""
BODY = json.dumps({"array": bare.NUMBERS}).encode()
ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Caller:
    """One client with a connection that it keeps."""

    connection: http.client.HTTPConnection
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes | None = None) -> Mapping[str, object]:
        content_type = {"Content-Type": "application/json"} if body else {}
        self.connection.request(method, path, body, {**self.headers, **content_type})
        answer = self.connection.getresponse()
        raw = answer.read()
        assert answer.status < 300, raw
        parsed: Mapping[str, object] = json.loads(raw)
        return parsed


def service(url: str, jobs: int) -> float:
    def one_client(count: int) -> None:
        caller = Caller(http.client.HTTPConnection(urlsplit(url).netloc))
        ids = [str(caller.ask("POST", "/jobs", BODY)["id"]) for _ in range(count)]
        for job_id in ids:
            while caller.ask("GET", f"/jobs/{job_id}?wait=25")["status"] != "completed":
                pass

    return _seconds(lambda: _side_by_side(one_client, jobs))


def boto3(stage: bare.Stage, workers: "Workers", jobs: int) -> float:
    def submit(count: int) -> list[str]:
        return [bare.submit(stage) for _ in range(count)]

    def read(ids: list[str]) -> None:
        for job_id in ids:
            assert bare.read(stage, job_id)["status"]["S"] == "completed"

    def all_of_it() -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            ids = list(pool.map(submit, shares(jobs)))
            workers.wait(jobs)
            list(pool.map(read, ids))

    return _seconds(all_of_it)


def route(url: str, workers: "Workers", jobs: int) -> float:
    callers = [Caller(http.client.HTTPConnection(urlsplit(url).netloc)) for _ in range(CLIENTS)]

    def submit(caller: Caller, count: int) -> list[str]:
        return [str(caller.ask("POST", "/jobs", BODY)["id"]) for _ in range(count)]

    def read(caller: Caller, ids: list[str]) -> None:
        for job_id in ids:
            assert caller.ask("GET", f"/jobs/{job_id}")["status"] == "completed"

    def all_of_it() -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            ids = list(pool.map(submit, callers, shares(jobs)))
            workers.wait(jobs)
            list(pool.map(read, callers, ids))

    return _seconds(all_of_it)


class Workers:
    """Two processes of benchmarks/bare.py that work on what comes, and say of each batch how many jobs it had."""

    def __init__(self, stage: str, endpoint: str) -> None:
        arguments = [sys.executable, "-m", "benchmarks.bare", stage, endpoint]
        self._folder = tempfile.TemporaryDirectory()
        self._files = [Path(self._folder.name) / str(number) for number in range(WORKERS)]
        self._processes = [subprocess.Popen([*arguments, str(file)], cwd=ROOT) for file in self._files]
        self._seen = 0

    def wait(self, jobs: int) -> None:
        """Until so many more have been worked on."""
        self._seen += jobs
        while self._done() < self._seen:
            time.sleep(0.005)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._folder.cleanup()

    def _done(self) -> int:
        return sum(file.stat().st_size for file in self._files if file.exists())


@contextmanager
def make_run(folder: str) -> Iterator[tuple[str, str]]:
    """`make run` on a port of its own: the address of the service and of its emulator."""
    port = free_port()
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    own = {"PORT": str(port), "DATA_DIR": folder, "WORKERS": str(WORKERS), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dev"], cwd=ROOT, env={**outer, **own}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    endpoint = ""
    for line in process.stdout:
        if match := re.match(r"Emulator at (\S+)", line):
            endpoint = match[1]
        if line.startswith("Sortie is ready at"):
            break
    drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}", endpoint
    finally:
        process.terminate()
        process.wait()
        drain.wait()


@contextmanager
def bare_route(stage: str, endpoint: str) -> Iterator[str]:
    port = free_port()
    environ = {**os.environ, "BARE_STAGE": stage, "BARE_ENDPOINT": endpoint}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_route", str(port)], cwd=ROOT, env=environ)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        yield url
    finally:
        process.kill()
        process.wait()


def compare(jobs: int, rounds: int) -> Mapping[str, float]:
    """Seconds of the best round of each. The first round warms up."""
    os.environ |= ACCESS
    with ExitStack() as stack:
        url, endpoint = stack.enter_context(make_run(stack.enter_context(tempfile.TemporaryDirectory())))
        turns: dict[str, Callable[[], float]] = {"service": lambda: service(url, jobs)}
        for name in AT_MOST:
            resources.create(f"bare-{name}", endpoint)
        workers = {name: Workers(f"bare-{name}", endpoint) for name in AT_MOST}
        for each in workers.values():
            stack.callback(each.stop)
        stage = bare.Stage(f"bare-{'boto3'}", endpoint)
        turns["boto3"] = lambda: boto3(stage, workers["boto3"], jobs)
        address = stack.enter_context(bare_route("bare-route", endpoint))
        turns["route"] = lambda: route(address, workers["route"], jobs)
        measured = [{name: turn() for name, turn in turns.items()} for _ in range(rounds + 1)][1:]
    return {name: min(each[name] for each in measured) for name in turns}


def shares(jobs: int) -> list[int]:
    """How many of them each client sends."""
    return [jobs // CLIENTS + (number < jobs % CLIENTS) for number in range(CLIENTS)]


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _side_by_side(one_client: Callable[[int], None], jobs: int) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one_client, shares(jobs)))


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            Caller(http.client.HTTPConnection(urlsplit(url).netloc)).ask("GET", "/ready")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nothing answers at {url}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    seconds = compare(options.jobs, options.rounds)
    print("| beside | its s | service s | ratio | at most |", "| --- | ---: | ---: | ---: | ---: |", sep="\n")
    for name, most in AT_MOST.items():
        ratio = seconds["service"] / seconds[name]
        print(f"| {name} | {seconds[name]:.2f} | {seconds['service']:.2f} | {ratio:.2f} | {most} |")


if __name__ == "__main__":
    command.run(main)
