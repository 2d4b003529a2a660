"""Write units with the indexes, and items read for a page: counted on MiniStack, which weighs as DynamoDB does."""

from typing import Any

import pytest

from chalicelib.aws import items
from chalicelib.core import change as changes
from chalicelib.core.ids import make_id
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.listing import MOST_LOOKED_AT
from chalicelib.core.listing import Filter as F
from chalicelib.service import read
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import submit
from tests.budgets.conftest import Metered
from tests.fakes import START

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


def test_a_batch_of_ten_small_jobs_stays_within_its_budget_with_its_tally(on_ministack: Metered) -> None:
    while taken := on_ministack.mailbox.receive():
        on_ministack.mailbox.delete([message.receipt for message in taken])
    on_ministack.meter.reset()
    for _ in range(10):
        submit(on_ministack.ports, NEW)
    submitting = on_ministack.meter.units.total()
    on_ministack.work()
    assert submitting == 30
    assert on_ministack.meter.units.total() <= 50 + 1


def test_progress_touches_no_index(on_ministack: Metered) -> None:
    job = submit(on_ministack.ports, NewJob(owner="alice", task="sleep", input=b'{"seconds":60}')).job
    job = on_ministack.ports.jobs.claim(job.id, START, "token")
    on_ministack.meter.reset()
    on_ministack.ports.jobs.apply(changes.report_progress(job, START, 0.5))
    assert +on_ministack.meter.units == {"table": 1}


OWNER = "lister"
STATUSES = (Status.COMPLETED,) * 6 + (Status.FAILED, Status.CANCELED, Status.SCHEDULED, Status.PENDING)
LIMIT = 20
ALL = frozenset(Status)


def many(first: int, count: int) -> list[Job]:
    """Jobs of every status, task, object and group, mixed through time."""
    return [
        Job(
            id=make_id(START + place, place), owner=OWNER, task=("sort", "sleep", "log")[place % 3],
            status=STATUSES[place % 10], created_at=START, run_at=START, held_until=START, timeout=60.0,
            max_attempts=3, attempt_limit=3, input=Inline(b"[]"), quick=place % 3 == 0,
            object_id=f"object-{place % 7}", group=f"group-{place % 5}",
        )
        for place in range(first, first + count)
    ]  # fmt: skip


FILTERS: dict[str, tuple[F, int]] = {
    "everything": (F(OWNER), 12),
    **{str(status): (F(OWNER, frozenset({status})), 4 if status is Status.PENDING else 2) for status in Status},
    "quick task": (F(OWNER, task="sort", quick_task=True), 12),
    "task": (F(OWNER, task="sleep"), 2),
    "object_id": (F(OWNER, object_id="object-3"), 1),
    "group": (F(OWNER, group="group-3"), 1),
    "task and status": (F(OWNER, frozenset({Status.FAILED}), task="sleep"), 2),
    "object_id, group and status": (F(OWNER, frozenset({Status.FAILED}), object_id="object-3", group="group-1"), 1),
    "nothing matches": (F(OWNER, frozenset({Status.FAILED}), object_id="object-3", task="none"), 1),
}


PLAIN = frozenset({"everything", "task", "object_id", "group", *Status} - {Status.SCHEDULED, Status.PENDING})
"""Answered by an index alone: the rows that it names are the rows of the page."""


@pytest.fixture(scope="module")
def reads(on_ministack: Metered) -> dict[str, tuple[int, int]]:
    """Items read for a first page of each filter, with 500 and with 10,000 jobs stored."""
    _write(on_ministack, 0, 500)
    few = _measure(on_ministack)
    _write(on_ministack, 500, 9_500)
    lots = _measure(on_ministack)
    return {name: (few[name], lots[name]) for name in FILTERS}


def _write(on: Metered, first: int, count: int) -> None:
    puts = [{"PutRequest": {"Item": items.to_item(job)}} for job in many(first, count)]
    for start in range(0, count, 25):
        request: dict[str, Any] = {on.stage.table_name: puts[start : start + 25]}
        assert not on.stage.table.batch_write_item(RequestItems=request).get("UnprocessedItems")


def _measure(on: Metered) -> dict[str, int]:
    found = {}
    for name, (chosen, _) in FILTERS.items():
        on.meter.reset()
        read.page(on.ports, chosen, None, LIMIT)
        found[name] = on.meter.items_read
    return found


@pytest.mark.parametrize("name", FILTERS)
def test_what_a_page_reads_does_not_grow_with_the_jobs_stored(reads: dict[str, tuple[int, int]], name: str) -> None:
    """A page looks at no more than a fixed number of jobs in each partition of its filter. With few jobs stored it may
    reach the end sooner."""
    few, lots = reads[name]
    looks = 1 if name in PLAIN else MOST_LOOKED_AT
    assert lots <= looks * LIMIT * (FILTERS[name][1] + 1)
    if name in PLAIN:
        assert lots <= few + 2
    print(f"{name}: {few} of 500, {lots} of 10,000")  # noqa: T201


def test_a_page_of_one_partition_reads_each_job_twice_at_most(reads: dict[str, tuple[int, int]]) -> None:
    """Once in the index, once in the table."""
    assert reads["object_id"][1] == 2 * LIMIT
    assert reads["group"][1] == 2 * LIMIT
