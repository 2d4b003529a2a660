"""The heartbeat of the long lane: real threads and signals, a heart that beats fifty times a second."""

import time
from dataclasses import replace

import msgspec

from chalicelib.core.change import Change
from chalicelib.core.job import Job, Status
from chalicelib.core.task import Context
from chalicelib.service import cancel
from tests.pure.test_work import Bench, Nothing
from tests.support import fakes


def test_a_cancel_reaches_a_task_that_comes_to_no_checkpoint() -> None:
    """With a heartbeat; and so does it one that swallows exceptions."""

    def stubborn(task_input: Nothing, context: Context) -> Nothing:
        cancel.cancel(bench.ports, "alice", odd)
        while True:
            try:
                time.sleep(1)
            except Exception:
                continue

    bench = Bench(stubborn)
    odd = bench.submit(timeout=30)
    started = time.monotonic()
    assert bench.work() == []
    assert bench.job(odd).status is Status.CANCELED
    assert time.monotonic() - started < 10


def test_a_heartbeat_ends_a_task_whose_attempt_is_lost_and_nothing_is_written() -> None:
    def lose(task_input: Nothing, context: Context) -> Nothing:
        row = bench.job(odd)
        bench.table.jobs[odd] = msgspec.structs.replace(row, attempts=2, claim_token="another worker's")
        while True:
            time.sleep(1)

    bench = Bench(lose)
    odd = bench.submit(timeout=30)
    assert bench.work() == []
    assert (bench.job(odd).status, bench.job(odd).attempts) == (Status.RUNNING, 2)


def test_heartbeats_extend_the_lease_and_end_with_the_whole_time_of_the_attempt() -> None:
    def wait(task_input: Nothing, context: Context) -> Nothing:
        leases.append(bench.job(odd).not_before)
        for seconds in (30, 30, 45):
            bench.clock.advance(seconds)
            time.sleep(0.2)
            leases.append(bench.job(odd).not_before)
        return task_input

    leases: list[int] = []
    bench = Bench(wait)
    odd = bench.submit(timeout=90)
    assert bench.work() == []
    assert [lease - fakes.START for lease in leases] == [60_000, 90_000, 100_000, 100_000]


def test_a_late_heartbeat_does_not_interrupt_what_comes_after_the_task() -> None:
    """The alarm rings only inside the task: neither while the outcome is written nor in the next one."""

    def quick_end(task_input: Nothing, context: Context) -> Nothing:
        return task_input

    bench = Bench(quick_end)
    odd = bench.submit(timeout=30)

    class Ringing(fakes.MemoryJobs):
        def apply(self, change: Change) -> Job:
            bench.ports.alarm.ring()
            return super().apply(change)

    bench.ports = replace(bench.ports, jobs=Ringing(bench.table))
    assert bench.work() == []
    assert bench.job(odd).status is Status.COMPLETED
