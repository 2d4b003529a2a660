"""An upload as programs write it: its byte order mark taken off, unpacked where it is gzip, no larger than it may be.

The mark becomes white space, so that a byte keeps its place in the file as it was sent.
"""

import zlib

from chalicelib.errors import FieldError, Invalid

BOM, GZIP = b"\xef\xbb\xbf", b"\x1f\x8b"
_GZIP_FORM = 31


def unpack(upload: bytes, most: int) -> bytes:
    """Raises Invalid for gzip that is damaged, or holds more than `most` bytes: of these no more are ever made."""
    if upload.startswith(GZIP):
        upload = _gunzip(upload, most)
    if upload.startswith(BOM):
        return b" " * len(BOM) + upload[len(BOM) :]
    return upload


def _gunzip(packed: bytes, most: int) -> bytes:
    """Gzip may hold several members, one after the other."""
    parts, size = [], 0
    try:
        while packed:
            member = zlib.decompressobj(_GZIP_FORM)
            parts.append(member.decompress(packed, most - size + 1))
            size += len(parts[-1])
            if size > most:
                raise Invalid(FieldError("", f"gzip that holds more than {most:,} bytes"))
            if not member.eof:
                raise Invalid(FieldError("", "gzip that is cut off"))
            packed = member.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise Invalid(FieldError("", f"damaged gzip ({error})")) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)
