"""Changes to a job, decided here and carried out by the store: what must be true of the row, and what it becomes.

Every change names its event, and the statuses it may start from come from the table in core/job.py. A worker's
changes carry its attempt number (the fence), a dispatcher's the wake time it saw, so whoever is late changes nothing.

    waiting ....... not_before = due      | claim, or complete_unclaimed, from here on
    running ....... not_before = lease    | claim by the next attempt, back_off and give_up from here on
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.core import backoff
from chalicelib.core.job import (
    WAITING,
    Attempt,
    Error,
    Event,
    Job,
    Millis,
    Payload,
    Status,
    container_of,
    sources,
    target,
)

LEASE_MS: Millis = 60_000
"""What a claim and each heartbeat after it hold the row for."""
BEAT_MS: Millis = 20_000
"""From one heartbeat to the next."""
LEASE_GRACE_SECONDS = 10.0
"""Seconds a lease may outlive the attempt's timeout: room to stop the task and write what became of it."""
PAST_KEPT, PAST_MESSAGE_CHARACTERS = 20, 500
"""How many past attempts a row keeps, and how much of each error: a row retried for ever must not grow for ever."""
RESEND_AFTER_MS: Millis = 30_000
"""How long a sent message may take before the dispatcher looks after its job."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One conditional update. Every guard that is not None must hold; `fields` are set, None removes."""

    job: Job
    at: Millis
    event: Event | None = None
    statuses: frozenset[Status]
    attempt: int | None = None
    wake_at: Millis | None = None
    released_by: Millis | None = None
    unless_canceling: bool = False
    holds_window: bool = False
    fields: Mapping[str, Any]


def permits(change: Change, row: Job) -> bool:
    """Whether `row` meets the change's guards: the same conditions that aws/expressions.py writes out."""
    return (
        row.status in change.statuses
        and (change.attempt is None or row.attempts == change.attempt)
        and (change.wake_at is None or row.wake_at == change.wake_at)
        and (change.released_by is None or row.not_before <= change.released_by)
        and not (change.unless_canceling and row.cancel_requested)
        and not (change.holds_window and row.window is not None and row.window.job_id != row.id)
    )


def claimable(row: Job, now: Millis) -> bool:
    """Whether an attempt may start: open, not held, attempts left, nobody has asked to stop it. What runs elsewhere
    may run on after its lease: only a look at it ends the attempt."""
    open_ = row.status in sources(Event.CLAIM) and not (row.remote and row.status is Status.RUNNING)
    return open_ and row.not_before <= now and row.attempts < row.attempt_limit and not row.cancel_requested


def claim_row(row: Job, now: Millis, token: str) -> Job:
    """The row once the next attempt has it."""
    return msgspec.structs.replace(
        row,
        status=target(Event.CLAIM),
        attempts=row.attempts + 1,
        not_before=now + LEASE_MS,
        started_at=now,
        claim_token=token,
        progress=None,
    )


def compute_lease_ms(timeout: float) -> Millis:
    """How long an attempt may hold its row in all, heartbeats included."""
    return round((timeout + LEASE_GRACE_SECONDS) * 1000)


def lease_until(job: Job, now: Millis) -> Millis:
    """Until when the attempt that runs may hold the row, as of now: a lease more, and never past its whole time."""
    assert job.started_at is not None
    return min(now + LEASE_MS, max(job.started_at + compute_lease_ms(job.timeout), job.started_at + LEASE_MS))


def apply_change(change: Change, row: Job) -> Job:
    """The row after the change."""
    return msgspec.structs.replace(row, **change.fields)


def complete(job: Job, now: Millis, *, output: Payload, duration_ms: float, retention: float) -> Change:
    fields = {"output": output, "duration_ms": duration_ms, "error": None, "progress": None}
    return _move_by_worker(job, Event.COMPLETE, now, _end(now, retention) | fields)


def complete_unclaimed(
    job: Job, started_at: Millis, now: Millis, *, token: str, output: Payload, duration_ms: float, retention: float
) -> Change:
    """A pure job that waits has been run: one write takes the attempt and ends it. `token` is the writer's own, by
    which it knows this very write again when its answer was lost. A job that was canceled and retried by hand meanwhile
    waits again with no attempt begun, but since a later time: what was run before that is not written."""
    fields = _end(now, retention) | {
        "attempts": job.attempts + 1, "started_at": started_at, "claim_token": token, "output": output,
        "duration_ms": duration_ms, "error": None, "progress": None,
    }  # fmt: skip
    return _move(job, Event.COMPLETE_UNCLAIMED, now, fields, attempt=job.attempts, released_by=now)


def fail_attempt(
    job: Job, now: Millis, error: Error, *,
    duration_ms: float | None, jitter: float, retention: float, min_wait_seconds: float = 0.0,
) -> Change:  # fmt: skip
    """The attempt failed: back off while attempts are left, else the job has failed. `jitter` is in [0, 1); the next
    attempt waits at least `min_wait_seconds` seconds."""
    log = _log_attempt(job, now, error.type, error)
    if job.attempts < job.attempt_limit:
        fields = _wait_for_next(job, now, jitter, min_wait_seconds) | {"error": error} | log
        return _move_by_worker(job, Event.BACK_OFF, now, fields, unless_canceling=True)
    fields = _end(now, retention) | {"error": error, "duration_ms": duration_ms} | log
    return _move_by_worker(job, Event.FAIL, now, fields, unless_canceling=True)


def stop(job: Job, now: Millis, *, duration_ms: float | None, retention: float) -> Change:
    """A running job honours the request to cancel it."""
    fields = _end_canceled(now, retention) | {"duration_ms": duration_ms} | _log_attempt(job, now, "canceled", None)
    return _move_by_worker(job, Event.STOP, now, fields)


def report_progress(job: Job, now: Millis, fraction: float | None) -> Change:
    """Not a move: says how far a running attempt is, and is a heartbeat as well."""
    fields = {**extend_lease(job, now).fields} | ({} if fraction is None else {"progress": fraction})
    return Change(job=job, at=now, statuses=frozenset({Status.RUNNING}), attempt=job.attempts, fields=fields)


def extend_lease(job: Job, now: Millis) -> Change:
    """Not a move: a heartbeat. It revives a lease that has run out, while the attempt still owns the row, and fetches
    the row (is it to be canceled?). Refused: somebody else has it."""
    fields = {"not_before": lease_until(job, now)}
    return Change(job=job, at=now, statuses=frozenset({Status.RUNNING}), attempt=job.attempts, fields=fields)


def cancel(job: Job, now: Millis, *, retention: float, by: str | None = None) -> Change:
    """A job that waits is canceled; nobody can start it afterwards. `by`: whose wish it is."""
    fields = _end_canceled(now, retention) | _name("canceled", by, now)
    return _move(job, Event.CANCEL, now, fields, statuses=sources(Event.CANCEL))


def withdraw(job: Job, now: Millis, *, retention: float, by: str | None = None) -> Change:
    """As cancel, unless an attempt has begun: its schedule is removed."""
    return msgspec.structs.replace(cancel(job, now, retention=retention, by=by), attempt=0)


def request_cancel(job: Job, now: Millis, *, by: str | None = None) -> Change:
    """Not a move: asks a running job to stop at its next checkpoint. Who asked first is who canceled it."""
    named = {} if job.cancel_requested else _name("canceled", by, now)
    return Change(job=job, at=now, statuses=frozenset({Status.RUNNING}), fields={"cancel_requested": True} | named)


def retry_by_hand(job: Job, now: Millis, *, by: str | None = None) -> Change:
    """Failed or canceled: may run again, with `max_attempts` more; attempt numbers go on, since they fence. Not where
    another job has taken its window over."""
    fields: dict[str, Any] = {
        "not_before": now,
        "wake_at": now + RESEND_AFTER_MS,
        "attempt_limit": job.attempts + job.max_attempts,
        "cancel_requested": False,
        "progress": None,
        "error": None,
        "finished_at": None,
        "duration_ms": None,
        "expires_at": None,
    }
    if job.container:  # the day to wait for room begins again
        fields["container"] = msgspec.structs.replace(job.container, refused=0, refused_since=None)
    named = _name("retried", by, now)
    return _move(
        job, Event.RETRY, now, fields | named, attempt=job.attempts, holds_window=job.window is not None,
    )  # fmt: skip


def hand_window_over(job: Job, now: Millis, to: str) -> Change:
    """Not a move: the window of a job that came to nothing is held by the job `to` from now on."""
    assert job.window is not None
    window = msgspec.structs.replace(job.window, job_id=to)
    undone = frozenset({Status.FAILED, Status.CANCELED})
    return Change(job=job, at=now, statuses=undone, attempt=job.attempts, fields={"window": window})


def expire_lease(job: Job, now: Millis, *, jitter: float, retention: float) -> Change:
    """The lease is over and no outcome came: stop, back off or fail, as the row allows."""
    error = Error("worker_lost", f"attempt {job.attempts} ended without an outcome: its worker died or hung")
    log = _log_attempt(job, now, error.type, error)
    event, fields = Event.GIVE_UP, _end(now, retention) | {"error": error}
    if job.cancel_requested:
        event, fields = Event.STOP, _end_canceled(now, retention)
    elif job.attempts < job.attempt_limit:
        event, fields = Event.BACK_OFF, _wait_for_next(job, now, jitter) | {"error": error}
    unless = event is not Event.STOP
    return _move(
        job, event, now, fields | log, attempt=job.attempts, released_by=now, unless_canceling=unless,
        statuses=frozenset({Status.RUNNING}),
    )  # fmt: skip


def mark_undeliverable(job: Job, now: Millis, *, retention: float) -> Change:
    """No worker took the job in all the time it was due."""
    message = "no worker took the job although its message was sent again and again: see that the worker runs"
    fields = _end(now, retention) | {"error": Error("undeliverable", message)}
    return _move(job, Event.GIVE_UP, now, fields, wake_at=job.wake_at, released_by=now, statuses=WAITING)


def move_wake(job: Job, now: Millis, wake_at: Millis, *, resend: bool = False) -> Change:
    """Not a move of status: the dispatcher takes this look for itself and says when the next one is. `resend`: it
    sends the message again after this."""
    fields = {"wake_at": wake_at} | _count_resend(job, resend=resend)
    return Change(job=job, at=now, statuses=frozenset({job.status}), wake_at=job.wake_at, fields=fields)


def fall_due(job: Job, now: Millis, wake_at: Millis, *, resend: bool = False) -> Change:
    """Due, and no worker has come yet: from now on it is listed as pending."""
    fields = {"not_before": job.not_before, "wake_at": wake_at} | _count_resend(job, resend=resend)
    scheduled = frozenset({Status.SCHEDULED})
    return _move(job, Event.DUE, now, fields, wake_at=job.wake_at, released_by=now, statuses=scheduled)


def _move(
    job: Job, event: Event, now: Millis, fields: Mapping[str, Any], *,
    attempt: int | None = None, wake_at: Millis | None = None, released_by: Millis | None = None,
    unless_canceling: bool = False, holds_window: bool = False, statuses: frozenset[Status] | None = None,
) -> Change:  # fmt: skip
    """The status that the event leads to is read off the table; `statuses` may narrow those it starts from."""
    legal = sources(event) if statuses is None else statuses
    assert legal <= sources(event), (event, legal)
    return Change(
        job=job, at=now, event=event, statuses=legal, attempt=attempt, wake_at=wake_at,
        released_by=released_by, unless_canceling=unless_canceling, holds_window=holds_window,
        fields={"status": target(event), **fields},
    )  # fmt: skip


def _move_by_worker(
    job: Job, event: Event, now: Millis, fields: Mapping[str, Any], *, unless_canceling: bool = False
) -> Change:
    running = frozenset({Status.RUNNING})
    return _move(
        job, event, now, fields, attempt=job.attempts, unless_canceling=unless_canceling, statuses=running,
    )  # fmt: skip


def count_attempts(job: Job) -> int:
    """Attempts since the job was submitted or last retried by hand: their numbers go on, since they fence, but its
    waits begin anew."""
    return max(1, job.attempts - (job.attempt_limit - job.max_attempts))


def _wait_for_next(job: Job, now: Millis, jitter: float, min_wait_seconds: float = 0.0) -> dict[str, Any]:
    due = now + round(max(backoff.backoff_seconds(count_attempts(job), jitter), min_wait_seconds) * 1000)
    return {"not_before": due, "wake_at": due + RESEND_AFTER_MS, "progress": None}


def _count_resend(job: Job, *, resend: bool) -> dict[str, Any]:
    return {"resends": job.resends + 1} if resend else {}


def _end(now: Millis, retention: float) -> dict[str, Any]:
    return {"finished_at": now, "wake_at": None, "expires_at": round(now / 1000 + retention)}


def _end_canceled(now: Millis, retention: float) -> dict[str, Any]:
    error = Error("canceled", "the job was canceled")
    return _end(now, retention) | {"error": error, "progress": None}


def _name(what: str, by: str | None, now: Millis) -> dict[str, Any]:
    """Who did something by hand, and when."""
    return {} if by is None else {f"{what}_by": by, f"{what}_at": now}


def _log_attempt(job: Job, now: Millis, outcome: str, error: Error | None) -> dict[str, Any]:
    """The newest past attempts. Written whole: nobody else adds one while this attempt's number stands."""
    short = error and Error(error.type, error.message[:PAST_MESSAGE_CHARACTERS])
    container = container_of(job)
    past = Attempt(
        attempt=job.attempts, started_at=job.started_at or now, ended_at=now, outcome=outcome, error=short,
        ref=container.ref if container else None,
    )  # fmt: skip
    return {"past_attempts": (*job.past_attempts, past)[-PAST_KEPT:]}
