"""JSON bytes to typed values: `88.0` is an integer too, and NaN, which is no JSON, still has a place to be named."""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_NO_INTEGER = re.compile(r"Expected `int.*`, got `float` - at `\$(.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")
# A string is read whole, closed or not, so that a body of quotes costs no more than its length.
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_MARK = "\x00"


def decode(raw: bytes, kind: type[T]) -> T:
    """As msgspec.json.decode, and raises as it does; a float without a fraction fits an integer, as in JSON Schema."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        whole = _without_fraction(raw, str(error))
        if whole is None:
            raise
    return decode(whole, kind)


def find_nan_path(raw: bytes) -> tuple[str, str] | None:
    """Path and word of the first NaN or Infinity in what would be JSON without them; None when that is not the case.

    Such a word becomes a string that JSON cannot hold otherwise, and is then looked for in the whole.
    """
    if b"NaN" not in raw and b"Infinity" not in raw:
        return None
    marked = _STRING_OR_NAN.sub(_mark_word, raw)
    try:
        return _find_nan(msgspec.json.decode(marked), "")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _without_fraction(raw: bytes, error: str) -> bytes | None:
    """The JSON again, with an integer where msgspec found a float that is one."""
    match = _NO_INTEGER.fullmatch(error)
    steps = [int(index) if index else name for name, index in _STEP.findall(match[1])] if match else []
    if not steps:
        return None
    whole = within = msgspec.json.decode(raw)
    for step in steps[:-1]:
        within = within[step]
    number = within[steps[-1]]
    if not number.is_integer():
        return None
    within[steps[-1]] = int(number)
    return msgspec.json.encode(whole)


def _mark_word(match: re.Match[bytes]) -> bytes:
    word = match[0]
    return word if word.startswith(b'"') else b'"\\u0000%b"' % word


def _find_nan(value: Any, path: str) -> tuple[str, str] | None:
    if isinstance(value, str) and value.startswith(_MARK):
        return path, value.removeprefix(_MARK)
    inner: list[tuple[str, Any]] = []
    if isinstance(value, list):
        inner = [(f"{path}[{index}]", element) for index, element in enumerate(value)]
    elif isinstance(value, dict):
        inner = [(f"{path}.{name}".lstrip("."), member) for name, member in value.items()]
    return next((nan for inner_path, element in inner if (nan := _find_nan(element, inner_path))), None)
