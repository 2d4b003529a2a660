"""Where log lines go, and how many of them one attempt may write."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

OWN, VERDICT = "sortie", "sortie_admitted"
MOST_LINES, MOST_BYTES = 10_000, 1_000_000
"""What one attempt may log: the `log` task at its quickest stays below it for all of the longest time-out."""


def log_to_stdout() -> None:
    """One line a record, as it is: the lines are JSON already."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger(OWN)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


class Quota:
    """ports.Cut. What passes is counted; the first line that no longer fits is dropped, and each one after it."""

    def __init__(self, lines: int, size: int) -> None:
        self._lines, self._size = lines, size
        self._full = False
        self.lines = 0

    def admit(self, text: str, lines: int) -> bool:
        size = len(text.encode(errors="replace"))
        self._full = self._full or self._lines < max(lines, 1) or self._size < size
        if self._full:
            self.lines += lines
            return False
        self._lines -= lines
        self._size -= size
        return True


class BoundedLogs:
    """ports.Logs, by a filter on the handlers that a task's records reach, and a stand-in for what `print` writes to.

    Records of the service itself pass: a heartbeat has something to say when a task has said too much. A record that
    a handler writes to such a stream is counted once, since the handler keeps the stream that it was made with."""

    def __init__(self, lines: int = MOST_LINES, size: int = MOST_BYTES) -> None:
        self._lines, self._size = lines, size

    @contextmanager
    def bounded(self) -> Iterator[Quota]:
        quota = Quota(self._lines, self._size)
        with _filtered(quota), _streams(quota):
            yield quota


@contextmanager
def _filtered(quota: Quota) -> Iterator[None]:
    def admit(record: logging.LogRecord) -> bool:
        if record.name == OWN:
            return True
        if VERDICT not in record.__dict__:  # it may reach several handlers
            text = _text_of(record)
            record.__dict__[VERDICT] = quota.admit(text, 1 + text.count("\n"))
        return bool(record.__dict__[VERDICT])

    handlers = [*logging.getLogger().handlers, *logging.getLogger(OWN).handlers]
    for handler in handlers:
        handler.addFilter(admit)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(admit)


def _text_of(record: logging.LogRecord) -> str:
    """What a formatter makes of it, more or less. Arguments that do not fit are the handler's to complain of."""
    try:
        message = record.getMessage()
    except Exception:
        message = str(record.msg)
    return message + (logging.Formatter().formatException(record.exc_info) if record.exc_info else "")


@contextmanager
def _streams(quota: Quota) -> Iterator[None]:
    """On the main thread alone, as the alarm: two that put back each other's streams would leave one of them there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Bounded(stream, quota) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


class _Bounded:
    """A text stream of which only so much arrives. A line that is cut off is ended."""

    def __init__(self, stream: TextIO, quota: Quota) -> None:
        self._stream, self._quota = stream, quota
        self._open = False

    def write(self, text: str) -> int:
        if self._quota.admit(text, text.count("\n")):
            self._stream.write(text)
            self._open = not text.endswith("\n") if text else self._open
        elif self._open:
            self._stream.write("\n")
            self._open = False
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
