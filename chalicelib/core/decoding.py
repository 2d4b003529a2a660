"""JSON bytes to typed values: `88.0` is an integer too, and NaN, which is no JSON, still has a place to be named."""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_NO_INTEGER = re.compile(r"Expected `int.*?`, got `float`(?: - at `\$(.*)`)?", re.DOTALL)
_INDEX = re.compile(r"\[(?:[0-9]+|\.\.\.)\]")
_MOST_PLACES = 100
"""How many places of a body are put right; lists and dicts count once. Only a type that holds itself has so many."""
# A string is read whole, closed or not, so that a body of quotes costs no more than its length.
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_MARK = "\x00"


def decode(raw: bytes, kind: type[T]) -> T:
    """As msgspec.json.decode, and raises as it does; a float without a fraction fits an integer, as in JSON Schema."""
    for _ in range(_MOST_PLACES):
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError as error:
            whole = _without_fraction(raw, str(error))
            if whole is None:
                raise
            raw = whole
    return msgspec.json.decode(raw, type=kind)


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
    """The JSON again, with integers where msgspec found a float, and in the like places of the same list or dict; None
    where that changes nothing."""
    match = _NO_INTEGER.fullmatch(error)
    if match is None:
        return None
    try:
        root = [msgspec.json.decode(raw)]
    except msgspec.DecodeError:  # of two members with one name, the typed decoder has seen the first alone
        return None
    return msgspec.json.encode(root[0]) if _make_whole(root, 0, match[1] or "") else None


def _make_whole(holder: Any, at: Any, path: str) -> bool:
    """Whether a float at this path below `holder[at]` has become an integer. A name may hold any letter, a bracket
    too, so the path is read along the names that are there."""
    value = holder[at]
    if not path:
        if not (isinstance(value, float) and value.is_integer()):
            return False
        holder[at] = int(value)
        return True
    inner: list[tuple[Any, str]] = []
    index = _INDEX.match(path)
    if index and isinstance(value, list | dict):
        places = range(len(value)) if isinstance(value, list) else value
        inner = [(place, path[index.end() :]) for place in places]
    if isinstance(value, dict):
        inner += [(name, path[len(name) + 1 :]) for name in value if path.startswith(f".{name}")]
    return sum(_make_whole(value, place, rest) for place, rest in inner) > 0


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
