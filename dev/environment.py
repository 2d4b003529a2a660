"""The supervisor's side of a worker: an execution environment that is started, called and killed as Lambda does."""

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev.process import Child, exit_text
from dev.sources import Function

START_LIMIT = 60.0


class CallFailed(Exception):
    """The handler raised, died, or ran out of its time; nothing is known about what it did."""


class Environment:
    """One worker process at a time, started when it is first called and again after each death."""

    def __init__(self, name: str, function: Function, environ: Mapping[str, str], root: Path) -> None:
        self._name = name
        self._function = function
        self._environ = {**environ, **function.environment}
        self._root = root
        self._child: Child | None = None
        self._answers = -1
        self._rest = b""

    def start(self) -> None:
        """A worker that lives and has loaded the app; CallFailed when the app does not load."""
        if self._child is not None and self._child.code is None:
            return
        self.stop()
        self._answers, theirs = os.pipe()
        self._rest = b""
        try:
            self._child = Child(self._name, self._command(theirs), self._environ, root=self._root, fds=(theirs,))
        finally:
            os.close(theirs)
        self._receive(START_LIMIT)

    def call(self, event: Mapping[str, Any]) -> Any:
        """The handler's answer, or CallFailed. Over its time, the worker is killed without a warning."""
        self.start()
        assert self._child is not None
        with contextlib.suppress(BrokenPipeError):
            self._child.write(json.dumps(event).encode() + b"\n")
        answer = self._receive(self._function.timeout)
        if "error" in answer:
            raise CallFailed(answer["error"])
        return answer["answer"]

    def kill(self) -> None:
        """From any thread: the call in hand, if there is one, fails."""
        if (child := self._child) is not None:
            child.kill()

    def stop(self) -> None:
        """From the thread that calls."""
        if self._child is not None:
            self._child.kill()
            os.close(self._answers)
        self._child = None

    def _command(self, fd: int) -> list[str]:
        """The slot's name comes last for whoever looks for a worker with ps."""
        function = self._function
        limits = (str(function.timeout), str(function.memory))
        return [sys.executable, "-m", "dev.worker", function.name, *limits, str(fd), self._name]

    def _receive(self, limit: float) -> dict[str, Any]:
        give_up = time.monotonic() + limit
        while b"\n" not in self._rest:
            left = max(0.0, give_up - time.monotonic())
            if not select.select([self._answers], [], [], left)[0]:
                self.stop()
                raise CallFailed(f"killed after {limit:g} s, the function's time-out")
            if not (data := os.read(self._answers, 1 << 16)):
                raise CallFailed(f"the worker {self._death()}")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def _death(self) -> str:
        child, give_up = self._child, time.monotonic() + 1.0
        assert child is not None
        while child.code is None and time.monotonic() < give_up:
            time.sleep(0.01)
        text = exit_text(child.code)
        self.stop()
        return text
