"""Answers read into structs that keep what they do not know: a newer service may say more than this client can name.

Each struct has `extra`, the unknown fields by name. A field that is missing gets its default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T", bound="Answer")
Reader = Callable[[msgspec.Raw | bytes], Any]
decode_any = msgspec.json.Decoder().decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Answer(msgspec.Struct, kw_only=True):
    """What a struct of an answer has beside its own fields."""

    extra: dict[str, Any] = msgspec.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The answer as it came, ready for JSON: known and unknown fields in one."""
        known = {name: getattr(self, name) for name in self.__struct_fields__ if name != "extra"}
        return {name: plain(value) for name, value in known.items() if value is not msgspec.UNSET} | self.extra


def read(kind: type[T], body: msgspec.Raw | bytes) -> T:
    """Raises msgspec.DecodeError for what does not fit."""
    parts = _decode_parts(body)
    values = {name: reader(parts.pop(name)) for name, reader in readers(kind).items() if name in parts}
    missing = [name for name in required(kind) if name not in values]
    if missing:
        raise msgspec.ValidationError(f"{kind.__name__} without {', '.join(missing)}")
    return kind(**values, extra={name: decode_any(raw) for name, raw in parts.items()})


def plain(value: Any) -> Any:
    """JSON's own types from an answer's value; raw JSON stays raw."""
    if isinstance(value, Answer):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


@cache
def readers(kind: type[Answer]) -> Mapping[str, Reader]:
    """How each field of a struct is read."""
    hints = get_type_hints(kind)
    return {name: _reader(hints[name]) for name in kind.__struct_fields__ if name != "extra"}


@cache
def required(kind: type[Answer]) -> Sequence[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]


def _reader(hint: Any) -> Reader:
    """Structs are read by `read`, wherever they stand in lists, maps and unions; the rest by msgspec."""
    if isinstance(hint, type) and issubclass(hint, Answer):
        return lambda raw: read(hint, raw)
    if msgspec.Raw in (hint, *get_args(hint)):
        return msgspec.Raw
    inner = [each for each in get_args(hint) if each is not NoneType and _holds_answer(each)]
    if not inner:
        return msgspec.json.Decoder(hint).decode
    each = _reader(inner[0])
    if get_origin(hint) is list:
        return lambda raw: [each(part) for part in _decode_list(raw)]
    if get_origin(hint) is dict:
        return lambda raw: {key: each(part) for key, part in _decode_parts(raw).items()}
    return lambda raw: None if bytes(raw) == b"null" else each(raw)


def _holds_answer(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, Answer):
        return True
    return any(_holds_answer(each) for each in get_args(hint))
