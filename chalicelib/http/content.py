"""What the headers of a request say of its body, and of what the client has already. Media types are read by the
standard library's parser.
"""

import re
from email.message import Message

from chalicelib.core.unpacking import GZIP, BadGzip, gunzip
from chalicelib.errors import Malformed, MediaType, TooLarge

LOST_MAGIC = b"\x1f" + "\N{REPLACEMENT CHARACTER}".encode()
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""Not Python's register of codecs: it keeps each name that it was ever asked for."""
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


def require_json(content_type: str | None) -> None:
    """Raises MediaType unless the header says JSON in UTF-8, with whatever other parameters."""
    header = Message()
    header["Content-Type"] = content_type or ""
    charset = str(header.get_param("charset", "utf-8"))
    if header.get_content_type() != "application/json" or charset.lower() not in UTF_8:
        raise MediaType("send the body as JSON in UTF-8, with the header Content-Type: application/json")


def decode_content(body: bytes, coding: str | None, *, limit: int, behind_gateway: bool) -> bytes:
    """The body without its Content-Encoding, of `limit` bytes at most. Raises MediaType, Malformed, TooLarge.

    API Gateway decodes by itself and leaves the header: behind it, a plain body that claims gzip is decoded already.
    What takes bodies for text puts another character in the place of each byte that is none: nothing is left to decode.
    """
    name = (coding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in ("gzip", "x-gzip"):
        raise MediaType(
            f"the coding {name[:100]!r} is not read: send the body as it is, or with Content-Encoding: gzip"
        )
    if body.startswith(GZIP):
        return _decompress(body, limit)
    if body.startswith(LOST_MAGIC):
        raise MediaType(
            "the gateway in front has not unpacked this gzip body, and has lost bytes of it: send the body as it is"
        )
    if behind_gateway:
        return body
    raise MediaType("the body is not gzip although its Content-Encoding says so: leave the header out")


def check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"a body holds at most {limit:,} bytes: POST /uploads gives a place for a larger input")


def has_version(if_none_match: str | None, tag: str) -> bool:
    """Whether the client's If-None-Match names `tag`, which is in quotes; compared weakly (RFC 9110)."""
    header = (if_none_match or "").strip()
    return header == "*" or tag in _ENTITY_TAG.findall(header)


def _decompress(body: bytes, limit: int) -> bytes:
    try:
        return gunzip(body, limit)
    except BadGzip as error:
        check_size(limit + error.too_large, limit)
        raise Malformed(f"the body is gzip {error}") from None
