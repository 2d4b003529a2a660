"""Rows that were written with fewer shards are found, moved and counted with more: nobody rewrites them."""

from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from chalicelib.core import change as changes
from chalicelib.core.filters import Filter
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.records import Schedule, ScheduleMove, Tally
from chalicelib.core.shards import Shards
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import new_id, row

FEW, MANY = Shards(lists=1, wake=1, tallies=1), Shards(lists=20, wake=20, tallies=5)
OF_STATUS = {
    Status.SCHEDULED: {"status": Status.SCHEDULED, "not_before": START + 60_000},
    Status.PENDING: {},
    Status.RUNNING: {},
}
"""Fields of new rows; those that are to run are claimed."""


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("status", OF_STATUS)
def test_rows_of_before_stay_in_their_lists_until_they_move_and_in_the_next_ones_after(
    ground: Ground, status: Status, quick: bool
) -> None:
    if ground.stage is None:
        return  # memory has no parts
    few, many, owner = ground.stage.jobs(FEW), ground.stage.jobs(MANY), f"owner-{new_id()}"
    before = [row(owner=owner, quick=quick, **OF_STATUS[status]) for _ in range(6)]
    after = [row(owner=owner, quick=quick, **OF_STATUS[status]) for _ in range(6)]
    for jobs, rows in ((few, before), (many, after)):
        jobs.insert_many(rows)
        if status is Status.RUNNING:
            rows[:] = [jobs.claim(job.id, START, "token") for job in rows]
    newest_first = [job.id for job in reversed(before + after)]
    listed = frozenset({status, Status.PENDING if quick else status})
    assert many.page(Filter(owner, listed), None, 100, START) == newest_first
    assert many.page(Filter(owner, task="sort", quick_task=True), None, 100, START) == newest_first
    opened = many.open_jobs(owner)
    assert len(opened.waiting) + opened.running == 12
    due = {name for shard in many.due(START + 100_000, 100) for page in shard for name in page}
    assert set(newest_first) <= due
    ended = [many.apply(_end(job)) for job in before + after]
    assert many.page(Filter(owner, frozenset({ended[0].status})), None, 100, START) == newest_first
    assert not set(newest_first) & {name for shard in many.due(START + 100_000, 100) for page in shard for name in page}


def _end(job: Job) -> changes.Change:
    if job.status is Status.RUNNING:
        return changes.complete(job, START, output=Inline(b"[]"), duration_ms=1.0, retention=1_000)
    return changes.cancel(job, START, retention=1_000)


def test_a_claim_takes_a_row_of_before_into_a_list_that_is_read(ground: Ground) -> None:
    if ground.stage is None:
        return
    owner = f"owner-{new_id()}"
    job = ground.stage.jobs(FEW).insert(row(owner=owner, quick=False))
    ground.stage.jobs(MANY).claim(job.id, START, "token")
    running = frozenset({Status.RUNNING})
    assert ground.stage.jobs(MANY).page(Filter(owner, running), None, 10, START) == [job.id]


def test_a_schedule_of_before_wakes_among_the_jobs_and_moves_on_to_the_schedules(ground: Ground) -> None:
    if ground.stage is None:
        return
    schedule = Schedule(f"s-{new_id()}", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    ground.records.add_schedule(schedule)
    ground.stage.table.update_item(
        TableName=ground.stage.table_name, Key={"pk": {"S": schedule.id}},
        UpdateExpression="SET wake_shard = :of_jobs", ExpressionAttributeValues={":of_jobs": {"S": "0"}},
    )  # fmt: skip

    def woken() -> tuple[bool, bool]:
        among_jobs = [name for shard in ground.jobs.due(START + 60_000, 100) for page in shard for name in page]
        among_schedules = chain.from_iterable(ground.jobs.due_schedules(START + 60_000, 100))
        return schedule.id in among_jobs, schedule.id in among_schedules

    assert woken() == (True, False)
    after = replace(schedule, last=START, next_run_at=START + 60_000, wake_at=START + 60_000)
    assert ground.records.move_schedule(ScheduleMove(schedule, after))
    assert woken() == (False, True)
    assert ground.records.remove_schedule(after)


def test_a_minute_is_the_sum_of_its_rows_and_of_the_one_of_before(ground: Ground) -> None:
    if ground.stage is None:
        return
    owner, minute = f"owner-{new_id()}", START - START % 60_000
    few, many = ground.stage.records(FEW), ground.stage.records(MANY)
    few.add_tally(owner, minute, Tally(Counter(completed=1)), START // 1000 + 60, 0.99)
    for number in range(10):
        many.add_tally(owner, minute, Tally(Counter(completed=1), Counter({3: 2})), START // 1000 + 60, number / 10)
    tally = many.tallies(owner, [minute])[minute]
    assert (tally.outcomes, tally.duration) == (Counter(completed=11), Counter({3: 20}))
    rows = [item["pk"]["S"] for item in ground.stage.items() if item["pk"]["S"].startswith(f"minute#{owner}#")]
    assert len(rows) == 5
