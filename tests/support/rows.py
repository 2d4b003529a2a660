"""Rows to judge changes by: plain ones, and every state and change that the store must judge."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from chalicelib.core import change as changes
from chalicelib.core.change import Change
from chalicelib.core.dispatch_plan import choose_first_wake
from chalicelib.core.ids import make_id
from chalicelib.core.job import Error, Inline, Job, Millis, Status
from tests.support.fakes import START

NUMBERS = itertools.count(1)
KEPT = 1_000.0


def new_id(millis: Millis = START) -> str:
    return make_id(millis, next(NUMBERS) << 20)


def row(**more: Any) -> Job:
    """A pending sort of alice's, due at START."""
    fields: dict[str, Any] = {
        "id": new_id(), "owner": "alice", "task": "sort", "status": Status.PENDING, "created_at": START,
        "run_at": START, "not_before": START, "timeout": 60.0, "max_attempts": 3, "attempt_limit": 3,
        "input": Inline(b'{"array":[2,1]}'), "wake_at": choose_first_wake(START, START), "quick": True, "pure": True,
    }  # fmt: skip
    return Job(**fields | more)


RUNNING = {"status": Status.RUNNING, "attempts": 1, "started_at": START, "claim_token": "token"}
ENDED = {"wake_at": None, "finished_at": START, "expires_at": START // 1000 + 1_000}
STATES: Mapping[str, Mapping[str, Any]] = {
    "due": {},
    "due later": {"status": Status.SCHEDULED, "not_before": START + 5_000, "run_at": START + 5_000},
    "fallen due": {"status": Status.SCHEDULED, "not_before": START - 1},
    "backed off": {"status": Status.SCHEDULED, "attempts": 1, "not_before": START - 1, "started_at": START - 9},
    "looked after meanwhile": {"wake_at": START + 999},
    "running": {**RUNNING, "not_before": START + 70_000},
    "running, canceling": {**RUNNING, "not_before": START + 70_000, "cancel_requested": True},
    "lease over": {**RUNNING, "not_before": START},
    "lease over, canceling": {**RUNNING, "not_before": START - 1, "cancel_requested": True},
    "lease over, no attempt left": {**RUNNING, "attempts": 3, "not_before": START - 1},
    "next attempt": {**RUNNING, "attempts": 2, "not_before": START + 70_000, "claim_token": "other"},
    "completed": {**ENDED, "status": Status.COMPLETED, "attempts": 1, "output": Inline(b"[1,2]")},
    "failed": {**ENDED, "status": Status.FAILED, "attempts": 1, "error": Error("task_error", "no")},
    "failed for good": {**ENDED, "status": Status.FAILED, "attempts": 3, "error": Error("task_error", "no")},
    "canceled": {**ENDED, "status": Status.CANCELED, "error": Error("canceled", "the job was canceled")},
}


def every_change(seen: Job) -> Iterator[Change]:
    """Every kind of change that could be decided from a row as it was seen."""
    now, later = START, START + 61_000
    running = msgspec.structs.replace(seen, started_at=START)
    yield changes.complete(seen, now, output=Inline(b"[1,2]"), duration_ms=0.25, retention=KEPT)
    yield changes.complete_unclaimed(
        seen, now, now, token="mine", output=Inline(b"[1,2]"), duration_ms=0.25, retention=KEPT
    )
    yield changes.extend_lease(running, now)
    for error in (Error("task_error", "no"), Error("timeout", "🕰")):
        yield changes.fail_attempt(seen, now, error, duration_ms=1.5, jitter=0.5, retention=KEPT)
    last = msgspec.structs.replace(seen, attempt_limit=seen.attempts)
    yield changes.fail_attempt(last, now, Error("task_error", "no"), duration_ms=1.5, jitter=0.5, retention=KEPT)
    yield changes.stop(seen, now, duration_ms=None, retention=KEPT)
    yield changes.report_progress(running, now, None)
    yield changes.report_progress(running, now, 0.5)
    yield changes.cancel(seen, now, retention=KEPT)
    yield changes.withdraw(seen, now, retention=KEPT)
    yield changes.request_cancel(seen, now)
    yield changes.retry_by_hand(seen, now)
    for moment in (now, later + 60_000):
        yield changes.expire_lease(seen, moment, jitter=0.25, retention=KEPT)
        yield changes.expire_lease(last, moment, jitter=0.25, retention=KEPT)
        yield changes.mark_undeliverable(seen, moment, retention=KEPT)
        yield changes.fall_due(seen, moment, moment + 30_000)
    yield changes.move_wake(seen, now, later)
    yield changes.move_wake(seen, now, later, resend=True)
