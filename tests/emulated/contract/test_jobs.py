"""Job rows: what is written comes back, and each index holds what it should."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from chalicelib.core import change as changes
from chalicelib.core.change import RESEND_AFTER_MS, Change
from chalicelib.core.filters import Filter
from chalicelib.core.ids import first_id, make_id
from chalicelib.core.job import ENDED, WAITING, Error, Inline, Job, Status, Stored
from chalicelib.core.records import RunRecord, WindowRecord
from chalicelib.ports import ChangeRefused, JobStore, WaitingJob
from chalicelib.service.bulk import BATCH_ROWS
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import RUNNING, new_id, row


def listed(jobs: JobStore, owner: str, *statuses: Status, **more: Any) -> list[str]:
    return jobs.page(Filter(owner, frozenset(statuses or Status), **more), None, 100, START)


def insert_all(jobs: JobStore, rows: list[Job]) -> None:
    for start in range(0, len(rows), BATCH_ROWS):
        jobs.insert_many(rows[start : start + BATCH_ROWS])


def due_pages(jobs: JobStore, now: int) -> list[Sequence[str]]:
    return [page for shard in jobs.due(now, 3) for page in shard]


def due_ids(jobs: JobStore, now: int) -> list[str]:
    return [name for shard in jobs.due(now, 100) for page in shard for name in page]


@pytest.fixture
def owner() -> str:
    return f"owner-{new_id()}"


def test_rows_come_back_in_the_order_asked_for(ground: Ground) -> None:
    jobs = [row() for _ in range(105)]
    insert_all(ground.jobs, jobs)
    asked_for = [jobs[3].id, new_id(), *(job.id for job in reversed(jobs))]
    assert [job.id for job in ground.jobs.get_many(list(dict.fromkeys(asked_for)))] == list(
        dict.fromkeys(each for each in asked_for if each != asked_for[1])
    )
    assert ground.jobs.get_many([]) == []


def test_a_run_is_written_whole_or_not_at_all(ground: Ground, owner: str) -> None:
    jobs = [row(owner=owner, group="nightly") for _ in range(99)]
    run_id = new_id()
    record = RunRecord(owner, run_id, "nightly", tuple(job.id for job in jobs), START, START // 1000 + 60)
    ground.jobs.insert_run(record, jobs)
    assert ground.records.run(owner, run_id) == record
    assert ground.jobs.get_many(record.job_ids) == jobs
    assert ground.records.run("somebody else", run_id) is None

    other, fresh = new_id(), row(owner=owner)
    with pytest.raises(ChangeRefused):
        ground.jobs.insert_run(_record(owner, other), [fresh, jobs[0]])
    assert ground.records.run(owner, other) is None
    assert ground.jobs.get(fresh.id) is None


def _record(owner: str, run_id: str) -> RunRecord:
    return RunRecord(owner, run_id, "nightly", (), START, START // 1000 + 60)


def test_a_job_enters_a_window_together_with_it_or_not_at_all(ground: Ground, owner: str) -> None:
    job = row(owner=owner, object_id="Ünïcode \x00 #")
    record = WindowRecord(owner, "Ünïcode \x00 #", job.id, START, START + 1_000, 1)
    ground.jobs.insert_in_window(job, record, None)
    assert ground.records.window(owner, "Ünïcode \x00 #") == record
    again = row(owner=owner)
    with pytest.raises(ChangeRefused):
        ground.jobs.insert_in_window(again, record, None)
    assert ground.jobs.get(again.id) is None
    with pytest.raises(ChangeRefused):  # the job is there already: its window must not move on
        ground.jobs.insert_in_window(job, msgspec.convert({**_fields(record), "version": 2}, WindowRecord), record)
    assert ground.records.window(owner, "Ünïcode \x00 #") == record


def _fields(record: WindowRecord) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(record)
    return fields


def test_the_number_1_and_the_text_1_are_two_objects(ground: Ground, owner: str) -> None:
    for object_id in (1, "1"):
        job = row(owner=owner, object_id=object_id)
        ground.jobs.insert_in_window(job, WindowRecord(owner, object_id, job.id, START, START + 1_000, 1), None)
        assert ground.jobs.page(Filter(owner, object_id=object_id), None, 10, START) == [job.id]


@pytest.mark.parametrize("quick", [True, False])
def test_a_job_is_in_the_list_of_its_status_all_its_life(ground: Ground, owner: str, quick: bool) -> None:
    """A quick job stays in the pending list while it runs, which saves index writes."""
    job = ground.jobs.insert(row(owner=owner, quick=quick))
    assert listed(ground.jobs, owner, Status.PENDING) == [job.id]
    job = ground.jobs.claim(job.id, START, "token")
    assert listed(ground.jobs, owner, Status.RUNNING) == ([] if quick else [job.id])
    assert listed(ground.jobs, owner, Status.PENDING) == ([job.id] if quick else [])
    assert ground.jobs.open_jobs(owner).running == (0 if quick else 1)
    error = Error("task_error", "no")
    job = ground.jobs.apply(changes.fail_attempt(job, START, error, duration_ms=1.0, jitter=0.5, retention=60))
    assert listed(ground.jobs, owner, Status.SCHEDULED) == [job.id]
    assert list(ground.jobs.open_jobs(owner).waiting) == [WaitingJob(job.id, job.not_before, quick)]
    job = ground.jobs.claim(job.id, job.not_before, "token")
    job = ground.jobs.apply(changes.stop(job, START, duration_ms=1.0, retention=60))
    assert listed(ground.jobs, owner, Status.CANCELED) == [job.id]
    job = ground.jobs.apply(changes.retry_by_hand(job, START + 5))
    assert listed(ground.jobs, owner, Status.PENDING) == [job.id]
    assert list(ground.jobs.open_jobs(owner).waiting) == [WaitingJob(job.id, START + 5, quick)]
    job = ground.jobs.claim(job.id, job.not_before, "token")
    ground.jobs.apply(changes.complete(job, START, output=Inline(b"1"), duration_ms=1.0, retention=60))
    assert listed(ground.jobs, owner, *(set(Status) - {Status.COMPLETED})) == []
    assert listed(ground.jobs, owner, Status.COMPLETED) == [job.id]
    assert list(ground.jobs.open_jobs(owner).waiting) == []


def test_a_span_of_time_is_a_range_of_ids_whatever_the_filter_and_the_page(ground: Ground, owner: str) -> None:
    jobs = [
        row(id=make_id(START + second * 1000, second), owner=owner, object_id=second % 2, group="g",
            quick=second % 3 == 0, task="sort" if second % 3 == 0 else "sleep")
        for second in range(10)
    ]  # fmt: skip
    insert_all(ground.jobs, jobs)
    ids = [job.id for job in jobs]

    def every(limit: int, **chosen: Any) -> list[str]:
        listed: list[str] = []
        while page := ground.jobs.page(Filter(owner, **chosen), listed[-1] if listed else None, limit, START):
            listed += page
        return listed[::-1]

    since, until = first_id(START + 2_000), first_id(START + 7_000)
    for limit in (1, 3, 100):
        assert every(limit, since=since) == ids[2:]
        assert every(limit, until=until) == ids[:7]
        assert every(limit, since=since, until=until) == ids[2:7]
        assert every(limit, since=since, until=until, object_id=1) == [ids[3], ids[5]]
        assert every(limit, since=since, until=until, group="g") == ids[2:7]
        assert every(limit, since=since, until=until, task="sleep") == [ids[2], ids[4], ids[5]]
    assert every(10, since=ids[4], until=ids[5]) == [ids[4]], "from the one on, and below the other"
    assert every(10, since=until, until=since) == []


def test_every_filter_finds_its_jobs_newest_first_and_page_by_page(ground: Ground, owner: str) -> None:
    jobs = [
        row(owner=owner, quick=number % 4 == 0, task="sort" if number % 2 == 0 else "sleep",
            object_id=number % 3 or None, group="g" if number % 4 == 0 else None,
            status=Status.SCHEDULED if number % 5 == 0 else Status.PENDING)
        for number in range(12)
    ]  # fmt: skip
    insert_all(ground.jobs, jobs)
    ground.jobs.insert(row(owner=f"{owner}2", object_id=1, group="g"))

    def every(chosen: Filter, limit: int = 2) -> list[str]:
        listed: list[str] = []
        while page := ground.jobs.page(chosen, listed[-1] if listed else None, limit, START):
            listed += page
        return listed

    def those(keep: "list[Job]") -> list[str]:
        return sorted((job.id for job in keep), reverse=True)

    assert every(Filter(owner)) == those(jobs)
    scheduled = Filter(owner, frozenset({Status.SCHEDULED}))
    assert every(scheduled) == those([job for job in jobs if job.status is Status.SCHEDULED])
    assert every(Filter(owner, task="sleep")) == those([job for job in jobs if job.task == "sleep"])
    sorts = [job for job in jobs if job.task == "sort"]
    assert {job.quick for job in sorts} == {True, False}
    assert every(Filter(owner, task="sort", quick_task=True)) == those(sorts)
    assert every(Filter(owner, object_id=2)) == those([job for job in jobs if job.object_id == 2])
    assert every(Filter(owner, group="g")) == those([job for job in jobs if job.group == "g"])


@pytest.mark.parametrize("quick", [True, False])
def test_the_lists_of_task_object_and_group_tell_apart_how_a_job_has_ended(
    ground: Ground, owner: str, quick: bool
) -> None:
    job = ground.jobs.insert(row(owner=owner, quick=quick, object_id="o", group="g"))
    filters: tuple[dict[str, Any], ...] = ({"task": "sort", "quick_task": True}, {"object_id": "o"}, {"group": "g"})

    def found_under() -> set[Status]:
        lists = [{status for status in Status if listed(ground.jobs, owner, status, **more)} for more in filters]
        assert all(each & ENDED == lists[0] & ENDED for each in lists)
        assert all(listed(ground.jobs, owner, *Status, **more) == [job.id] for more in filters)
        return lists[1]  # what is open is one list

    assert found_under() == WAITING | {Status.RUNNING}
    job = ground.jobs.claim(job.id, START, "token")
    assert found_under() == WAITING | {Status.RUNNING}
    job = ground.jobs.apply(changes.stop(job, START, duration_ms=1.0, retention=60))
    assert found_under() == {Status.CANCELED}
    job = ground.jobs.apply(changes.retry_by_hand(job, START))
    assert found_under() == WAITING | {Status.RUNNING}
    job = ground.jobs.claim(job.id, START, "token")
    ground.jobs.apply(changes.complete(job, START, output=Inline(b"1"), duration_ms=1.0, retention=60))
    assert found_under() == {Status.COMPLETED}


@pytest.mark.parametrize("quick", [True, False])
def test_a_job_that_is_due_is_listed_as_pending_and_moved_there(ground: Ground, owner: str, quick: bool) -> None:
    scheduled = frozenset({Status.SCHEDULED})
    job = ground.jobs.insert(row(owner=owner, quick=quick, status=Status.SCHEDULED, not_before=START, wake_at=START))
    later = ground.jobs.insert(row(owner=owner, quick=quick, status=Status.SCHEDULED, not_before=START + 1))
    assert listed(ground.jobs, owner, Status.PENDING) == [job.id]
    assert listed(ground.jobs, owner, Status.SCHEDULED) == sorted([job.id, later.id], reverse=True)
    assert ground.jobs.page(Filter(owner, scheduled), None, 1, START) == [max(job.id, later.id)]
    moved = ground.jobs.apply(changes.fall_due(job, START, START + 60_000))
    assert (moved.status, moved.not_before, moved.wake_at) == (Status.PENDING, START, START + 60_000)
    assert listed(ground.jobs, owner, Status.PENDING) == [job.id]
    assert listed(ground.jobs, owner, Status.SCHEDULED) == [later.id]
    with pytest.raises(ChangeRefused):  # a second dispatcher
        ground.jobs.apply(changes.fall_due(job, START, START + 60_000))
    with pytest.raises(ChangeRefused):  # not due
        ground.jobs.apply(changes.fall_due(later, START, START + 60_000))
    claimed = ground.jobs.claim(job.id, START, "token")
    with pytest.raises(ChangeRefused):  # a worker was faster
        ground.jobs.apply(changes.fall_due(claimed, START, START + 60_000))


def test_due_finds_what_has_to_wake_oldest_first_in_each_shard(ground: Ground, owner: str) -> None:
    base = START - 10_000_000
    jobs = [row(owner=owner, wake_at=base + (number * 37) % 60) for number in range(60)]
    insert_all(ground.jobs, jobs)
    wakes = {job.id: job.wake_at for job in jobs}
    assert due_ids(ground.jobs, base - 1) == []
    listed = [[wakes[name] for name in page if name in wakes] for page in due_pages(ground.jobs, base + 29)]
    assert all(times == sorted(times, key=lambda time: time or 0) for times in listed)
    assert sorted(time for times in listed for time in times if time) == list(range(base, base + 30))
    assert all(len(page) <= 3 for page in due_pages(ground.jobs, base + 59))
    for job in jobs:
        ground.jobs.apply(changes.cancel(job, START, retention=60))
    assert due_ids(ground.jobs, base + 59) == []


def test_a_claim_leaves_the_wake_time_alone(ground: Ground, owner: str) -> None:
    job = ground.jobs.insert(row(owner=owner, wake_at=START + RESEND_AFTER_MS))
    ground.jobs.claim(job.id, START, "token")
    assert job.id in due_ids(ground.jobs, START + RESEND_AFTER_MS)


def test_a_row_keeps_its_newest_past_attempts_only(ground: Ground) -> None:
    """Each is billed with every write, and a row that grew for ever would one day take no more writes."""
    job = ground.jobs.insert(row(attempt_limit=100))
    error = Error("task_error", "💥" * 2_000)
    for number in range(1, 26):
        job = ground.jobs.claim(job.id, job.not_before, "token")
        job = ground.jobs.apply(changes.fail_attempt(job, START, error, duration_ms=1, jitter=0, retention=60))
        assert len(job.past_attempts) == min(number, changes.PAST_KEPT)
    assert [past.attempt for past in job.past_attempts] == list(range(6, 26))
    assert len(msgspec.json.encode(job.past_attempts)) < 60_000


def test_large_payloads_are_named_in_the_row(ground: Ground) -> None:
    job = row(**RUNNING, input=Stored("inputs/1", 5_000_000, raw=True))
    ground.jobs.insert(job)
    change: Change = changes.complete(job, START, output=Stored("outputs/1", 9), duration_ms=1.0, retention=60)
    assert ground.jobs.apply(change).output == Stored("outputs/1", 9)
    assert ground.jobs.get(job.id) == changes.apply_change(change, job)


@pytest.mark.parametrize(
    "damage",
    [
        "SET #status = :text",
        "SET created_at = :text",
        "SET attempts = :text",
        "REMOVE #status",
        "REMOVE created_at",
        "SET #input = :text",
    ],
)
def test_a_damaged_row_is_left_unread_and_keeps_no_other_from_being_read(ground: Ground, damage: str) -> None:
    if ground.stage is None:
        return  # no row in memory is ever damaged
    jobs = [row() for _ in range(3)]
    insert_all(ground.jobs, jobs)
    names = {name: name.removeprefix("#") for name in ("#status", "#input") if name in damage}
    ground.stage.table.update_item(
        TableName=ground.stage.table_name,
        Key={"pk": {"S": jobs[1].id}},
        UpdateExpression=damage,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": {":text": {"S": "nonsense"}}} if ":text" in damage else {}),
    )
    gone = new_id()
    read = ground.jobs.read_batch([job.id for job in jobs] + [gone])
    assert read.rows == {job.id: job for job in (jobs[0], jobs[2])}
    assert read.unread == [jobs[1].id]
