"""A stage of buckets takes a known load at the rate that a division says, and names what stands in the way."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.capacity import stage
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.load import OWN, Load, Phase, Units, ceilings, share_out
from benchmarks.capacity.meter import Charge, Key

LIMITS = Limits()


def index(value: str, name: str = "list") -> Key:
    return Key("t", name, value)


def load(*jobs: Units, work_calls: float = 0) -> Load:
    return Load("made up", jobs, {}, Phase(2), Phase(), Phase(work_calls), batch=10)


def sharded(shards: int, units: float) -> Load:
    """Each job on the next shard, and one unit on its own row."""
    return load(*({index(str(shard)): units, index(OWN, "table"): 1} for shard in range(shards)))


@pytest.mark.parametrize(("shards", "units", "jobs"), [(1, 1, 1_000), (2, 2, 1_000), (8, 2, 4_000), (1, 3, 333)])
def test_shards_carry_their_keys_limit_each_and_one_of_them_is_named(shards: int, units: float, jobs: int) -> None:
    outcome = stage.by_keys(sharded(shards, units), LIMITS, 1.2 * jobs)
    assert outcome.jobs_a_second == pytest.approx(jobs, rel=0.01)
    assert outcome.first in {f"list {shard}" for shard in range(shards)}
    assert ceilings(sharded(shards, units), LIMITS)[0][1] == pytest.approx(jobs, rel=0.01)


def test_one_item_takes_what_a_key_takes() -> None:
    """Half of the jobs write the same row, half of them rows of their own."""
    outcome = stage.by_keys(load({index("same", "table"): 1}, {index(OWN, "table"): 1}), LIMITS, 4_000)
    assert outcome.jobs_a_second == pytest.approx(1_000 + 2_000, rel=0.01)
    assert outcome.first == "table same"


def test_what_is_offered_and_fits_goes_through() -> None:
    assert stage.warm(sharded(2, 1), LIMITS, 1_500) == stage.Outcome(1_500, None)


def test_reads_have_a_limit_of_their_own() -> None:
    key = Key("t", "list", "all", read=True)
    outcome = stage.by_keys(load({key: 1}), LIMITS, 5_000)
    assert outcome.jobs_a_second == pytest.approx(3_000, rel=0.01)
    assert outcome.first == "list all (reads)"


def test_a_new_table_doubles_until_a_key_is_in_the_way() -> None:
    """Four shards of two units carry 2,000; a cold index 600."""
    steps = stage.from_cold(sharded(4, 2), replace(LIMITS, cold_writes=1_200), 2_400, steps=4)
    assert [each.jobs_a_second for each in steps] == pytest.approx([600, 1_200, 2_000, 2_000], rel=0.01)
    assert [each.first for each in steps[:2]] == ["all of list"] * 2
    assert str(steps[3].first).startswith("list ")


@pytest.mark.parametrize(
    ("limits", "jobs", "first"),
    [
        (replace(LIMITS, api_requests=700, api_burst=350), 700, "API requests"),
        (replace(LIMITS, concurrency=5), 5 / 0.013, "API environments"),
        (replace(LIMITS, workers=5), 5 / 0.103 * 10, "workers"),
        (replace(LIMITS, in_flight=50), 50 / 0.103, "messages in flight"),
    ],
    ids=["requests", "environments", "workers", "messages"],
)
def test_each_service_can_be_what_is_in_the_way(limits: Limits, jobs: float, first: str) -> None:
    """Two calls of 5 ms to submit, twenty to work on a batch of ten."""
    wide = load(*({index(str(shard)): 1} for shard in range(10)), work_calls=2)
    outcome = stage.warm(wide, limits, 2 * jobs)
    assert outcome.jobs_a_second == pytest.approx(jobs, rel=0.02)
    assert outcome.first == first


def test_workers_come_up_after_a_rest_and_stay() -> None:
    """Five at first, five more each second, twenty at most; each takes 0.503 s for a batch of ten."""
    slow = load(*({index(str(shard)): 0.1} for shard in range(10)), work_calls=10)
    few = replace(LIMITS, workers=20)
    rates = [each.jobs_a_second for each in stage.woken(slow, few, 1_000, seconds=5)]
    assert rates == pytest.approx([workers / 0.0503 for workers in (7.5, 12.5, 17.5, 20, 20)], rel=0.04)
    assert stage.warm(slow, few, 1_000).jobs_a_second == pytest.approx(20 / 0.0503, rel=0.01)


def test_environments_come_up_after_a_rest_and_stay() -> None:
    wide = load(*({index(str(shard)): 0.1} for shard in range(10)))
    few = replace(LIMITS, function_start=5, function_growth=5, concurrency=10)
    rates = [each.jobs_a_second for each in stage.woken(wide, few, 1_000, seconds=3)]
    assert rates == pytest.approx([environments / 0.013 for environments in (7.5, 10, 10)], rel=0.04)


def test_a_charge_belongs_to_the_job_whose_row_it_is_and_to_all_otherwise() -> None:
    jobs: dict[str, defaultdict[Key, float]] = {"a": defaultdict(float), "b": defaultdict(float)}
    charges: Sequence[Charge] = [
        Charge(index("x"), 2, "a"),
        Charge(index("x"), 1, "tally"),
        Charge(index("y"), 3, None),
    ]
    share_out(charges, jobs)
    assert jobs == {"a": {index("x"): 2.5, index("y"): 1.5}, "b": {index("x"): 0.5, index("y"): 1.5}}


def test_a_jobs_own_row_is_no_hot_key_and_counts_for_the_table() -> None:
    jobs: dict[str, defaultdict[Key, float]] = {"a": defaultdict(float)}
    share_out([Charge(index("a", "table"), 8, "a"), Charge(index("x"), 0.1, "a")], jobs)
    whole = load(*jobs.values())
    assert whole.parts() == {"table": 8, "list": 0.1}
    assert [str(key) for key, _ in ceilings(whole, LIMITS)] == ["list x"]
    cold = stage.from_cold(whole, LIMITS, 1_000, steps=1)[0]
    assert cold.jobs_a_second == pytest.approx(500, rel=0.01)
    assert cold.first == "all of table"
