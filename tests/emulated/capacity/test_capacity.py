"""What `make capacity` says of an owner and of a stage: measured on MiniStack, asked again of AWS's limits."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from benchmarks.capacity import measure, pages, stage
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.flows import CYCLE
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.load import Load, ceilings
from benchmarks.capacity.meter import Meter
from chalicelib import config
from chalicelib.config import Settings
from ops.account import Account
from tests.support import emulators

pytestmark = pytest.mark.slow
LIMITS = Limits()
OWNER, STAGE, LATER = measure.ONE_OWNER, measure.MANY_OWNERS, measure.LATER


NARROW, WIDE = {"LIST_SHARDS": "2", "WAKE_SHARDS": "8"}, {"LIST_SHARDS": "20", "WAKE_SHARDS": "20", "TALLY_SHARDS": "4"}
BARE_QUERY_MS = 4.0
"""Of a query of one entry on MiniStack, on a machine at rest. One that is busy is held to its own part of a promise."""


@pytest.fixture(scope="module")
def on() -> Iterator[emulators.Stage]:
    with emulators.ministack("capacity") as stage_:
        yield stage_


@pytest.fixture(scope="module")
def meter(on: emulators.Stage) -> Meter:
    return Meter(on.table)


def settings_of(on: emulators.Stage, shards: Mapping[str, str]) -> Settings:
    assert on.endpoint
    return replace(config.load({"SORTIE_STAGE": on.name, **shards}), endpoint=on.endpoint)


@pytest.fixture(scope="module")
def loads(on: emulators.Stage, meter: Meter) -> Mapping[str, Load]:
    measured = measure.measured(
        settings_of(on, NARROW), meter, SimulatedClock(time.time()), CYCLE, (OWNER, STAGE, LATER)
    )
    measured.append(measure.measured_naive(Account(on.endpoint), meter, 10))
    return {load.name: load for load in measured}


@pytest.fixture(scope="module")
def wide(on: emulators.Stage, meter: Meter, loads: Mapping[str, Load]) -> Mapping[str, Load]:
    """The same jobs in the same table, with more shards than it had."""
    clock = SimulatedClock(time.time() + 7_200)
    measured = measure.measured(settings_of(on, WIDE), meter, clock, CYCLE, (OWNER, LATER))
    return {load.name: load for load in measured}


def test_one_owner_gets_ten_thousand_small_sorts_a_second_at_twenty_lists(wide: Mapping[str, Load]) -> None:
    outcome = stage.by_keys(wide[OWNER], LIMITS, 11_000)
    assert outcome.jobs_a_second == pytest.approx(10_000, rel=0.03)


def test_what_is_due_later_gets_five_thousand_at_twenty_wake_shards(wide: Mapping[str, Load]) -> None:
    """The dispatcher's write moves a job in its wake shard once more."""
    key, limit = ceilings(wide[LATER], LIMITS)[0]
    assert limit == pytest.approx(5_000, rel=0.03)
    assert str(key).startswith("wake ")


def test_a_page_asks_each_list_once_and_stays_under_a_second_at_twenty() -> None:
    """In a table of its own: a query of MiniStack's looks at every row."""
    with emulators.ministack("pages") as on:
        listed = pages.measured(settings_of(on, NARROW), Meter(on.table))
        slow = max(1.0, bare_query_ms(on) / BARE_QUERY_MS)
    queries = {(page.lists, page.filter): page.queries for page in listed}
    assert queries == {
        (2, "every status"): 22, (8, "every status"): 88, (20, "every status"): 220,
        (2, "one status"): 4, (8, "one status"): 16, (20, "one status"): 40,
    }  # fmt: skip
    assert max(page.millis for page in listed) < 1_000 * slow


def bare_query_ms(on: emulators.Stage) -> float:
    began = time.perf_counter()
    for _ in range(50):
        on.table.query(
            TableName=on.table_name, IndexName="by_status", KeyConditionExpression="list_key = :k", Limit=1,
            ExpressionAttributeValues={":k": {"S": "nobody#completed#0"}},
        )  # fmt: skip
    return (time.perf_counter() - began) * 1_000 / 50


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
    """A twenty-fifth of a call for its write and a tenth for its message; what is read is shared too."""
    assert loads[OWNER].dispatch.calls == 0
    assert 0.14 <= loads[LATER].dispatch.calls < 0.4
    assert sum(loads[LATER].parts().values()) > sum(loads[OWNER].parts().values())
