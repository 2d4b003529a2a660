"""Write units with the indexes, and items read for a page: counted on MiniStack, which weighs as DynamoDB does."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.aws import items
from chalicelib.core import change as changes
from chalicelib.core.filters import Filter as F
from chalicelib.core.ids import first_id, make_id, shard_of
from chalicelib.core.job import ENDED, Inline, Job, Status
from chalicelib.core.lane import Lane
from chalicelib.core.records import ScheduleMove
from chalicelib.service import cancel, read, rerun, retry, schedules
from chalicelib.service.attempt import Watch
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import submit
from tests.emulated.budgets.conftest import Metered, metered
from tests.support import emulators
from tests.support.emulators import SHARDS
from tests.support.fakes import START

pytestmark = pytest.mark.slow
WEEK = 7 * 86_400_000
NEW = NewJob(owner="alice", task="sort", input=b'{"array":[3,1,2]}')


def test_a_small_sort_job_takes_eight_write_units(on_ministack: Metered) -> None:
    meter = on_ministack.meter
    job = submit(on_ministack.ports, NEW).job
    assert meter.units == {"table": 1, "wake": 1, "by_status": 1}
    meter.reset()
    job = on_ministack.ports.jobs.claim(job.id, START, "token")
    assert +meter.units == {"table": 1}  # a claim leaves every index alone
    meter.reset()
    done = changes.complete(job, START, output=Inline(b'{"array":[1,2,3]}'), duration_ms=0.5, retention=60)
    on_ministack.ports.jobs.apply(done)
    assert meter.units == {"table": 1, "wake": 1, "by_status": 2}


@pytest.mark.parametrize(
    ("new", "units"),
    [
        (NewJob(owner="alice", task="sleep", input=b'{"seconds":1}'), {"by_status": 5, "by_task": 3}),
        (replace(NEW, object_id="o"), {"by_status": 3, "by_object": 3}),
        (replace(NEW, group="g"), {"by_status": 3, "by_group": 3}),
    ],
    ids=["not quick", "object_id", "group"],
)
def test_each_list_that_tells_ends_apart_takes_three_units_more(
    on_ministack: Metered, new: NewJob, units: dict[str, int]
) -> None:
    on_ministack.meter.reset()
    job = on_ministack.ports.jobs.claim(submit(on_ministack.ports, new).job.id, START, "token")
    done = changes.complete(job, START, output=Inline(b"{}"), duration_ms=0.5, retention=60)
    on_ministack.ports.jobs.apply(done)
    assert +on_ministack.meter.units == {"table": 3, "wake": 2} | units


def test_a_trace_a_parent_and_a_name_cost_no_unit_more(on_ministack: Metered) -> None:
    """They stand in rows that are written anyway."""
    meter, ports = on_ministack.meter, on_ministack.ports
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    taken = []
    for new, by in ((NEW, None), (replace(NEW, traceparent=trace, parent_id="p" * 26), "alice")):
        meter.reset()
        job = submit(ports, new).job
        cancel.cancel(ports, "alice", job.id, by=by)
        retry.retry(ports, "alice", job.id, by=by)
        job = ports.jobs.claim(job.id, START, "token")
        done = changes.complete(job, START, output=Inline(b'{"array":[1,2,3]}'), duration_ms=0.5, retention=60)
        ports.jobs.apply(done)
        taken.append(+meter.units)
    assert taken[0] == taken[1]
    parent = ports.jobs.get(job.id)
    assert parent
    meter.reset()
    rerun.run_again(ports, parent, replace(NEW, parent_id=parent.id), key=None, body=b"", by=parent.owner)
    assert meter.units == {"table": 1, "wake": 1, "by_status": 1}, "what any submit takes"


def test_a_batch_of_ten_small_jobs_stays_within_its_budget_with_its_tally(on_ministack: Metered) -> None:
    for lane in Lane:
        while taken := on_ministack.mailbox.receive(lane):
            on_ministack.mailbox.delete(lane, [message.receipt for message in taken])
    on_ministack.meter.reset()
    for _ in range(10):
        submit(on_ministack.ports, NEW)
    submitting = on_ministack.meter.units.total()
    on_ministack.work()
    assert submitting == 30
    assert on_ministack.meter.units.total() <= 40 + 1


def test_the_job_of_a_slot_takes_a_transaction_with_its_schedule_and_a_list_of_its_own(on_ministack: Metered) -> None:
    """MiniStack does not say what the table takes of a transaction: by AWS's price list two units for each row."""
    ports, meter = on_ministack.ports, on_ministack.meter
    schedule = schedules.add(ports, "0 3 * * *", "UTC", b"{}", NEW).schedule
    ahead = replace(schedule, next_run_at=START + 60_000, wake_at=START)
    assert ports.records.move_schedule(ScheduleMove(schedule, ahead))
    meter.reset()
    slot = replace(ahead, last=START + 60_000, wake_at=START + 60_001)
    job = Job(
        id=make_id(START + 60_000, 1), owner="alice", task="sort", status=Status.SCHEDULED, created_at=START,
        run_at=START + 60_000, not_before=START + 60_000, timeout=60.0, max_attempts=3, attempt_limit=3,
        input=Inline(b"[]"), quick=True, wake_at=START + 90_000, schedule_id=schedule.id, slot_at=START + 60_000,
    )  # fmt: skip
    ports.jobs.insert_slot(job, ScheduleMove(ahead, slot))
    assert +meter.units == {"wake": 3, "by_status": 1, "by_group": 1}
    meter.reset()
    ports.jobs.cancel_slot(changes.withdraw(job, START, retention=60), slot)
    assert +meter.units == {"wake": 2, "by_status": 2, "by_group": 3}


def test_progress_touches_no_index(on_ministack: Metered) -> None:
    job = submit(on_ministack.ports, NewJob(owner="alice", task="sleep", input=b'{"seconds":60}')).job
    job = on_ministack.ports.jobs.claim(job.id, START, "token")
    on_ministack.meter.reset()
    on_ministack.ports.jobs.apply(changes.report_progress(job, START, 0.5))
    assert +on_ministack.meter.units == {"table": 1}


OWNER, SCHEDULE = "lister", "s-1"
KINDS = (("sort", True), ("sort", False), ("sleep", False), ("log", False))
"""Task, and whether the job is quick: a sort is while its input fits the row."""
FEW, LOTS, LIMIT = 100, 10_000, 2
"""With a hundred jobs stored, each list holds a page."""


def many(first: int, count: int) -> list[Job]:
    """Jobs of every kind, status, shard, object and group, mixed through time."""
    return [_one(number) for number in range(first, first + count)]


def _one(number: int) -> Job:
    (task, quick), status = KINDS[number % 4], tuple(Status)[number // 4 % 6]
    if quick and status is Status.RUNNING:
        status = Status.COMPLETED  # a quick job runs for milliseconds
    wait = WEEK if status is Status.SCHEDULED else 0
    return Job(
        id=_id(number, number // 24 % SHARDS.lists), owner=OWNER, task=task, status=status, created_at=START,
        run_at=START + wait, not_before=START + wait, timeout=60.0, max_attempts=3, attempt_limit=3,
        input=Inline(b"[]"), quick=quick,
        object_id=f"object-{number // 2 % 2}", **_made_by(number // 24 % 3),
    )  # fmt: skip


def _made_by(block: int) -> dict[str, Any]:
    """One of two groups, or a schedule."""
    return {"group": f"group-{block}"} if block < 2 else {"schedule_id": SCHEDULE}


def _id(number: int, shard: int) -> str:
    """Newer than those of lower places."""
    measured = (make_id(START + number, chance) for chance in itertools.count())
    return next(each for each in measured if shard_of(each, SHARDS.lists) == shard)


ONE, KIND = 2, 2
"""Lists of one status: two shards of quick jobs, two of the others."""
PHASES = 4
FILTERS: dict[str, tuple[F, int]] = {
    "everything": (F(OWNER), ONE * (6 + 5)),
    **{str(status): (F(OWNER, frozenset({status})), ONE * KIND) for status in Status},
    "running": (F(OWNER, frozenset({Status.RUNNING})), ONE),
    "pending": (F(OWNER, frozenset({Status.PENDING})), 2 * ONE * KIND),
    "quick task": (F(OWNER, task="sort", quick_task=True), ONE * (PHASES + 5)),
    "task": (F(OWNER, task="sleep"), ONE * PHASES),
    "object_id": (F(OWNER, object_id="object-1"), PHASES),
    "group": (F(OWNER, group="group-1"), PHASES),
    "schedule_id": (F(OWNER, schedule_id=SCHEDULE), PHASES),
    **{f"schedule_id, {status}": (F(OWNER, frozenset({status}), schedule_id=SCHEDULE), 1) for status in Status},
    "schedule_id, task": (F(OWNER, schedule_id=SCHEDULE, task="log"), PHASES),
    **{f"quick task, {s}": (F(OWNER, frozenset({s}), task="sort", quick_task=True), ONE * KIND) for s in sorted(ENDED)},
    **{f"task, {status}": (F(OWNER, frozenset({status}), task="sleep"), ONE) for status in Status},
    **{f"object_id, {status}": (F(OWNER, frozenset({status}), object_id="object-1"), 1) for status in Status},
    **{f"group, {status}": (F(OWNER, frozenset({status}), group="group-1"), 1) for status in Status},
    "object_id, group": (F(OWNER, object_id="object-1", group="group-1"), PHASES),
    "object_id, task": (F(OWNER, object_id="object-1", task="log"), PHASES),
    "group, task": (F(OWNER, group="group-1", task="log"), PHASES),
    "group, quick task": (F(OWNER, group="group-1", task="sort", quick_task=True), PHASES),
    "all four": (F(OWNER, frozenset({Status.FAILED}), "log", "object-1", "group-1"), 1),
    "nothing matches": (F(OWNER, frozenset({Status.FAILED}), task="none", object_id="object-1"), 1),
}
"""How many lists a page of each reads."""
SPAN = (first_id(START), first_id(START + FEW))
"""The oldest hundred: with ten thousand stored, all the others lie outside."""
FILTERS |= {
    f"{name}, in a span": (replace(FILTERS[name][0], since=SPAN[0], until=SPAN[1]), FILTERS[name][1])
    for name in ("everything", "completed", "task", "object_id", "group", "group, failed", "all four")
}


@pytest.fixture(scope="module")
def reads(on_ministack: Metered) -> dict[int, dict[str, tuple[int, int]]]:
    """Items read for a first page of each filter and the jobs in it, by how many jobs are stored."""
    measured = {}
    for stored, more in ((FEW, FEW), (LOTS, LOTS - FEW)):
        _write(on_ministack, stored - more, more)
        measured[stored] = {name: _measure(on_ministack, chosen) for name, (chosen, _) in FILTERS.items()}
    return measured


def _write(on: Metered, first: int, count: int) -> None:
    puts = [{"PutRequest": {"Item": items.to_item(job, SHARDS)}} for job in many(first, count)]
    for start in range(0, count, 25):
        request: dict[str, Any] = {on.stage.table_name: puts[start : start + 25]}
        assert not on.stage.table.batch_write_item(RequestItems=request).get("UnprocessedItems")


def _measure(on: Metered, chosen: F) -> tuple[int, int]:
    on.meter.reset()
    jobs, _ = read.list_jobs(on.ports, chosen, None, LIMIT)
    return on.meter.items_read, len(jobs)


@pytest.mark.parametrize("name", FILTERS)
def test_a_page_reads_the_same_with_a_hundred_and_with_ten_thousand_jobs_stored(
    reads: dict[int, dict[str, tuple[int, int]]], name: str
) -> None:
    """`limit` entries of each list of the filter, and the rows of the newest of them."""
    few, lots = reads[FEW][name][0], reads[LOTS][name][0]
    print(f"{name}: {few} of {FEW}, {lots} of {LOTS}")  # noqa: T201
    assert few == lots == LIMIT * (FILTERS[name][1] + 1)


OPEN = frozenset(Status) - ENDED
EXACT = [
    name for name, (chosen, _) in FILTERS.items()
    if (chosen.task, chosen.object_id, chosen.group, chosen.schedule_id).count(None) >= 3
    and (chosen.statuses == frozenset(Status) or not chosen.statuses & OPEN or name in tuple(Status))
]  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_a_page_of_one_filter_and_a_status_is_full(reads: dict[int, dict[str, tuple[int, int]]], name: str) -> None:
    """Its lists hold nothing else. Among what is open, all but those of a status mix statuses."""
    assert [jobs for _, jobs in (reads[FEW][name], reads[LOTS][name])] == [LIMIT, LIMIT]


def test_a_minute_of_a_long_job_takes_seven_write_units_with_the_look_of_the_dispatcher() -> None:
    """A beat is a write of the row alone. The dispatcher looks once a beat after the lease, and moves the wake time."""
    minutes = 5
    with emulators.ministack("beats") as stage:  # no other job is due there
        on = metered(stage)
        singles = replace(on.ports, jobs=stage.jobs(batches=False))  # MiniStack counts no units of a batch
        job = submit(on.ports, NewJob(owner="alice", task="sleep", input=b'{"seconds":800}', timeout=840)).job
        watch = Watch(on.ports, on.ports.jobs.claim(job.id, on.clock.now(), "token"))
        on.meter.reset()
        for second in range(0, minutes * 60, 20):
            on.clock.advance(20)
            assert watch.beat(), "the attempt is alive"
            if second % 60 == 40:
                dispatch(singles, lambda: 60.0)
        row = on.ports.jobs.get(job.id)
    assert row is not None
    assert (row.status, row.attempts) == (Status.RUNNING, 1), "nobody took it for dead"
    beats, looks = 3 * minutes, on.meter.units["wake"]
    assert looks > 0, "the dispatcher has looked"
    assert on.meter.units == {"table": beats + looks / 2, "wake": looks}
    assert on.meter.units.total() <= 7 * minutes
