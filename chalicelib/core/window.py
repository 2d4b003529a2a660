"""What a submit into a window gets: decided from the newest window of the object and the time.

delay     ──|a────────|b────────|c────────▶   each runs when the window before it ends
reuse     ──|a────────|                       a again, unless a failed or was canceled: then its place
reject    ──|a────────|                       429 until the window ends
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.core.job import Job, Millis, Status, is_gone
from chalicelib.core.records import WindowRecord


class OnRepeat(StrEnum):
    DELAY = "delay"
    REUSE = "reuse"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Open:
    """A new job, at `run_at`, in a window of its own until `ends_at`; `floor` is the end of the window before."""

    run_at: Millis
    ends_at: Millis
    floor: Millis


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
    job, read for `reuse` (None once its row is gone)."""
    if seen is None:
        return Open(run_at, run_at + millis, 0)
    free = free_from(seen, millis)
    if run_at >= free:
        return Open(run_at, run_at + millis, seen.ends_at)
    if on_repeat is OnRepeat.DELAY:
        return Open(free, free + millis, seen.ends_at)
    if on_repeat is OnRepeat.REJECT:
        return Reject(free)
    if holder is None or is_gone(holder, now) or holder.status in (Status.FAILED, Status.CANCELED):
        start = max(run_at, min(seen.floor, seen.run_at))
        return Open(start, start + millis, seen.floor)
    return Reuse()


def free_from(seen: WindowRecord, millis: Millis) -> Millis:
    """When the next job of the object may run: both its window and the one before count. A time before the newest
    window's start is not free either, since windows of one object are handed out in order."""
    return max(seen.ends_at, seen.run_at + millis)
