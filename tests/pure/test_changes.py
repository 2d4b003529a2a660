"""What each change is refused for: who decides on a row that has moved on meanwhile must not write over it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from chalicelib.core import change as changes
from chalicelib.core import container_change
from chalicelib.core.change import Change
from chalicelib.core.job import WAITING, Error, Inline, Job, Status, Window
from tests.support.fakes import START
from tests.support.rows import KEPT, row

NOW = START + 1_000
RUNNING, UNDONE = {Status.RUNNING}, {Status.FAILED, Status.CANCELED}
WINDOW = Window(60, "delay", START + 60_000, "my own id")
MEANWHILE: Mapping[str, Mapping[str, Any]] = {
    "attempt": {"attempts": 2},
    "look": {"wake_at": START + 31_000},
    "lease": {"not_before": NOW + 1},
    "cancel": {"cancel_requested": True},
    "window": {"window": msgspec.structs.replace(WINDOW, job_id="another's id")},
}
"""The next attempt; a look of the dispatcher; a lease that goes on; a request to cancel; a window that is lost."""
FAILED = Error("task_error", "no")
DAY = 86_400_000


def decided(status: Status, **more: Any) -> Job:
    job = row(status=status, attempts=1, started_at=START, not_before=START, attempt_limit=3, **more)
    return msgspec.structs.replace(job, window=msgspec.structs.replace(WINDOW, job_id=job.id))


def fail(job: Job) -> Change:
    return changes.fail_attempt(job, NOW, FAILED, duration_ms=1.0, jitter=0.5, retention=KEPT)


def expire(job: Job) -> Change:
    return changes.expire_lease(job, NOW, jitter=0.5, retention=KEPT)


def refuse(job: Job, now: int = NOW) -> Change:
    return container_change.refuse_start(job, now, "no room", jitter=0.5, retention=KEPT)


def last(job: Job) -> Job:
    return msgspec.structs.replace(job, attempt_limit=job.attempts)


def canceling(job: Job) -> Job:
    return msgspec.structs.replace(job, cancel_requested=True)


Decide = Callable[[Job], Change]
TABLE: Mapping[str, tuple[Decide, set[Status] | frozenset[Status], set[str]]] = {
    "complete": (lambda job: changes.complete(job, NOW, output=Inline(b"1"), duration_ms=1.0, retention=KEPT),
                 RUNNING, {"attempt"}),
    "complete unclaimed": (
        lambda job: changes.complete_unclaimed(
            job, NOW, NOW, token="mine", output=Inline(b"1"), duration_ms=1.0, retention=KEPT),
        WAITING, {"attempt", "lease"}),
    "back off": (fail, RUNNING, {"attempt", "cancel"}),
    "fail": (lambda job: fail(last(job)), RUNNING, {"attempt", "cancel"}),
    "stop": (lambda job: changes.stop(job, NOW, duration_ms=None, retention=KEPT), RUNNING, {"attempt"}),
    "report progress": (lambda job: changes.report_progress(job, NOW, 0.5), RUNNING, {"attempt"}),
    "extend the lease": (lambda job: changes.extend_lease(job, NOW), RUNNING, {"attempt"}),
    "cancel": (lambda job: changes.cancel(job, NOW, retention=KEPT), WAITING, set()),
    "ask to cancel": (lambda job: changes.request_cancel(job, NOW), RUNNING, set()),
    "retry": (lambda job: changes.retry_by_hand(job, NOW), UNDONE, {"attempt", "window"}),
    "hand the window over": (lambda job: changes.hand_window_over(job, NOW, "another"), UNDONE, {"attempt"}),
    "expire": (expire, RUNNING, {"attempt", "lease", "cancel"}),
    "expire the last": (lambda job: expire(last(job)), RUNNING, {"attempt", "lease", "cancel"}),
    "expire, canceling": (lambda job: expire(canceling(job)), RUNNING, {"attempt", "lease"}),
    "give up": (lambda job: changes.mark_undeliverable(job, NOW, retention=KEPT), WAITING, {"look", "lease"}),
    "fall due": (lambda job: changes.fall_due(job, NOW, NOW), {Status.SCHEDULED}, {"look", "lease"}),
    "note a container": (lambda job: container_change.note_container(job, NOW, "task-1"), RUNNING, {"attempt"}),
    "watch a container": (lambda job: container_change.watch_container(job, NOW, NOW), RUNNING, {"attempt"}),
    "refuse a start": (refuse, RUNNING, {"attempt", "cancel"}),
}  # fmt: skip
"""How it is decided, from which statuses it is written, and what it is refused for."""


@pytest.mark.parametrize("name", TABLE)
def test_a_change_is_refused_for_what_its_row_says(name: str) -> None:
    decide, statuses, refused = TABLE[name]
    for status in Status:
        job = decided(status)
        assert changes.permits(decide(job), job) == (status in statuses), status
    for status in statuses:
        job = decided(status)
        for what, moved in MEANWHILE.items():
            assert changes.permits(decide(job), msgspec.structs.replace(job, **moved)) == (what not in refused), what


@pytest.mark.parametrize("status", Status)
def test_a_wake_time_is_moved_on_the_row_that_was_seen_alone(status: Status) -> None:
    job = decided(status)
    change = changes.move_wake(job, NOW, NOW + 1)
    assert changes.permits(change, job)
    assert not changes.permits(change, msgspec.structs.replace(job, **MEANWHILE["look"]))
    assert not any(
        changes.permits(change, msgspec.structs.replace(job, status=other)) for other in {*Status} - {status}
    )


@pytest.mark.parametrize("status", sorted(WAITING))
def test_what_is_withdrawn_has_begun_no_attempt(status: Status) -> None:
    job = decided(status)
    change = changes.withdraw(job, NOW, retention=KEPT)
    assert not changes.permits(change, job)
    assert changes.permits(change, msgspec.structs.replace(job, attempts=0))


def test_a_claim_begins_anew() -> None:
    before = decided(Status.SCHEDULED, progress=0.5, claim_token="another's")
    claimed = changes.claim_row(before, NOW, "mine")
    assert (claimed.attempts, claimed.progress, claimed.claim_token, claimed.started_at) == (2, None, "mine", NOW)
    assert (claimed.status, claimed.not_before > NOW) == (Status.RUNNING, True)


def test_a_container_that_finds_no_room_waits_longer_each_time_and_is_given_up_after_a_day() -> None:
    """However few attempts it has: those that did not start are none."""
    job, now = last(decided(Status.RUNNING, remote=True, max_attempts=1)), NOW
    waits: list[int] = []
    while now - NOW < 2 * DAY and (job := changes.apply_change(refuse(job, now), job)).status is Status.SCHEDULED:
        waits.append(job.not_before - now)
        now = job.not_before
        job = changes.claim_row(job, now, "token")
    assert (waits[:4], waits[-1]) == ([30_000, 45_000, 90_000, 180_000], 225_000)
    assert DAY <= now - NOW < DAY + 300_000
    assert (job.status, job.error and job.error.type) == (Status.FAILED, "undeliverable")


def test_a_retry_of_a_container_has_a_whole_day_to_wait_for_room() -> None:
    """However long ago it first waited for some."""
    job = decided(Status.RUNNING, remote=True)
    job = changes.apply_change(refuse(job, NOW), job)
    job = changes.apply_change(changes.cancel(job, NOW, retention=KEPT), job)
    job = changes.apply_change(changes.retry_by_hand(job, NOW + 2 * DAY), job)
    job = changes.claim_row(job, NOW + 2 * DAY, "token")
    assert changes.apply_change(refuse(job, NOW + 2 * DAY), job).status is Status.SCHEDULED
