"""Token buckets and the rates behind them, on a simulated clock."""

import pytest

from benchmarks.capacity.buckets import OnDemand, Ramp, Rate, Steady, TokenBucket, take_all
from benchmarks.capacity.clock import SimulatedClock


def taken(bucket: TokenBucket, clock: SimulatedClock, seconds: int, bite: float = 1.0) -> float:
    """What a caller gets who asks for more than there is, in steps of a twentieth of a second."""
    total = 0.0
    for _ in range(seconds * 20):
        clock.advance(0.05)
        while bucket.take(bite):
            total += bite
    return total


def emptied(rate: Rate, clock: SimulatedClock) -> TokenBucket:
    bucket = TokenBucket("a key", rate, clock)
    while bucket.take(1):
        pass
    return bucket


def test_a_clock_stands_still_until_it_is_told() -> None:
    clock = SimulatedClock(1_000)
    assert (clock.now(), clock.monotonic()) == (1_000_000, 1_000.0)
    clock.pause(0.25)
    clock.advance(1)
    assert (clock.now(), clock.monotonic()) == (1_001_250, 1_001.25)


def test_a_full_bucket_gives_its_burst_and_then_nothing_while_time_stands_still() -> None:
    bucket = TokenBucket("a key", Steady(10), SimulatedClock(), burst=2)
    assert bucket.take(20)
    assert not bucket.take(0.001)


def test_an_idle_bucket_never_holds_more_than_its_burst() -> None:
    clock = SimulatedClock()
    bucket = emptied(Steady(10), clock)
    clock.advance(1_000)
    assert bucket.holds(10)
    assert not bucket.holds(10.001)


def test_a_refusal_takes_nothing() -> None:
    bucket = TokenBucket("a key", Steady(10), SimulatedClock())
    assert not bucket.take(11)
    assert bucket.take(10)


@pytest.mark.parametrize("bite", [0.1, 1.0, 2.5])
def test_over_time_a_bucket_gives_its_rate_whatever_the_size_of_a_bite(bite: float) -> None:
    clock = SimulatedClock()
    bucket = emptied(Steady(1_000), clock)
    assert taken(bucket, clock, 10, bite) == pytest.approx(10_000, rel=0.001)


def test_of_several_buckets_all_give_or_none_and_the_empty_one_is_named() -> None:
    clock = SimulatedClock()
    rich, poor = TokenBucket("rich", Steady(10), clock), TokenBucket("poor", Steady(1), clock)
    assert take_all([(rich, 1), (poor, 1)]) is None
    assert take_all([(rich, 1), (poor, 1)]) is poor
    assert rich.holds(9)
    assert not rich.holds(9.001)


def test_a_ramp_starts_when_it_is_first_asked_and_ends_at_its_most() -> None:
    ramp = Ramp(start=1_000, growth=100, most=3_000)
    assert [ramp.at(100.0 + second) for second in (0, 5, 10, 20, 60)] == [1_000, 1_500, 2_000, 3_000, 3_000]


def test_a_cold_table_takes_its_start_until_half_an_hour_after_its_first_peak() -> None:
    clock = SimulatedClock()
    bucket = emptied(OnDemand(cold=40, most=400, settle=1_800), clock)
    assert taken(bucket, clock, 10) == pytest.approx(400, rel=0.01)
    clock.advance(1_700)
    emptied_again = taken(bucket, clock, 10)
    assert emptied_again == pytest.approx(400 + 40, rel=0.01), "the burst of an idle second and no more"


def test_a_table_doubles_its_peak_each_half_hour_up_to_its_quota() -> None:
    clock, rates = SimulatedClock(), []
    rate = OnDemand(cold=40, most=130, settle=1_800)
    bucket = emptied(rate, clock)
    for _ in range(4):
        taken(bucket, clock, 3)
        rates.append(taken(bucket, clock, 5) / 5)
        clock.advance(1_800)
    assert rates == pytest.approx([40, 80, 130, 130], rel=0.02)


def test_a_table_that_was_never_busy_stays_cold() -> None:
    clock = SimulatedClock()
    rate = OnDemand(cold=40, most=400, settle=1_800)
    rate.note(clock.monotonic(), 5)
    clock.advance(10_000)
    assert rate.at(clock.monotonic()) == 40
