"""One attempt: run the task on the input with a deadline, and say how it came out. Nothing is written here."""

import math
import os
import signal
import threading
from dataclasses import dataclass, field
from types import FrameType

import msgspec

from chalicelib.core.change import LEASE_GRACE_SECONDS, report_progress
from chalicelib.core.job import Error, Inline, Job
from chalicelib.core.task import Task, TaskError
from chalicelib.errors import ChangeRefused, Invalid, PayloadMissing, Unavailable
from chalicelib.ports import Ports
from chalicelib.service import log

PROGRESS_EVERY_SECONDS = 2.0
"""Seconds between two progress writes of one attempt: each one also asks whether the job was canceled."""
ALARM_AGAIN = 1.0
MESSAGE_LIMIT = 2_000


class Stop(BaseException):
    """Ends a task from within. A BaseException, so that `except Exception` in a task does not swallow it."""


class OutOfTime(Stop): ...


class Canceled(Stop): ...


class LostLease(Stop): ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the attempt came out: exactly one of output and error, or `canceled`, or `lost` (say nothing).

    `min_wait_seconds`: how many seconds the next attempt waits at least.
    """

    output: bytes | None = None
    error: Error | None = None
    canceled: bool = False
    lost: bool = False
    duration_ms: float | None = None
    min_wait_seconds: float = 0.0


@dataclass(slots=True)
class RunningContext:
    """What the task sees: see core.task.Context."""

    ports: Ports
    job: Job
    ends: float
    fraction: float | None = None
    written: float = field(default=-math.inf)

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
        if now >= self.ends:
            raise OutOfTime
        if now - self.written >= PROGRESS_EVERY_SECONDS:
            self.written = now
            self._report()

    def pause(self, seconds: float) -> None:
        left = seconds
        self.checkpoint()
        while left > 0:
            step = min(left, 1.0, max(self.deadline, 0.0) + 0.001)
            self.ports.clock.pause(step)
            left -= step
            self.checkpoint()

    def _report(self) -> None:
        change = report_progress(self.job, self.ports.clock.now(), self.fraction)
        try:
            row = self.ports.jobs.apply(change)
        except ChangeRefused as refused:
            raise LostLease from refused
        except Unavailable:
            return  # progress is worth nothing to the outcome
        if row.cancel_requested:
            raise Canceled


def run(ports: Ports, job: Job) -> Outcome:
    """Never raises for what the task or its input does; raises Unavailable when the input cannot be fetched now."""
    task = ports.tasks.get(job.task)
    if task is None:
        return _wrong(f"there is no task {job.task!r} in this deployment")
    ends = ports.clock.monotonic() + job.timeout  # the lease runs already: fetching the input is part of the attempt
    try:
        given = _read_input(ports, job, task)
    except Unavailable:
        raise
    except PayloadMissing:
        return _wrong("the input is no longer stored: submit the job again with its input")
    except Invalid as invalid:
        return _wrong(f"the input cannot be read: {invalid}")
    except Exception as error:  # whatever a task's own `adopt` may raise
        return Outcome(error=_task_error(error))
    return _timed(ports, job, task, given, ends)


def _read_input(ports: Ports, job: Job, task: Task) -> object:
    if isinstance(job.input, Inline):
        return task.decode(job.input.data)
    data = ports.payloads.get(job.input.key)
    if job.input.raw and task.adopt:
        data = task.adopt(data)
    return task.decode(data)


def _timed(ports: Ports, job: Job, task: Task, given: object, ends: float) -> Outcome:
    """Only the task itself stands between the two readings of the clock."""
    start = ports.clock.monotonic()
    context = RunningContext(ports, job, ends, written=start - PROGRESS_EVERY_SECONDS / 2)
    alarm = Alarm()
    try:
        alarm.set(max(ends - start, 0.001))
        try:
            result = task.run(given, context)
        finally:
            alarm.stop()
        duration = ports.clock.monotonic() - start
        output = msgspec.json.encode(msgspec.convert(result, task.output))
        return Outcome(output=output, duration_ms=round(duration * 1000, 3))
    except Canceled:
        return Outcome(canceled=True, duration_ms=_millis_since(ports, start))
    except LostLease:
        return Outcome(lost=True)
    except OutOfTime:
        error = Error("timeout", f"the attempt took longer than its timeout of {job.timeout:g} s")
        return Outcome(error=error, duration_ms=_millis_since(ports, start))
    except (Exception, SystemExit) as error:
        return Outcome(error=_task_error(error), duration_ms=_millis_since(ports, start))
    finally:
        alarm.stop()  # once more: the first stop can itself be what a ring interrupted


class Alarm:
    """Raises OutOfTime in the main thread when the time is up, and again each second in case the task swallows it.

    A task that swallows them all is past its lease by then: the process ends, and the dispatcher ends the attempt. In
    other threads, where Python delivers no signals, checkpoints and the lease are what is left.
    """

    def __init__(self) -> None:
        self._rings = 0
        self._mine = threading.current_thread() is threading.main_thread()

    def set(self, seconds: float) -> None:
        if self._mine:
            signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, seconds, ALARM_AGAIN)

    def stop(self) -> None:
        if self._mine:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        self._rings += 1
        if self._rings > LEASE_GRACE_SECONDS / ALARM_AGAIN:
            log.warning("task_swallows_timeouts", rings=self._rings)
            os._exit(1)
        raise OutOfTime


def _wrong(message: str) -> Outcome:
    return Outcome(error=Error("task_error", message[:MESSAGE_LIMIT]))


def _task_error(error: BaseException) -> Error:
    text = str(error) if isinstance(error, TaskError) else f"{type(error).__name__}: {error}"
    return Error("task_error", text[:MESSAGE_LIMIT].encode(errors="replace").decode())


def _millis_since(ports: Ports, start: float) -> float:
    return round((ports.clock.monotonic() - start) * 1000, 3)
