"""A whole development stack as a child of the tests, on ports that nobody else uses."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dev.client import Client
from dev.emulator import free_port
from dev.settings import ROOT

T = TypeVar("T")

READY = "Sortie is ready at "
FAST = {"SCHEDULE_EVERY": "1", "WORKERS": "2"}


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    command: str


class RunningStack:
    """`python -m dev`, started and ready. `lines`: what it has printed so far."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        outer = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        own = {"PORT": str(self.port), "DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", "VERBOSE": "1"}
        self.env: dict[str, str] = {**outer, **FAST, **own, **environ}
        self.lines: list[str] = []
        self._popen = _start(self.env)
        self.pid = self._popen.pid
        self._new: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pump = threading.Thread(target=self._read, daemon=True)
        self._pump.start()
        try:
            self.wait_for_line(READY)
        except BaseException:
            self.stop()
            raise
        self.endpoint = next(line.split()[-1] for line in self.lines if line.startswith("Emulator at "))
        self.env["AWS_ENDPOINT_URL"] = self.endpoint

    def wait_for_line(self, part: str, limit: float = 90.0) -> str:
        """The next line that holds `part`."""
        give_up = time.monotonic() + limit
        while (left := give_up - time.monotonic()) > 0:
            try:
                line = self._new.get(timeout=left)
            except queue.Empty:
                break
            if part in line:
                return line
            if line == "":
                break
        raise AssertionError(f"no line with {part!r} in:\n" + "\n".join(self.lines))

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        answer = Client(self.url).ask(method, path, body)
        return answer.status, answer.body

    def descendants(self) -> list[Process]:
        """Every process below the stack, however deep."""
        return below(self.pid, processes())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)
        code = self._popen.wait(40)
        self._pump.join(10)
        return code

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())
                self._new.put(line.rstrip() or " ")
        self._new.put("")


def processes() -> list[Process]:
    """In no order to rely on: process ids start anew when they run out, so a child's may be the lower one."""
    table = subprocess.run(["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    rows = ((*line.split(None, 2), "")[:3] for line in table.stdout.splitlines())
    return [Process(int(pid), int(parent), command) for pid, parent, command in rows]


def below(pid: int, processes: Iterable[Process]) -> list[Process]:
    """The processes that descend from `pid`."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    families = [children.get(pid, [])]
    for family in families:
        families.extend(children[process.pid] for process in family if process.pid in children)
    return [process for family in families for process in family]


def alive(watched: list[Process]) -> list[Process]:
    """Those that still run the same command."""
    now = {process.pid: process.command for process in processes()}
    return [process for process in watched if now.get(process.pid) == process.command]


def until(condition: Callable[[], T], limit: float, what: str) -> T:
    """The condition's first true value."""
    give_up = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {limit:g} s: {what}")
        time.sleep(0.05)
    return value


def _start(environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "dev"],
        cwd=ROOT,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
