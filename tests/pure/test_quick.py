"""The quick lane: what is run at once, and what goes to the long lane."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from chalicelib import tasks
from chalicelib.config import Settings
from chalicelib.core.change import Change
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.lane import Lane, lane_of
from chalicelib.core.task import Context, Task, TaskError
from chalicelib.errors import Unavailable
from chalicelib.ports import BatchRead, ChangeRefused, Hint, Ports
from chalicelib.service import cancel
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.quick import LONGEST_SECONDS, work_quick
from chalicelib.service.submit import submit
from chalicelib.service.work import work
from tests.support import fakes


class Nothing(msgspec.Struct):
    pass


class Bench:
    """Ports in memory, with a pure task `odd` of the test's own."""

    def __init__(self, run: Callable[[Nothing, Context], object] = lambda nothing, context: nothing) -> None:
        self.clock, self.table = fakes.StoppedClock(), fakes.Table()
        self.queue = fakes.MemoryQueue(self.clock)
        odd = Task("odd", "an odd task", run, Nothing, Nothing, True, True, None, None, None)
        self.ports = Ports(
            fakes.MemoryJobs(self.table), fakes.MemoryRecords(self.table), self.queue, fakes.MemoryPayloads(),
            self.clock, fakes.SeededRandom(), fakes.SilentAlarm(), fakes.OneThread(), {**tasks.load(), "odd": odd},
            Settings(),
        )  # fmt: skip

    def submit(self, task: str = "sort", task_input: str = '{"array":[2,1]}', **more: object) -> str:
        new = NewJob(owner="alice", task=task, input=task_input.encode(), **more)  # type: ignore[arg-type]
        return submit(self.ports, new).job.id

    def quick(self, seconds_left: float = 60.0) -> list[str]:
        messages = self.queue.receive(Lane.QUICK)
        failed = work_quick(self.ports, messages, lambda: seconds_left)
        self.queue.delete(Lane.QUICK, [message.receipt for message in messages if message.id not in failed])
        return failed

    def long(self) -> None:
        while self.long_once():
            pass

    def long_once(self) -> bool:
        """One invocation; whether there was a message for it."""
        messages = self.queue.receive(Lane.LONG, 1)
        assert work(self.ports, messages, lambda: 900.0) == []
        self.queue.delete(Lane.LONG, [message.receipt for message in messages])
        return bool(messages)

    def sent_on(self) -> list[str]:
        return [held.body for held in self.queue.held if held.lane is Lane.LONG]

    def job(self, job_id: str) -> Job:
        return self.table.jobs[job_id]


def test_a_pure_job_is_completed_straight_from_pending() -> None:
    seen: list[Status] = []

    def look(nothing: Nothing, context: Context) -> Nothing:
        seen.append(bench.job(odd).status)
        return nothing

    bench = Bench(look)
    odd = bench.submit("odd", "{}")
    assert bench.quick() == []
    job = bench.job(odd)
    assert (job.status, job.attempts, job.output) == (Status.COMPLETED, 1, Inline(b"{}"))
    assert job.started_at is not None
    assert seen == [Status.PENDING]
    assert bench.queue.held == []


def test_what_is_not_pure_or_not_small_takes_the_long_lane_from_the_start() -> None:
    bench = Bench()
    job_ids = [bench.submit("sleep", '{"seconds":0}'), bench.submit(task_input='{"array":[' + "1," * 3_000 + "1]}")]
    assert bench.sent_on() == job_ids
    bench.long()
    assert {bench.job(job_id).status for job_id in job_ids} == {Status.COMPLETED}


def test_a_second_delivery_goes_to_the_long_lane_and_is_claimed() -> None:
    bench = Bench()
    job_id = bench.submit()
    bench.queue.receive(Lane.QUICK)  # by a worker that dies
    bench.clock.advance(fakes.VISIBILITY_SECONDS[Lane.QUICK])
    assert bench.quick() == []
    assert bench.job(job_id).status is Status.PENDING
    assert bench.sent_on() == [job_id]
    bench.long()
    assert (bench.job(job_id).status, bench.job(job_id).attempts) == (Status.COMPLETED, 1)


def test_two_messages_of_one_job_are_one_run() -> None:
    runs: list[int] = []

    def count(nothing: Nothing, context: Context) -> Nothing:
        runs.append(context.attempt)
        return nothing

    bench = Bench(count)
    odd = bench.submit("odd", "{}")
    bench.queue.put(odd, Lane.QUICK)
    assert bench.quick() == []
    assert runs == [1]
    assert bench.queue.held == []


def test_a_task_that_fails_fails_in_the_long_lane_with_its_reason() -> None:
    def fail(nothing: Nothing, context: Context) -> Nothing:
        raise TaskError("no")

    bench = Bench(fail)
    odd, good = bench.submit("odd", "{}", max_attempts=1), bench.submit()
    assert bench.quick() == []
    assert bench.job(good).status is Status.COMPLETED
    assert bench.job(odd).status is Status.PENDING
    bench.long()
    job = bench.job(odd)
    assert (job.status, job.attempts, job.error and job.error.message) == (Status.FAILED, 1, "no")


def test_a_job_of_more_than_five_seconds_goes_to_the_long_lane() -> None:
    def dawdle(nothing: Nothing, context: Context) -> Nothing:
        context.pause(LONGEST_SECONDS + 1)
        return nothing

    bench = Bench(dawdle)
    odd, good = bench.submit("odd", "{}"), bench.submit()
    assert bench.quick() == []
    assert (bench.job(odd).status, bench.job(good).status) == (Status.PENDING, Status.COMPLETED)
    bench.long()
    assert (bench.job(odd).status, bench.job(odd).attempts) == (Status.COMPLETED, 1)


def test_what_the_function_has_no_time_for_goes_to_the_long_lane() -> None:
    bench = Bench()
    job_id = bench.submit()
    assert bench.quick(seconds_left=LONGEST_SECONDS) == []
    assert bench.sent_on() == [job_id]


def test_a_row_that_the_read_leaves_out_and_one_that_is_damaged_go_to_the_long_lane() -> None:
    class Partial(fakes.MemoryJobs):
        def read_batch(self, job_ids: Sequence[str]) -> BatchRead:
            read = super().read_batch(job_ids)
            return BatchRead({good: read.rows[good]}, [job_id for job_id in job_ids if job_id != good])

    bench = Bench()
    left, good = bench.submit(), bench.submit()
    bench.ports = replace(bench.ports, jobs=Partial(bench.table))
    assert bench.quick() == []
    assert (bench.sent_on(), bench.job(good).status) == ([left], Status.COMPLETED)


def test_a_write_whose_answer_is_lost_is_done_and_counted_once() -> None:
    """botocore asks again, and its second try is refused by what the first one wrote."""

    class LosesAnswers(fakes.MemoryJobs):
        def apply(self, change: Change) -> Job:
            raise ChangeRefused(super().apply(change))

    bench = Bench()
    job_id = bench.submit()
    bench.ports = replace(bench.ports, jobs=LosesAnswers(bench.table))
    assert bench.quick() == []
    assert bench.job(job_id).status is Status.COMPLETED
    assert [tally.outcomes["completed"] for tally in bench.table.tallies.values()] == [1]
    assert bench.queue.held == []


def test_a_write_of_which_nothing_is_known_goes_to_the_long_lane() -> None:
    class Away(fakes.MemoryJobs):
        def apply(self, change: Change) -> Job:
            raise Unavailable("change the job: ReadTimeoutError")

    bench = Bench()
    job_id = bench.submit()
    bench.ports = replace(bench.ports, jobs=Away(bench.table))
    assert bench.quick() == []
    assert bench.sent_on() == [job_id]


def test_what_was_canceled_between_read_and_write_stays_canceled() -> None:
    bench = Bench(lambda nothing, context: cancel.cancel(bench.ports, "alice", odd) and nothing)
    odd = bench.submit("odd", "{}")
    assert bench.quick() == []
    assert (bench.job(odd).status, bench.queue.held) == (Status.CANCELED, [])


def test_a_job_whose_row_is_gone_while_it_runs_is_acknowledged() -> None:
    def vanish(nothing: Nothing, context: Context) -> Nothing:
        if bench.job(odd).status is Status.PENDING:
            raise TaskError("for the long lane")
        del bench.table.jobs[odd]
        return nothing

    bench = Bench(vanish)
    odd = bench.submit("odd", "{}")
    bench.quick()
    bench.long()
    assert (bench.table.jobs, bench.queue.held) == ({}, [])


def test_only_what_is_pure_and_quick_takes_the_quick_lane() -> None:
    bench = Bench()
    job = bench.job(bench.submit())
    lanes = {(pure, quick): lane_of(msgspec.structs.replace(job, pure=pure, quick=quick))
             for pure in (True, False) for quick in (True, False)}  # fmt: skip
    assert [both for both, lane in lanes.items() if lane is Lane.QUICK] == [(True, True)]


def test_messages_stay_in_the_queue_where_the_long_lane_cannot_be_reached() -> None:
    class Deaf(fakes.MemoryQueue):
        def send(self, hints: Sequence[Hint]) -> None:
            raise Unavailable("send the messages: ReadTimeoutError")

    bench = Bench()
    bench.submit()
    bench.clock.advance(1)
    messages = [replace(message, receives=2) for message in bench.queue.receive(Lane.QUICK)]
    ports = replace(bench.ports, queue=Deaf(bench.clock))
    assert work_quick(ports, messages, lambda: 60.0) == [messages[0].id]


def test_a_job_that_kills_its_worker_ends_and_its_neighbours_complete() -> None:
    class Killed(KeyboardInterrupt):
        pass

    runs: list[int] = []

    def kill(nothing: Nothing, context: Context) -> Nothing:
        runs.append(context.attempt)
        raise Killed

    bench = Bench(kill)
    odd, good = bench.submit("odd", "{}", max_attempts=3), [bench.submit() for _ in range(9)]
    for _ in range(12):
        for lane in (bench.quick, bench.long):
            try:
                lane()
            except Killed:
                continue
        bench.clock.advance(61)
        dispatch(bench.ports, lambda: 60.0)
    bench.long()
    job = bench.job(odd)
    assert (job.status, job.attempts, job.error and job.error.type) == (Status.FAILED, 3, "worker_lost"), job.error
    assert len(runs) == 4
    assert {bench.job(job_id).status for job_id in good} == {Status.COMPLETED}


def test_a_backlog_of_the_quick_lane_does_not_flood_the_long_one() -> None:
    """Messages that wait are not lost: for ten minutes nothing is sent again while there are some."""
    bench = Bench()
    job_ids = [bench.submit() for _ in range(10_000)]
    for _ in range(5):
        bench.clock.advance(61)
        dispatch(bench.ports, lambda: 60.0)
    assert bench.sent_on() == []
    assert len(bench.queue.held) == len(job_ids)
    while bench.queue.held:
        assert bench.quick() == []
    assert {bench.job(job_id).status for job_id in job_ids} == {Status.COMPLETED}


def test_a_quick_job_whose_message_is_lost_is_found_and_takes_the_long_lane() -> None:
    bench = Bench()
    job_id = bench.submit()
    bench.queue.held.clear()
    bench.clock.advance(61)
    dispatch(bench.ports, lambda: 60.0)
    assert (bench.sent_on(), bench.job(job_id).resends) == ([job_id], 1)
    bench.long()
    assert bench.job(job_id).status is Status.COMPLETED
