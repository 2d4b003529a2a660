"""Lambda answers with 6 MB at most, counted as the text of a JSON answer: the largest of each route stays below."""

import json
from dataclasses import replace
from typing import Any

import msgspec

from chalicelib.core.job import Attempt, Error, Inline, Status
from chalicelib.core.records import RunRecord
from chalicelib.service.attempt import MESSAGE_LIMIT_CHARACTERS
from tests.pure.api.conftest import MemoryApi
from tests.support.rows import row

LIMIT = 6_291_556
WIDE = "\U0001f600"
"""A letter that takes twelve bytes in ASCII JSON, which is how a body is counted."""


def counted(api: MemoryApi, path: str) -> int:
    answer = api.ask("GET", path)
    assert answer.status == 200, answer.body
    return len(json.dumps({"statusCode": 200, "body": answer.raw.decode()}))


def fill_with_jobs(api: MemoryApi, count: int) -> list[str]:
    error = Error("task_error", WIDE * MESSAGE_LIMIT_CHARACTERS)
    log = tuple(Attempt(n, 1, 2, "task_error", Error("task_error", WIDE * 500)) for n in range(1, 21))
    text = json.dumps({"message": '"' * 2_000}).encode()
    names: dict[str, Any] = {
        "object_id": WIDE * 128, "owner": "local", "task": "fail", "group": "g" * 64,
                             "past_attempts": log, "error": error, "input": Inline(text), "label": WIDE * 64,
    }  # fmt: skip
    ids = []
    now = api.clock.now()
    for status in (Status.PENDING, Status.SCHEDULED, Status.FAILED):
        ended = {"finished_at": now, "wake_at": None} if status is Status.FAILED else {}
        later = now + 10**9 if status is Status.SCHEDULED else now
        for _ in range(count):
            job = row(status=status, attempts=20, not_before=later, run_at=now, **names, **ended)
            ids.append(api.ports.jobs.insert(job).id)
    return ids


def test_lists_the_board_and_a_run_of_the_largest_jobs_fit_an_answer(memory: MemoryApi) -> None:
    ids = fill_with_jobs(memory, 100)
    run_id = ids[0]
    record = RunRecord("local", run_id, "nightly", tuple(ids[:99]), memory.clock.now(), 2**40)
    memory.ports.jobs.table.runs["local", run_id] = record  # type: ignore[attr-defined]
    for path in ("/jobs?limit=100", "/board", f"/groups/nightly/runs/{run_id}", f"/jobs/{ids[-1]}"):
        assert counted(memory, path) < LIMIT, path
    assert len(memory.ask("GET", "/board").body["history"]) == 100


def test_a_bulk_that_is_repeated_once_its_jobs_have_failed_many_times_fits_an_answer(memory: MemoryApi) -> None:
    request = {"jobs": [{"task": "fail", "input": {"message": WIDE * 1_000}}] * 100}
    first = memory.ask("POST", "/jobs/bulk", request, idempotency_key="k")
    jobs = memory.ports.jobs.table.jobs  # type: ignore[attr-defined]
    for result in first.body["results"]:
        log = tuple(Attempt(n, 1, 2, "task_error", Error("task_error", WIDE * 500)) for n in range(1, 21))
        error = Error("task_error", WIDE * 1_000)
        job = jobs[result["job"]["id"]]
        jobs[job.id] = msgspec.structs.replace(job, status=Status.FAILED, error=error, past_attempts=log, attempts=20)
    again = memory.ask("POST", "/jobs/bulk", request, idempotency_key="k")
    assert again.status == 207
    assert {result["status"] for result in again.body["results"]} == {200}
    assert len(json.dumps({"statusCode": 207, "body": again.raw.decode()})) < LIMIT


def test_a_job_with_the_largest_output_that_is_shown_fits_an_answer(memory: MemoryApi) -> None:
    (job_id,) = fill_with_jobs(memory, 1)[-1:]
    stored = memory.ports.jobs.table.jobs  # type: ignore[attr-defined]
    output = Inline(b'{"array":[' + b"1," * 2_740_000 + b"1]}")
    stored[job_id] = msgspec.structs.replace(
        stored[job_id], output=output, input=Inline(b'{"a":"' + b'\\"' * 10_000 + b'"}')
    )
    assert counted(memory, f"/jobs/{job_id}") < LIMIT


def test_a_hundred_and_thirty_schedules_with_large_jobs_are_listed_page_by_page(memory: MemoryApi) -> None:
    numbers = ",".join(["1234567"] * 5_000)
    line = {"cron": "0 3 * * *", "job": {"array": json.loads(f"[{numbers}]")}}
    first = memory.ask("POST", "/schedules", line).body
    table = memory.ports.records.table.schedules  # type: ignore[attr-defined]
    schedule = table[first["id"]]
    for number in range(130):
        copy = replace(schedule, id=f"s-{number:026d}")
        table[copy.id] = copy
    rows, path = [], "/schedules?limit=100"
    while path:
        assert counted(memory, path) < LIMIT
        page = memory.ask("GET", path).body
        rows += [each["id"] for each in page["schedules"]]
        path = f"/schedules?limit=100&cursor={page['next']}" if page["next"] else ""
    assert rows == sorted(table)
    assert counted(memory, f"/schedules/{first['id']}") < LIMIT
