"""Lists and the board: every filter walked page by page finds each of its jobs once, newest first."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from msgspec.structs import replace

from chalicelib.core.ids import make_id
from chalicelib.core.times import from_millis, to_rfc3339
from tests.pure.api.conftest import Api, MemoryApi

Keep = Callable[[Any], bool]
FILTERS: list[tuple[dict[str, str], Keep]] = [
    ({}, lambda job: True),
    *[({"status": status}, lambda job, status=status: job["status"] == status)
      for status in ("scheduled", "pending", "running", "completed", "failed", "canceled")],
    *[({"task": task}, lambda job, task=task: job["task"] == task)
      for task in ("sort", "log", "fail", "sleep", "nothing")],
    ({"object_id": "7"}, lambda job: job["object_id"] == 7),
    ({"object_id": '"7"'}, lambda job: job["object_id"] == "7"),
    ({"object_id": "a b/ü"}, lambda job: job["object_id"] == "a b/ü"),
    ({"object_id": "none"}, lambda job: False),
    ({"group": "group_a"}, lambda job: job["group"] == "group_a"),
    ({"group": "group_z"}, lambda job: False),
    ({"status": "completed", "task": "sort"}, lambda job: job["status"] == "completed" and job["task"] == "sort"),
    ({"status": "failed", "task": "fail"}, lambda job: job["status"] == "failed" and job["task"] == "fail"),
    ({"status": "completed", "group": "group_a"}, lambda job: job["status"] == "completed" and bool(job["group"])),
    ({"task": "sort", "object_id": "7"}, lambda job: job["task"] == "sort" and job["object_id"] == 7),
    ({"task": "sort", "object_id": "7", "status": "completed", "group": "group_a"}, lambda job: False),
]  # fmt: skip


def fill(api: Api) -> list[Any]:
    """Jobs in every status but running; all of them, newest first."""
    for number in range(6):
        api.submit(array=[number], object_id=7)
        api.submit(task="log", input={"message": "x"}, object_id="7")
        api.submit(task="fail", input={"message": "x"}, max_attempts=1)
    api.ask("POST", "/groups/group_a/runs")
    api.work()
    for number in range(4):
        api.submit(array=[number], object_id="a b/ü")
        api.submit(array=[number], run_in="1h")
        canceled = api.submit(task="sleep", input={"seconds": 0})
        api.ask("DELETE", f"/jobs/{canceled['id']}")
    return walk(api, {}, 100)


def walk(api: Api, query: dict[str, str], limit: int) -> list[Any]:
    """Every job of a list, page after page."""
    jobs: list[Any] = []
    cursor: str | None = ""
    for _ in range(200):
        more = {"cursor": cursor} if cursor else {}
        answer = api.ask("GET", "/jobs?" + urlencode({**query, "limit": str(limit), **more}, quote_via=quote))
        assert answer.status == 200, answer.body
        assert set(answer.body) == {"jobs", "next"}
        assert len(answer.body["jobs"]) <= limit
        jobs += answer.body["jobs"]
        cursor = answer.body["next"]
        if cursor is None:
            return jobs
    raise AssertionError("the list does not end")


def ids(jobs: list[Any]) -> list[str]:
    return [job["id"] for job in jobs]


def test_every_filter_finds_each_of_its_jobs_once_whatever_the_page(api: Api) -> None:
    everything = fill(api)
    assert len(set(ids(everything))) == 33
    assert ids(everything) == sorted(ids(everything), reverse=True)
    assert {job["status"] for job in everything} == {"scheduled", "pending", "completed", "failed", "canceled"}
    sizes = (1, 3, 100) if isinstance(api, MemoryApi) else (7, 100)  # moto takes its time for each page
    for query, keep in FILTERS:
        expected = ids([job for job in everything if keep(job)])
        for limit in sizes:
            assert ids(walk(api, query, limit)) == expected, (query, limit)


def test_a_page_holds_twenty_jobs_unless_it_is_told_otherwise_and_no_payloads(memory: MemoryApi) -> None:
    for _ in range(25):
        memory.submit(array=[1])
    page = memory.ask("GET", "/jobs").body
    assert len(page["jobs"]) == 20
    assert not any({"input", "output"} & job.keys() for job in page["jobs"])
    assert page["next"]


def test_jobs_submitted_while_pages_are_turned_disturb_nothing(memory: MemoryApi) -> None:
    old = [memory.submit(array=[1])["id"] for _ in range(6)]
    first = memory.ask("GET", "/jobs?limit=3").body
    memory.submit(array=[1])
    second = memory.ask("GET", f"/jobs?limit=3&cursor={first['next']}").body
    assert ids(first["jobs"]) + ids(second["jobs"]) == old[::-1]


def test_a_job_past_its_retention_is_gone_for_every_reader(memory: MemoryApi) -> None:
    job = memory.submit(array=[1])
    memory.work()
    memory.pass_time(memory.ports.settings.retention + 1)
    assert memory.ask("GET", f"/jobs/{job['id']}").status == 404
    assert memory.ask("GET", "/jobs").body["jobs"] == []
    assert memory.ask("GET", "/board").body["history"] == {}


def test_the_board_has_three_sides(api: Api) -> None:
    everything = fill(api)
    board = api.ask("GET", "/board").body
    sides = {
        "running": ("pending", "running"),
        "scheduled": ("scheduled",),
        "history": ("completed", "failed", "canceled"),
    }
    assert set(board) == set(sides)
    for side, statuses in sides.items():
        assert list(board[side]) == ids([job for job in everything if job["status"] in statuses])
        assert all(job["id"] == key for key, job in board[side].items())


def test_a_side_of_the_board_holds_the_newest_hundred(memory: MemoryApi) -> None:
    job_ids = [memory.submit(array=[1])["id"] for _ in range(105)]
    assert list(memory.ask("GET", "/board").body["running"]) == job_ids[:-101:-1]


@pytest.mark.parametrize("status", ["pending", "scheduled"])
def test_a_scheduled_job_is_listed_as_pending_once_it_is_due(memory: MemoryApi, status: str) -> None:
    job = memory.submit(array=[1], run_in=60)
    if status == "pending":
        memory.pass_time(60)
    assert ids(memory.ask("GET", f"/jobs?status={status}").body["jobs"]) == [job["id"]]
    assert memory.job(job["id"])["status"] == status


def test_jobs_are_found_by_time_beside_every_other_filter(memory: MemoryApi) -> None:
    old = [memory.submit(array=[n], object_id=n % 2)["id"] for n in range(3)]
    memory.clock.advance(7_200)
    new = [memory.submit(array=[n], object_id=n % 2)["id"] for n in range(3)]
    middle = to_rfc3339(from_millis(memory.clock.now() - 3_600_000))
    for query, expected in (
        ({"since": "1h"}, new), ({"until": "1h"}, old), ({"since": middle}, new), ({"until": middle}, old),
        ({"since": "3h", "until": "1h"}, old), ({"since": "1h", "object_id": "1"}, [new[1]]),
        ({"since": "3h"}, old + new),
    ):  # fmt: skip
        for limit in (1, 2, 100):
            assert ids(walk(memory, query, limit)) == sorted(expected, reverse=True), (query, limit)


def test_a_job_whose_id_lies_in_the_future_is_listed_only_when_it_is_asked_for(memory: MemoryApi) -> None:
    now = memory.submit(array=[1])["id"]
    row = memory.ports.jobs.get(now)
    assert row
    ahead = make_id(memory.clock.now() + 2 * 3_600_000, 1)
    memory.ports.jobs.insert(replace(row, id=ahead))
    assert ids(walk(memory, {}, 100)) == [now]
    later = to_rfc3339(from_millis(memory.clock.now() + 3 * 3_600_000))
    assert ids(walk(memory, {"until": later}, 100)) == [ahead, now]


@pytest.mark.parametrize(
    ("query", "loc", "words"),
    [
        ("since=yesterday", "since", "how long ago"), ("until=2026-01-01T00:00:00", "until", "offset"),
        ("since=1h&until=2h", "since", "before until"), ("since=99999999999d", "since", "too long ago"),
        ("since=", "since", "is not a time"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read_says_how_to_write_it(memory: MemoryApi, query: str, loc: str, words: str) -> None:
    answer = memory.ask("GET", f"/jobs?{query}")
    assert (answer.status, answer.locs) == (422, [loc])
    assert words in answer.body["errors"][0]["msg"]
