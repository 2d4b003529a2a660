"""lib/time.js and lib/series.js: times and amounts as people read them, numbers over time as a chart needs them."""

import pytest

from tests.stacks.browser.modules import Modules

NOW = "2026-03-01T12:00:00Z"
NOW_MS = 1_772_366_400_000

SPANS = {
    None: "–",
    0: "0 s",
    0.0000001: "under 0.001 ms",
    0.000001: "0.001 ms",
    0.00004: "0.04 ms",
    0.0005: "0.5 ms",
    0.000999: "0.999 ms",
    0.0009999: "1 ms",
    0.001: "1 ms",
    0.0123: "12.3 ms",
    0.25: "250 ms",
    0.9994: "999 ms",
    0.9996: "1 s",
    1.234: "1.23 s",
    12.34: "12.3 s",
    59.9: "59.9 s",
    59.97: "1 m",
    60: "1 m",
    125: "2 m 5 s",
    3599.7: "1 h",
    3600: "1 h",
    7199: "1 h 59 m",
    7200: "2 h",
    7_500: "2 h 5 m",
    82_800: "23 h",
    86_399.9: "1 d",
    90_000: "1 d 1 h",
    3_000_000: "1 mo 4 d",
    40_000_000: "1 y 3 mo",
}
RELATIVE = {
    0: "now",
    1_400: "now",
    -1_400: "now",
    2_000: "in 2 s",
    -45_000: "45 s ago",
    119_000: "in 119 s",
    120_000: "in 2 m",
    -3_600_000: "60 m ago",
    7_140_000: "in 119 m",
    7_180_000: "in 2 h",
    7_200_000: "in 2 h",
    -10_800_000: "3 h ago",
    -86_400_000: "24 h ago",
    172_800_000: "in 2 d",
    -7_776_000_000: "3 mo ago",
    63_072_000_000: "in 2 y",
}
SIZES = {
    0: "0 bytes",
    999: "999 bytes",
    1_000: "1.0 kB",
    999_949: "999.9 kB",
    5_500_000: "5.5 MB",
    2_340_000_000: "2.34 GB",
}
AMOUNTS = {0: "0 jobs", 1: "1 job", 2: "2 jobs", 1_234_567: "1,234,567 jobs"}


@pytest.mark.parametrize(("seconds", "text"), SPANS.items())
def test_a_span_has_two_units_at_most(modules: Modules, seconds: float | None, text: str) -> None:
    assert modules.call("lib/time.js", "span", seconds) == text


def test_spans_below_a_millisecond_are_told_apart(modules: Modules) -> None:
    texts = [modules.call("lib/time.js", "milliseconds", value) for value in (0.002, 0.04, 0.115, 0.9, 1.1)]
    assert texts == ["0.002 ms", "0.04 ms", "0.115 ms", "0.9 ms", "1.1 ms"]


@pytest.mark.parametrize(("ahead", "text"), RELATIVE.items())
def test_a_time_is_relative_to_now(modules: Modules, ahead: int, text: str) -> None:
    iso = modules.call("lib/time.js", "relative", NOW, NOW_MS - ahead)
    assert iso == text


@pytest.mark.parametrize(("size", "text"), SIZES.items())
def test_bytes_are_rounded(modules: Modules, size: int, text: str) -> None:
    assert modules.call("lib/time.js", "bytes", size) == text


@pytest.mark.parametrize(("amount", "text"), AMOUNTS.items())
def test_amounts_have_their_plural(modules: Modules, amount: int, text: str) -> None:
    assert modules.call("lib/time.js", "plural", amount, "job") == text


def test_clocks_are_the_readers_own(modules: Modules) -> None:
    assert modules.call("lib/time.js", "clock", "2026-07-01T12:00:00.007Z") == "14:00:00.007"
    assert modules.call("lib/time.js", "hourMinute", NOW_MS / 1000) == "13:00"
    assert modules.call("lib/time.js", "hourMinute", NOW_MS / 1000 + 5, True) == "13:00:05"
    assert modules.call("lib/time.js", "exact", NOW) == f"1 Mar 2026, 13:00:00 ({NOW})"


def test_axes_of_times_step_in_hours_and_not_in_thousands(modules: Modules) -> None:
    steps = modules.call("lib/time.js", "timeSteps", 1000)
    assert steps == sorted(steps)
    assert {0.001, 0.5, 20, 1_000, 15_000, 300_000, 7_200_000, 86_400_000} <= set(steps)
    assert not {2_000_000, 5_000_000, 10_000_000} & set(steps)
    seconds = [modules.call("lib/time.js", "span", step / 1000) for step in steps if step > 3_600_000]
    assert seconds == ["2 h", "3 h", "6 h", "12 h", "1 d", "2 d", "5 d", "10 d"]


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([], []),
        ([None, None], []),
        ([1, 2, None], []),
        ([None, 5, None], [1]),
        ([5, None, None, 0], [0, 3]),
        ([None, 1, 2, None, 3], [4]),
        ([7], [0]),
    ],
)
def test_a_value_without_neighbours_stands_alone(modules: Modules, values: list[float], places: list[int]) -> None:
    assert modules.call("lib/series.js", "standingAlone", values) == places


def test_columns_stand_on_those_after_them_and_lines_apart(modules: Modules) -> None:
    series = [{}, {}, {"line": True}]
    columns = [[1, 0, 2], [3, None, 0], [None, 9, None]]
    assert modules.call("lib/series.js", "stackUp", columns, series) == [[4, 0, 2], [3, 0, 0], [None, 9, None]]
