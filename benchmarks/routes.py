"""What a request costs, on `make run` and on a deployed stage: one client, one request after the other.

python -m benchmarks.routes [--before FOLDER] [--times 40] [--rounds 5]

FOLDER holds a checkout of another version; all stacks then stand side by side and take turns, so that what else the
machine does falls on all of them. The milliseconds of the processor are those of the whole stack, emulator included.
MiniStack waits 50 ms after each invocation that has logged nothing: the medians of a deployed stage's GETs have them.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.hot_path import BODY, Caller
from dev import command
from dev.emulator import free_port
from dev.settings import ROOT

ROUTES = {
    "POST /jobs": ("POST", "/jobs", BODY),
    "GET /jobs": ("GET", "/jobs", None),
    "GET /stats": ("GET", "/stats", None),
    "GET /health": ("GET", "/health", None),
}
JOBS = 60


@dataclass(frozen=True, slots=True)
class Stack:
    """`pid`: all that it consists of is below this process."""

    caller: Caller
    prefix: str
    pid: int

    def ask(self, method: str, path: str, body: bytes | None) -> None:
        self.caller.ask(method, self.prefix + path, body)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one request."""

    waited: float
    processor: float


def measure(stack: Stack, route: str, times: int) -> Cost:
    before, waits = _seconds(stack), []
    for _ in range(times):
        start = time.perf_counter()
        stack.ask(*ROUTES[route])
        waits.append((time.perf_counter() - start) * 1000)
    return Cost(statistics.median(waits), (_seconds(stack) - before) * 1000 / times)


def _seconds(stack: Stack) -> float:
    return sum(process.seconds for process in processes.tree(stack.pid))


@contextmanager
def make_run(code: Path) -> Iterator[Stack]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        own = {"PORT": str(port), "DATA_DIR": folder, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "dev"], cwd=code, env=_environ(own), stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        drain = None
        try:
            while not (line := process.stdout.readline()).startswith("Sortie is ready at"):
                assert line, f"make run has not started in {code}"
            drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
            yield Stack(Caller(http.client.HTTPConnection("127.0.0.1", port)), "", process.pid)
        finally:
            process.terminate()
            process.wait()
            if drain is not None:
                drain.wait()


@contextmanager
def deployed(code: Path) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory() as folder:
        environ = _environ({"OFFLINE_DIR": folder})
        try:
            printed = _python(code, environ, "ops.deploy_offline")
            said = dict(line.split(": ", 1) for line in printed.splitlines() if ": " in line)
            parts, headers = urlsplit(said["API"]), {"Authorization": f"Bearer {said['TOKEN']}"}
            pid = int(json.loads((Path(folder) / "emulator.json").read_text("utf-8"))["pid"])
            yield Stack(Caller(http.client.HTTPConnection(parts.netloc), headers), parts.path, pid)
        finally:
            _python(code, environ, "ops.offline")


def _python(code: Path, environ: Mapping[str, str], name: str) -> str:
    return subprocess.check_output([sys.executable, "-m", name], cwd=code, env=environ, text=True)


def _environ(own: Mapping[str, str]) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SORTIE_"))}
    return {**outer, "PYTHONDONTWRITEBYTECODE": "1", **own}


KINDS: Mapping[str, Callable[[Path], AbstractContextManager[Stack]]] = {"make run": make_run, "deployed": deployed}


def compare(codes: Mapping[str, Path], times: int, rounds: int) -> dict[tuple[str, str, str], Cost]:
    """By kind of stack, route and version: medians of the rounds."""
    with ExitStack() as exits:
        starts = [(kind, name, start(code)) for kind, start in KINDS.items() for name, code in codes.items()]
        stacks = {(kind, name): exits.enter_context(start) for kind, name, start in starts}
        for stack in stacks.values():
            for _ in range(JOBS):
                stack.ask(*ROUTES["POST /jobs"])
        costs: dict[tuple[str, str, str], list[Cost]] = {}
        for _ in range(rounds):
            for route in ROUTES:
                for (kind, name), stack in stacks.items():
                    costs.setdefault((kind, route, name), []).append(measure(stack, route, times))
    return {
        key: Cost(statistics.median(each.waited for each in of), statistics.median(each.processor for each in of))
        for key, of in costs.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    codes = {"before": options.before.resolve()} if options.before else {}
    codes["now"] = ROOT
    print(f"load {os.getloadavg()[0]:.1f}")
    costs = compare(codes, options.times, options.rounds)
    print(f"| | {' | '.join(f'ms {name} | processor ms {name}' for name in codes)} |")
    print(f"| --- |{' ---: | ---: |' * len(codes)}")
    for kind, route in ((kind, route) for kind in KINDS for route in ROUTES):
        both = [costs[kind, route, name] for name in codes]
        cells = [f"{cost.waited:.1f} | {cost.processor:.1f}" for cost in both]
        print(f"| {kind}: `{route}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    command.run(main)
