"""Proof that the harness bites: with one condition taken out of the store, stories and walks must find it.

Run `python -m pytest tests/pure/faults/test_harness_bites.py -s` to see how soon each one is found.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from chalicelib.core import change as changes
from chalicelib.core.change import Change
from chalicelib.core.container import Spec
from chalicelib.core.job import Event, Job, Millis, Status
from chalicelib.core.records import KeyRecord, Schedule, ScheduleMove, WindowRecord
from tests.pure.faults.enumeration import stop_everywhere
from tests.pure.faults.invariants import Broken
from tests.pure.faults.scenarios import STORIES
from tests.pure.faults.walk import walk
from tests.pure.faults.world import LISTENER, memory
from tests.support import fakes
from tests.support.fake_containers import FakeContainers

MOST_WALKS = 1_500


class NoFence(fakes.MemoryJobs):
    """A worker's write does not ask which attempt runs."""

    def permits(self, change: Change, row: Job) -> bool:
        return super().permits(msgspec.structs.replace(change, attempt=None), row)


class NoStatusGuard(fakes.MemoryJobs):
    """A change does not ask what status the row has."""

    def permits(self, change: Change, row: Job) -> bool:
        return super().permits(msgspec.structs.replace(change, statuses=frozenset({row.status})), row)


class NoWakeTime(fakes.MemoryJobs):
    """A new row has no time at which the dispatcher looks at it."""

    def insert(self, job: Job) -> Job:
        row = super().insert(job)
        return self.table.put(msgspec.structs.replace(row, wake_at=None)) if row is job else row


class NoWakeTimeAfterRetry(fakes.MemoryJobs):
    """A job that is retried by hand has no time at which the dispatcher looks at it."""

    def apply(self, change: Change) -> Job:
        row = super().apply(change)
        return self.table.put(msgspec.structs.replace(row, wake_at=None)) if change.event is Event.RETRY else row


class NoLeaseGuard(fakes.MemoryJobs):
    """A claim does not ask whether somebody holds the row."""

    def claimable(self, row: Job, now: Millis) -> bool:
        return changes.claimable(msgspec.structs.replace(row, not_before=now), now)


class NoAttemptLimit(fakes.MemoryJobs):
    """A claim does not ask whether an attempt is left."""

    def claimable(self, row: Job, now: Millis) -> bool:
        return changes.claimable(msgspec.structs.replace(row, attempt_limit=1_000), now)


class NoCancelGuard(fakes.MemoryJobs):
    """Neither a claim nor a failed attempt asks whether the job was to stop."""

    def claimable(self, row: Job, now: Millis) -> bool:
        return changes.claimable(msgspec.structs.replace(row, cancel_requested=False), now)

    def permits(self, change: Change, row: Job) -> bool:
        return super().permits(msgspec.structs.replace(change, unless_canceling=False), row)


class OverwritingInsert(fakes.MemoryJobs):
    """A new row does not ask whether its id is taken."""

    def insert(self, job: Job) -> Job:
        return self.table.put(job)


class NoWindowVersion(fakes.MemoryJobs):
    """A window is written without asking whether it is still as it was read."""

    @staticmethod
    def window_is(stands: WindowRecord | None, seen: WindowRecord | None) -> bool:
        return True


class ClaimsWhatRunsElsewhere(fakes.MemoryJobs):
    """A claim takes a job whose container may still run, once the lease is over."""

    def claimable(self, row: Job, now: Millis) -> bool:
        return changes.claimable(msgspec.structs.replace(row, remote=False), now)


class RefusesWhatWasLookedAt(fakes.MemoryJobs):
    """A worker whose start is refused gives the attempt back although the dispatcher has started its container."""

    def permits(self, change: Change, row: Job) -> bool:
        blind = row.remote and change.event in (Event.BACK_OFF, Event.FAIL)
        return super().permits(msgspec.structs.replace(change, wake_at=None) if blind else change, row)


class NoTokens(FakeContainers):
    """An engine that starts a second container under the same name."""

    def start(self, name: str, spec: Spec) -> str:
        self.tokens = False
        return super().start(name, spec)


class NoWindowHolder(fakes.MemoryJobs):
    """A retry by hand does not ask whether another job has the window by now."""

    def permits(self, change: Change, row: Job) -> bool:
        return super().permits(msgspec.structs.replace(change, holds_window=False), row)


class NoHandOver(fakes.MemoryJobs):
    """A window is taken over without asking whether its job is still canceled."""

    def _hand_over(self, handed: Change) -> None:
        row = self.table.jobs[handed.job.id]
        self.table.jobs[row.id] = changes.apply_change(handed, row)


class NoKeys(fakes.MemoryRecords):
    """Every request believes that its Idempotency-Key is new."""

    def reserve_key(self, record: KeyRecord, now: Millis) -> KeyRecord:
        return record


class NoFenceUnclaimed(fakes.MemoryJobs):
    """A pure job's one write does not ask whether an attempt has begun."""

    def permits(self, change: Change, row: Job) -> bool:
        unclaimed = change.event is Event.COMPLETE_UNCLAIMED
        return super().permits(msgspec.structs.replace(change, attempt=None) if unclaimed else change, row)


class NoStatusGuardUnclaimed(fakes.MemoryJobs):
    """A pure job's one write does not ask what status the row has."""

    def permits(self, change: Change, row: Job) -> bool:
        own = frozenset({row.status}) if change.event is Event.COMPLETE_UNCLAIMED else change.statuses
        return super().permits(msgspec.structs.replace(change, statuses=own), row)


class NoTimeGuardUnclaimed(fakes.MemoryJobs):
    """A pure job's one write does not ask since when the row waits."""

    def permits(self, change: Change, row: Job) -> bool:
        unclaimed = change.event is Event.COMPLETE_UNCLAIMED
        return super().permits(msgspec.structs.replace(change, released_by=None) if unclaimed else change, row)


class NoFenceOfBeats(fakes.MemoryJobs):
    """A heartbeat does not ask which attempt runs."""

    def beat(self, change: Change) -> Job:
        return super().beat(msgspec.structs.replace(change, attempt=None))


class NoStatusGuardOfBeats(fakes.MemoryJobs):
    """A heartbeat does not ask whether the attempt is over."""

    def beat(self, change: Change) -> Job:
        return super().beat(msgspec.structs.replace(change, statuses=frozenset(Status)))


class NoScheduleGuard(fakes.MemoryJobs):
    """The job of a slot is made without asking whether the schedule is still as it was read."""

    def schedule_is(self, seen: Schedule) -> bool:
        return True


class NoCancelWithSchedule(fakes.MemoryJobs):
    """A schedule is removed, and the job that was made ahead of its slot stays."""

    def cancel_slot(self, change: Change, schedule: Schedule) -> None:
        self.table.schedules.pop(schedule.id, None)


class NoFenceOfWithdrawal(fakes.MemoryJobs):
    """A schedule takes the job of its slot with it although an attempt has begun."""

    def cancel_slot(self, change: Change, schedule: Schedule) -> None:
        super().cancel_slot(msgspec.structs.replace(change, attempt=None, statuses=frozenset(Status)), schedule)


class TwoWritesOfASlot(fakes.MemoryJobs):
    """The job of a slot is written whether or not the schedule may be moved with it."""

    def insert_slot(self, job: Job, move: ScheduleMove) -> None:
        self.insert(job)
        super().insert_slot(job, move)


def _part_of(kind: type) -> str:
    parts = {fakes.MemoryRecords: "records", FakeContainers: "containers", fakes.MemoryJobs: "jobs"}
    return next(name for base, name in parts.items() if issubclass(kind, base))


BITES: dict[type, str] = {
    NoFence: "work_on_batch",
    NoStatusGuard: "work_on_sort",
    NoWakeTime: "submit_one",
    NoWakeTimeAfterRetry: "retry_between_read_and_write",
    NoLeaseGuard: "submit_one",
    NoAttemptLimit: "work_beside_a_killer",
    NoCancelGuard: "work_beside_a_killer",
    OverwritingInsert: "repeat_with_key",
    NoWindowVersion: "submit_in_window_delay",
    NoWindowHolder: "retry_against_the_next_delay",
    NoHandOver: "take_over_against_a_retry_delay",
    NoKeys: "submit_with_key",
    ClaimsWhatRunsElsewhere: "run_container_told_twice",
    RefusesWhatWasLookedAt: "refuse_container_late",
    NoTokens: "run_container_without_events",
    NoFenceUnclaimed: "run_twice_between_read_and_write",
    NoStatusGuardUnclaimed: "work_on_sort",
    NoTimeGuardUnclaimed: "retry_while_the_write_is_on_its_way",
    NoFenceOfBeats: "work_under_heartbeats_2",
    NoStatusGuardOfBeats: "work_under_heartbeats_1",
    NoScheduleGuard: "fire_schedule",
    NoCancelWithSchedule: "remove_ahead_quick",
    NoFenceOfWithdrawal: "remove_at_its_slot_quick",
    TwoWritesOfASlot: "fire_ahead",
}
"""What is taken out, and the story that finds it."""
WITHOUT: dict[str, dict[str, Any]] = {kind.__name__: {_part_of(kind): kind} for kind in BITES}
STORY_OF = {kind.__name__: story for kind, story in BITES.items()}


TOO_RARE_FOR_WALKS = (
    "ClaimsWhatRunsElsewhere", "RefusesWhatWasLookedAt", "NoFenceUnclaimed", "NoTimeGuardUnclaimed",
    "NoFenceOfBeats", "NoStatusGuardOfBeats",
    "NoScheduleGuard", "NoFenceOfWithdrawal",
)  # fmt: skip
"""They need a worker that stands still at one call for minutes, and another start at the right time; or somebody who
stands still at one call of a schedule while another removes it, or begins its job."""


def finds(try_it: Callable[[], None]) -> str | None:
    """The first invariant that is found broken."""
    try:
        try_it()
    except Broken as broken:
        return str(broken).splitlines()[0]
    finally:
        LISTENER.heard.clear()
    return None


@pytest.mark.parametrize("missing", WITHOUT)
def test_a_missing_condition_is_found_by_its_story(missing: str) -> None:
    story = STORIES[STORY_OF[missing]]
    what = finds(partial(stop_everywhere, story, partial(memory, **WITHOUT[missing]), "bitten"))
    assert what, f"without its condition ({missing}) the story {STORY_OF[missing]} still passes"
    print(f"\n{missing}: {STORY_OF[missing]}: {what}")  # noqa: T201


@pytest.mark.parametrize("missing", [name for name in WITHOUT if name not in TOO_RARE_FOR_WALKS])
def test_a_missing_condition_is_found_by_random_walks(missing: str) -> None:
    build = partial(memory, **WITHOUT[missing])
    for seed in range(MOST_WALKS):
        if what := finds(partial(walk, seed, build)):
            print(f"\n{missing}: walk {seed}: {what}")  # noqa: T201
            return
    pytest.fail(f"{MOST_WALKS} walks pass without their condition ({missing})")
