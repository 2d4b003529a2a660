"""Who may ask the local stage, which knows no tokens: programs of this machine, and the page that it serves itself.

Any page that the developer's browser shows could otherwise send it requests (Origin, Sec-Fetch-Site), or read its
answers under a name of the page's own that leads to 127.0.0.1 (Host).
"""

import re
from collections.abc import Mapping, Sequence

from chalicelib.errors import Forbidden, Misdirected

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")


def refuse_stranger(method: str, headers: Mapping[str, str], hosts: Sequence[str]) -> None:
    """`hosts`: the values of Host to answer to; none means loopback, with any port. Raises Misdirected, Forbidden."""
    named = {name.lower(): text for name, text in headers.items()}
    host = named.get("host", "").lower()
    if host and not _is_ours(host, hosts):  # every browser says a host
        raise Misdirected(f"this service does not answer to the host {host[:100]!r}: add it with HOSTS=name:port")
    origin = named.get("origin")
    if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
        raise Forbidden("a page of another origin may not ask this service")
    if named.get("sec-fetch-site", "none") not in ("same-origin", "none") and not _opens_a_page(method, named):
        raise Forbidden("a page of another site may not ask this service")


def _is_ours(host: str, hosts: Sequence[str]) -> bool:
    return host in hosts if hosts else _LOOPBACK.fullmatch(host) is not None


def _opens_a_page(method: str, headers: Mapping[str, str]) -> bool:
    """Somebody follows a link to here: the page that links sees nothing of the answer."""
    return (
        method in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
