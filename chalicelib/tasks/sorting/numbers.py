"""JSON arrays of numbers as bytes: checked, sorted exactly, or made from text with one number a line."""

import os
import re
import sys
from collections.abc import Iterator

import msgspec

MAX_NUMBERS = 10_000_000  # in one array, whatever its bytes: each takes about forty more while it is sorted
MAX_DIGITS = 4_000  # an integer's; Python itself refuses to read more than 4,300

# From this many bytes on, sort() loads numpy, simdjson and orjson. At this size the first sort in a process is
# 35 ms slower for that at most, and each later one 15 ms or more faster. A million numbers are always larger, at
# two bytes each; what most requests bring never pays for the import. benchmarks/README.md has the figures.
LARGE_BYTES = 2_000_000

PIECE_BYTES = 4_000_000  # of text, whose lines are objects for a while

# numpy reads this variable once, at its first import: its AVX-512 sort takes five times as long as its AVX2 one on
# Zen 4, and is hardly faster elsewhere. Whoever sets it before has the last word. Python 3.11 has an older numpy, which
# has other names for these features: Lambda runs it with a C library that is too old for the newer one.
_TUNING = "NPY_DISABLE_CPU_FEATURES"
_AVX_512 = "AVX512_ICL X86_V4" if sys.version_info >= (3, 12) else "AVX512F AVX512_SKX"

_HEAD_BYTES = 65_536
_LONG = 250  # bytes a number, on average
_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

_numbers = msgspec.json.Decoder(list[int | float])

_ELEMENT = re.compile(rb"[ \t\r\n]*+-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?[ \t\r\n]*+(?=([,\]]))")
_OVERLONG = re.compile(rb"[ \t\r\n]*+-?[0-9]{%d,}+(?![.eE])" % (MAX_DIGITS + 1))
_EMPTY = re.compile(rb"\[[ \t\r\n]*+\]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LETTER = re.compile(rb"[^ \t\r\n]")
_INDEX = re.compile(r"`\$\[(\d+)\]`")
_BYTE = re.compile(r"\(byte (\d+)\)")
_PLACE = re.compile(r"\[(\d+)\]")
_TOO_LONG = f"an integer of more than {MAX_DIGITS:,} digits"
_TRUNCATED = "truncated: the array is not closed"
_FOLLOWED = "something follows the array"

# What msgspec says of an element that is JSON but no number, and what the sender of the array is told.
_NO_NUMBER = {
    "got `str`": "a string, not a number",
    "got `null`": "null, not a number",
    "got `bool`": "a boolean, not a number",
    "got `array`": "a nested array, not a number",
    "got `object`": "an object, not a number",
    "Integer value out of range": _TOO_LONG,
    "Number out of range": "a number too large for a double",
}
_NO_JSON = {
    b"NaN": "NaN, not a number",
    b"Infinity": "Infinity, not a number",
    b"-Infinity": "-Infinity, not a number",
}


class BadNumber(ValueError):
    """What is wrong (msg) and where (loc): `[2]`, `line 3`, or nothing when it is the whole."""

    def __init__(self, loc: str, msg: str) -> None:
        super().__init__(f"{loc}: {msg}" if loc else msg)
        self.loc = loc
        self.msg = msg


def check(raw: bytes) -> int:
    """How many numbers the JSON array holds; raises BadNumber for the first element that is none."""
    _refuse_too_many(raw.count(b",") + 1, "numbers")
    return len(_decode(raw))


def sort(raw: bytes, *, descending: bool = False, large: int = LARGE_BYTES) -> bytes:
    """The JSON array sorted as `sorted(json.loads(raw), reverse=descending)` would, to the type and the bit.

    An array of `large` bytes or more is first tried by the way for ints only and floats only. Its libraries are in the
    function `work` alone, to which every large array comes.
    """
    _refuse_too_many(raw.count(b",") + 1, "numbers")
    if len(raw) >= large and _may_be_uniform(raw):
        os.environ.setdefault(_TUNING, _AVX_512)
        # A function-level import: these libraries are worth their import only to large arrays.
        from chalicelib.tasks.sorting import fast_numbers

        result = fast_numbers.sort(raw, descending=descending)
        if result is not None:
            return result
    return _sort_any(raw, descending=descending)


def first_letter(raw: bytes) -> bytes:
    """The first byte that is no white space."""
    match = _LETTER.search(raw)
    return match[0] if match else b""


def from_array(raw: bytes) -> bytes:
    """The JSON array itself. Raises BadNumber where it is no JSON; its elements are not looked at."""
    _refuse_too_many(raw.count(b",") + 1, "numbers")
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except RecursionError:
        raise BadNumber("", "nested too deeply") from None
    except msgspec.DecodeError as error:
        raise _first_bad(raw, str(error)) from None
    return raw


def from_text(raw: bytes, *, piece: int = PIECE_BYTES) -> bytes:
    """The JSON array of the numbers in UTF-8 text, one a line; blank lines and outer spaces are skipped. Lines that
    have to be looked at are taken `piece` bytes at a time."""
    _refuse_too_many(raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n"), "lines")
    text = raw.removeprefix(_BOM).strip()
    if b"," not in text:
        # Most text has no blank lines, and then lines need not become objects; white space is JSON's to skip.
        array = b"[%b]" % text.replace(b"\r\n", b"\n").replace(b"\n", b",")
        if _is_good(array):
            return array
        del array
    del text
    return _from_lines(raw.removeprefix(_BOM), piece)


def _refuse_too_many(count: int, what: str) -> None:
    """Counted before anything is read: a number takes more memory than its text."""
    if count > MAX_NUMBERS:
        raise BadNumber("", f"more than {MAX_NUMBERS:,} {what}: sort them in parts")


def _sort_any(raw: bytes, *, descending: bool) -> bytes:
    numbers = _decode(raw)
    if len(raw) > _LONG * len(numbers):
        return _sort_texts(raw, numbers, descending=descending)
    numbers.sort(reverse=descending)
    return msgspec.json.encode(numbers)


def _sort_texts(raw: bytes, numbers: list[int | float], *, descending: bool) -> bytes:
    """Moves the numbers' text. To write an int costs the square of its digits, so it wins where they are long."""
    texts = raw.strip(_SPACE)[1:-1].split(b",")
    order = sorted(range(len(numbers)), key=numbers.__getitem__, reverse=descending)
    return b"[%b]" % b",".join([texts[i].strip(_SPACE) for i in order])


def _may_be_uniform(raw: bytes) -> bool:
    """Whether the first numbers are nearly all ints or all floats: a mixed array is not worth a proof."""
    head = raw[:_HEAD_BYTES]
    points, commas = head.count(b"."), head.count(b",")
    return not 0.02 * commas < points < 0.98 * commas


def _decode(raw: bytes) -> list[int | float]:
    try:
        numbers = _numbers.decode(raw)
    except msgspec.DecodeError as error:
        raise _first_bad(raw, str(error)) from None
    overlong = _first_overlong(raw)
    if overlong is not None:
        raise BadNumber(f"[{overlong}]", _TOO_LONG)
    return numbers


def _is_good(raw: bytes) -> bool:
    try:
        _decode(raw)
    except BadNumber:
        return False
    return True


def _first_bad(raw: bytes, error: str) -> BadNumber:
    """The error for an array which msgspec refused with these words."""
    if not raw.lstrip(_SPACE).startswith(b"["):
        return BadNumber("", "not a JSON array" if raw.strip(_SPACE) else "empty, not a JSON array")
    index, msg = _refused(error) or _malformed(raw, error)
    overlong = _first_overlong(raw)
    if overlong is not None and (index is None or overlong <= index):
        index, msg = overlong, _TOO_LONG
    return BadNumber("" if index is None else f"[{index}]", msg)


def _refused(error: str) -> tuple[int | None, str] | None:
    """Index and message for an element that is JSON, but no number that can be sorted."""
    index = _INDEX.search(error)
    if index is None:
        return None
    return int(index[1]), next(msg for words, msg in _NO_NUMBER.items() if words in error)


def _malformed(raw: bytes, error: str) -> tuple[int | None, str]:
    """Index and message for what is not JSON."""
    byte = _BYTE.search(error)
    if byte is None:
        return None, _TRUNCATED
    first = raw.find(b"[")
    if _EMPTY.match(raw, first):
        return None, _FOLLOWED
    # msgspec may name a byte after the bad element: step back to a comma before it and read on from there.
    start = max(first, raw.rfind(b",", first, max(first, int(byte[1]) - 8)))
    while (element := _ELEMENT.match(raw, start + 1)) and element[1] == b",":
        start = element.end()
    if element:
        return None, _FOLLOWED
    return _describe(raw, start + 1)


def _describe(raw: bytes, start: int) -> tuple[int | None, str]:
    """Index and message for the element at this byte, which is not JSON."""
    rest = raw[start:].lstrip(_SPACE)
    text = re.split(rb"[,\]]", rest, maxsplit=1)[0]
    index = raw.count(b",", 0, start)
    if text == rest:
        return None, _TRUNCATED
    if not text:
        return index, "a number is missing"
    return index, _NO_JSON.get(text.strip(_SPACE), "not a JSON number")


def _first_overlong(raw: bytes) -> int | None:
    """Index of the first int with too many digits, in an array that is good up to there."""
    start = raw.find(b"[") + 1
    while len(raw) - start > MAX_DIGITS:
        # Leaps from comma to comma: only where there is none for so many bytes can such an int be.
        comma = raw.rfind(b",", start, start + MAX_DIGITS + 1)
        if comma < 0:
            if _OVERLONG.match(raw, start):
                return raw.count(b",", 0, start)
            comma = raw.find(b",", start)
            if comma < 0:
                return None
        start = comma + 1
    return None


def _from_lines(raw: bytes, piece: int) -> bytes:
    """Ten million lines as objects at once would take more memory than their numbers."""
    parts: list[bytes] = []
    comma = False
    for lines in _pieces(raw, piece):
        filled = [stripped for line in lines if (stripped := line.strip())]
        comma = any(b"," in line for line in filled)
        if comma:
            break  # whatever is bad first is here, or before it
        if filled:
            parts.append(b",".join(filled))
        del lines, filled
    array = b"[%b]" % b",".join(parts)
    if comma or not _is_good(array):
        raise _first_bad_line(raw, array, piece)
    return array


def _pieces(raw: bytes, piece: int) -> Iterator[list[bytes]]:
    """The lines of some megabytes, and of the next ones. An end of a line is \\n, \\r or both."""
    start = 0
    while start < len(raw):
        last = _LINE_END.search(raw, start + piece)
        end = last.end() if last else len(raw)
        yield raw[start:end].splitlines()
        start = end


def _first_bad_line(raw: bytes, array: bytes, piece: int) -> BadNumber:
    """`array`: the numbers as far as no line holds a comma. It says how many of them can be passed over."""
    good = _count_good(array)
    number = 0
    for lines in _pieces(raw, piece):
        for line in lines:
            number += 1
            stripped = line.strip()
            if stripped and good > 0:
                good -= 1
            elif msg := _line_fault(stripped):
                return BadNumber(f"line {number}", msg)
    raise AssertionError("every line is good, yet all together are not")


def _count_good(array: bytes) -> int:
    """How many elements are good for certain, from the first one on."""
    try:
        return len(_decode(array))
    except BadNumber as error:
        index = _PLACE.fullmatch(error.loc)
        return int(index[1]) if index else 0


def _line_fault(line: bytes) -> str:
    if not line:
        return ""
    if b"," in line:
        return "more than one number"
    try:
        _decode(b"[%b]" % line)
    except BadNumber as error:
        return error.msg if error.loc else "not a JSON number"
    return ""
