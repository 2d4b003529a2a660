"""A stage of buckets instead of AWS: takes a measured load at any rate, and says how much of it goes through."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from benchmarks.capacity.buckets import OnDemand, Ramp, Rate, Steady, TokenBucket, take_all
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.load import OWN, Load

TICK = 0.05
WINDOW = 6
"""Seconds."""
RAMPED = 300
"""Seconds after which Lambda has as many environments as it may."""
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
        self._jobs = [self._wanted(load, index) for index in range(len(load.jobs))]
        self._next = 0

    def run(self, offered: float, seconds: int = WINDOW) -> Outcome:
        """`offered`: jobs a second. What idle seconds have saved does not count."""
        for bucket in self._buckets.values():
            bucket.drain()
        done, refused, owed = 0, Counter[str](), 0.0
        for _ in range(round(seconds / TICK)):
            self._clock.advance(TICK)
            owed += offered * TICK
            for _ in range(int(owed)):
                empty = self._let_in()
                done += empty is None
                refused.update([empty.name] if empty else [])
            owed -= int(owed)
        return Outcome(done / seconds, refused.most_common(1)[0][0] if refused else None)

    def _let_in(self) -> TokenBucket | None:
        """The next job; the bucket that refuses it, if one does."""
        takings = self._jobs[self._next]
        self._next = (self._next + 1) % len(self._jobs)
        return take_all(takings)

    def _wanted(self, load: Load, index: int) -> list[tuple[TokenBucket, float]]:
        limits, takings = self._limits, []
        sums: defaultdict[tuple[str, bool], float] = defaultdict(float)
        for key, units in load.jobs[index].items():
            rate = limits.key_reads if key.read else limits.key_writes
            if key.value != OWN:
                takings.append((self._bucket(str(key), Steady(rate)), units))
            sums[key.part, key.read] += units
        for (name, read), units in sums.items():
            takings.append((self._bucket(f"all of {name}{' (reads)' if read else ''}", self._on_demand(read)), units))
        return takings + self._services(load)

    def _services(self, load: Load) -> list[tuple[TokenBucket, float]]:
        """Concurrency is a bucket of seconds: one environment has one of them to give in each second."""
        limits = self._limits
        held, burst = load.work_seconds(limits), limits.api_burst / limits.api_requests
        routes = Ramp(limits.function_start, limits.function_growth, limits.concurrency)
        workers = Ramp(limits.mapping_start, limits.mapping_growth, limits.workers)
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
        api_requests=ENDLESS, in_flight=ENDLESS, function_start=ENDLESS, concurrency=ENDLESS,
        mapping_start=ENDLESS, workers=ENDLESS,
    )  # fmt: skip
    return Stage(load, free, SimulatedClock()).run(offered)


def warm(load: Load, limits: Limits, offered: float) -> Outcome:
    """With every limit, on a table that has been warmed up to its quota, after some minutes of work."""
    clock = SimulatedClock()
    stage = Stage(load, _warmed(limits), clock)
    clock.advance(RAMPED)
    return stage.run(offered)


def from_cold(load: Load, limits: Limits, offered: float, steps: int) -> list[Outcome]:
    """With every limit, on a new table: after some minutes, and after each half hour in which it was kept busy."""
    clock = SimulatedClock()
    stage, outcomes = Stage(load, limits, clock), []
    clock.advance(RAMPED)
    for _ in range(steps):
        outcomes.append(stage.run(offered))
        clock.advance(limits.doubling_seconds)
    return outcomes


def woken(load: Load, limits: Limits, offered: float, seconds: int) -> list[Outcome]:
    """The first seconds after a rest, one by one, on a table that is warm: functions and pollers have to come up."""
    stage = Stage(load, _warmed(limits), SimulatedClock())
    return [stage.run(offered, seconds=1) for _ in range(seconds)]


def _warmed(limits: Limits) -> Limits:
    return replace(limits, cold_writes=limits.table_writes, cold_reads=limits.table_reads)
