"""Arrays as exact JSON, piece by piece, and back: lists of numbers, and numpy arrays with their dtype.

numpy is not needed: an array is known by its `dtype`, and numpy is imported only where one is to be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sortie_client.errors import BadInput

if TYPE_CHECKING:
    import numpy as np

STEP = 20_000
"""Numbers a piece: about 400 KB of text."""
LONGEST_STEP = 1 << 17
"""Bytes of text that are decoded at once: what fits the processor's cache."""
HEAD = b'{"array":['


def _plain(value: Any) -> Any:
    """A numpy scalar within a list."""
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r:.50} is no number")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_exact = msgspec.json.Decoder(list[int | float]).decode
_floats = msgspec.json.Decoder(list[float]).decode
_ints = msgspec.json.Decoder(list[int]).decode


def is_numpy(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "tolist")


def checked_array(value: Any) -> Any:
    """The array, when it can become exact JSON. Raises BadInput."""
    if not is_numpy(value):
        return value
    if getattr(value, "ndim", 1) != 1:
        raise BadInput(f"the array has {value.ndim} dimensions: sort takes one, such as array.ravel()")
    if value.dtype.kind not in "iuf" or value.dtype.itemsize > 8:
        raise BadInput(f"an array of {value.dtype} has no exact JSON: convert it to an integer or float dtype first")
    return value


def array_pieces(array: Any) -> Iterator[bytes]:
    """The JSON text of an array. Raises BadInput for NaN and infinity, which JSON has no word for."""
    yield b"["
    start, may_be_null = 0, not is_numpy(array)
    if is_numpy(array) and array.dtype.kind == "f":
        may_be_null = not _is_finite(array)
    for numbers in _slices(array):
        text = _text(numbers, start, may_be_null=may_be_null)
        yield text if start == 0 else b"," + text
        start += len(numbers)
    yield b"]"


def _slices(array: Any) -> Iterator[list[Any]]:
    if is_numpy(array):
        for start in range(0, len(array), STEP):
            yield array[start : start + STEP].tolist()
        return
    iterator = iter(array)
    while numbers := list(islice(iterator, STEP)):
        yield numbers


def _is_finite(array: Any) -> bool:
    import numpy as np  # it is there, since the array is

    return bool(np.isfinite(array).all())


def _text(numbers: list[Any], start: int, *, may_be_null: bool) -> bytes:
    """Without the brackets. msgspec writes null for what is not finite."""
    try:
        text = _encode(numbers)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"array[{_first_wrong(numbers, start)}]: {error}") from None
    if may_be_null and b"null" in text:
        for index, number in enumerate(numbers, start):
            if isinstance(number, float) and not -float("inf") < number < float("inf"):
                raise BadInput(f"array[{index}] is {number}, and only finite numbers can be sorted")
    return text[1:-1]


def _first_wrong(numbers: Sequence[Any], start: int) -> int:
    for index, number in enumerate(numbers):
        try:
            _encode(number)
        except (TypeError, ValueError, OverflowError):
            return start + index
    return start


class Numbers(Protocol):
    """Collects numbers from pieces of text, `1,2,3`."""

    def add(self, text: bytes) -> None: ...

    def value(self) -> Any: ...


class NumberList:
    def __init__(self) -> None:
        self._numbers: list[int | float] = []

    def add(self, text: bytes) -> None:
        self._numbers += _exact(b"[%b]" % text)

    def value(self) -> list[int | float]:
        return self._numbers


class NumberArray:
    """One numpy array, made as long as the first pieces and the size in bytes suggest and trimmed in place."""

    def __init__(self, dtype: Any, size: int) -> None:
        import numpy as np

        self._np = np
        self._dtype = np.dtype(dtype)
        self._decode = _floats if self._dtype.kind == "f" else _ints
        self._array: np.ndarray[Any, Any] = np.empty(0, self._dtype)
        self._count, self._bytes_left = 0, size

    def add(self, text: bytes) -> None:
        numbers = self._decode(b"[%b]" % text)
        end = self._count + len(numbers)
        if end > len(self._array):
            left = max(0, self._bytes_left - len(text))
            self._resize(end + left * len(numbers) // max(1, len(text)))
        self._array[self._count : end] = self._np.array(numbers, self._dtype)
        self._count, self._bytes_left = end, self._bytes_left - len(text) - 1

    def value(self) -> np.ndarray[Any, Any]:
        self._resize(self._count)
        return self._array

    def _resize(self, count: int) -> None:
        self._array.resize(count, refcheck=False)  # in place: nobody else holds it yet


class ArrayText:
    """A sink for the JSON text `{"array":[...]}` that decodes it as it comes.

    Any other JSON is kept as text, and decoded whole at the end.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._held: list[bytes] = []
        self._size = 0
        self._state = "head"

    def feed(self, piece: bytes) -> None:
        self._held.append(piece)
        self._size += len(piece)
        if self._state == "head" and self._size >= len(HEAD):
            self._begin()
        if self._state == "array" and self._size >= LONGEST_STEP:
            self._drain(last=False)

    def value(self) -> Any:
        """The output: with its array as collected, or whatever else it is. Raises msgspec.DecodeError."""
        if self._state == "array":
            self._drain(last=True)
            return {"array": self._numbers.value()}
        return msgspec.json.decode(b"".join(self._held))

    def _begin(self) -> None:
        start = b"".join(self._held)
        self._state = "array" if start.startswith(HEAD) else "other"
        self._hold(start[len(HEAD) :] if self._state == "array" else start)

    def _drain(self, *, last: bool) -> None:
        text = b"".join(self._held)
        end = text.find(b"]") if last else text.rfind(b",")
        if last and text[end:].strip() != b"]}":
            raise msgspec.DecodeError("the output's array has no end, or something stands behind it")
        if end < 0:
            return
        if end > 0:
            self._numbers.add(text[:end])
        self._hold(b"" if last else text[end + 1 :])

    def _hold(self, text: bytes) -> None:
        self._held, self._size = [text], len(text)


def decode_output(raw: bytes, dtype: Any | None) -> Any:
    """An output that came inline."""
    sink = ArrayText(numbers_for(dtype, len(raw)))
    sink.feed(raw)
    return sink.value()


def numbers_for(dtype: Any | None, size: int) -> Numbers:
    return NumberList() if dtype is None else NumberArray(dtype, size)
