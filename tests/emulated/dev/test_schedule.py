"""When a rate(...) or cron(...) rule fires next; the cron cases are those of EventBridge's documentation."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev import schedule

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172_800)],
)
def test_a_rate_fires_one_period_later(expression: str, seconds: int) -> None:
    following = schedule.parse(expression).after(NOON)
    assert following is not None
    assert (following - NOON).total_seconds() == seconds


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("cron(* * * * ? *)", "2026-11-21 12:01"),
        ("cron(0 10 * * ? *)", "2026-11-22 10:00"),
        ("cron(15 12 * * ? *)", "2026-11-21 12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-23 18:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01 08:00"),
        ("cron(0/15 * * * ? *)", "2026-11-21 12:15"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-23 08:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-12-07 09:00"),
        ("cron(0 9 ? * 6L *)", "2026-11-27 09:00"),
        ("cron(0 9 L * ? *)", "2026-11-30 09:00"),
        ("cron(0 9 ? * L *)", "2026-11-28 09:00"),
        ("cron(0 9 29 FEB ? *)", "2028-02-29 09:00"),
        ("cron(0 9 1W 8 ? *)", "2027-08-02 09:00"),
        ("cron(0 9 31W 10 ? 2027)", "2027-10-29 09:00"),
        ("cron(0 0,13 * * ? *)", "2026-11-21 13:00"),
    ],
)
def test_a_cron_rule_fires_at_the_next_time_it_names(expression: str, following: str) -> None:
    assert schedule.parse(expression).after(NOON) == datetime.fromisoformat(following).replace(tzinfo=UTC)


def test_a_cron_rule_of_a_past_year_never_fires() -> None:
    assert schedule.parse("cron(0 0 1 1 ? 2020)").after(NOON) is None


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(1 second)",
        "every minute",
        "cron(* * * * *)",
        "cron(* * * * * *)",
        "cron(* * ? * ? *)",
        "cron(60 * * * ? *)",
        "cron(5-1 * * * ? *)",
        "cron(x * * * ? *)",
        "cron(0/0 * * * ? *)",
    ],
)
def test_what_eventbridge_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=".+"):
        schedule.parse(expression)


@given(st.integers(0, 6 * 365 * 86_400), st.integers(0, 59), st.integers(0, 23))
def test_a_daily_rule_fires_within_a_day_and_never_at_or_before_now(second: int, minute: int, hour: int) -> None:
    moment = NOON + timedelta(seconds=second)
    following = schedule.parse(f"cron({minute} {hour} * * ? *)").after(moment)
    assert following is not None
    assert 0 < (following - moment).total_seconds() <= 86_400
    assert (following.minute, following.hour) == (minute, hour)
