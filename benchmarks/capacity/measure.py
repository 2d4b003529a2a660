"""The loads of the report: small sorts of one owner and of many, other kinds of jobs, and the naive design's."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

from benchmarks import naive
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.flows import flow
from benchmarks.capacity.load import Load, Phase, share_out
from benchmarks.capacity.meter import Key, Meter
from chalicelib.config import Settings
from chalicelib.service.new_job import NewJob
from ops.account import Account

SORT = NewJob(owner="o", task="sort", input=b'{"array":[3,1,2]}')
OWNERS = 40
ONE_OWNER, MANY_OWNERS = "sort", f"sort, {OWNERS} owners"
LATER, LONG, GROUP, OBJECT = "sort, due in an hour", "log, a long job", "sort, one group", "sort, one object_id"
NAIVE = "naive design"


def measured(settings: Settings, meter: Meter, clock: SimulatedClock, jobs: int, names: Sequence[str]) -> list[Load]:
    with meter.watching():
        return [_measured(settings, meter, clock, jobs, name) for name in names]


def _measured(settings: Settings, meter: Meter, clock: SimulatedClock, jobs: int, name: str) -> Load:
    clock.advance(60 - clock.monotonic() % 60)  # the tallies of one minute are one row
    new_jobs = list(islice(cycle(_kinds(name)), jobs))
    return flow(settings, meter, clock).run(name, new_jobs, later=name == LATER)


def _kinds(name: str) -> list[NewJob]:
    """One after the other, over and over."""
    if name == MANY_OWNERS:
        return [replace(SORT, owner=f"o{number}") for number in range(OWNERS)]
    kinds = {
        ONE_OWNER: SORT,
        LATER: SORT,
        LONG: replace(SORT, task="log", input=b'{"message":"m","times":1}'),
        GROUP: replace(SORT, group="g"),
        OBJECT: replace(SORT, object_id="x"),
    }
    return [kinds[name]]


def measured_naive(account: Account, meter: Meter, jobs: int) -> Load:
    """The same small sorts in the design one would write first: one job a message, and none but one index."""
    naive.run(account, meter, jobs, numbers=3, rounds=1)
    taken = meter.take()
    units = {charge.row or "": defaultdict[Key, float](float) for charge in taken.charges}
    share_out(taken.charges, units)
    calls = {name: count / jobs for name, count in taken.calls.items()}
    half = Phase(Counter(calls).total() / 2)
    return Load(NAIVE, list(units.values()), calls, half, Phase(), half, batch=1)
