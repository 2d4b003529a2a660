"""The plain table that `make capacity` prints."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks import cost
from benchmarks.capacity import measure, stage
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.load import Load, ceilings
from chalicelib.core.lane import Lane

NAMES = (
    measure.ONE_OWNER, measure.MANY_OWNERS, measure.LATER, measure.LONG, measure.GROUP, measure.OBJECT,
)  # fmt: skip
STEPS = 5
"""How many half hours a cold table is watched."""
SECONDS = 13
"""How many seconds a stage is watched after a rest."""
WANTED = (1_000, 10_000, 100_000)
"""Jobs a second of many owners, and what they need."""
MOST_WORKERS = 1_000
"""What MaximumConcurrency may be."""
OFFERED = 1.2
"""Times what the hottest key allows."""


def text(loads: Sequence[Load], naive: Load, limits: Limits, prices: Mapping[str, float]) -> str:
    many = next(load for load in loads if load.name == measure.MANY_OWNERS)
    sections = (
        _units([*loads, naive]),
        _rates([*loads, naive], limits, prices),
        _keys([*loads, naive], limits),
        _from_cold(many, limits),
        _woken(many, limits),
        _functions(loads, limits),
        _needs(many, limits, dollars(many, limits, prices)),
    )
    return "\n\n".join("\n".join(section) for section in sections)


def offered(load: Load, limits: Limits) -> float:
    """More than the hottest key allows, and no more than the API takes in."""
    return OFFERED * min(ceilings(load, limits)[0][1], limits.api_requests)


def _units(loads: Sequence[Load]) -> list[str]:
    head = f"{'MEASURED, for one job':<24}{'write units':>12}{'read units':>12}{'calls':>8}   write units by part"
    return [head, *(_unit_row(load) for load in loads)]


def _unit_row(load: Load) -> str:
    parts = ", ".join(f"{key} {units:.2f}" for key, units in sorted(load.parts().items(), key=lambda e: -e[1]))
    writes, reads, calls = load.units(read=False), load.units(read=True), sum(load.calls.values())
    return f"  {load.name:<22}{writes:>12.2f}{reads:>12.2f}{calls:>8.2f}   {parts}"


def _rates(loads: Sequence[Load], limits: Limits, prices: Mapping[str, float]) -> list[str]:
    names = f"{'by keys':>9}{'warm':>8}{'cold':>8}{'$ a million':>13}"
    head = f"{'SIMULATED, jobs a second':<24}{names}   breaks first: by keys | warm | cold, where it differs"
    return [head, *(_rate_row(load, limits, prices) for load in loads)]


def _rate_row(load: Load, limits: Limits, prices: Mapping[str, float]) -> str:
    rate = offered(load, limits)
    ceiling = (
        stage.by_keys(load, limits, rate),
        stage.warm(load, limits, rate),
        stage.from_cold(load, limits, rate, steps=1)[0],
    )
    keys, warm, cold = (f"{each.jobs_a_second:,.0f}" for each in ceiling)
    first = " | ".join(dict.fromkeys(each.first or "nothing" for each in ceiling))
    return f"  {load.name:<22}{keys:>9}{warm:>8}{cold:>8}{dollars(load, limits, prices):>13.2f}   {first}"


def _keys(loads: Sequence[Load], limits: Limits) -> list[str]:
    head = f"{'DIVIDED, jobs a second':<24}{'limit':>9}{'units':>8}   hottest keys of table and indexes, worst first"
    return [head, *(row for load in loads for row in _key_rows(load, limits))]


def _key_rows(load: Load, limits: Limits) -> list[str]:
    """The hottest key of each place."""
    rows, per_job, seen = [], load.per_job(), set[str]()
    for key, limit in ceilings(load, limits):
        if key.part not in seen and limit < limits.api_requests:
            label = load.name if not seen else ""
            rows.append(f"  {label:<22}{limit:>9,.0f}{per_job[key]:>8.2f}   {key}")
            seen.add(key.part)
    return rows


def _from_cold(load: Load, limits: Limits) -> list[str]:
    steps = stage.from_cold(load, limits, offered(load, limits), STEPS)
    lines = [f"SIMULATED, a new table kept busy: {load.name}", f"  {'minutes':>8}{'jobs a second':>15}   breaks first"]
    return lines + [
        f"  {step * limits.doubling_seconds / 60:>8.0f}{each.jobs_a_second:>15,.0f}   {each.first or 'nothing'}"
        for step, each in enumerate(steps)
    ]


def _woken(load: Load, limits: Limits) -> list[str]:
    seconds = stage.woken(load, limits, offered(load, limits), SECONDS)
    lines = [
        f"SIMULATED, a warm stage after a rest: {load.name}",
        f"  {'second':>8}{'jobs a second':>15}   breaks first",
    ]
    return lines + [
        f"  {second + 1:>8}{each.jobs_a_second:>15,.0f}   {each.first or 'nothing'}"
        for second, each in enumerate(seconds)
        if second % 3 == 0
    ]


def _functions(loads: Sequence[Load], limits: Limits) -> list[str]:
    assumed = f"{limits.call_seconds * 1000:g} ms a call and {limits.overhead_seconds * 1000:g} an invocation"
    lines = [f"ARITHMETIC on measured calls, at {assumed}"]
    for load in loads:
        batch = load.work_seconds(limits)
        rate = limits.workers * load.batch / batch
        lines.append(
            f"  {load.name:<22} a batch of {load.batch:.0f} takes {batch * 1000:.0f} ms: {limits.workers:g} workers"
            f" run {rate:,.0f} jobs a second, {limits.workers * load.batch:,.0f} messages in flight"
        )
        if load.dispatch.calls:
            lines.append(f"  {'':<22} one dispatcher starts {1 / load.dispatch.seconds(limits):,.0f} jobs a second")
    return lines


def _needs(load: Load, limits: Limits, million: float) -> list[str]:
    """A cell is a stage with all the workers that its mapping may have."""
    open_handed = replace(limits, workers=MOST_WORKERS)
    cell = stage.warm(load, open_handed, offered(load, limits)).jobs_a_second
    key, units = max(load.parts().items(), key=lambda each: each[1])
    lines = [
        f"ARITHMETIC, what so many jobs a second need: {load.name}, in cells of {cell:,.0f}",
        f"{'jobs a second':>16}{'cells':>7}{'write units a second':>22}{'API environments':>18}{'workers':>9}"
        f"{'$ an hour':>12}   write units of {key}",
    ]
    for rate in WANTED:
        workers, routes = rate * load.work_seconds(limits) / load.batch, rate * load.api_seconds(limits)
        lines.append(
            f"{rate:>16,}{math.ceil(rate / cell):>7}{rate * units:>22,.0f}{routes:>18,.0f}{workers:>9,.0f}"
            f"{rate * million * 3600 / 1e6:>12,.2f}"
        )
    return lines


def dollars(load: Load, limits: Limits, prices: Mapping[str, float]) -> float:
    """For a million jobs, each with one request to submit it; `make cost` knows the prices."""
    queue = sum(count for name, count in load.calls.items() if name.startswith("sqs."))
    if load.batch > 1:
        queue += 2 / load.batch  # each batch is received and deleted once
    api_ms, work_ms = load.api_seconds(limits) * 1000, load.work_seconds(limits) * 1000 / load.batch
    lane = Lane.QUICK if load.batch > 1 else Lane.LONG
    used = cost.Measured(
        load.units(read=False), load.units(read=True), dict(load.calls), queue, api_ms, work_ms, round(load.batch),
        cost.WORK_GB[lane], cost.MOVES[lane],
    )  # fmt: skip
    return sum(cost.dollars(used, dict(prices)).values())
