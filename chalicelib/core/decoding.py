"""JSON bytes to typed values: `88.0` is an integer too, and NaN, which is no JSON, still has a place to be named."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_NO_INTEGER = re.compile(r"Expected `int.*`, got `float` - at `\$(.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(?:[0-9]+|\.\.\.)\]")
# A string is read whole, closed or not, so that a body of quotes costs no more than its length.
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_MARK = "\x00"
_ROUNDS = 50


def decode(raw: bytes, kind: type[T]) -> T:
    """As msgspec.json.decode, and raises as it does; a float without a fraction fits an integer, as in JSON Schema.

    Of a name that an object has twice, the last one is judged.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        try:
            document = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise error from None
    return _decode_document(document, kind)


def place_of_nan(raw: bytes) -> tuple[str, str] | None:
    """Place and word of the first NaN or Infinity in what would be JSON without them; None when that is not the case.

    Such a word becomes a string that JSON cannot hold otherwise, and is then looked for in the whole.
    """
    if b"NaN" not in raw and b"Infinity" not in raw:
        return None
    marked = _STRING_OR_NAN.sub(_marked, raw)
    try:
        hit = _find(msgspec.json.decode(marked))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return (hit[0].removeprefix("."), hit[1]) if hit else None


def _decode_document(document: Any, kind: type[T]) -> T:
    """A document has no name twice. Each round makes integers of one field, wherever in a list or mapping it stands."""
    for _ in range(_ROUNDS):
        try:
            return msgspec.json.decode(msgspec.json.encode(document), type=kind)
        except msgspec.ValidationError as error:
            if not _drop_fractions(document, str(error)):
                raise
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)


def _drop_fractions(document: Any, error: str) -> bool:
    """Whether there were floats, where msgspec wants integers, that are integers now."""
    match = _NO_INTEGER.fullmatch(error)
    steps = _STEP.findall(match[1]) if match else []
    holders = [document]
    for step in steps[:-1]:
        holders = [holder[key] for holder in holders for key in _keys(holder, step)]
    changed = False
    for holder in holders if steps else []:
        for key in _keys(holder, steps[-1]):
            number = holder[key]
            if isinstance(number, float) and number.is_integer():
                holder[key] = int(number)
                changed = True
    return changed


def _keys(holder: Any, step: str) -> Iterable[Any]:
    """`step`: a field's name; "" is every element of a list or a mapping."""
    if isinstance(holder, list):
        return range(len(holder)) if not step else ()
    if isinstance(holder, dict):
        return [step] if step in holder else () if step else list(holder)
    return ()


def _marked(match: re.Match[bytes]) -> bytes:
    word = match[0]
    return word if word.startswith(b'"') else b'"\\u0000%b"' % word


def _find(value: Any) -> tuple[str, str] | None:
    """Where in the value a mark stands, and the word behind it. Only the way to it is written down."""
    if isinstance(value, str):
        return ("", value.removeprefix(_MARK)) if value.startswith(_MARK) else None
    if isinstance(value, list):
        for index, element in enumerate(value):
            if hit := _find(element):
                return f"[{index}]{hit[0]}", hit[1]
    elif isinstance(value, dict):
        for name, element in value.items():
            if hit := _find(element):
                return f".{name}{hit[0]}", hit[1]
    return None
