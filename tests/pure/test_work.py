"""The worker: real timeouts, tasks that misbehave, batches that would outrun their time."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import msgspec
import pytest

from chalicelib import tasks
from chalicelib.config import Settings
from chalicelib.core.job import Inline, Job, Status, Stored
from chalicelib.core.lane import Lane
from chalicelib.core.task import Context, Task
from chalicelib.errors import Unavailable
from chalicelib.ports import Ports
from chalicelib.service.new_job import NewJob
from chalicelib.service.quick import work_quick
from chalicelib.service.submit import submit
from chalicelib.service.work import work
from chalicelib.system.alarm import SystemAlarm
from chalicelib.system.clock import SystemClock
from chalicelib.system.threads import SystemThreads
from tests.support import fakes


class Nothing(msgspec.Struct):
    pass


def task_of(run: Callable[[Nothing, Context], object], adopt: Callable[[bytes], bytes] | None = None) -> Task:
    return Task("odd", "an odd task", run, Nothing, Nothing, False, False, None, adopt, None)


class RealTime(fakes.StoppedClock):
    """The date stands still; time inside a task is real."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()

    def pause(self, seconds: float) -> None:
        SystemClock().pause(seconds)


class FastBeats(SystemThreads):
    """A heartbeat every fiftieth of a second, in place of twenty."""

    def beat(self, seconds: float, act: Callable[[], bool]) -> AbstractContextManager[None]:
        return super().beat(seconds / 1_000, act)


class Bench:
    """Ports in memory with one odd task among the others, and one invocation of the worker."""

    def __init__(
        self, run: Callable[[Nothing, Context], object] | None = None, **odd: Callable[[bytes], bytes]
    ) -> None:
        self.clock = RealTime()
        self.table, self.queue = fakes.Table(), fakes.MemoryQueue(self.clock)
        known = dict(tasks.load()) | ({"odd": task_of(run, **odd)} if run else {})
        self.ports = Ports(
            fakes.MemoryJobs(self.table), fakes.MemoryRecords(self.table), self.queue, fakes.MemoryPayloads(),
            self.clock, fakes.SeededRandom(), SystemAlarm(), FastBeats(), known, Settings(),
        )  # fmt: skip

    def submit(self, task: str = "odd", task_input: str = "{}", **more: float) -> str:
        new = NewJob(owner="alice", task=task, input=task_input.encode(), max_attempts=1, **more)  # type: ignore[arg-type]
        return submit(self.ports, new).job.id

    def work(self, seconds_left: Callable[[], float] = lambda: 900.0) -> list[str]:
        """One invocation of each lane. The long one gets a batch, as an event source mapping of the version before
        hands it over."""
        failed = work_quick(self.ports, self.queue.receive(Lane.QUICK), lambda: 60.0)
        return failed + work(self.ports, self.queue.receive(Lane.LONG), seconds_left)

    def job(self, job_id: str) -> Job:
        return self.table.jobs[job_id]


def outcome(run: Callable[[Nothing, Context], object], timeout: float = 0.05) -> Job:
    """The odd task's job, and a good one of the same batch, which must go on."""
    bench = Bench(run)
    odd, good = bench.submit(timeout=timeout), bench.submit("sleep", '{"seconds":0}')
    assert bench.work() == []
    assert bench.job(good).status is Status.COMPLETED
    return bench.job(odd)


def test_a_task_that_loops_for_ever_is_ended_and_the_batch_goes_on() -> None:
    def loop(task_input: Nothing, context: Context) -> Nothing:
        while True:
            pass

    job = outcome(loop)
    assert job.error is not None
    assert job.error.type == "timeout"
    assert job.duration_ms is not None
    assert 50 <= job.duration_ms < 2_000


def test_a_task_that_swallows_exceptions_is_ended() -> None:
    def stubborn(task_input: Nothing, context: Context) -> Nothing:
        while True:
            try:
                time.sleep(1)
            except Exception:
                continue

    job = outcome(stubborn)
    assert job.error is not None
    assert job.error.type == "timeout"


def test_a_checkpoint_ends_a_task_where_no_signal_can() -> None:
    """In a thread other than the main one."""

    def patient(task_input: Nothing, context: Context) -> Nothing:
        while True:
            context.pause(0.01)

    jobs: list[Job] = []
    thread = threading.Thread(target=lambda: jobs.append(outcome(patient)))
    thread.start()
    thread.join(10)
    assert jobs[0].error is not None
    assert jobs[0].error.type == "timeout"


class MuteError(Exception):
    """Has no text to give."""

    def __str__(self) -> str:
        raise ZeroDivisionError("no text")


class WordyError(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"), SystemExit(3), RecursionError(), MemoryError(), UnicodeError("\ud800"), OSError("\x00"),
        MuteError(), WordyError(), asyncio.CancelledError(), GeneratorExit(), BaseExceptionGroup("all", [SystemExit()]),
    ],
)  # fmt: skip
def test_whatever_a_task_raises_is_its_own_error(error: BaseException) -> None:
    def bad(task_input: Nothing, context: Context) -> Nothing:
        raise error

    job = outcome(bad, timeout=5)
    assert job.error is not None
    assert job.error.type == "task_error"
    assert type(error).__name__ in job.error.message
    msgspec.json.encode(job.error)


def test_the_outcome_of_an_attempt_beyond_a_thousand_is_written() -> None:
    """A job may be retried by hand for ever, and the numbers of its attempts go on."""
    bench = Bench()
    job_id = bench.submit("fail", '{"message":"no"}')
    row = msgspec.structs.replace(bench.job(job_id), attempts=1_500, attempt_limit=1_503, max_attempts=3)
    bench.table.jobs[job_id] = row
    waits = []
    for _ in range(3):
        bench.work()
        job = bench.job(job_id)
        assert job.error is not None
        assert job.error.type == "task_error"
        waits.append(job.not_before - bench.clock.now())
        bench.clock.advance(10)
    assert (job.status, job.attempts) == (Status.FAILED, 1_503)
    assert waits[0] <= 2_000, "after a retry by hand the back-off counts anew"


def test_an_output_of_the_wrong_shape_is_a_task_error() -> None:
    job = outcome(lambda task_input, context: 7, timeout=5)
    assert job.error is not None
    assert job.error.type == "task_error"


def test_a_task_that_swallows_everything_ends_with_its_process() -> None:
    """Past the lease, so that the dispatcher ends the attempt; here the lease and the bell are made short."""
    script = """
import time
from chalicelib.service import attempt
from chalicelib.system import alarm
from tests.pure.test_work import Bench
alarm.ALARM_AGAIN_SECONDS, attempt.LEASE_GRACE_SECONDS = 0.02, 0.1
def deaf(given, context):
    while True:
        try:
            while True: time.sleep(0.001)
        except BaseException: pass
bench = Bench(deaf)
bench.submit(timeout=0.05)
bench.work()
print("still here")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "task_swallows_timeouts" in done.stderr


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b'{"array":[1,"x"]}', b'{"array":' + b"[" * 100_000])
def test_an_input_that_cannot_be_read_fails_clearly_and_the_batch_goes_on(data: bytes) -> None:
    bench = Bench()
    bad, good = bench.submit("sort", '{"array":[]}'), bench.submit("sort", '{"array":[2,1]}')
    bench.table.jobs[bad] = msgspec.structs.replace(bench.job(bad), input=Inline(data))
    assert bench.work() == []
    job = bench.job(bad)
    assert job.status is Status.FAILED
    assert job.error is not None
    assert job.error.type == "task_error"
    assert bench.job(good).output == Inline(b'{"array":[1,2]}')


def test_an_input_that_is_no_longer_stored_says_so() -> None:
    bench = Bench()
    job_id = bench.submit("sort", '{"array":[]}')
    bench.table.jobs[job_id] = msgspec.structs.replace(bench.job(job_id), input=Stored("inputs/gone", 10))
    assert bench.work() == []
    error = bench.job(job_id).error
    assert error is not None
    assert "no longer stored" in error.message


class DeafPayloads(fakes.MemoryPayloads):
    """Answers no worker's call of one method until a time."""

    def __init__(self, deaf: str, clock: fakes.StoppedClock, until: int) -> None:
        super().__init__()
        self.deaf, self.clock, self.until = deaf, clock, until

    def put(self, key: str, data: bytes) -> None:
        self._answer("put", key)
        super().put(key, data)

    def get(self, key: str, most: int) -> bytes:
        self._answer("get", key)
        return super().get(key, most)

    def _answer(self, method: str, key: str) -> None:
        by_worker = key.startswith("outputs/" if method == "put" else "inputs/")
        if method == self.deaf and by_worker and self.clock.now() < self.until:
            raise Unavailable(f"{method} {key}: ReadTimeoutError")


@pytest.mark.parametrize(("deaf", "what"), [("get", "fetch its input"), ("put", "store its output")])
def test_an_outage_of_the_bucket_for_two_minutes_costs_two_attempts_and_not_the_job(deaf: str, what: str) -> None:
    bench = Bench()
    bench.ports = replace(bench.ports, payloads=DeafPayloads(deaf, bench.clock, fakes.START + 120_000))
    numbers = list(range(5_000, 0, -1))
    new = NewJob(owner="alice", task="sort", input=msgspec.json.encode({"array": numbers}), timeout=800.0)
    job_id = submit(bench.ports, new).job.id
    for attempt in (1, 2):
        assert bench.work() == []
        job = bench.job(job_id)
        assert (job.status, job.attempts) == (Status.SCHEDULED, attempt)
        assert job.error is not None
        assert (job.error.type, what in job.error.message) == ("worker_lost", True)
        assert job.not_before - bench.clock.now() == 60_000 * attempt
        bench.clock.advance(60 * attempt)
    assert bench.work() == []
    assert (bench.job(job_id).status, bench.job(job_id).attempts) == (Status.COMPLETED, 3)


def test_a_task_that_fails_while_it_adopts_an_upload_costs_its_job_alone() -> None:
    def adopt(upload: bytes) -> bytes:
        raise ZeroDivisionError("odd")

    bench = Bench(lambda task_input, context: task_input, adopt=adopt)
    odd, good = bench.submit(), bench.submit("sort", '{"array":[2,1]}')
    bench.ports.payloads.put("uploads/x", b"x")
    bench.table.jobs[odd] = msgspec.structs.replace(bench.job(odd), input=Stored("uploads/x", 1, raw=True))
    assert bench.work() == []
    assert bench.job(odd).status is Status.FAILED
    assert bench.job(good).status is Status.COMPLETED


class SlowPayloads(fakes.MemoryPayloads):
    """Takes its time for each object."""

    def get(self, key: str, most: int) -> bytes:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            pass
        return super().get(key, most)


@pytest.mark.parametrize("slow", ["fetch", "adopt", "decode"])
def test_the_timeout_covers_fetching_adopting_and_decoding_the_input(slow: str) -> None:
    def linger(*_: object) -> bytes:
        while True:
            pass

    class Slow(msgspec.Struct):
        def __post_init__(self) -> None:
            linger()

    bench = Bench(lambda task_input, context: task_input, **({"adopt": linger} if slow == "adopt" else {}))
    if slow == "decode":
        odd = replace(bench.ports.tasks["odd"], input=Slow)
        bench.ports = replace(bench.ports, tasks={**bench.ports.tasks, "odd": odd})
    if slow == "fetch":
        bench.ports = replace(bench.ports, payloads=SlowPayloads())
    job_id = bench.submit(timeout=0.05)
    bench.ports.payloads.put("uploads/x", b"{}")
    bench.table.jobs[job_id] = msgspec.structs.replace(bench.job(job_id), input=Stored("uploads/x", 2, raw=True))
    start = time.monotonic()
    assert bench.work() == []
    assert time.monotonic() - start < 3
    error = bench.job(job_id).error
    assert error is not None
    assert error.type == "timeout"


def test_a_task_that_this_deployment_does_not_have_fails_its_job() -> None:
    bench = Bench(lambda task_input, context: task_input)
    job_id = bench.submit()
    bench.ports = replace(bench.ports, tasks=tasks.load())
    assert bench.work() == []
    assert bench.job(job_id).status is Status.FAILED


def test_a_batch_that_would_outrun_the_function_sends_on_what_it_has_not_begun() -> None:
    bench = Bench()
    job_ids = [bench.submit("sleep", '{"seconds":0}') for _ in range(3)]
    messages = bench.queue.receive(Lane.LONG)
    left = iter([900.0, 849.0])
    assert work(bench.ports, messages, lambda: next(left)) == []
    assert [bench.job(job_id).status for job_id in job_ids] == [Status.COMPLETED, Status.COMPLETED, Status.PENDING]
    (again,) = bench.queue.receive(Lane.LONG)
    assert again.body == job_ids[2]


def test_the_first_message_of_a_batch_is_always_worked_on() -> None:
    bench = Bench()
    job_id = bench.submit("sort", '{"array":[2,1]}')
    assert bench.work(lambda: 1.0) == []
    assert bench.job(job_id).status is Status.COMPLETED


def test_a_duration_is_that_of_the_execution_alone() -> None:
    def nap(task_input: Nothing, context: Context) -> Nothing:
        context.pause(0.03)
        return task_input

    job = outcome(nap, timeout=5)
    assert job.duration_ms is not None
    assert 30 <= job.duration_ms < 1_000
