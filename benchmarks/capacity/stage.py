"""A stage of buckets instead of AWS: takes a measured load at any rate, and says how much of it goes through."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from benchmarks.capacity.buckets import OnDemand, Ramp, Rate, Steady, TokenBucket, take_all
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.load import Load

TICK = 0.05
WINDOW = 6
"""Seconds."""
ENDLESS = 1e12


@dataclass(frozen=True, slots=True)
class Outcome:
    """`first`: the bucket that refused most, None when all that was offered went through."""

    jobs_a_second: float
    first: str | None


class Stage:
    """Buckets are made as the load names them. A job is let in whole or not at all."""

    def __init__(self, load: Load, limits: Limits, clock: SimulatedClock) -> None:
        self._limits, self._clock = limits, clock
        self._buckets: dict[str, TokenBucket] = {}
        self._jobs = [self._wanted(load, place) for place in range(len(load.jobs))]
        self._next = 0

    def run(self, offered: float) -> Outcome:
        """`offered`: jobs a second, for as long as a window lasts. What idle seconds have saved does not count."""
        for bucket in self._buckets.values():
            bucket.drain()
        done, refused = self._offer(offered)
        return Outcome(done / WINDOW, refused.most_common(1)[0][0] if refused else None)

    def _offer(self, offered: float) -> tuple[int, Counter[str]]:
        done, refused, owed = 0, Counter[str](), 0.0
        for _ in range(round(WINDOW / TICK)):
            self._clock.advance(TICK)
            owed += offered * TICK
            for _ in range(int(owed)):
                empty = take_all(self._jobs[self._next])
                self._next = (self._next + 1) % len(self._jobs)
                done += empty is None
                refused.update([empty.name] if empty else [])
            owed -= int(owed)
        return done, refused

    def _wanted(self, load: Load, place: int) -> list[tuple[TokenBucket, float]]:
        limits, wanted = self._limits, []
        sums: defaultdict[tuple[str, bool], float] = defaultdict(float)
        for key, units in load.jobs[place].items():
            rate = limits.key_reads if key.read else limits.key_writes
            wanted.append((self._bucket(str(key), Steady(rate)), units))
            sums[key.place, key.read] += units
        for (name, read), units in sums.items():
            wanted.append((self._bucket(f"all of {name}{' (reads)' if read else ''}", self._on_demand(read)), units))
        return wanted + self._services(load)

    def _services(self, load: Load) -> list[tuple[TokenBucket, float]]:
        """Concurrency is a bucket of seconds: one environment has one of them to give in each second."""
        limits = self._limits
        held, burst = load.work_seconds(limits), limits.api_burst / limits.api_requests
        routes, workers = (
            Ramp(limits.ramp, limits.ramp_seconds, most) for most in (limits.concurrency, limits.workers)
        )
        return [
            (self._bucket("API requests", Steady(limits.api_requests), burst), 1.0),
            (self._bucket("API environments", routes), load.api_seconds(limits)),
            (self._bucket("workers", workers), held / load.batch),
            (self._bucket("messages in flight", Steady(limits.in_flight)), held),
        ]

    def _on_demand(self, read: bool) -> Rate:
        limits = self._limits
        cold, most = (limits.cold_reads, limits.table_reads) if read else (limits.cold_writes, limits.table_writes)
        return OnDemand(cold, most, limits.doubling_seconds)

    def _bucket(self, name: str, rate: Rate, burst: float = 1.0) -> TokenBucket:
        """The one of that name; `rate` is for the first who asks."""
        if name not in self._buckets:
            self._buckets[name] = TokenBucket(name, rate, self._clock, burst)
        return self._buckets[name]


def by_keys(load: Load, limits: Limits, offered: float) -> Outcome:
    """With nothing in the way but the limits of single keys."""
    free = replace(
        limits, cold_writes=ENDLESS, cold_reads=ENDLESS, table_writes=ENDLESS, table_reads=ENDLESS,
        api_requests=ENDLESS, in_flight=ENDLESS, concurrency=ENDLESS, workers=ENDLESS, ramp=ENDLESS,
    )  # fmt: skip
    return Stage(load, free, SimulatedClock()).run(offered)


def warm(load: Load, limits: Limits, offered: float) -> Outcome:
    """With every limit, on a table that has been warmed up to its quota."""
    warmed = replace(limits, cold_writes=limits.table_writes, cold_reads=limits.table_reads)
    return Stage(load, warmed, SimulatedClock()).run(offered)


def from_cold(load: Load, limits: Limits, offered: float, steps: int) -> list[Outcome]:
    """With every limit, on a new table: at once, and after each half hour in which it was kept busy."""
    clock = SimulatedClock()
    stage, outcomes = Stage(load, limits, clock), []
    for _ in range(steps):
        outcomes.append(stage.run(offered))
        clock.advance(limits.doubling_seconds)
    return outcomes
