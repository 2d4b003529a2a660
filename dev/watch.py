"""Notices that a source file of the app has changed."""

from collections.abc import Mapping
from pathlib import Path

SOURCES = (
    "app.py",
    "resources.yaml",
    ".chalice/config.json",
    "chalicelib/**/*.py",
    "chalicelib/**/*.yaml",
    "chalicelib/web/**/*",
)


class Watch:
    """Compares modification times; cheap enough for twice a second."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._look()

    def changed(self) -> list[str]:
        """Paths that changed, came or went since the last call."""
        now = self._look()
        before, self._seen = self._seen, now
        return sorted(path for path in now.keys() | before.keys() if now.get(path) != before.get(path))

    def _look(self) -> Mapping[str, int]:
        sources = (path for pattern in SOURCES for path in self._root.glob(pattern))
        return {str(path.relative_to(self._root)): _stamp(path) for path in sources}


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
