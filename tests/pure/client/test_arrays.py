"""Numbers go out and come back exactly, whatever they came in and however their text is cut."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sortie_client.arrays import STEP, ArrayText, NumberArray, NumberList, array_pieces, decode_output
from sortie_client.errors import BadInput

NUMBERS = st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=40)
DTYPES = ["float64", "float32", "float16", "int64", "uint64", "int8", "uint8", ">i4", ">f8"]
FINITE = {"allow_nan": False, "allow_infinity": False}


def text_of(array: Any) -> bytes:
    return b"".join(array_pieces(array))


def cut(text: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield text[at : at + size]
        at += size
    yield text[at:]


@given(NUMBERS, st.lists(st.integers(0, 30), max_size=20))
def test_a_list_is_the_same_after_the_way_there_and_back(numbers: list[Any], sizes: list[int]) -> None:
    assert json.loads(text_of(numbers)) == numbers
    sink = ArrayText(NumberList())
    for piece in cut(b'{"array":%b}' % text_of(numbers), sizes):
        sink.feed(piece)
    back = sink.value()["array"]
    assert [(type(n), repr(n)) for n in back] == [(type(n), repr(n)) for n in numbers]


@settings(max_examples=200)
@given(st.data(), st.sampled_from(DTYPES))
def test_a_numpy_array_is_the_same_to_the_bit(data: st.DataObject, dtype: str) -> None:
    elements = FINITE if np.dtype(dtype).kind == "f" else None
    array = data.draw(arrays.arrays(dtype, st.integers(0, 50), elements=elements))
    back = decode_output(b'{"array":%b}' % text_of(array), array.dtype)["array"]
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


def test_a_long_array_is_pieced_together_without_a_seam() -> None:
    array = np.random.default_rng(7).random(5 * STEP + 3)
    text = b'{"array":%b}' % text_of(array)
    sink = ArrayText(NumberArray(array.dtype, len(text)))
    for at in range(0, len(text), 70_001):
        sink.feed(text[at : at + 70_001])
    back = sink.value()["array"]
    assert back.tobytes() == array.tobytes()
    assert back.base is None, "the array owns exactly its own memory"


def test_numpy_scalars_in_a_list_are_numbers() -> None:
    assert text_of([np.float64(1.5), np.int32(2), np.uint64(2**64 - 1)]) == b"[1.5,2,18446744073709551615]"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_named_with_its_place(bad: float) -> None:
    for array in ([0.0] * STEP + [bad], np.array([0.0] * STEP + [bad])):
        with pytest.raises(BadInput, match=rf"array\[{STEP}\] is {bad}"):
            text_of(array)


def test_what_is_no_number_is_named_with_its_place() -> None:
    with pytest.raises(BadInput, match=r"array\[2\]"):
        text_of([1, 2, object()])


def test_another_output_than_an_array_is_read_as_it_is() -> None:
    assert decode_output(b'{"slept":1.5}', None) == {"slept": 1.5}
    assert decode_output(b'{"array":[1],"more":2}'[::1].replace(b'{"array"', b'{ "array"'), None) == {
        "array": [1],
        "more": 2,
    }
