"""What a submit into a window gets: decided from the newest window of the object and the time.

delay     ──|a────────|b────────|c────────▶   each runs when the window before it ends
reuse     ──|a────────|                       a again, unless a failed or was canceled: then its place
reject    ──|a────────|                       429 until the window ends

A job that ended before it ever started gives its window back, while that is the object's newest: in every mode the
next one takes its place. An earlier place in a chain of delays stays empty.
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.core.job import Job, Millis, Status, is_gone
from chalicelib.core.records import WindowRecord

UNDONE = frozenset({Status.FAILED, Status.CANCELED})


class OnRepeat(StrEnum):
    DELAY = "delay"
    REUSE = "reuse"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Open:
    """A new job, at `run_at`, in a window of its own until `ends_at`. `floor` and `floor_run_at`: when the window
    before ends, and its job runs. `takes_over`: in the place of the job that was seen, which must stay as it is."""

    run_at: Millis
    ends_at: Millis
    floor: Millis
    floor_run_at: Millis | None = None
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class Reuse:
    """The job that holds the window is the answer."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Nothing is made; the window ends at `ends_at`."""

    ends_at: Millis


def decide(
    seen: WindowRecord | None,
    holder: Job | None,
    on_repeat: OnRepeat,
    run_at: Millis,
    millis: Millis,
    now: Millis,
) -> Open | Reuse | Reject:
    """`run_at`: when the new job would run with no window; `millis`: the window's length; `holder`: the seen window's
    job, None once its row is gone."""
    if seen is None:
        return Open(run_at, run_at + millis, 0)
    free = free_from(seen, millis)
    if run_at >= free:
        return Open(run_at, run_at + millis, seen.ends_at, seen.run_at)
    if _gave_back(seen, holder, now) or (on_repeat is OnRepeat.REUSE and _came_to_nothing(holder, now)):
        return _take_over(seen, on_repeat, run_at, millis)
    if on_repeat is OnRepeat.DELAY:
        return Open(free, free + millis, seen.ends_at, seen.run_at)
    if on_repeat is OnRepeat.REJECT:
        return Reject(free)
    return Reuse()


def free_from(seen: WindowRecord, millis: Millis) -> Millis:
    """When the next job of the object may run: both its window and the one before count. A time before the newest
    window's start is not free either, since windows of one object are handed out in order."""
    return max(seen.ends_at, seen.run_at + millis)


def _gave_back(seen: WindowRecord, holder: Job | None, now: Millis) -> bool:
    """Whether the window's job ended before it ever started. A row that is gone belongs to a job that has ended."""
    if holder is None:
        return now < seen.run_at
    return holder.status in UNDONE and holder.attempts == 0


def _came_to_nothing(holder: Job | None, now: Millis) -> bool:
    return holder is None or is_gone(holder, now) or holder.status in UNDONE


def _take_over(seen: WindowRecord, on_repeat: OnRepeat, run_at: Millis, millis: Millis) -> Open | Reject:
    """In the place of the window that was seen, and out of the one before it."""
    free = seen.floor
    if seen.floor_run_at is not None:
        free = max(free, seen.floor_run_at + millis)
    elif on_repeat is OnRepeat.DELAY and seen.floor:
        free += millis  # a record of an older version: when the job before runs is not known, but it runs before that
    if on_repeat is OnRepeat.REJECT and run_at < free:
        return Reject(free)
    start = max(run_at, free)
    return Open(start, start + millis, seen.floor, seen.floor_run_at, takes_over=True)
