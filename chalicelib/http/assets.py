"""The page and the API docs: files of chalicelib/web, which may load nothing from elsewhere; and the spec."""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from chalicelib.api.spec import build_spec
from chalicelib.config import Settings
from chalicelib.core.task import Task
from chalicelib.errors import NotFound
from chalicelib.http.content import has_version
from chalicelib.http.server import Response

WEB = Path(__file__).parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self' {storage}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def file_response(name: str, settings: Settings, known: str | None = None) -> Response:
    """`known`: the caller's If-None-Match. Raises NotFound.

    `name`: below chalicelib/web, such as "lib/time.js". Only names that the folder lists are read: no path leads out.
    """
    if name not in _names():
        raise NotFound(f"there is no file {name!r}")
    stamp = (WEB / name).stat().st_mtime_ns  # on a laptop, pages change while the process runs
    text, tag = _read(name, stamp)
    policy = {"Content-Security-Policy": POLICY.format(storage=settings.storage_origin)}
    return _versioned(text, tag, TYPES[Path(name).suffix], known, **(policy if name.endswith(".html") else {}))


def spec_response(tasks: Mapping[str, Task], known: str | None = None) -> Response:
    """The tasks of a process do not change, so the document is made once in it."""
    text, tag = _write_spec(tuple(tasks.values()))
    return _versioned(text, tag, "application/json", known)


def _versioned(text: str, tag: str, content_type: str, known: str | None, **more: str) -> Response:
    headers = {"Cache-Control": "no-cache", "ETag": tag, "Referrer-Policy": "no-referrer"}
    if has_version(known, tag):
        return Response(304, "", headers, content_type)
    return Response(200, text, headers | more, content_type)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.relative_to(WEB).as_posix() for path in WEB.rglob("*") if path.suffix in TYPES)


@cache
def _read(name: str, stamp: int) -> tuple[str, str]:
    text = (WEB / name).read_text("utf-8")
    return text, _tag(text)


@lru_cache(maxsize=1)
def _write_spec(tasks: tuple[Task, ...]) -> tuple[str, str]:
    text = json.dumps(build_spec({task.name: task for task in tasks}), separators=(",", ":"))
    return text, _tag(text)


def _tag(text: str) -> str:
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'
