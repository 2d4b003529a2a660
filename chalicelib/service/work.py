"""The long lane: claim a job, run it under a heartbeat, write the outcome. It takes any job, one an invocation.

message ─▶ claim ─▶ run ─▶ place the output ─▶ one fenced write ─▶ acknowledged
             │       └ every 20 s a heartbeat: the lease is longer by then, and a request to cancel comes back
             └ refused: somebody else has it, it has ended, or it is not due: acknowledged
S3 does not answer: the attempt has failed, and the next one comes after its back-off
DynamoDB does not answer: the message goes back, and the lease or the wake time finds the job
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.core import change as changes
from chalicelib.core.change import BEAT_MS
from chalicelib.core.ids import is_id
from chalicelib.core.job import WAITING, Error, Inline, Job, Payload, Status, Stored
from chalicelib.core.lane import Lane
from chalicelib.errors import Unavailable
from chalicelib.ports import ChangeRefused, Hint, Ports
from chalicelib.service import attempt, containers, log, notify
from chalicelib.service.attempt import Canceled, Completed, Failed, LeaseLost, Watch
from chalicelib.service.finish import finish, stop
from chalicelib.service.metrics import MINUTE_MS, Tallies

Ending = Completed | Failed | Canceled
"""The outcomes that are written."""

WRITE_RESERVE_SECONDS = 10.0
"""Seconds of the function's own time kept for writing outcomes."""

PAYLOAD_RETRY_SECONDS = 60.0
"""Seconds that a job whose payload cannot be moved waits after its first attempt, twice that after its second."""


@dataclass(frozen=True, slots=True)
class Message:
    """`receives`: how often the queue has handed it out, this time included."""

    id: str
    body: str
    receipt: str
    receives: int = 1


def parse_messages(event: Mapping[str, Any]) -> list[Message]:
    """From what Lambda hands over."""
    return [
        Message(
            record["messageId"], record["body"], record["receiptHandle"],
            int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for record in event["Records"]
    ]  # fmt: skip


def work(ports: Ports, messages: Sequence[Message], seconds_left: Callable[[], float]) -> list[str]:
    """The ids of the messages that were not dealt with, for the event source to keep."""
    failed, tallies = [], Tallies(ports)
    for position, message in enumerate(messages):
        if position and seconds_left() < ports.settings.max_timeout + WRITE_RESERVE_SECONDS:
            failed += send_on(ports, messages[position:])
            break
        try:
            _handle(ports, message.body, tallies)
        except Exception as error:  # Unavailable, or a fault of ours: the rest of the batch goes on either way
            log.warning("message_failed", message=message.id, reason=f"{type(error).__name__}: {error}")
            failed.append(message.id)
    tallies.write()
    return failed


def send_on(ports: Ports, messages: Sequence[Message]) -> list[str]:
    """Sends new messages to the long lane in place of these; the ids of those that have to be kept instead. The old
    ones made visible again would become dead letters after a few such turns."""
    hints = [Hint(job_id, Lane.LONG) for job_id in dict.fromkeys(message.body for message in messages) if is_id(job_id)]
    return [] if notify.send_hints(ports, hints) else [message.id for message in messages]


def place_output(ports: Ports, job: Job, output: bytes) -> Payload:
    """In the row, or under a key of the attempt's own, where a late worker overwrites nothing."""
    if len(output) <= ports.settings.inline_limit:
        return Inline(output)
    key = f"outputs/{job.id}/{job.attempts}"
    ports.payloads.put(key, output)
    return Stored(key, len(output))


def _handle(ports: Ports, body: str, tallies: Tallies) -> None:
    if not is_id(body):
        log.warning("message_malformed", characters=len(body))
        return
    job = _claim(ports, body, tallies)
    if job is None:
        return
    log.transition("claim", job, None)
    job = _bring_look_forward(ports, job)
    if job.remote:
        _start_container(ports, job, tallies)
        return
    watch = Watch(ports, job)
    with ports.concurrency.beat(BEAT_MS / 1000, watch.beat):
        try:
            outcome = attempt.run(ports, job, watch)
        except Unavailable as error:
            outcome = _payload_unavailable(job, "fetch its input", error)
        if not isinstance(outcome, LeaseLost):
            _finish(ports, job, outcome, tallies)


def _bring_look_forward(ports: Ports, job: Job) -> Job:
    """A job that waited for long is next looked at in as long again: too late, should this worker die. The row, as it
    stands then."""
    look = job.not_before + BEAT_MS
    if job.wake_at is None or job.wake_at <= look + MINUTE_MS:
        return job
    try:
        return ports.jobs.apply(changes.move_wake(job, ports.clock.now(), look))
    except (ChangeRefused, Unavailable) as error:
        log.warning("look_not_moved", job=job.id, reason=str(error))
        return job


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
    if row is not None and row.status is Status.RUNNING:
        if row.claim_token == token:
            return row  # our own claim, whose first answer was lost on the way
        if row.remote:
            containers.settle(ports, row, tallies)
            return None
    if row is not None and row.status in WAITING and now < row.not_before:
        notify.send(ports, [row], now)  # it came early: the same hint again, when it is due
    log.warning("claim_refused", job=job_id, status=row.status if row else None)
    return None


def _finish(ports: Ports, job: Job, outcome: Ending, tallies: Tallies) -> None:
    """Its output is stored first; where that does not go, the attempt has failed."""
    try:
        change = _change_of(ports, job, outcome)
    except Unavailable as error:
        outcome = _payload_unavailable(job, "store its output", error, outcome.duration_ms)
        change = _change_of(ports, job, outcome)
    finish(ports, job, change, outcome.duration_ms, tallies)


def _change_of(ports: Ports, job: Job, outcome: Ending) -> changes.Change:
    match outcome:
        case Canceled(duration_ms):
            return stop(ports, job, duration_ms)
        case Failed(error, duration_ms, min_wait_seconds):
            now, jitter, retention = ports.clock.now(), ports.random.uniform(), ports.settings.retention
            return changes.fail_attempt(
                job, now, error, duration_ms=duration_ms, jitter=jitter, retention=retention,
                min_wait_seconds=min_wait_seconds,
            )  # fmt: skip
        case Completed(output, duration_ms):
            payload, retention = place_output(ports, job, output), ports.settings.retention
            now = ports.clock.now()
            return changes.complete(job, now, output=payload, duration_ms=duration_ms, retention=retention)


def _payload_unavailable(job: Job, what: str, error: Unavailable, duration_ms: float | None = None) -> Failed:
    """The bucket does not answer. The worker lives and says so itself, long before its lease is over; but an outage
    must not use up all attempts within seconds."""
    lost = Error("worker_lost", f"attempt {job.attempts} could not {what}: {error}")
    return Failed(lost, duration_ms, min_wait_seconds=PAYLOAD_RETRY_SECONDS * changes.count_attempts(job))
