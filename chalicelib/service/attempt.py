"""One attempt: run the task on the input with a deadline, and say how it came out. No outcome is written here."""

import math
from dataclasses import dataclass, field

import msgspec

from chalicelib.core.change import (
    LEASE_GRACE_SECONDS,
    compute_lease_ms,
    extend_lease,
    report_progress,
)
from chalicelib.core.job import Error, Inline, Job
from chalicelib.core.task import Task, TaskError
from chalicelib.core.unpacking import unpack
from chalicelib.errors import Invalid, PayloadMissing, TooLarge, Unavailable
from chalicelib.ports import ChangeRefused, Cut, Ports
from chalicelib.service import log

PROGRESS_EVERY_SECONDS = 2.0
"""Seconds between two progress writes of one attempt: each one also asks whether the job was canceled."""
MESSAGE_LIMIT_CHARACTERS = 2_000


class Interrupt(BaseException):
    """Ends a task from within. A BaseException, so that `except Exception` in a task does not swallow it."""


class OutOfTime(Interrupt): ...


class CancelRequested(Interrupt): ...


class LeaseTaken(Interrupt): ...


@dataclass(frozen=True, slots=True)
class Completed:
    output: bytes
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Failed:
    """`min_wait_seconds`: how many seconds the next attempt waits at least."""

    error: Error
    duration_ms: float | None = None
    min_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Canceled:
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Somebody else has the job by now: there is nothing to write."""


Outcome = Completed | Failed | Canceled | LeaseLost


class Watch:
    """What is known of the attempt that runs: heartbeats and progress writes keep its lease, and bring back whether it
    is to be canceled or has been lost."""

    def __init__(self, ports: Ports, job: Job) -> None:
        self._ports = ports
        self._job = job
        self._reported = False
        self.interrupt: Interrupt | None = None

    def beat(self) -> bool:
        """One heartbeat, beside the task; False: no more are needed. They end when the attempt's whole time is over,
        whatever the task does."""
        now, job = self._ports.clock.now(), self._job
        if now >= (job.started_at or now) + compute_lease_ms(job.timeout):
            return False
        if self._reported:
            self._reported = False
            return True  # a progress write has been one
        try:
            self._hear(self._ports.jobs.beat(extend_lease(job, now)))
        except ChangeRefused:
            self.interrupt = LeaseTaken()
        except Exception as error:  # Unavailable, or a fault of ours: the next beat may come through
            log.warning("heartbeat_failed", job=job.id, attempt=job.attempts, reason=f"{type(error).__name__}: {error}")
        if self.interrupt:
            self._ports.alarm.ring()
        return not isinstance(self.interrupt, LeaseTaken)

    def report(self, fraction: float | None) -> None:
        """From the task: a write that says how far it is."""
        try:
            row = self._ports.jobs.apply(report_progress(self._job, self._ports.clock.now(), fraction))
        except ChangeRefused:
            self.interrupt = LeaseTaken()
        except Unavailable:
            return  # progress is worth nothing to the outcome
        else:
            self._reported = True
            self._hear(row)

    def _hear(self, row: Job) -> None:
        if row.cancel_requested:
            self.interrupt = CancelRequested()


@dataclass(slots=True)
class RunningContext:
    """What the task sees: see core.task.Context. `watch` is None in the quick lane, where nobody cancels."""

    ports: Ports
    job: Job
    ends: float
    watch: Watch | None
    cut: Cut
    fraction: float | None = None
    written: float = field(default=-math.inf)
    began: float | None = None

    @property
    def attempt(self) -> int:
        return self.job.attempts

    @property
    def deadline(self) -> float:
        return self.ends - self.ports.clock.monotonic()

    def progress(self, fraction: float) -> None:
        self.fraction = round(min(1.0, max(0.0, fraction)), 4)
        self.checkpoint()

    def checkpoint(self) -> None:
        now = self.ports.clock.monotonic()
        if self.watch and now < self.ends and now - self.written >= PROGRESS_EVERY_SECONDS:
            self.written = now
            self.watch.report(self.fraction)
        self.interrupt()

    def measure(self) -> float | None:
        """Milliseconds since the task began; None before."""
        return None if self.began is None else round((self.ports.clock.monotonic() - self.began) * 1000, 3)

    def interrupt(self) -> None:
        """Raise what there is to raise: the attempt is lost, to be canceled, or out of time."""
        if self.watch and self.watch.interrupt:
            raise self.watch.interrupt
        if self.ports.clock.monotonic() >= self.ends:
            raise OutOfTime

    def ring(self) -> None:
        """From the alarm, in the middle of the task. One that swallows this each time is past its lease by now: its
        process ends, and the dispatcher ends the attempt."""
        if self.ports.clock.monotonic() >= self.ends + LEASE_GRACE_SECONDS:
            log.warning("task_swallows_timeouts", job=self.job.id)
            self.tell_cut()
            self.ports.alarm.end_process()
        self.interrupt()

    def tell_cut(self) -> None:
        """The one line that stands for all that the attempt was not let log."""
        if self.cut.lines:
            log.warning("log_cut", job=self.job.id, attempt=self.job.attempts, lines_dropped=self.cut.lines)

    def pause(self, seconds: float) -> None:
        left = seconds
        self.checkpoint()
        while left > 0:
            step = min(left, 1.0, max(self.deadline, 0.0) + 0.001)
            self.ports.clock.pause(step)
            left -= step
            self.checkpoint()


def run(ports: Ports, job: Job, watch: Watch | None = None) -> Outcome:
    """Never raises for what the task or its input does; raises Unavailable when the input cannot be fetched now."""
    task = ports.tasks.get(job.task)
    if task is None:
        return _fail(f"there is no task {job.task!r} in this deployment")
    start = ports.clock.monotonic()  # the lease runs already: fetching the input is part of the attempt
    written = start - PROGRESS_EVERY_SECONDS / 2
    with ports.logs.bounded() as cut:
        context = RunningContext(ports, job, start + job.timeout, watch, cut, written=written)
        outcome = _guard(ports, job, task, context)
    context.tell_cut()
    return outcome


def _guard(ports: Ports, job: Job, task: Task, context: RunningContext) -> Outcome:
    try:
        return ports.alarm.guard(lambda: _execute(ports, job, task, context), max(job.timeout, 0.001), context.ring)
    except CancelRequested:
        return Canceled(context.measure())
    except LeaseTaken:
        return LeaseLost()
    except OutOfTime:
        error = Error("timeout", f"the attempt took longer than its timeout of {job.timeout:g} s")
        return Failed(error, context.measure())
    except Unavailable as error:
        if context.began is None:
            raise
        return Failed(_describe_error(error), context.measure())
    except KeyboardInterrupt:
        raise  # this process is to end
    except BaseException as error:  # SystemExit, CancelledError and the like of the task's own
        return Failed(_describe_error(error), context.measure())


def _execute(ports: Ports, job: Job, task: Task, context: RunningContext) -> Completed:
    """Everything that an attempt does to get its output. Only the task itself is measured."""
    task_input = _read_input(ports, job, task)
    context.began = ports.clock.monotonic()
    result = task.run(task_input, context)
    duration = context.measure()
    assert duration is not None
    return Completed(msgspec.json.encode(msgspec.convert(result, task.output)), duration)


def _read_input(ports: Ports, job: Job, task: Task) -> object:
    try:
        return task.decode(_read_bytes(ports, job, task))
    except PayloadMissing:
        raise TaskError("the input is no longer stored: submit the job again with its input") from None
    except (Invalid, TooLarge) as refused:
        raise TaskError(f"the input cannot be read: {refused}") from None


def _read_bytes(ports: Ports, job: Job, task: Task) -> bytes:
    if isinstance(job.input, Inline):
        return job.input.data
    most = ports.settings.upload_limit
    data = ports.payloads.get(job.input.key, most)
    if not job.input.raw:
        return data
    data = unpack(data, most)  # the packed bytes are not kept beside it
    return task.adopt(data) if task.adopt else data


def _fail(message: str) -> Outcome:
    return Failed(Error("task_error", message[:MESSAGE_LIMIT_CHARACTERS]))


def _describe_error(error: BaseException) -> Error:
    try:
        words = str(error)
    except Exception:
        words = "it has no text that can be read"
    text = words if isinstance(error, TaskError) else f"{type(error).__name__}: {words}"
    return Error("task_error", text[:MESSAGE_LIMIT_CHARACTERS].encode(errors="replace").decode())
