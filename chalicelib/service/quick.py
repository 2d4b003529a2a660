"""The quick lane: pure jobs at their first delivery, a batch an invocation, with one write each and no claim.

messages ─▶ one read ─▶ run each ─▶ the writes, side by side ─▶ acknowledged
                │          │            └ refused: done already, ended meanwhile, or open and out of the ordinary
                └──────────┴─▶ whatever is out of the ordinary: a message to the long lane, which claims

A second delivery is out of the ordinary: this very job may be what killed the worker. So are an error, more than five
seconds, a row that was left out of the read or is damaged, and a write that nothing is known of.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from chalicelib.core import change as changes
from chalicelib.core.change import Change
from chalicelib.core.ids import is_id
from chalicelib.core.job import ENDED, WAITING, Job, Millis
from chalicelib.core.lane import Lane, lane_of
from chalicelib.errors import Unavailable
from chalicelib.ports import ChangeRefused, Hint, Ports
from chalicelib.service import attempt, log, notify
from chalicelib.service.attempt import Completed
from chalicelib.service.metrics import Tallies
from chalicelib.service.work import Message, place_output

LONGEST_SECONDS = 5.0
"""What a job of this lane may take: its batch waits for it."""
WRITE_RESERVE_SECONDS = 10.0
"""Seconds of the function's own time kept for reading and writing."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A job that has been run, as its row was, and what to write."""

    job: Job
    change: Change
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one invocation has to do: `send_on` gathers the ids that go to the long lane."""

    ports: Ports
    seconds_left: Callable[[], float]
    owners: dict[str, str]
    send_on: list[str]


def work_quick(ports: Ports, messages: Sequence[Message], seconds_left: Callable[[], float]) -> list[str]:
    """The ids of the messages that were not dealt with, for the event source to keep."""
    batch, by_job = Batch(ports, seconds_left, {}, []), _by_job(messages)
    first = [job_id for job_id, copies in by_job.items() if all(message.receives == 1 for message in copies)]
    batch.send_on.extend(job_id for job_id in by_job if job_id not in first)
    try:
        ready = _read(batch, first)
    except Unavailable as error:
        log.warning("batch_not_read", messages=len(messages), reason=str(error))
        ready = []
        batch.send_on.extend(first)
    _write(batch, [ran for job in ready if (ran := _run(batch, job))])
    return _send_on(batch, by_job)


def _by_job(messages: Sequence[Message]) -> dict[str, list[Message]]:
    """Two messages may name one job; what names none is dropped."""
    by_job: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        if is_id(message.body):
            by_job[message.body].append(message)
        else:
            log.warning("message_malformed", characters=len(message.body))
    return by_job


def _read(batch: Batch, job_ids: Sequence[str]) -> list[Job]:
    """The jobs to run, as their rows are now."""
    if not job_ids:
        return []
    ports, ready = batch.ports, []
    read = ports.jobs.read_batch(job_ids)
    batch.send_on.extend(read.unread)
    batch.owners.update((job.id, job.owner) for job in read.rows.values())
    for job_id in job_ids:
        row, now = read.rows.get(job_id), ports.clock.now()
        if row is None or row.status not in WAITING:
            if job_id not in read.unread:
                log.warning("run_refused", job=job_id, status=row.status if row else None)
        elif now < row.not_before:
            notify.send(ports, [row], now)  # it came early: the same hint again, when it is due
        elif lane_of(row) is Lane.LONG:
            batch.send_on.append(job_id)
        else:
            ready.append(row)
    return ready


def _run(batch: Batch, job: Job) -> Ran | None:
    """None where the job goes to the long lane."""
    ports = batch.ports
    if batch.seconds_left() < LONGEST_SECONDS + WRITE_RESERVE_SECONDS:
        batch.send_on.append(job.id)
        return None
    started_at, seconds = ports.clock.now(), min(job.timeout, LONGEST_SECONDS)
    trial = msgspec.structs.replace(job, attempts=job.attempts + 1, started_at=started_at, timeout=seconds)
    try:
        outcome = attempt.run(ports, trial)
        if isinstance(outcome, Completed):
            return Ran(job, _completing(ports, trial, job, outcome, started_at), outcome.duration_ms)
        reason = type(outcome).__name__
    except Exception as error:  # Unavailable, or a fault of ours
        reason = f"{type(error).__name__}: {error}"
    log.warning("quick_run_failed", job=job.id, reason=reason)
    batch.send_on.append(job.id)
    return None


def _completing(ports: Ports, trial: Job, job: Job, outcome: Completed, started_at: Millis) -> Change:
    output, token = place_output(ports, trial, outcome.output), ports.random.new_token()
    return changes.complete_unclaimed(
        job, started_at, ports.clock.now(), token=token, output=output, duration_ms=outcome.duration_ms,
        retention=ports.settings.retention,
    )  # fmt: skip


def _write(batch: Batch, runs: Sequence[Ran]) -> None:
    ports, tallies = batch.ports, Tallies(batch.ports)
    rows = ports.concurrency.together([partial(_complete, ports, ran) for ran in runs])
    for ran, row in zip(runs, rows, strict=True):
        if row is None or row.status not in ENDED:
            batch.send_on.append(ran.job.id)
        elif row.claim_token == ran.change.fields["claim_token"]:  # ours, even where its first answer was lost
            log.transition(ran.change.event or "", row, ran.job.status, seconds=ran.duration_ms / 1000)
            tallies.ended(row, ran.job, ran.duration_ms)
        else:
            log.warning("outcome_refused", job=ran.job.id, attempt=row.attempts)
    tallies.write()


def _complete(ports: Ports, ran: Ran) -> Job | None:
    """The row afterwards, whoever has written it; None: nothing is known."""
    try:
        return ports.jobs.apply(ran.change)
    except ChangeRefused as refused:
        return refused.job
    except Exception as error:  # Unavailable, or a fault of ours: the others' writes go on either way
        log.warning("outcome_not_written", job=ran.job.id, reason=f"{type(error).__name__}: {error}")
        return None


def _send_on(batch: Batch, by_job: dict[str, list[Message]]) -> list[str]:
    """To the long lane; the ids of the messages to keep where even that fails."""
    hints = [Hint(job_id, Lane.LONG, batch.owners.get(job_id)) for job_id in dict.fromkeys(batch.send_on)]
    if notify.send_hints(batch.ports, hints):
        return []
    return [message.id for hint in hints for message in by_job[hint.job_id]]
