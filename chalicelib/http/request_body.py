"""The body of a request on a connection, by its length or in chunks: what http.server leaves to whoever handles it."""

import re
from email.message import Message
from http import HTTPStatus
from typing import BinaryIO

MAX_BYTES = 10_000_000
"""What API Gateway takes."""
MAX_LINE, MAX_TRAILERS = 1024, 100

_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")


class BadBody(Exception):
    """Where this body ends is not known, so nothing after it can be read."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def read_body(headers: Message, stream: BinaryIO) -> bytes:
    """Raises BadBody."""
    lengths = {value.strip() for value in headers.get_all("Content-Length", [])}
    codings = headers.get_all("Transfer-Encoding", [])
    if not codings:
        return _read(stream, _parse_length(lengths)) if lengths else b""
    if lengths:
        raise BadBody(HTTPStatus.BAD_REQUEST, "give Content-Length or Transfer-Encoding, not both")
    if [coding.strip().lower() for coding in codings] != ["chunked"]:
        raise BadBody(HTTPStatus.NOT_IMPLEMENTED, "the only Transfer-Encoding that is read is chunked")
    return _read_chunks(stream)


def _parse_length(lengths: set[str]) -> int:
    text = lengths.pop()
    if lengths or not _LENGTH.fullmatch(text):
        raise BadBody(HTTPStatus.BAD_REQUEST, "Content-Length is not one number")
    return int(text)


def _read_chunks(stream: BinaryIO) -> bytes:
    parts: list[bytes] = []
    size = 0
    while length := _read_chunk_length(stream):
        size += length
        parts.append(_read(stream, length, size))
        if stream.read(2) != b"\r\n":
            raise BadBody(HTTPStatus.BAD_REQUEST, "a chunk is not as long as it says")
    for _ in range(MAX_TRAILERS):
        if _read_line(stream) == b"\r\n":
            return b"".join(parts)
    raise BadBody(HTTPStatus.BAD_REQUEST, "too many trailers")


def _read_chunk_length(stream: BinaryIO) -> int:
    head = _CHUNK.fullmatch(_read_line(stream))
    if not head:
        raise BadBody(HTTPStatus.BAD_REQUEST, "a chunk does not say its length in hexadecimal digits")
    return int(head[1], 16)


def _read_line(stream: BinaryIO) -> bytes:
    line = stream.readline(MAX_LINE)
    if not line.endswith(b"\r\n"):
        raise BadBody(HTTPStatus.BAD_REQUEST, "a line of the chunked body is cut off or too long")
    return line


def _read(stream: BinaryIO, length: int, total: int = 0) -> bytes:
    """`total`: what has been read with it."""
    if max(length, total) > MAX_BYTES:
        raise BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "POST /uploads gives a place for a larger input")
    data = stream.read(length)
    if len(data) < length:
        raise BadBody(HTTPStatus.BAD_REQUEST, "the body ends before its length is reached")
    return data
