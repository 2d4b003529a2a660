"""run_in, run_at and the forms in which times are written."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.times import from_millis, parse_run_at, parse_run_in, to_millis, to_rfc3339

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
YEAR = 366 * 86400
AWARE = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30s", 30), ("2m", 120), ("1h", 3600), ("4d", 345600), ("1.5h", 5400), ("0s", 0), ("366d", YEAR),
        (0, 0), (90, 90), (0.25, 0.25), (YEAR, YEAR),
    ],
)  # fmt: skip
def test_run_in_is_a_duration_or_seconds(value: str | int | float, seconds: float) -> None:
    parsed = parse_run_in(value)

    assert parsed == seconds
    assert type(parsed) is float


@pytest.mark.parametrize(
    "text",
    ["", "30", "s", "-5s", "+5s", " 30s", "30s\n", "30 s", "30S", "1M", "1w", "1h30m", ".5h", "1.h", "٣s"],
)  # fmt: skip
def test_run_in_says_how_to_write_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match='such as "30s", "2m", "1.5h" or "4d"'):
        parse_run_in(text)


@pytest.mark.parametrize("value", [True, False, math.nan])
def test_run_in_refuses_what_is_no_number_of_seconds(value: float) -> None:
    with pytest.raises(ValueError, match="write seconds as a number"):
        parse_run_in(value)


@pytest.mark.parametrize("value", [-1, -0.001, -math.inf, pytest.param(-(10**400), id="huge")])
def test_run_in_refuses_the_past(value: float) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        parse_run_in(value)


@pytest.mark.parametrize("value", [YEAR + 1, "366.1d", "8785h", math.inf])
def test_run_in_refuses_more_than_a_year(value: str | int | float) -> None:
    with pytest.raises(ValueError, match='at most "366d"'):
        parse_run_in(value)


@pytest.mark.parametrize("value", [10**400, "9" * 5000 + "s"], ids=["int", "text"])
def test_run_in_refuses_numbers_that_no_float_holds(value: str | int) -> None:
    with pytest.raises(ValueError, match='at most "366d"'):
        parse_run_in(value)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-10-25T02:30:00Z", "2026-10-25T02:30:00.000Z"),
        ("2026-10-25t02:30:00z", "2026-10-25T02:30:00.000Z"),
        ("2026-10-25 02:30:00Z", "2026-10-25T02:30:00.000Z"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00.000Z"),
        ("2026-10-25T02:30:00-09:30", "2026-10-25T12:00:00.000Z"),
        ("2026-10-25T02:30:00-00:00", "2026-10-25T02:30:00.000Z"),
        ("2026-10-25T02:30:00.5Z", "2026-10-25T02:30:00.500Z"),
        ("2026-10-25T02:30:00.123456789012345678901Z", "2026-10-25T02:30:00.123Z"),
        ("25-10-2026 02:30:00", "2026-10-25T02:30:00.000Z"),
    ],
)
def test_run_at_is_read_as_utc(text: str, at: str) -> None:
    parsed = parse_run_at(text, NOW)

    assert to_rfc3339(parsed) == at
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-10-25T02:30:00", "2026-10-25 02:30:00.25"])
def test_run_at_without_an_offset_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r'has no offset: .*Z", .*\+02:00"'):
        parse_run_at(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "2026-10-25", "2026-10-25T02:30Z", "2026-10-25T02:30:00+0200",
        "2026-10-25T02:30:00.Z", "2026-10-25T02:30:00Z\n", "25-10-2026", "25/10/2026 02:30:00",
        "25-10-2026T02:30:00", "5-10-2026 02:30:00", "25-10-2026 02:30:00Z", "1792900800",
        "٢٠26-10-25T02:30:00Z",
    ],
)  # fmt: skip
def test_run_at_in_another_form_is_told_the_two_forms(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write RFC 3339 such as"):
        parse_run_at(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2027-02-29T00:00:00Z", "31-04-2027 00:00:00", "2027-13-01T00:00:00Z", "2027-00-01T00:00:00Z",
        "2027-01-01T24:00:00Z", "2027-01-01T23:60:00Z", "2027-01-01T23:59:60Z", "2027-01-01T00:00:00+24:00",
        "2027-01-01T00:00:00+01:60", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)  # fmt: skip
def test_run_at_refuses_times_that_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match="is not a real date and time: [a-z]"):
        parse_run_at(text, NOW)


@pytest.mark.parametrize("text", ["2026-10-20T12:00:00Z", "20-10-2026 12:00:00", "2026-10-20T14:00:00+02:00"])
def test_run_at_may_be_now(text: str) -> None:
    assert parse_run_at(text, NOW) == NOW


@pytest.mark.parametrize("text", ["2026-10-20T11:59:59.999999Z", "2026-10-20T12:00:00+00:01", "0001-01-01T00:00:00Z"])
def test_run_at_refuses_the_past_and_says_what_time_it_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"is in the past: .*2026-10-20T12:00:00\.000Z"):
        parse_run_at(text, NOW)


def test_run_at_may_be_a_year_ahead_and_no_later() -> None:
    assert parse_run_at("2027-10-21T12:00:00Z", NOW) == NOW + timedelta(days=366)
    with pytest.raises(ValueError, match=r"too far ahead: .* until 2027-10-21T12:00:00\.000Z"):
        parse_run_at("2027-10-21T12:00:00.000001Z", NOW)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"))
def test_any_text_is_a_time_ahead_or_a_value_error(text: str) -> None:
    try:
        at = parse_run_at(text, NOW)
    except ValueError:
        return
    assert NOW <= at <= NOW + timedelta(days=366)


@settings(deadline=None)
@given(st.text() | st.integers() | st.floats() | st.from_regex(r"[0-9]+(\.[0-9]+)?[smhd]"))
def test_any_run_in_is_seconds_within_a_year_or_a_value_error(value: str | int | float) -> None:
    try:
        seconds = parse_run_in(value)
    except ValueError:
        return
    assert 0 <= seconds <= YEAR


@given(st.integers(0, YEAR * 1000))
def test_a_time_as_written_is_the_time_as_read(ms: int) -> None:
    at = NOW + timedelta(milliseconds=ms)

    assert parse_run_at(to_rfc3339(at), NOW) == at


@settings(deadline=None)
@given(AWARE)
def test_millis_round_down_and_come_back(t: datetime) -> None:
    again = from_millis(to_millis(t))

    assert timedelta(0) <= t - again < timedelta(milliseconds=1)
    assert to_millis(again) == to_millis(t)
    assert to_rfc3339(again) == to_rfc3339(t)


def test_rfc3339_is_utc_with_milliseconds() -> None:
    t = datetime(2026, 10, 25, 2, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))

    assert to_rfc3339(t) == "2026-10-25T00:30:00.999Z"


def test_a_time_without_a_zone_is_a_mistake_in_the_code() -> None:
    with pytest.raises(TypeError):
        to_rfc3339(NOW.replace(tzinfo=None))
