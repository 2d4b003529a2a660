"""The rows beside jobs: idempotency keys, windows, runs, schedules, and minute tallies."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.core.job import Millis


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An Idempotency-Key of an owner and the job id it was given. It expires before its job can be removed."""

    owner: str
    key: str
    job_id: str
    fingerprint: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """The newest window of an object: which job holds it, from when to when. `floor` and `floor_run_at`: when the
    window before it ends, and when that one's job runs (None: nobody knows).

    Whoever takes a window over, because its job came to nothing, must not reach into the one before.
    """

    owner: str
    object_id: str | int
    job_id: str
    run_at: Millis
    ends_at: Millis
    version: int
    floor: Millis = 0
    floor_run_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class OpenUploads:
    """An owner's uploads whose links still take a PUT: until when, by the upload's id."""

    owner: str
    until: Mapping[str, Millis]
    version: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One triggering of a group, with the ids of the jobs it made."""

    owner: str
    run_id: str
    group: str
    job_ids: tuple[str, ...]
    created_at: Millis
    expires_at: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron line that submits a job each time it fires: `request` as it was asked for, `new_job` as it was checked.
    `last`: the newest slot that has a job (at first, when it was made); `next_run_at`: the slot after that."""

    id: str
    owner: str
    cron: str
    timezone: str
    request: bytes
    new_job: bytes
    created_at: Millis
    last: Millis
    next_run_at: Millis
    wake_at: Millis


@dataclass(frozen=True, slots=True)
class ScheduleMove:
    """A schedule on to its next slot, if it is still as `seen`: every move changes its wake time."""

    seen: Schedule
    after: Schedule


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A bearer token, of which only the digest is kept. `expires_at` None: until it is revoked."""

    digest: str
    owner: str
    role: str
    created_at: Millis
    expires_at: int | None


@dataclass(slots=True)
class Tally:
    """What ended in one minute: counts by outcome, and histograms of run and wait times.

    A bucket b of a histogram holds the times in (1.25**(b-1), 1.25**b] milliseconds: percentiles are right to 25 %.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    duration: Counter[int] = field(default_factory=Counter)
    wait: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.outcomes.update(other.outcomes)
        self.duration.update(other.duration)
        self.wait.update(other.wait)


BUCKET_BASE = 1.25
LEAST_MILLIS = 0.001


def bucket_of(millis: float) -> int:
    """The histogram bucket of a time; those below zero are parts of a millisecond, down to a thousandth."""
    return math.ceil(math.log(max(millis, LEAST_MILLIS), BUCKET_BASE))


def percentile(histogram: Mapping[int, int], fraction: float) -> float | None:
    """The upper edge of the bucket in which that fraction of the times is reached, in milliseconds."""
    threshold, seen = fraction * sum(histogram.values()), 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= threshold:
            return round(BUCKET_BASE**bucket, 3)
    return None
