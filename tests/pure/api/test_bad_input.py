"""What is wrong with a request is said with the right status and place, and never disturbs the next good one."""

from typing import Any

import pytest

from tests.pure.api.bad_requests import BODIES, QUERIES, SHAPES, Bad
from tests.pure.api.conftest import MemoryApi, Reply


def is_problem(answer: Reply) -> bool:
    fields = {"type", "title", "status", "detail"}
    return (
        answer.headers["Content-Type"] == "application/problem+json"
        and fields <= answer.body.keys() <= fields | {"errors"}
        and answer.body["status"] == answer.status
        and bool(answer.headers["X-Request-Id"])
    )


def good_job_runs(api: MemoryApi) -> bool:
    job = api.submit(array=[3, 1, 2])
    api.work()
    return bool(api.job(job["id"])["output"] == {"array": [1, 2, 3]})


@pytest.mark.parametrize("bad", [*BODIES, *SHAPES, *QUERIES], ids=lambda bad: bad.name)
def test_a_bad_request_is_refused_with_its_place_and_the_next_job_runs(memory: MemoryApi, bad: Bad) -> None:
    answer = memory.ask(bad.method, bad.path, raw=bad.raw, **bad.headers)
    assert (answer.status, answer.locs) == (bad.status, bad.locs), answer.raw[:500]
    assert is_problem(answer)
    assert memory.queue.sent == 0
    assert good_job_runs(memory)


def test_the_table_is_as_long_as_promised() -> None:
    names = [bad.name for bad in (*BODIES, *SHAPES, *QUERIES)]
    assert len(names) == len(set(names)) >= 60


def test_a_body_over_the_limit_is_told_where_to_go(memory: MemoryApi) -> None:
    answer = memory.ask("POST", "/jobs", raw=b'{"array":[' + b"1," * 2_500_000 + b"1]}")
    assert answer.status == 413
    assert "/uploads" in answer.body["detail"]
    assert good_job_runs(memory)


@pytest.mark.parametrize("size", [4_999_990, 5_000_000])
def test_a_body_at_the_limit_is_taken(memory: MemoryApi, size: int) -> None:
    head, tail = b'{"array":[1', b"]}"
    answer = memory.ask("POST", "/jobs", raw=head + b" " * (size - len(head) - len(tail)) + tail)
    assert answer.status == 202


@pytest.mark.parametrize("size", [0, 101])
def test_a_bulk_of_none_or_of_too_many_is_refused_as_a_whole(memory: MemoryApi, size: int) -> None:
    answer = memory.ask("POST", "/jobs/bulk", {"jobs": [{"array": [1]}] * size})
    assert (answer.status, answer.locs) == (422, ["jobs"])
    assert memory.queue.sent == 0


def test_bad_entries_of_a_bulk_are_judged_alone(memory: MemoryApi) -> None:
    entries: list[Any] = [{"array": [1]}, None, 7, "x", [], {"array": ["x"]}, {"task": "log", "input": {}}]
    answer = memory.ask("POST", "/jobs/bulk", {"jobs": entries})
    assert answer.status == 207
    statuses = [result["status"] for result in answer.body["results"]]
    assert statuses == [202, 422, 422, 422, 422, 422, 422]
    locs = [[fault["loc"] for fault in result["problem"]["errors"]] for result in answer.body["results"][1:]]
    assert locs == [[""], [""], [""], [""], ["array[0]"], ["input.message"]]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"%b": 1}',
        b'{"%b": NaN}',
        b'{"task": "log", "input": {"%b": 1}}',
        b'{"array": [1], "object_id": 1, "window": {"on_repeat": "%b"}}',
        b'{"array": [1], "run_at": "2027-02-01T00:00:00.%b"}',
    ],
)
def test_what_is_wrong_is_named_in_short_however_long_it_is(memory: MemoryApi, raw: bytes) -> None:
    """Named in full, and twice, it would not fit Lambda's answer: a 502."""
    answer = memory.ask("POST", "/jobs", raw=raw % (b"1" * 4_000_000))
    assert (answer.status, is_problem(answer), len(answer.raw) < 20_000) == (422, True, True)


def test_raw_bytes_of_every_kind_never_make_a_server_error(memory: MemoryApi) -> None:
    """Each byte of a good body replaced by each of some bad ones."""
    good = b'{"task":"log","input":{"message":"x"},"object_id":1,"window":{"seconds":9}}'
    for index in range(len(good)):
        for byte in b'\x00"\\{[\xff\xed-':
            answer = memory.ask("POST", "/jobs", raw=good[:index] + bytes([byte]) + good[index + 1 :])
            assert answer.status in (202, 400, 422), answer.raw
    assert good_job_runs(memory)


def test_a_float_without_a_fraction_is_an_integer_as_in_json_schema(memory: MemoryApi) -> None:
    raw = b'{"array": [3.0, 1], "max_attempts": 2.0, "object_id": 7.0, "window": {"seconds": 5.0}}'
    job = memory.ask("POST", "/jobs", raw=raw).body
    assert (job["max_attempts"], job["object_id"], job["window"]["seconds"]) == (2, 7, 5)
    memory.work()
    assert b"[1,3.0]" in memory.ask("GET", f"/jobs/{job['id']}").raw


def test_the_words_nan_and_infinity_in_a_string_harm_nobody(memory: MemoryApi) -> None:
    payload = {"message": 'NaN "Infinity" \\'}
    assert memory.submit(task="log", input=payload)["input"] == payload
