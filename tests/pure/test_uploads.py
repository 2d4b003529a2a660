"""Uploads as programs and people write them: marks, white space, gzip, and places that are those of the file."""

import gzip
import time
import zlib
from dataclasses import replace

import msgspec
import pytest

from chalicelib.core.job import Inline, Job, Status, Stored
from chalicelib.core.unpacking import unpack
from chalicelib.errors import Invalid
from chalicelib.tasks.sorting import numbers
from tests.pure.test_work import Bench

BOM = b"\xef\xbb\xbf"


def run(data: bytes, task: str = "sort", bench: Bench | None = None) -> Job:
    """The job of an upload that holds these bytes."""
    bench = bench or Bench()
    job_id = bench.submit(task, '{"array":[]}')
    bench.ports.payloads.put("inputs/x", data)
    bench.table.jobs[job_id] = msgspec.structs.replace(bench.job(job_id), input=Stored("inputs/x", len(data), raw=True))
    assert bench.work() == []
    return bench.job(job_id)


def error_of(data: bytes, task: str = "sort") -> str:
    error = run(data, task).error
    assert error is not None
    assert error.type == "task_error"
    return error.message


@pytest.mark.parametrize("before", [b"", BOM, b" " * 70, BOM + b"\r\n" * 200])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("data", [b"[3,1]", b'{"array":[3,1]}', b"3\n1\n"])
def test_a_mark_white_space_and_gzip_are_read(before: bytes, packed: bool, data: bytes) -> None:
    whole = gzip.compress(before + data) if packed else before + data
    assert run(whole).output == Inline(b'{"array":[1,3]}')


def test_a_mark_and_gzip_are_read_for_every_task() -> None:
    data = BOM + b'  {"seconds":0}'
    for whole in (data, gzip.compress(data), gzip.compress(data[:5]) + gzip.compress(data[5:])):
        assert run(whole, "sleep").status is Status.COMPLETED


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[1,NaN]", "array[1]: NaN, not a number"),
        (b"[1,2,x]", "array[2]: not a JSON number"),
        (b"[1,2", "truncated: the array is not closed"),
        (BOM + b" [1,-Infinity]", "array[1]: -Infinity, not a number"),
        (b'{"array":[1,NaN]}', "NaN (byte 12), not a number"),
        (BOM + b'{"array":[1,NaN]}', "NaN (byte 15), not a number"),
        (b'{"array":[1,-Infinity]}', "-Infinity (byte 12), not a number"),
        (b'{"array":[1,x]}', "byte 12"),
        (b"1\n2\nx\n", "line 3: not a JSON number"),
        (gzip.compress(b"1\n2\nx\n", mtime=0), "line 3: not a JSON number"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_in_the_file_as_it_was_sent(data: bytes, said: str) -> None:
    assert said in error_of(data)


def test_damaged_and_bottomless_gzip_is_refused_in_those_words() -> None:
    whole = gzip.compress(b"[" + b"1," * 5_000 + b"1]", mtime=0)
    assert "gzip that is cut off" in error_of(whole[:-9])
    assert "gzip that is damaged" in error_of(whole[:20] + b"\xff" * 20 + whole[40:])
    bench = Bench()
    bench.ports = replace(bench.ports, settings=replace(bench.ports.settings, upload_limit=10_000))
    error = run(whole, bench=bench).error
    assert error is not None
    assert "gzip that holds more than 10,000 bytes" in error.message
    assert run(zlib.compress(b"[1]")).status is Status.FAILED, "another packing is no JSON"


def test_more_numbers_than_ten_million_are_counted_and_not_read() -> None:
    few, more = b"1," * 9, b"1," * numbers.MAX_NUMBERS
    assert run(b"[" + few + b"1]").status is Status.COMPLETED
    for data in (b"[" + more + b"1]", b'{"array":[' + more + b"1]}"):
        assert "more than 10,000,000 numbers" in error_of(data)
    assert "more than 10,000,000 lines" in error_of(b"1\n" * (numbers.MAX_NUMBERS + 1))


@pytest.mark.parametrize(
    ("raw", "sorted_"),
    [
        (b"[0,-0]", b"[0,0]"),
        (b"[0.1234567890123456789,0.1]", b"[0.1,0.12345678901234568]"),
        (b"[1e-400,-1e-400]", b"[0.0,-0.0]"),
        (b"[9007199254740993,9007199254740992.0]", b"[9007199254740992.0,9007199254740993]"),
    ],
)
def test_a_number_with_a_point_is_the_nearest_double_and_minus_zero_is_the_integer_zero(
    raw: bytes, sorted_: bytes
) -> None:
    assert numbers.sort(raw) == sorted_


def test_gzip_of_many_members_is_read_in_the_time_of_its_bytes_and_of_too_many_refused() -> None:
    several = b"".join(gzip.compress(b"%d\n" % number) + b"\0" * (number % 3) for number in range(2_000))
    assert unpack(several, 1_000_000) == b"".join(b"%d\n" % number for number in range(2_000))
    start = time.process_time()
    with pytest.raises(Invalid, match="more than 100,000 members"):
        unpack(gzip.compress(b"") * 200_000, 1_000_000)
    assert time.process_time() - start < 8
