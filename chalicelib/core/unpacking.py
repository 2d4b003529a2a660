"""An upload as programs write it: its byte order mark taken off, unpacked where it is gzip, no larger than it may be.

The mark becomes white space, so that a byte keeps its place in the file as it was sent.
"""

import re
import zlib

from chalicelib.errors import FieldError, Invalid

BOM, GZIP = b"\xef\xbb\xbf", b"\x1f\x8b"
PIECE, MOST_MEMBERS = 16_384, 100_000
_GZIP_FORM = 31
_NOT_ZERO = re.compile(rb"[^\0]")


class BadGzip(ValueError):
    """`too_large`: there is nothing wrong with it but that it holds more than asked for."""

    def __init__(self, msg: str, *, too_large: bool = False) -> None:
        super().__init__(msg)
        self.too_large = too_large


def unpack(upload: bytes, most: int) -> bytes:
    """Raises Invalid for gzip that is damaged, or holds more than `most` bytes: of these no more are ever made."""
    if upload.startswith(GZIP):
        try:
            upload = gunzip(upload, most)
        except BadGzip as error:
            raise Invalid(FieldError("", f"gzip {error}")) from None
    if upload.startswith(BOM):
        return b" " * len(BOM) + upload[len(BOM) :]
    return upload


def gunzip(packed: bytes, most: int) -> bytes:
    """Gzip may hold several members, one after the other, and zeros between them. Fed in pieces, so that each member
    copies a piece of the rest and not all of it. Raises BadGzip."""
    parts, size, at = [], 0, 0
    for _ in range(MOST_MEMBERS):
        member = zlib.decompressobj(_GZIP_FORM)
        while not member.eof:
            if at >= len(packed):
                raise BadGzip("that is cut off")
            piece = packed[at : at + PIECE]
            try:
                parts.append(member.decompress(piece, most - size + 1))
            except zlib.error as error:
                raise BadGzip(f"that is damaged ({error})") from None
            at, size = at + len(piece), size + len(parts[-1])
            if size > most:
                raise BadGzip(f"that holds more than {most:,} bytes", too_large=True)
        rest = _NOT_ZERO.search(packed, at - len(member.unused_data))
        if rest is None:
            return b"".join(parts)
        at = rest.start()
    raise BadGzip(f"of more than {MOST_MEMBERS:,} members")
