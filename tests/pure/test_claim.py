"""Messages whose jobs are not to be run now: somebody else has the job, it has ended, or it is not due."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest

from chalicelib.config import Settings
from chalicelib.core.change import LEASE_MS, Change
from chalicelib.core.container_look import STARTER_LIVES_MS, Look
from chalicelib.core.job import Job, Status
from chalicelib.core.lane import Lane
from chalicelib.core.task import Context
from chalicelib.ports import ChangeRefused, Hint
from tests.pure.test_quick import Bench, Nothing
from tests.support import fakes
from tests.support.fake_containers import FakeContainers

BOX_INPUT = '{"image":"busybox:1","command":["1","0"]}'


class CountedBench(Bench):
    """Counts the runs of the task `odd`; an engine runs containers."""

    def __init__(self) -> None:
        super().__init__(self.count)
        self.runs = 0
        self.engine = AskedContainers(self.clock)
        settings = Settings(container_images=("docker.io/library/*",), batch_updates=False)
        self.ports = replace(self.ports, containers=self.engine, settings=settings)

    def count(self, nothing: Nothing, context: Context) -> Nothing:
        self.runs += 1
        return nothing

    def put(self, job_id: str, **changed: object) -> None:
        self.table.put(msgspec.structs.replace(self.job(job_id), **changed))

    def deliver(self, job_id: str, lane: Lane) -> None:
        """One message for this job, and no other, and one invocation."""
        self.queue.held.clear()
        self.queue.send([Hint(job_id, lane)])
        if lane is Lane.QUICK:
            assert self.quick() == []
        else:
            assert self.long_once()


class AskedContainers(FakeContainers):
    """`asked`: how often it was asked for a container of an attempt, or how one is."""

    asked = 0

    def find(self, name: str) -> list[str]:
        self.asked += 1
        return FakeContainers.find(self, name)

    def look(self, refs: Sequence[str]) -> Mapping[str, Look]:
        self.asked += 1
        return FakeContainers.look(self, refs)


@pytest.fixture
def bench() -> CountedBench:
    return CountedBench()


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("status", [Status.RUNNING, Status.COMPLETED])
def test_a_message_of_what_runs_or_has_ended_leaves_nothing_behind(
    bench: CountedBench, lane: Lane, status: Status
) -> None:  # fmt: skip
    """Neither a run nor one more message, though the lease ends in time to come."""
    job_id = bench.submit("odd", "{}")
    bench.put(job_id, status=status, not_before=bench.clock.now() + 60_000, started_at=bench.clock.now())
    bench.deliver(job_id, lane)
    assert (bench.runs, bench.queue.held, bench.job(job_id).status) == (0, [], status)


def test_a_message_in_the_quick_lane_of_what_belongs_in_the_long_one_and_runs_is_dropped(bench: CountedBench) -> None:
    job_id = bench.submit("sleep", '{"seconds":0}')
    bench.put(job_id, status=Status.RUNNING, started_at=bench.clock.now())
    bench.deliver(job_id, Lane.QUICK)
    assert bench.queue.held == []


@pytest.mark.parametrize("lane", list(Lane))
def test_a_message_that_came_early_comes_again_when_its_job_is_due(bench: CountedBench, lane: Lane) -> None:
    job_id = bench.submit("odd", "{}")
    bench.put(job_id, not_before=bench.clock.now() + 60_000)
    bench.deliver(job_id, lane)
    assert [(held.body, held.visible_at - bench.clock.millis) for held in bench.queue.held] == [(job_id, 60_000)]


def test_a_waiting_job_that_may_not_be_claimed_is_not_sent_round_for_ever(bench: CountedBench) -> None:
    """Due, and without an attempt left: no change of ours leaves one so."""
    job_id = bench.submit("odd", "{}")
    bench.put(job_id, attempts=bench.job(job_id).attempt_limit)
    bench.deliver(job_id, Lane.LONG)
    assert (bench.runs, bench.queue.held) == (0, [])


def test_a_row_that_would_never_wake_is_run_by_its_message(bench: CountedBench) -> None:
    job_id = bench.submit("odd", "{}")
    bench.put(job_id, wake_at=None)
    bench.deliver(job_id, Lane.LONG)
    assert bench.job(job_id).status is Status.COMPLETED


def test_a_claim_whose_answer_comes_after_the_end_runs_nothing(bench: CountedBench) -> None:
    """The row bears this claim's token still."""

    class LateAnswer(fakes.MemoryJobs):
        def claim(self, job_id: str, now: int, token: str) -> Job:
            row = super().claim(job_id, now, token)
            raise ChangeRefused(self.table.put(msgspec.structs.replace(row, status=Status.FAILED)))

    job_id = bench.submit("odd", "{}")
    bench.ports = replace(bench.ports, jobs=LateAnswer(bench.table))
    bench.deliver(job_id, Lane.LONG)
    assert bench.runs == 0


def test_no_container_is_sought_for_a_job_that_runs_in_a_worker(bench: CountedBench) -> None:
    """None would be found, and the attempt be taken for lost while its worker lives."""
    job_id = bench.submit("sleep", '{"seconds":0}')
    began = bench.clock.now()
    bench.clock.advance(STARTER_LIVES_MS / 1000)
    lease = bench.clock.now() + LEASE_MS
    bench.put(job_id, status=Status.RUNNING, attempts=1, started_at=began, not_before=lease, claim_token="another")
    bench.deliver(job_id, Lane.LONG)
    assert (bench.job(job_id).status, bench.engine.asked) == (Status.RUNNING, 0)


def test_the_engine_is_not_asked_for_a_container_job_that_has_ended(bench: CountedBench) -> None:
    job_id = bench.submit("container", BOX_INPUT)
    bench.long()
    bench.clock.advance(10)
    bench.deliver(job_id, Lane.LONG)
    assert bench.job(job_id).status is Status.COMPLETED
    asked = bench.engine.asked
    bench.deliver(job_id, Lane.LONG)
    assert bench.engine.asked == asked


def test_a_job_that_did_not_wait_for_long_costs_one_write_after_its_claim(bench: CountedBench) -> None:
    class Counting(fakes.MemoryJobs):
        written = 0

        def apply(self, change: Change) -> Job:
            self.written += 1
            return super().apply(change)

    jobs = Counting(bench.table)
    bench.ports = replace(bench.ports, jobs=jobs)
    job_id = bench.submit("odd", "{}")
    bench.deliver(job_id, Lane.LONG)
    assert (bench.job(job_id).status, jobs.written) == (Status.COMPLETED, 1)


class Rival(fakes.MemoryJobs):
    """Another worker is there first each time: `status` is what it makes of the job."""

    status = Status.COMPLETED

    def apply(self, change: Change) -> Job:
        row = self.table.jobs[change.job.id]
        self.table.put(msgspec.structs.replace(row, status=self.status, attempts=1, claim_token="another"))
        return super().apply(change)


@pytest.mark.parametrize(("status", "sent_on"), [(Status.COMPLETED, 0), (Status.FAILED, 0), (Status.RUNNING, 1)])
def test_an_outcome_of_somebody_else_is_not_counted_here(bench: CountedBench, status: Status, sent_on: int) -> None:
    """What is open still goes to the long lane, which may claim it later."""
    rival = Rival(bench.table)
    rival.status = status
    job_id = bench.submit("odd", "{}")
    bench.ports = replace(bench.ports, jobs=rival)
    assert bench.quick() == []
    assert bench.runs == 1
    assert sum(sum(tally.outcomes.values()) for tally in bench.table.tallies.values()) == 0
    assert bench.sent_on() == [job_id] * sent_on
