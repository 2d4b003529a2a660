"""The page, the API docs and the spec: files of chalicelib/web, which may load nothing from elsewhere."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from chalicelib.config import Settings
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
    text = _text(name, stamp)
    tag = f'"{_digest(name, stamp)}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag, "Referrer-Policy": "no-referrer"}
    if has_version(known, tag):
        return Response(304, "", headers, TYPES[Path(name).suffix])
    if name.endswith(".html"):
        headers["Content-Security-Policy"] = POLICY.format(storage=settings.storage_origin)
    return Response(200, text, headers, TYPES[Path(name).suffix])


@cache
def _names() -> frozenset[str]:
    return frozenset(path.relative_to(WEB).as_posix() for path in WEB.rglob("*") if path.suffix in TYPES)


@cache
def _text(name: str, stamp: int) -> str:
    return (WEB / name).read_text("utf-8")


@cache
def _digest(name: str, stamp: int) -> str:
    return sha256(_text(name, stamp).encode()).hexdigest()[:32]
