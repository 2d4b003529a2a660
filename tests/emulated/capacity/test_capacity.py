"""What `make capacity` says of an owner and of a stage: measured on MiniStack, asked again of AWS's limits."""

import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchmarks.capacity import measure, stage
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.flows import CYCLE
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.load import Load, ceilings
from benchmarks.capacity.meter import Meter
from chalicelib import config
from ops.account import Account
from tests.support import emulators

LIMITS = Limits()
OWNER, STAGE, LATER = measure.ONE_OWNER, measure.MANY_OWNERS, measure.LATER


@pytest.fixture(scope="module")
def loads() -> Mapping[str, Load]:
    with emulators.ministack("capacity") as on:
        assert on.endpoint
        settings = replace(config.load({"SORTIE_STAGE": on.name}), endpoint=on.endpoint)
        meter, clock = Meter(on.table), SimulatedClock(time.time())
        measured = measure.measured(settings, meter, clock, CYCLE, (OWNER, STAGE, LATER))
        measured.append(measure.measured_naive(Account(on.endpoint), meter, 10))
    return {load.name: load for load in measured}


def test_one_owner_gets_a_thousand_small_sorts_a_second_until_a_list_is_full(loads: Mapping[str, Load]) -> None:
    outcome = stage.by_keys(loads[OWNER], LIMITS, 1_500)
    assert outcome.jobs_a_second == pytest.approx(1_000, rel=0.03)
    assert str(outcome.first).startswith("by_status o#pending#")


def test_one_owner_gets_the_same_from_a_new_table(loads: Mapping[str, Load]) -> None:
    """The lists are full before the new table is."""
    assert stage.from_cold(loads[OWNER], LIMITS, 1_500, steps=1)[0].jobs_a_second == pytest.approx(1_000, rel=0.03)


def test_a_stage_gets_four_thousand_until_the_wake_index_is_full(loads: Mapping[str, Load]) -> None:
    outcome = stage.by_keys(loads[STAGE], LIMITS, 5_000)
    assert outcome.jobs_a_second == pytest.approx(4_000, rel=0.03)
    assert str(outcome.first).startswith("wake ")


def test_a_new_table_holds_a_stage_to_what_its_busiest_part_takes(loads: Mapping[str, Load]) -> None:
    parts = loads[STAGE].parts()
    units = max(parts.values())
    busiest = {f"all of {key}" for key, asked in parts.items() if asked == pytest.approx(units, rel=0.03)}
    outcome = stage.from_cold(loads[STAGE], LIMITS, 3_000, steps=1)[0]
    assert outcome.jobs_a_second == pytest.approx(4_000 / units, rel=0.03)
    assert outcome.first in busiest
    assert outcome.jobs_a_second < 2_000


def test_the_naive_designs_index_on_bare_status_is_the_worst_of_all(loads: Mapping[str, Load]) -> None:
    """A third of what one owner gets here, for all owners together."""
    lowest = {name: ceilings(load, LIMITS)[0] for name, load in loads.items()}
    worst = min(lowest, key=lambda name: lowest[name][1])
    assert (worst, str(lowest[worst][0])) == (measure.NAIVE, "by_status running")
    assert stage.by_keys(loads[measure.NAIVE], LIMITS, 600).jobs_a_second == pytest.approx(333, rel=0.03)


def test_the_simulation_and_a_division_agree(loads: Mapping[str, Load]) -> None:
    for name, load in loads.items():
        key, limit = ceilings(load, LIMITS)[0]
        assert stage.by_keys(load, LIMITS, 1.2 * limit).jobs_a_second == pytest.approx(limit, rel=0.03), (name, key)


def test_a_dispatchers_calls_are_counted_for_each_job_that_it_starts(loads: Mapping[str, Load]) -> None:
    """At least its one write; the message and the reads are shared."""
    assert loads[OWNER].dispatch.calls == 0
    assert 1 <= loads[LATER].dispatch.calls < 1.5
    assert sum(loads[LATER].parts().values()) > sum(loads[OWNER].parts().values())
