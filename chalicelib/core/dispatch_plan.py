"""What the dispatcher does with one job whose wake time has come: a plan made from the row and the time alone.

scheduled far ahead ── sleep on until shortly before it is due
due within 900 s ───── send with SQS's own delay, look again half a minute after it is due
due, not taken ─────── list it as pending, send again, ever less often; after days give the job up
running ────────────── look again when the lease ends
lease over ─────────── stop, back off or fail
"""

from dataclasses import dataclass

from chalicelib.core.change import RESEND_AFTER_MS, Change, expire_lease, fall_due, mark_undeliverable, move_wake
from chalicelib.core.job import WAITING, Job, Millis, Status

MAX_DELAY_MS: Millis = 900_000
"""What SQS can hold back a message for."""
LOOK_AHEAD_MS: Millis = 150_000
"""How long before its due time a far job is looked at: more than two rounds of the dispatcher."""
MAX_RESEND_MS: Millis = 3_600_000
UNDELIVERABLE_AFTER_MS: Millis = 3 * 86_400_000
"""How long a due job may wait for a worker before it is given up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The change to make and, when that succeeded, the delay in seconds of the message to send (None: none)."""

    change: Change
    delay: int | None = None


def plan(job: Job, now: Millis, *, jitter: float, retention: float) -> Plan | None:
    """None where there is nothing to do: the index lagged behind the row."""
    if job.wake_at is None or job.wake_at > now:
        return None
    if job.remote and job.status is Status.RUNNING:
        return None  # only a look at its container says more: see service/containers.py
    if job.status in WAITING:
        return _plan_waiting(job, now, retention)
    if job.status is Status.RUNNING and job.not_before > now:
        return Plan(move_wake(job, now, job.not_before))
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


def _plan_waiting(job: Job, now: Millis, retention: float) -> Plan:
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
    return Plan(look(job, now, now + wait), 0)
