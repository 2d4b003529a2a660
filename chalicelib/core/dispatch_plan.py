"""What the dispatcher does with one job whose wake time has come: a plan made from the row and the time alone.

scheduled far ahead ── sleep on until shortly before it is due
due within 900 s ───── send with SQS's own delay, look again half a minute after it is due
due, never looked at ─ send
due, not taken ─────── list it as pending, send again, ever less often; after days give the job up
   while the quick lane has a backlog: a quick job is taken to wait in it, and nothing is sent for ten minutes
running ────────────── look again one beat after the lease ends
lease over for a beat ─ stop, back off or fail; one look later where this look comes late: the table was out of reach
"""

from dataclasses import dataclass

from chalicelib.core.change import (
    BEAT_MS,
    RESEND_AFTER_MS,
    Change,
    expire_lease,
    fall_due,
    mark_undeliverable,
    move_wake,
)
from chalicelib.core.job import WAITING, Job, Millis, Status
from chalicelib.core.lane import Lane, lane_of

MAX_DELAY_MS: Millis = 900_000
"""What SQS can hold back a message for."""
LOOK_AHEAD_MS: Millis = 150_000
"""How long before its due time a far job is looked at: more than two rounds of the dispatcher."""
MAX_RESEND_MS: Millis = 3_600_000
UNDELIVERABLE_AFTER_MS: Millis = 3 * 86_400_000
"""How long a due job may wait for a worker before it is given up."""
BACKLOG_RESEND_AFTER_MS: Millis = 600_000
"""How long a quick job may wait in a backlog before its message is held to be lost."""
LATE_LOOK_MS: Millis = 100_000
"""A look so late has missed a round: the table may have been out of reach, for heartbeats as well."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The change to make and, when that succeeded, the delay in seconds of the message to send (None: none)."""

    change: Change
    delay: int | None = None


def plan(job: Job, now: Millis, *, jitter: float, retention: float, backlog: bool = False) -> Plan | None:
    """None where there is nothing to do: the index lagged behind the row. `backlog`: messages wait in the quick
    lane."""
    if job.wake_at is None or job.wake_at > now:
        return None
    if job.remote and job.status is Status.RUNNING:
        return None  # only a look at its container says more: see service/containers.py
    if job.status in WAITING:
        return _plan_waiting(job, now, retention, backlog=backlog)
    if job.status is Status.RUNNING and job.not_before + BEAT_MS > now:
        return Plan(move_wake(job, now, job.not_before + BEAT_MS))
    if job.status is Status.RUNNING and now - job.wake_at > LATE_LOOK_MS and job.wake_at <= job.not_before + BEAT_MS:
        return Plan(move_wake(job, now, now + BEAT_MS))
    if job.status is Status.RUNNING:
        change = expire_lease(job, now, jitter=jitter, retention=retention)
        due = change.fields.get("not_before")
        return Plan(change, compute_delay(due, now) if due is not None else None)
    return None


def choose_first_wake(not_before: Millis, now: Millis) -> Millis:
    """When a job that is submitted now must first be looked at."""
    if not_before - now > MAX_DELAY_MS:
        return not_before - LOOK_AHEAD_MS
    return not_before + RESEND_AFTER_MS


def compute_delay(due: Millis, now: Millis) -> int:
    """Whole seconds that SQS must hold a message so that it does not come before `due`."""
    return max(0, -((now - due) // 1000))


def is_near(not_before: Millis, now: Millis) -> bool:
    return not_before - now <= MAX_DELAY_MS


def _plan_waiting(job: Job, now: Millis, retention: float, *, backlog: bool) -> Plan:
    late = now - job.not_before
    assert job.wake_at is not None
    if job.wake_at - job.not_before > UNDELIVERABLE_AFTER_MS:  # sent again at the last look, and still not taken
        return Plan(mark_undeliverable(job, now, retention=retention))
    if not is_near(job.not_before, now):
        return Plan(move_wake(job, now, job.not_before - LOOK_AHEAD_MS))
    if late < 0:
        return Plan(move_wake(job, now, job.not_before + RESEND_AFTER_MS), compute_delay(job.not_before, now))
    wait = min(max(late, RESEND_AFTER_MS), MAX_RESEND_MS)
    look = fall_due if job.status is Status.SCHEDULED else move_wake
    if job.wake_at <= job.not_before:  # no look came before it was due: no message was sent yet, and none waits
        return Plan(look(job, now, now + wait), 0)
    if backlog and late < BACKLOG_RESEND_AFTER_MS and lane_of(job) is Lane.QUICK:
        return Plan(look(job, now, now + wait))
    return Plan(look(job, now, now + wait, resend=True), 0)
