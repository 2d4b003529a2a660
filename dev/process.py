"""A child process in a session of its own, whose output lines are shown with a prefix."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.readable import readable
from dev.settings import ROOT

_printing = threading.Lock()


def say(who: str, text: str) -> None:
    """One line on stdout; threads do not mix theirs."""
    with _printing:
        print(f"{who:<10}| {text}" if who else text, flush=True)


class Child:
    """Starts at once. Ends with the parent: its stdin is a pipe that only the parent keeps open.

    A quiet child keeps its last lines to itself until somebody wants the `tail`. With VERBOSE in its environment its
    lines are shown as they are.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        root: Path = ROOT,
        fds: Sequence[int] = (),
        quiet: bool = False,
    ) -> None:
        self.name = name
        self._quiet = quiet
        self._verbose = bool(environ.get("VERBOSE"))
        self._lines: deque[str] = deque(maxlen=30)
        self._popen = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=root,
            env=dict(environ),
            pass_fds=fds,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._pump = threading.Thread(target=self._show, daemon=True)
        self._pump.start()

    @property
    def code(self) -> int | None:
        """The exit code, None while it lives."""
        return self._popen.poll()

    def write(self, data: bytes) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(data)
        self._popen.stdin.flush()

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._popen.terminate()

    def kill(self) -> None:
        """SIGKILL to the child and to whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._pump.join(1.0)
        with contextlib.suppress(OSError):
            self._popen.stdin and self._popen.stdin.close()

    def stop(self, grace: float) -> None:
        """SIGTERM, `grace` seconds to end, then SIGKILL."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(grace)
        self.kill()

    def why_ended(self) -> str | None:
        """None while it lives."""
        return None if self.code is None else self.tail()

    def tail(self) -> str:
        """How it ended and its last lines, for a message."""
        self._pump.join(1.0)
        return "\n".join([f"{self.name}: {exit_text(self.code)}", *self._lines])

    def _show(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                self._lines.append(text)
                rendered = text if self._verbose else readable(text)
                if rendered is not None and not self._quiet:
                    say(self.name, rendered)


def module(name: str, *args: str) -> list[str]:
    """The command for a module that ends with its parent."""
    return [sys.executable, "-m", "dev.lifeline", name, *args]


def exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"exit status {code}"
