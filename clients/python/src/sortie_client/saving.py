"""A file that an output is streamed into. What stood there stays; what a try that broke off has left is taken back."""

from __future__ import annotations

import os
from typing import Any

from sortie_client.errors import Unreachable

if os.name != "nt":
    from fcntl import F_GETFL, fcntl


class FileSink:
    """Writes what comes from where the file stands, or at the end of a file that is appended to."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._is_appended = _is_appended(file)
        self._fed = 0
        self.start: int | None = None
        """None: what has been written cannot be taken back."""
        if file.seekable():
            self.start = file.seek(0, os.SEEK_END) if self._is_appended else file.tell()

    def feed(self, piece: bytes) -> None:
        self._file.write(piece)
        self._fed += len(piece)

    def begin(self) -> FileSink:
        """At the start of each try. Raises Unreachable where others have appended to the file meanwhile."""
        if self._fed and self.start is not None:
            is_last = self._file.seek(0, os.SEEK_END) == self.start + self._fed
            if self._is_appended and not is_last:
                raise Unreachable("the output broke off, and others write to the file: what came of it stays there")
            self._file.seek(self.start)
            if is_last:
                self._file.truncate()
            self._fed = 0
        return self


def _is_appended(file: Any) -> bool:
    """A shell's `>>` opens stdout so. It stands at 0 all the same, until something is written."""
    if os.name == "nt":
        return False  # it has no such flag, and stands at the end
    try:
        return bool(fcntl(file.fileno(), F_GETFL) & os.O_APPEND)
    except (AttributeError, OSError):  # no file of the system's
        return False
