"""JSON bytes to typed values: `88.0` is an integer too, and NaN, which is no JSON, still has a place to be named."""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

SECOND_LOOK_BYTES = 5_000_000
"""What a request may hold. A document of any type takes a hundred times its bytes: 300 MB of `[],` end a worker."""

LONGEST_STRING_BYTES = 100_000_000
"""One becomes text of up to four bytes a letter. As a name or a word that the type does not know it is told in an error
and is there once more: 300 MB of it end a worker."""

_NO_INTEGER = re.compile(r"Expected `int.*?`, got `float`(?: - at `\$(.*)`)?", re.DOTALL)
_INDEX = re.compile(r"\[(?:[0-9]+|\.\.\.)\]")
_MOST_PLACES = 100
"""How many places of a body are put right; lists and dicts count once. Only a type that holds itself has so many."""
# A string is read whole, closed or not, so that a body of quotes costs no more than its length.
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|-?\b(?:NaN|Infinity)\b', re.DOTALL)
# Short strings are passed over inside the pattern: one by one they would take ten times as long.
_LONGER_STRING = re.compile(
    rb'(?:[^"]*+"(?:[^"\\]{1,1000}+|\\.){0,100}+")*+[^"]*+("(?:[^"\\]++|\\.?)*+(?:"|\Z))?', re.DOTALL
)
_BYTE = re.compile(r"\(byte (\d+)\)")
_NAN = re.compile(rb"-?(?:NaN|Infinity)\b")
_MARK = "\x00"


def decode(raw: bytes, kind: type[T]) -> T:
    """As msgspec.json.decode, and raises as it does; a float without a fraction fits an integer, as in JSON Schema.

    Of a name that an object has twice, the last one is judged. Neither holds for more than SECOND_LOOK_BYTES, of which
    only what the type asks for is made. No string is longer than LONGEST_STRING_BYTES.
    """
    if holds_long_string(raw, LONGEST_STRING_BYTES):
        raise msgspec.ValidationError(f"a string of more than {LONGEST_STRING_BYTES:,} bytes: send it in parts")
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        if len(raw) > SECOND_LOOK_BYTES:
            raise
        try:
            document = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise error from None
    return _decode_document(document, kind)


def holds_long_string(raw: bytes, longest: int) -> bool:
    """`longest`: at least 100,100, up to which strings may be passed over. Looked for only where the last quote leaves
    room for one."""
    if raw.rfind(b'"') <= longest:
        return False
    return any(string.end(1) - string.start(1) - 2 > longest for string in _LONGER_STRING.finditer(raw))


def find_nan_at(raw: bytes, error: str) -> str | None:
    """The word and its place, as in `NaN (byte 3)`, where msgspec's error is about one. Of a minus it names the byte
    behind."""
    byte = _BYTE.search(error)
    for start in (int(byte[1]) - 1, int(byte[1])) if byte else ():
        word = _NAN.match(raw, max(start, 0))
        if word:
            return f"{word[0].decode()} (byte {word.start()})"
    return None


def find_nan_path(raw: bytes) -> tuple[str, str] | None:
    """Path and word of the first NaN or Infinity in what would be JSON without them; None when that is not the case.

    Such a word becomes a string that JSON cannot hold otherwise, and is then looked for in the whole.
    """
    if b"NaN" not in raw and b"Infinity" not in raw:
        return None
    marked = _STRING_OR_NAN.sub(_mark_word, raw)
    try:
        hit = _find_mark(msgspec.json.decode(marked))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return (hit[0].removeprefix("."), hit[1]) if hit else None


def _decode_document(document: Any, kind: type[T]) -> T:
    """A document has no name twice. Each round makes integers of one field, in all like places of a list or dict."""
    root = [document]
    for _ in range(_MOST_PLACES):
        try:
            return msgspec.json.decode(msgspec.json.encode(root[0]), type=kind)
        except msgspec.ValidationError as error:
            match = _NO_INTEGER.fullmatch(str(error))
            if match is None or not _make_whole(root, 0, match[1] or ""):
                raise
    return msgspec.json.decode(msgspec.json.encode(root[0]), type=kind)


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
        keys = range(len(value)) if isinstance(value, list) else value
        inner = [(key, path[index.end() :]) for key in keys]
    if isinstance(value, dict):
        inner += [(name, path[len(name) + 1 :]) for name in value if path.startswith(f".{name}")]
    return sum(_make_whole(value, key, rest) for key, rest in inner) > 0


def _mark_word(match: re.Match[bytes]) -> bytes:
    word = match[0]
    return word if word.startswith(b'"') else b'"\\u0000%b"' % word


def _find_mark(value: Any) -> tuple[str, str] | None:
    """Where in the value a mark stands, and the word behind it. Only the way to it is written down."""
    if isinstance(value, str):
        return ("", value.removeprefix(_MARK)) if value.startswith(_MARK) else None
    if isinstance(value, list):
        for index, element in enumerate(value):
            if hit := _find_mark(element):
                return f"[{index}]{hit[0]}", hit[1]
    elif isinstance(value, dict):
        for name, member in value.items():
            if hit := _find_mark(member):
                return f".{name}{hit[0]}", hit[1]
    return None
