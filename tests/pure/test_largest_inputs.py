"""No upload takes more memory than the worker has: the largest ones in small, each in a process of its own, and those
that were seen to end a worker. `make bench` sorts the largest ones themselves."""

import multiprocessing
import resource
import time
from collections.abc import Callable

import msgspec
import pytest

from benchmarks import memory
from chalicelib import tasks
from chalicelib.core.decoding import LONGEST_STRING_BYTES, SECOND_LOOK_BYTES, holds_long_string
from chalicelib.errors import Invalid
from chalicelib.tasks.sorting import numbers

SHARE = 0.05
FORMS = ["array of both", "array of ints of most digits", "lines, one of them blank", "gzip of lines"]
SIZE = 3 * SECOND_LOOK_BYTES


@pytest.mark.parametrize("form", FORMS)
def test_an_upload_is_sorted_within_its_share_of_the_memory_of_the_worker(form: str) -> None:
    idle = measured(lambda: None)
    _, _, peak = memory.measure(form, SHARE)
    assert peak <= idle + SHARE * (memory.WORKER_BYTES - idle), f"{peak / 1024**2:,.0f} MB"


def test_lines_that_end_in_a_carriage_return_are_counted_before_they_are_read() -> None:
    for end in (b"\r", b"\r\n", b"\n"):
        with pytest.raises(numbers.BadNumber, match="more than 10,000,000 lines"):
            numbers.from_text((b"1" + end) * (numbers.MAX_NUMBERS + 1))


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_lines_become_objects_piece_by_piece_whatever_ends_them(end: bytes) -> None:
    pieces = list(numbers._pieces((b"12" + end) * 10_000, 300))
    assert [line for piece in pieces for line in piece] == [b"12"] * 10_000
    assert max(map(len, pieces)) <= 101


def test_what_is_nested_too_deeply_is_refused_in_those_words() -> None:
    with pytest.raises(numbers.BadNumber, match="nested too deeply"):
        numbers.from_array(b"[" * 1_000_000)


@pytest.mark.parametrize("task", ["sort", "log"])
@pytest.mark.parametrize("part", [b"[],", b"{},", b"0.5,"])
def test_what_a_large_input_holds_beyond_its_type_is_not_made(task: str, part: bytes) -> None:
    grown = grown_in_a_new_process(task, part)
    assert grown < 10 * SIZE, f"{grown / 1024**2:,.0f} MB"


LONG = LONGEST_STRING_BYTES
FACE = "\U0001f600".encode()


def test_a_string_that_would_be_most_of_the_memory_is_refused_before_it_is_made() -> None:
    """As an unknown name it would be told in an error, and be there three times, at four bytes a letter."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        grown = pool.apply(grow_by_name, (LONG,))
    assert grown < 2 * LONG, f"{grown / 1024**2:,.0f} MB"


def grow_by_name(size: int) -> int:
    raw = b'{"' + FACE + b"k" * size + b'":1}'
    log = tasks.load()["log"]

    def refuse() -> None:
        with pytest.raises(Invalid, match="a string of more than"):
            log.decode(raw)

    before = measured(lambda: None)
    return measured(refuse) - before


SHORT = 200_000
NUMBERS = b"[" + b"1," * SHORT + b"1]"


@pytest.mark.parametrize(
    ("raw", "holds"),
    [
        (b'{"%b":1}' % (b"k" * SHORT), False),
        (b'{"%b":1}' % (b"k" * (SHORT + 1)), True),
        (b'["\\n","%b\\\\"]' % (b"k" * SHORT), True),
        (b'["a",{"b":"%b"}]' % (b'\\"' * (SHORT // 2 + 1)), True),
        (b'["%b","a"]' % (b'\\"' * (SHORT // 2)), False),
        (b'["","",%b,""]' % NUMBERS, False),
        (b'["\\\\",%b,"\\\\"]' % NUMBERS, False),
        (NUMBERS, False),
    ],
    ids=["longest", "too long", "a slash at its end", "quotes", "fewer quotes", "empty ones", "slashes", "none"],
)
def test_what_stands_between_two_strings_is_none(raw: bytes, holds: bool) -> None:
    assert holds_long_string(raw, SHORT) is holds


def test_strings_are_passed_over_in_little_time() -> None:
    raw = b"[" + b'"","a\\n",' * 500_000 + b'"' + b"k" * SHORT + b'"]'
    start = time.process_time()
    assert not holds_long_string(raw, SHORT)
    assert time.process_time() - start < 1


def grown_in_a_new_process(task: str, part: bytes) -> int:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(grow, (task, part))


def grow(task: str, part: bytes) -> int:
    """By how many bytes the process grows when it refuses such an input."""
    array = b'"array":[1],' if task == "sort" else b'"message":"x",'
    raw = b"{" + array + b'"unknown":[' + part * (SIZE // len(part)) + b"0]}"
    known = tasks.load()[task]

    def refuse() -> None:
        with pytest.raises(Invalid, match="unknown field"):
            known.decode(raw)

    before = measured(lambda: None)
    return measured(refuse) - before


def measured(call: Callable[[], None]) -> int:
    call()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("piece", [1, 5, 4_000_000])
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([b"3", b"", b"x", b"y"], "line 3: not a JSON number"),
        ([b"", b" 3 ", b"\t", b"1,2", b"x"], "line 4: more than one number"),
        ([b"", b"x", b"1,2"], "line 2: not a JSON number"),
        ([b"", b"[1", b"2]"], "line 2: a nested array, not a number"),
        ([b"1]", b"2"], "line 1: not a JSON number"),
        ([b"", b'"a', b'b"'], "line 2: not a JSON number"),
        ([b"1", b"", b"9" * 4_001, b"x"], "line 3: an integer of more than 4,000 digits"),
        ([b"1", b"", b"NaN"], "line 3: NaN, not a number"),
    ],
)
def test_the_first_bad_line_is_named_wherever_a_piece_ends(
    lines: list[bytes], said: str, piece: int, end: bytes
) -> None:
    with pytest.raises(numbers.BadNumber) as caught:
        numbers.from_text(end.join(lines), piece=piece)
    assert str(caught.value) == said


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("piece", [1, 5, 4_000_000])
def test_blank_lines_are_skipped_wherever_a_piece_ends(piece: int, end: bytes) -> None:
    lines = [b"", b" 12 ", b"", b"\x0c3.5", b"\t", b"", b"-7", b""]
    assert msgspec.json.decode(numbers.from_text(end.join(lines), piece=piece)) == [12, 3.5, -7]
