"""Numbers come back from a sort as they went in, and what is no number is refused with its place."""

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.tasks.sorting import fast_numbers, numbers
from chalicelib.tasks.sorting.numbers import LARGE_BYTES, BadNumber

WAYS = [pytest.param(LARGE_BYTES, id="small"), pytest.param(0, id="large")]
ways = pytest.mark.parametrize("large", WAYS)
directions = pytest.mark.parametrize("descending", [False, True])

MAX_DOUBLE = 1.7976931348623157e308
EDGES: list[Any] = [
    *[0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1],
    *[2**64 - 1, 2**64, 10**30, -(10**30), 10**3999],
    *[0.0, -0.0, 1.0, -1.0, float(2**53), float(2**63), 5e-324, -5e-324, 2.2250738585072014e-308],
    *[MAX_DOUBLE, -MAX_DOUBLE, 1e16, 1e22, 1e-5, 1e-7, 0.1, 123456789.123456789],
]
ints = st.one_of(st.integers(), st.integers(-(2**64), 2**65), st.integers(-3, 3))
floats = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, -0.0, 1.0, -1.0]))
arrays = st.one_of(
    st.lists(floats),
    st.lists(ints),
    st.lists(st.integers(-(2**63), 2**63 - 1)),
    st.lists(st.integers(0, 2**64 - 1)),
    st.lists(st.one_of(ints, floats, st.sampled_from(EDGES))),
)
written = st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n\t", ":")])

GOOD = [
    b"[]",
    b" [ ] ",
    b"\n[\t1 ,\r2 ]\n",
    b"[-0]",
    b"[-0, 0, -0.0, 0.0, 0, -0e0]",
    b"[0.0, -0.0, 0.0, -0.0]",
    b"[-0.0, 0.0, 0]",
    b"[1, 1.0, 1, 1.0]",
    b"[1e5]",
    b"[1E+2, 1.5, 2e-5, 3.0e1]",
    b"[1e5, 1, 1.5]",
    b"[2.5, 1e5, 0]",
    b"[-1e-400, 1e-400, 0.0]",
    b"[4.9e-324, 2.4703282292062327e-324, 2.4703282292062328e-324]",
    b"[0e999999999999, 1e-99999999999]",
    b"[9007199254740993.0, 9007199254740993, 9007199254740992]",
    b"[9007199254740993, 9007199254740992, 9007199254740991]",
    b"[9223372036854775807, -9223372036854775808]",
    b"[9223372036854775808, 9223372036854775807]",
    b"[18446744073709551615, 0, 18446744073709551614]",
    b"[18446744073709551615, -1]",
    b"[18446744073709551616, 18446744073709551615]",
    b"[1.7976931348623157e308, -1.7976931348623157e308]",
    b"[0." + b"0" * 5000 + b"1, 1." + b"1" * 5000 + b", 0.5]",
    b"[1" + b"0" * 5000 + b"e-5000, 0.5]",
    b"[1e1" + b" " * 9000 + b", 1.5]",
    b"[" + b" " * 9000 + b"3, 2]",
    b"[-" + b"9" * 4000 + b", " + b"9" * 4000 + b", 0]",
    b"[" + b"9" * 4000 + b", 1.0, 1,-0.0 ,\n-0, 1.0 ]",
    b"[" + b"9" * 4000 + b", 1.7e308, " + b"9" * 3999 + b"]",
]
BAD = [
    (b"", ""),
    (b"  ", ""),
    (b"7", ""),
    (b"null", ""),
    (b"{}", ""),
    (b'{"a": [1]}', ""),
    (b'"1"', ""),
    (b"\xff", ""),
    (b"\xef\xbb\xbf[1]", ""),
    ("[1]".encode("utf-16"), ""),
    (b"[", ""),
    (b"[1", ""),
    (b"[1, ", ""),
    (b"[1.5, -", ""),
    (b'[1, "a', ""),
    (b"[1, tru", ""),
    (b"[1] x", ""),
    (b"[1]]", ""),
    (b"[] 1", ""),
    (b"[1]\x00", ""),
    (b"[1][2]", ""),
    (b"[1.5],[2.5]", ""),
    (b"]", ""),
    (b'["1"]', "[0]"),
    (b'[1.5, "2.5,3.5"]', "[1]"),
    (b'["[", "]"]', "[0]"),
    (b"[null]", "[0]"),
    (b"[1, true]", "[1]"),
    (b"[false]", "[0]"),
    (b"[{}]", "[0]"),
    (b'[1.5, {"a": 2.5}]', "[1]"),
    (b"[[1],[2]]", "[0]"),
    (b"[[1, 2, 3]]", "[0]"),
    (b"[1, []]", "[1]"),
    (b"[[1.5, 2.5], []]", "[0]"),
    (b"[NaN]", "[0]"),
    (b"[1, NaN, 3]", "[1]"),
    (b"[Infinity]", "[0]"),
    (b"[0, 1, -Infinity]", "[2]"),
    (b"[1e400]", "[0]"),
    (b"[1, 2.0, -1e400]", "[2]"),
    (b"[1.7976931348623159e308]", "[0]"),
    (b"[1" + b"0" * 5000 + b".5]", "[0]"),
    (b"[,]", "[0]"),
    (b"[,1]", "[0]"),
    (b"[1,,2]", "[1]"),
    (b"[1.5,,2.5]", "[1]"),
    (b"[1,]", "[1]"),
    (b"[1 2]", "[0]"),
    (b"[1.5 2.5, 3.5]", "[0]"),
    (b"[01]", "[0]"),
    (b"[1, -01]", "[1]"),
    (b"[-]", "[0]"),
    (b"[1.]", "[0]"),
    (b"[0.5, .5]", "[1]"),
    (b"[1.e5]", "[0]"),
    (b"[1e]", "[0]"),
    (b"[1e+]", "[0]"),
    (b"[+1]", "[0]"),
    (b"[0x1]", "[0]"),
    (b"[1_0]", "[0]"),
    (b"[1.5.5]", "[0]"),
    (b"[1\x0b]", "[0]"),
    (b"[1,\x00]", "[1]"),
    (b"[1, \xc2\xa02]", "[1]"),
    (b"[tru,1,2]", "[0]"),
    (b"[3, f,1,2,3]", "[1]"),
    (b"[1,2,n,4,5,6]", "[2]"),
    (b"[1, // 2\n 2]", "[1]"),
    (b"[0, " + b"9" * 4001 + b"]", "[1]"),
    (b"[0, 1, -" + b"9" * 4300 + b"]", "[2]"),
    (b"[" + b"9" * 4301 + b"]", "[0]"),
    (b"[1.5, " + b"9" * 9000 + b", 2]", "[1]"),
    (b"[7, " + b"9" * 4001 + b', "a"]', "[1]"),
    (b'[7, "a", ' + b"9" * 4001 + b"]", "[1]"),
    (b"[7, " + b"9" * 4001 + b", ,]", "[1]"),
    (b"[" + b"9" * 4001, "[0]"),
    (b"[" + b" " * 9000 + b"2, x]", "[1]"),
]


def bits(value: Any) -> tuple[type, Any]:
    return (float, struct.pack(">d", value)) if isinstance(value, float) else (type(value), value)


def assert_sorted_exactly(raw: bytes, *, descending: bool, large: int) -> None:
    expected = sorted(json.loads(raw), reverse=descending)
    result = json.loads(numbers.sort(raw, descending=descending, large=large))
    assert list(map(bits, result)) == list(map(bits, expected))


@ways
@directions
@given(array=arrays, separators=written)
@example(array=EDGES, separators=(",", ":"))
@example(array=[0.0, -0.0, 1.5, -0.0, 0.0, -1.5], separators=(",", ":"))
@settings(deadline=None, max_examples=300)
def test_sort_equals_sorted_to_the_type_and_the_bit(
    array: list[Any], separators: tuple[str, str], descending: bool, large: int
) -> None:
    raw = json.dumps(array, separators=separators).encode()
    assert numbers.check(raw) == len(array)
    assert_sorted_exactly(raw, descending=descending, large=large)


@ways
@directions
@pytest.mark.parametrize("raw", GOOD, ids=lambda raw: raw[:40].decode())
def test_good_arrays_of_odd_looks_are_sorted_exactly(raw: bytes, descending: bool, large: int) -> None:
    assert numbers.check(raw) == len(json.loads(raw))
    assert_sorted_exactly(raw, descending=descending, large=large)


@ways
@pytest.mark.parametrize(("raw", "loc"), BAD, ids=lambda part: repr(part[:40]))
def test_bad_arrays_are_refused_with_the_first_bad_place(raw: bytes, loc: str, large: int) -> None:
    with pytest.raises(BadNumber) as checked:
        numbers.check(raw)
    with pytest.raises(BadNumber) as refused:
        numbers.sort(raw, large=large)
    assert checked.value.loc == refused.value.loc == loc
    assert checked.value.msg == refused.value.msg


@ways
@pytest.mark.parametrize("pad", [b"1.5", b"7", b"1e5", b"18446744073709551615"])
@pytest.mark.parametrize(
    ("raw", "loc"), [pair for pair in BAD if pair[0].startswith(b"[")], ids=lambda part: repr(part[:40])
)
def test_a_bad_element_is_found_behind_many_good_ones(raw: bytes, loc: str, pad: bytes, large: int) -> None:
    padded = b"[" + (pad + b", ") * 400 + raw[1:]
    expected = f"[{400 + int(loc[1:-1])}]" if loc else ""
    if raw == b"[] 1":
        expected = "[400]"  # the comma before the bracket is what is wrong first
    with pytest.raises(BadNumber) as refused:
        numbers.sort(padded, large=large)
    assert refused.value.loc == expected


@ways
@given(raw=st.text('[]{},:".-+01eEtrufalsn \n', max_size=12).map(str.encode))
@settings(deadline=None, max_examples=1500)
def test_any_text_is_sorted_as_json_would_or_refused(raw: bytes, large: int) -> None:
    raw = b"[" + raw + b"]"
    try:
        good = json.loads(raw)
        accepted = all(type(n) is int or (type(n) is float and math.isfinite(n)) for n in good)
    except ValueError:
        accepted = False
    if accepted:
        assert_sorted_exactly(raw, descending=False, large=large)
    else:
        with pytest.raises(BadNumber):
            numbers.sort(raw, large=large)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'["1"]', "string"),
        (b"[null]", "null"),
        (b"[true]", "boolean"),
        (b"[[1]]", "nested"),
        (b"[{}]", "object"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e400]", "too large for a double"),
        (b"[" + b"1" * 4001 + b"]", "4,000 digits"),
        (b"[" + b"1" * 4301 + b"]", "4,000 digits"),
        (b"{}", "not a JSON array"),
        (b"", "empty"),
        (b"[1", "truncated"),
        (b"[1] 2", "follows"),
        (b"[1,]", "missing"),
        (b"[01]", "not a JSON number"),
    ],
    ids=lambda part: repr(part[:20]),
)
def test_the_message_says_what_is_wrong(raw: bytes, words: str) -> None:
    with pytest.raises(BadNumber, match=words) as refused:
        numbers.check(raw)
    assert str(refused.value).endswith(refused.value.msg)


@directions
@pytest.mark.parametrize(
    "few", [b"-0.0, 0.0, 1e-05, 2.5e-07", b"-0, 3, 2", b"18446744073709551615, 4", b"1, 1.0, 0.5", b"9" * 40]
)
@pytest.mark.parametrize("pad", [b"1.25", b"-7", b"0.0", b"-0.0"])
def test_arrays_above_the_threshold_are_sorted_exactly(few: bytes, pad: bytes, descending: bool) -> None:
    raw = b"[" + (few + b"," + pad + b",") * (1 + LARGE_BYTES // (len(few) + len(pad) + 2)) + b"0.5]"
    assert len(raw) >= LARGE_BYTES
    assert_sorted_exactly(raw, descending=descending, large=LARGE_BYTES)


@pytest.mark.parametrize(
    ("raw", "taken"),
    [
        (b"[3, -1]", True),
        (b"[18446744073709551615, 1]", True),
        (b"[2.5, -0.0, 1.5e3]", True),
        (b"[2.5, 1e-05, 3E5]", True),
        (b"[1e5, 1E5]", True),
        (b"[2.5, 3]", False),
        (b"[1e5, 3]", False),
        (b"[9223372036854775808, -1]", False),
        (b"[18446744073709551616]", False),
        (b"[[1], [2]]", False),
        (b"[[1.5, 2.5], []]", False),
        (b"[true]", False),
        (b"[1, false]", False),
        (b"[1.5, true]", False),
        (b"\xef\xbb\xbf[1]", False),
        (b"[]", True),
        (b"1", False),
        (b"{}", False),
    ],
)
def test_the_way_for_large_arrays_takes_only_what_is_of_one_type(raw: bytes, taken: bool) -> None:
    assert (fast_numbers.sort(raw, descending=False) is not None) == taken


@pytest.mark.parametrize(
    ("text", "array"),
    [
        (b"", []),
        (b" \r\n\n", []),
        (b"1", [1]),
        (b"2\n1\n", [2, 1]),
        (b"2\r\n1.50\r\n", [2, 1.5]),
        (b"2\r1\r", [2, 1]),
        (b"\xef\xbb\xbf2\n\n \t-1e5\t\n\n0", [2, -1e5, 0]),
        (b"9" * 4000 + b"\n-0.0", [int("9" * 4000), -0.0]),
    ],
)
def test_text_becomes_an_array_in_its_order(text: bytes, array: list[Any]) -> None:
    assert list(map(bits, json.loads(numbers.from_text(text)))) == list(map(bits, array))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"x", 1),
        (b"1\n\n2 3\n", 3),
        (b"1\r\n2,3\r\n", 2),
        (b"[1]", 1),
        (b"1]\n[2", 1),
        (b"1\n]\n[\n2", 2),
        (b"1\nNaN\ninf", 2),
        (b"1\n\n01", 3),
        (b"1\n.5", 2),
        (b"1\n1e400", 2),
        (b"1\n" + b"9" * 4001, 2),
        (b'1\n"2"', 2),
        (b'1\n"2', 2),
        (b"1\n-", 2),
        (b"1\ntrue", 2),
        (b"\n\xff\xfe", 2),
        (b"1\n2,\n,3", 2),
    ],
)
def test_text_is_refused_with_the_first_bad_line(text: bytes, line: int) -> None:
    with pytest.raises(BadNumber) as refused:
        numbers.from_text(text)
    assert refused.value.loc == f"line {line}"
    assert "array" not in refused.value.msg or "nested" in refused.value.msg


@given(array=arrays, end=st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \t\n"]))
@settings(deadline=None)
def test_text_holds_the_same_numbers_as_its_array(array: list[Any], end: str) -> None:
    text = "".join(f"{number!r}{end}" for number in array).encode()
    assert list(map(bits, json.loads(numbers.from_text(text)))) == list(map(bits, array))
