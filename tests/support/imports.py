"""The picture of the imports, read off the code: `make imports` draws it, CONTRIBUTING.md shows it, a test compares.

Each row is a room and the rooms it imports from. Arrows only lead down.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "wiring", "http", "api", "service", "tasks", "aws", "system", "ports", "config", "core", "errors")


def draw() -> str:
    """One line a room, from the outside in."""
    return "\n".join(f"{room:8} ->  {', '.join(_targets(room)) or 'nothing'}" for room in ROOMS)


def _files(room: str) -> list[Path]:
    if room == "app":
        return [ROOT / "app.py"]
    package = ROOT / "chalicelib" / room
    return sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]


def _targets(room: str) -> list[str]:
    imported = {_room_of(name) for path in _files(room) for name in _imported(path)}
    return [target for target in ROOMS if target in imported and target != room]


def _room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "chalicelib" and len(parts) > 1 and parts[1] in ROOMS else None


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "chalicelib":
            yield from (f"chalicelib.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


if __name__ == "__main__":
    print(draw())  # noqa: T201
