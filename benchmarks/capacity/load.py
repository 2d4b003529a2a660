"""What jobs ask of each partition key: measured, and kept job by job so that it can be asked again at any rate."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.capacity.limits import Limits
from benchmarks.capacity.meter import TABLE, Charge, Key

Units = Mapping[Key, float]
OWN = "(rows of one job each)"
"""Stands for the partition key of a job's own row: a million jobs have a million of them, and none is ever hot."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Calls of one use case for one job, and how many of them were under way together at most."""

    calls: float = 0.0
    at_once: int = 1

    def seconds(self, limits: Limits) -> float:
        return self.calls / max(1, self.at_once) * limits.call_seconds


@dataclass(frozen=True, slots=True)
class Load:
    """`jobs`: each one's units. `batch`: how many jobs shared an invocation of the worker."""

    name: str
    jobs: Sequence[Units]
    calls: Mapping[str, float]
    submit: Phase
    dispatch: Phase
    work: Phase
    batch: float

    def per_job(self) -> Units:
        """Units on each key, for the average job."""
        total: defaultdict[Key, float] = defaultdict(float)
        for job in self.jobs:
            for key, units in job.items():
                total[key] += units / len(self.jobs)
        return total

    def units(self, *, read: bool) -> float:
        return sum(units for key, units in self.per_job().items() if key.read == read)

    def parts(self) -> dict[str, float]:
        """Units written for the average job on the table and on each index."""
        total: defaultdict[str, float] = defaultdict(float)
        for key, units in self.per_job().items():
            if not key.read:
                total[key.part] += units
        return dict(total)

    def api_seconds(self, limits: Limits) -> float:
        """An API environment's time for one job."""
        return limits.overhead_seconds + self.submit.seconds(limits)

    def work_seconds(self, limits: Limits) -> float:
        """A worker's time for one batch."""
        return limits.overhead_seconds + self.batch * self.work.seconds(limits)


def ceilings(load: Load, limits: Limits) -> list[tuple[Key, float]]:
    """The jobs a second at which each key has all it may have, lowest first: division, beside the simulation."""
    rates = [
        (key, (limits.key_reads if key.read else limits.key_writes) / units)
        for key, units in load.per_job().items()
        if key.value != OWN
    ]
    return sorted(rates, key=lambda each: (each[1], str(each[0])))


def share_out(charges: Iterable[Charge], jobs: Mapping[str, defaultdict[Key, float]]) -> None:
    """To each job what its own row was charged, and an even part of what was charged to rows of none."""
    for charge in charges:
        own = jobs.get(charge.row or "")
        if own is not None:
            own[_shared(charge.key)] += charge.units
            continue
        for job in jobs.values():
            job[charge.key] += charge.units / len(jobs)


def _shared(key: Key) -> Key:
    return replace(key, value=OWN) if key.part == TABLE else key
