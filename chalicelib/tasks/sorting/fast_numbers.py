"""Sort of large arrays proven to hold only 64-bit ints or only doubles: simdjson, numpy and orjson.

simdjson flattens nested arrays and turns ints into doubles when asked for doubles, and numpy's sort does not
keep the order of equals, which shows for -0.0 and 0.0 alone. Each is proven absent or put right.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from simdjson import Array, Parser

_SPACE = b" \t\r\n"
_CHUNK = 1 << 18  # bytes compared at a time: the answers stay in the processor's cache
_KEEP_BYTES = 32_000_000  # a parser keeps three times the longest text it has read, so not the longest of all
_MAX_BARE = 10_000  # numbers like 1e-05 that are looked at one by one

_Values = NDArray[Any]

_idle: list[Parser] = []


def sort(raw: bytes, *, descending: bool) -> bytes | None:
    """The sorted JSON array, or None if it is not proven to be good, flat and of one type."""
    values = _read(raw)
    if values is None:
        return None
    zeros = values[values == 0.0].copy() if values.dtype == np.float64 else values[:0]
    values.sort()
    if zeros.size:
        first = np.searchsorted(values, 0.0)
        values[first : first + zeros.size] = zeros[::-1] if descending else zeros
    if descending:
        values = np.ascontiguousarray(values[::-1])
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def _read(raw: bytes) -> _Values | None:
    if not _is_flat(raw):
        return None
    # Memory that is already there makes reading half as fast again. Taken from the list, so no two threads share one.
    parser = _idle.pop() if _idle else Parser()
    try:
        array = parser.parse(raw)
    except (ValueError, RuntimeError):
        return None
    values = _uniform(raw, array) if isinstance(array, Array) else None
    del array  # a parser cannot be used again while something still points into it
    if len(raw) <= _KEEP_BYTES and not _idle:
        _idle.append(parser)
    return values


def _uniform(raw: bytes, array: Array) -> _Values | None:
    """The numbers as int64, uint64 or float64, whichever all of them are written as."""
    ints = _typed(array, "i", np.int64)
    if ints is None:
        ints = _typed(array, "u", np.uint64)
    if ints is not None:
        return ints
    floats = _typed(array, "d", np.float64)
    return floats if floats is not None and _all_floats(raw, floats.size) else None


def _is_flat(raw: bytes) -> bool:
    """Whether the text starts as an array (simdjson would skip a byte order mark) and has no array inside."""
    first = raw.find(b"[")
    return first >= 0 and not raw[:first].strip(_SPACE) and raw.find(b"[", first + 1) < 0


def _typed(array: Array, letter: Any, dtype: type[np.generic]) -> _Values | None:
    """A writable copy of the numbers; None if one is of another type, or there is none at all."""
    try:
        return np.frombuffer(array.as_buffer(of_type=letter), dtype=dtype)
    except (TypeError, ValueError):
        return None


def _all_floats(raw: bytes, count: int) -> bool:
    """Whether each number is written with a point or an exponent; none has two points, or two exponents."""
    text = np.frombuffer(raw, dtype=np.uint8)
    pointless = count - sum(int(np.count_nonzero(chunk == ord("."))) for chunk in _chunks(text))
    if not 0 < pointless <= _MAX_BARE:
        return pointless == 0
    exponents = list(islice(_exponents(text), _MAX_BARE))
    return pointless == sum(_is_bare(raw, at) for at in exponents)


def _is_bare(raw: bytes, exponent: int) -> bool:
    """Whether the number with its exponent at this byte has no point, as 1e-05."""
    start = max(raw.rfind(b",", 0, exponent), 0)
    return b"." not in raw[start:exponent]


def _exponents(text: NDArray[np.uint8]) -> Iterator[int]:
    start = 0
    for chunk in _chunks(text):
        for at in np.flatnonzero((chunk | 0x20) == ord("e")):
            yield start + int(at)
        start += chunk.size


def _chunks(text: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, text.size, _CHUNK):
        yield text[start : start + _CHUNK]
