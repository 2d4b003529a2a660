"""What a user gives becomes JSON: inline while a request holds it, else a source to upload.

It may be a mapping, a list, a numpy array, a path, or a binary file. A file holds what `input` would, as JSON; for
`sort` also a bare JSON array, or text with one number a line, which the service reads itself.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, Any

import msgspec

from sortie_client.arrays import array_pieces, checked_array, is_numpy
from sortie_client.errors import BadInput
from sortie_client.estimates import EstimatedSource, estimated

INLINE_LIMIT = 4_990_000
"""A request holds 5 MB; the rest is for its other fields."""
PIECE = 256 * 1024


class Inline(msgspec.Struct, frozen=True):
    """The JSON of `input`."""

    json: bytes


class FileSource(msgspec.Struct, frozen=True):
    """An open file from its start on, between two texts. `is_ours`: nobody else closes it."""

    file: Any
    size: int
    before: bytes = b""
    after: bytes = b""
    is_ours: bool = False

    def pieces(self) -> Generator[bytes, None, None]:
        self.file.seek(0)
        if self.before:
            yield self.before
        while piece := self.file.read(PIECE):
            yield piece
        if self.after:
            yield self.after


class PathSource(msgspec.Struct, frozen=True):
    """A file by its path, opened for each try."""

    path: str
    size: int
    before: bytes = b""
    after: bytes = b""

    def pieces(self) -> Generator[bytes, None, None]:
        with open(self.path, "rb") as file:
            yield from FileSource(file, self.size, self.before, self.after).pieces()


Source = FileSource | PathSource | EstimatedSource


class TaskInput(msgspec.Struct, frozen=True):
    """`dtype`: that of the numpy array that was given, for the way back."""

    content: Inline | FileSource | PathSource | EstimatedSource
    dtype: Any = None

    def counted(self) -> TaskInput:
        """The same, once its estimate has turned out too small."""
        assert isinstance(self.content, EstimatedSource)
        source = self.content
        return TaskInput(_spooled(chain([source.before], array_pieces(source.array), [source.after])), self.dtype)

    def close(self) -> None:
        """Once it is sent, or will not be."""
        if isinstance(self.content, FileSource) and self.content.is_ours:
            self.content.file.close()


def prepare(task_input: Any, array: Any, limit: int = INLINE_LIMIT) -> TaskInput:
    """The input of a job. `array` becomes the input's field of that name. Raises BadInput."""
    if array is None:
        return TaskInput(_from_value(task_input, limit))
    fields = _other_fields(task_input)
    if _is_file(array):
        return TaskInput(_from_file(array, fields, limit))
    array = checked_array(array)
    start = _open_object(fields)
    dtype = array.dtype if is_numpy(array) else None
    source = estimated(array, start, b"}") if is_numpy(array) else None
    if source is not None and source.size > limit:
        return TaskInput(source, dtype)
    return TaskInput(_gathered(chain([start], array_pieces(array), [b"}"]), limit), dtype)


def _from_value(task_input: Any, limit: int) -> Inline | Source:
    if _is_file(task_input):
        return _from_file(task_input, {}, limit)
    if isinstance(task_input, Mapping) and (is_numpy(task_input.get("array")) or _is_file(task_input.get("array"))):
        rest = {name: value for name, value in task_input.items() if name != "array"}
        return prepare(rest, task_input["array"], limit).content
    try:
        json = msgspec.json.encode({} if task_input is None else task_input)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"the input has no JSON: {error}") from None
    return _gathered(iter([json]), limit)


def _other_fields(task_input: Any) -> Mapping[str, Any]:
    if task_input is None:
        return {}
    if not isinstance(task_input, Mapping) or "array" in task_input:
        raise BadInput("beside `array`, `input` is a mapping of the other fields, such as {'descending': True}")
    return task_input


def _open_object(fields: Mapping[str, Any]) -> bytes:
    """`{"descending":true,"array":`"""
    start = msgspec.json.encode(fields)[:-1]
    return start + (b"," if fields else b"") + b'"array":'


def _gathered(pieces: Iterator[bytes], limit: int) -> Inline | FileSource:
    """Kept in memory up to the limit; a larger text goes to a file of its own, which is gone when it is closed."""
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > limit:
            return _spooled(chain(held, pieces))
    return Inline(b"".join(held))


def _spooled(pieces: Iterable[bytes]) -> FileSource:
    import tempfile  # few inputs are large

    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the source
    try:
        size = sum(file.write(piece) for piece in pieces)
    except BaseException:
        file.close()
        raise
    return FileSource(file, size, is_ours=True)


def _is_file(value: Any) -> bool:
    return isinstance(value, str | os.PathLike) or (hasattr(value, "read") and not is_numpy(value))


def _from_file(task_input: Any, fields: Mapping[str, Any], limit: int) -> Inline | Source:
    source: FileSource | PathSource = (
        _path_source(task_input) if isinstance(task_input, str | os.PathLike) else _file_source(task_input)
    )
    start = _first_byte(source)
    if start == b"":
        return Inline(_open_object(fields) + b"[]}")
    if start == b"[":
        before, after = _open_object(fields), b"}"
        size = source.size + len(before) + len(after)
        source = msgspec.structs.replace(source, size=size, before=before, after=after)
    elif fields:
        raise BadInput(
            f"a file that is no JSON array holds the whole input: {', '.join(fields)} cannot stand beside it"
        )
    if start in (b"[", b"{") and source.size <= limit:
        return _checked(source, task_input)
    return source


def _checked(source: Source, task_input: Any) -> Inline:
    """Bytes are counted in the file as it is, not in the request that it becomes part of."""
    text = b"".join(source.pieces())
    try:
        msgspec.json.decode(text[len(source.before) : len(text) - len(source.after)])
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise BadInput(f"{getattr(task_input, 'name', task_input)} is not JSON: {reason}") from None
    return Inline(text)


def _first_byte(source: Source) -> bytes:
    for piece in source.pieces():
        start = piece.lstrip(b" \t\r\n")[:1]
        if start:
            return start
    return b""


def _path_source(path: str | os.PathLike[str]) -> PathSource:
    try:
        size = os.stat(path).st_size
        with open(path, "rb"):
            return PathSource(os.fspath(path), size)
    except OSError as error:
        raise BadInput(f"{os.fspath(path)}: {error.strerror}") from None


def _file_source(task_input: IO[Any]) -> FileSource:
    file: IO[bytes] = getattr(task_input, "buffer", task_input)
    if isinstance(file.read(0), str):
        raise BadInput("open the file in binary, open(path, 'rb'): its bytes are sent as they are")
    try:
        return FileSource(file, file.seek(0, os.SEEK_END))
    except (OSError, AttributeError):  # a pipe
        return _spooled(iter(lambda: file.read(PIECE), b""))
