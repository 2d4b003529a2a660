"""Work on a batch of messages: claim, run, write the outcome. Each message is judged alone.

message ─▶ claim ─▶ run ─▶ place the output ─▶ one fenced write ─▶ acknowledged
             └ refused: somebody else has it, it has ended, or it is not due: acknowledged
S3 does not answer: the attempt has failed, and the next one comes after its back-off
DynamoDB does not answer: the message goes back, and the lease or the wake time finds the job
"""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.core import change as changes
from chalicelib.core.ids import is_id
from chalicelib.core.job import WAITING, Error, Event, Inline, Job, Payload, Status, Stored
from chalicelib.errors import Unavailable
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import attempt, containers, log, notify
from chalicelib.service.attempt import Canceled, Completed, Failed, LeaseLost
from chalicelib.service.metrics import Tallies

Ending = Completed | Failed | Canceled
"""The outcomes that are written."""

WRITE_RESERVE_SECONDS = 10.0
"""Seconds of the function's own time kept for writing outcomes."""

REQUEUE_AFTER_SECONDS = 2.0
"""Seconds that the rest of a batch waits behind one job."""

PAYLOAD_RETRY_SECONDS = 60.0
"""Seconds that a job whose payload cannot be moved waits after its first attempt, twice that after its second."""


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    body: str
    receipt: str


def read_records(records: Sequence[Mapping[str, Any]]) -> list[Message]:
    """`records`: of an event that Lambda makes of a batch of SQS messages."""
    return [Message(record["messageId"], record["body"], record["receiptHandle"]) for record in records]


def work(
    ports: Ports,
    messages: Sequence[Message],
    seconds_left: Callable[[], float],
    requeue_after: float = REQUEUE_AFTER_SECONDS,
) -> list[str]:
    """The ids of the messages that were not dealt with, for the event source to keep."""
    failed, tallies, waiting = [], Tallies(ports), deque(messages)
    while waiting:
        if len(waiting) < len(messages) and seconds_left() < ports.settings.max_timeout + WRITE_RESERVE_SECONDS:
            failed += _give_back(ports, waiting)
            break
        message = waiting.popleft()
        try:
            _handle(ports, message.body, tallies, waiting, requeue_after)
        except Exception as error:  # Unavailable, or a fault of ours: the rest of the batch goes on either way
            log.warning("message_failed", message=message.id, reason=f"{type(error).__name__}: {error}")
            failed.append(message.id)
    tallies.write()
    return failed


def _handle(ports: Ports, body: str, tallies: Tallies, waiting: deque[Message], requeue_after: float) -> None:
    if not is_id(body):
        log.warning("message_malformed", characters=len(body))
        return
    job = _claim(ports, body, tallies)
    if job is None:
        return
    log.transition("claim", job, None)
    if job.remote:
        _start_container(ports, job, tallies)
        return
    with _requeue_after(ports, waiting, math.inf if job.quick else requeue_after):
        try:
            outcome = attempt.run(ports, job)
        except Unavailable as error:
            outcome = _payload_unavailable(job, "fetch its input", error)
    if not isinstance(outcome, LeaseLost):
        _finish(ports, job, outcome, tallies)


@contextmanager
def _requeue_after(ports: Ports, waiting: deque[Message], seconds: float) -> Iterator[None]:
    """Once the job at hand has run for so long, the rest of the batch is sent anew: other workers can take it.

    New messages, and not the old ones made visible: those would become dead letters after a few such turns.
    """
    if not waiting or seconds == math.inf:
        yield
        return
    timer = threading.Timer(seconds, _requeue_rest, (ports, waiting))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join(1)  # no longer: the outcome has to be written before the lease ends


def _requeue_rest(ports: Ports, waiting: deque[Message]) -> None:
    rest = [message for message in waiting if is_id(message.body)]
    try:
        ports.queue.send_many([(message.body, 0) for message in rest])
    except Unavailable as error:
        log.warning("message_not_sent", jobs=[message.body for message in rest], reason=str(error))
        return  # then they do wait
    for message in rest:
        with suppress(ValueError):  # this worker has come to it in the meantime: twice does no harm
            waiting.remove(message)


def _start_container(ports: Ports, job: Job, tallies: Tallies) -> None:
    try:
        containers.start(ports, job, tallies)
    except (
        Unavailable
    ) as error:  # whether it runs is not known: the dispatcher starts it again, and the name says which
        log.warning("container_not_started", job=job.id, attempt=job.attempts, reason=str(error))


def _claim(ports: Ports, job_id: str, tallies: Tallies) -> Job | None:
    now, token = ports.clock.now(), ports.random.new_token()
    try:
        return ports.jobs.claim(job_id, now, token)
    except ChangeRefused as refused:
        row = refused.job
    if row is not None and row.status is Status.RUNNING and row.claim_token == token:
        return row  # our own claim, whose first answer was lost on the way
    if row is not None and row.status in WAITING and now < row.not_before:
        notify.send(ports, [row], now)  # it came early: the same hint again, when it is due
    if row is not None and row.status is Status.RUNNING and row.remote:
        containers.settle(ports, row, tallies)
        return None
    log.warning("claim_refused", job=job_id, status=row.status if row else None)
    return None


def _finish(ports: Ports, job: Job, outcome: Ending, tallies: Tallies) -> None:
    """One conditional write, fenced by the attempt's number. Who lost the lease writes nothing."""
    try:
        change = _change_of(ports, job, outcome)
    except Unavailable as error:
        outcome = _payload_unavailable(job, "store its output", error, outcome.duration_ms)
        change = _change_of(ports, job, outcome)
    try:
        row = _apply_or_stop(ports, job, outcome, change)
    except ChangeRefused:
        log.warning("outcome_refused", job=job.id, attempt=job.attempts)
        return
    event = Event.STOP if row.status is Status.CANCELED else change.event
    seconds = None if outcome.duration_ms is None else outcome.duration_ms / 1000
    log.transition(event or "", row, Status.RUNNING, seconds=seconds)
    tallies.ended(row, job, outcome.duration_ms)
    if row.status is Status.SCHEDULED:
        notify.send(ports, [row], change.at)


def _apply_or_stop(ports: Ports, job: Job, outcome: Ending, change: changes.Change) -> Job:
    """The row after the change, or after a stop where a request to cancel came in between. Raises ChangeRefused."""
    try:
        return ports.jobs.apply(change)
    except ChangeRefused as refused:
        row = refused.job
        if not (row and row.status is Status.RUNNING and row.attempts == job.attempts):
            raise
    return ports.jobs.apply(_stop(ports, job, outcome))


def _change_of(ports: Ports, job: Job, outcome: Ending) -> changes.Change:
    match outcome:
        case Canceled():
            return _stop(ports, job, outcome)
        case Failed(error, duration_ms, min_wait_seconds):
            now, jitter, retention = ports.clock.now(), ports.random.uniform(), ports.settings.retention
            return changes.fail_attempt(
                job, now, error, duration_ms=duration_ms, jitter=jitter, retention=retention,
                min_wait_seconds=min_wait_seconds,
            )  # fmt: skip
        case Completed(output, duration_ms):
            payload, retention = _place_output(ports, job, output), ports.settings.retention
            now = ports.clock.now()
            return changes.complete(job, now, output=payload, duration_ms=duration_ms, retention=retention)


def _payload_unavailable(job: Job, what: str, error: Unavailable, duration_ms: float | None = None) -> Failed:
    """The bucket does not answer. The worker lives and says so itself, long before its lease is over; but an outage
    must not use up all attempts within seconds."""
    lost = Error("worker_lost", f"attempt {job.attempts} could not {what}: {error}")
    return Failed(lost, duration_ms, min_wait_seconds=PAYLOAD_RETRY_SECONDS * changes.count_attempts(job))


def _stop(ports: Ports, job: Job, outcome: Ending) -> changes.Change:
    now, retention = ports.clock.now(), ports.settings.retention
    return changes.stop(job, now, duration_ms=outcome.duration_ms, retention=retention)


def _place_output(ports: Ports, job: Job, output: bytes) -> Payload:
    if len(output) <= ports.settings.inline_limit:
        return Inline(output)
    key = f"outputs/{job.id}/{job.attempts}"  # an attempt's own key: a late worker overwrites nothing
    ports.payloads.put(key, output)
    return Stored(key, len(output))


def _give_back(ports: Ports, messages: Iterable[Message]) -> list[str]:
    try:
        ports.queue.give_back([message.receipt for message in messages])
    except Unavailable as error:
        log.warning("give_back_failed", reason=str(error))
    return [message.id for message in messages]
