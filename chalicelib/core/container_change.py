"""The changes that only a container's job goes through: its container is noted, watched, or was not started at all."""

from typing import Any

import msgspec

from chalicelib.core.change import Change, fail_attempt
from chalicelib.core.container_look import LOOK_EVERY_MS, Look, lease_end
from chalicelib.core.job import Container, Error, Job, Millis, Status, container_of

RUNNING = frozenset({Status.RUNNING})
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30.0, 300.0
"""How long a job waits that the engine had no room for: half a minute at first, five in the end."""
GIVE_UP_AFTER_MS: Millis = 86_400_000


def note_container(job: Job, now: Millis, ref: str) -> Change:
    """Not a move: the attempt's container is known from here on, and the lease covers its whole time."""
    fields = {"container": Container(job.attempts, ref), "not_before": lease_end(job), "wake_at": now + LOOK_EVERY_MS}
    return Change(job=job, at=now, statuses=RUNNING, attempt=job.attempts, fields=fields)


def watch_container(job: Job, now: Millis, wake_at: Millis, **changed: Any) -> Change:
    """Not a move: it goes on. `changed`: container, progress, where a look has found something new."""
    return Change(
        job=job, at=now, statuses=RUNNING, attempt=job.attempts, fields={"wake_at": wake_at, **changed}
    )  # fmt: skip


def refuse_start(job: Job, now: Millis, reason: str, *, jitter: float, retention: float) -> Change:
    """The engine had no room. The number stays used, since it fences, and the job may take one more; for a day."""
    before = job.container or Container(job.attempts)
    since = before.refused_since or now
    refused = Container(job.attempts, refused=before.refused + 1, refused_since=since)
    error = Error("undeliverable", f"the container was not started: {reason}")
    if now - since >= GIVE_UP_AFTER_MS:
        last = msgspec.structs.replace(job, attempt_limit=job.attempts)
        return fail_attempt(last, now, error, duration_ms=None, jitter=jitter, retention=retention)
    more = msgspec.structs.replace(job, attempt_limit=job.attempt_limit + 1)
    wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(before.refused, 8)) * (1 + jitter) / 2
    change = fail_attempt(
        more, now, error, duration_ms=None, jitter=jitter, retention=retention,
        min_wait_seconds=max(FIRST_WAIT_SECONDS, wait),
    )  # fmt: skip
    fields = {**change.fields, "attempt_limit": more.attempt_limit, "container": refused}
    return msgspec.structs.replace(change, fields=fields)


def with_exit(change: Change, job: Job, look: Look | None) -> Change:
    """The same change, which keeps when the container ran and what it exited with."""
    known = container_of(job)
    if known is None or look is None:
        return change
    started_at = look.started_at or known.started_at
    container = msgspec.structs.replace(known, started_at=started_at, exit_code=look.exit_code)
    return msgspec.structs.replace(change, fields={**change.fields, "container": container})
