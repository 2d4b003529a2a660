"""Every process stands at each of its calls, and any may go on: drawn histories, and small worlds in every order."""

from functools import partial

import pytest

from chalicelib.core.job import Job, Millis
from chalicelib.ports import ChangeRefused
from tests.pure.faults import counting
from tests.pure.faults.free import FreeWorld
from tests.pure.faults.interleaving import Small, enumerate_orders, interleave
from tests.pure.faults.invariants import Broken
from tests.pure.faults.story import task
from tests.pure.faults.test_harness_bites import (
    NoCancelWithSchedule,
    NoLeaseGuard,
    NoScheduleGuard,
    NoStatusGuard,
    finds,
)
from tests.pure.faults.world import ALICE, memory, sort_job
from tests.support import fakes

HISTORIES = 60


def cancel(world: FreeWorld, job_id: str) -> None:
    world.cancel(ALICE, job_id)


def retry(world: FreeWorld, job_id: str) -> None:
    """Somebody else has canceled it by then, or it has failed; else this is refused."""
    world.retry(ALICE, job_id)


def remove(world: FreeWorld, schedule_id: str) -> None:
    world.remove_schedule(ALICE, schedule_id)


MINUTELY = "* * * * *"
PURE, LONG = sort_job(), task("fail", '{"message":"no","times":0}')
FAILING = task("fail", '{"message":"no","times":9}', max_attempts=1)
WORLDS = {
    "a pure job, two workers of each lane, a dispatcher, a cancel": Small(PURE, client=cancel, waits=(61.0,), faults=0),
    "a pure job, two workers of each lane, a cancel, one fault": Small(PURE, client=cancel, dispatchers=0, waits=()),
    "a long job, a worker, a dispatcher, a cancel": Small(LONG, client=cancel, workers=1, waits=(61.0,), faults=0),
    "a long job, two workers, one fault": Small(LONG, dispatchers=0, waits=(61.0,)),
    "a job that fails, a worker, a retry, one fault": Small(FAILING, client=retry, workers=1, dispatchers=0, waits=()),
    "a schedule's pure job, a dispatcher, a removal": Small(PURE, MINUTELY, remove, workers=0, waits=(61.0,), faults=0),
    "a schedule's pure job, a worker of each lane, a removal, one fault":
        Small(PURE, MINUTELY, remove, workers=1, dispatchers=0, waits=(61.0,)),
}  # fmt: skip


@pytest.mark.parametrize("block", range(10))
def test_no_free_history_breaks_an_invariant(block: int) -> None:
    counting.try_seeds("free", interleave, HISTORIES)


@pytest.mark.parametrize("name", WORLDS)
def test_every_order_of_a_small_world_keeps_the_invariants(name: str) -> None:
    states, ends = enumerate_orders(WORLDS[name])
    counting.histories["orders that ended"] += ends
    print(f"{name}: {states} states, {ends} ends")  # noqa: T201
    assert ends > 1


class Forger(fakes.MemoryJobs):
    """Whoever is refused a claim takes the row for its own: as a worker would that does not look at the token."""

    def claim(self, job_id: str, now: Millis, token: str) -> Job:
        try:
            return super().claim(job_id, now, token)
        except ChangeRefused as refused:
            if refused.job is None:
                raise
            fields = {name: getattr(refused.job, name) for name in Job.__struct_fields__}
            raise ChangeRefused(Job(**fields | {"claim_token": token})) from None


@pytest.mark.parametrize("jobs", [NoScheduleGuard, NoCancelWithSchedule])
def test_a_schedule_that_goes_without_its_job_is_found_by_a_small_world(jobs: type[fakes.MemoryJobs]) -> None:
    small = WORLDS["a schedule's pure job, a dispatcher, a removal"]
    with pytest.raises(Broken, match="schedules: "):
        enumerate_orders(small, partial(memory, jobs=jobs, container_images=()))


@pytest.mark.parametrize(("jobs", "invariant"), [(Forger, "I10"), (NoLeaseGuard, "I3"), (NoStatusGuard, "table")])
def test_a_missing_condition_is_found_by_free_histories(jobs: type[fakes.MemoryJobs], invariant: str) -> None:
    build = partial(memory, jobs=jobs)
    told = (finds(partial(interleave, seed, build)) for seed in range(400))
    assert any(invariant in (broken or "") for broken in told)
