"""What `make run` drives of EventBridge's rules, and what it says to the rest."""

import pytest

from dev import sources


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172_800)],
)
def test_a_rate_has_a_period(expression: str, seconds: int) -> None:
    assert sources.period(expression) == seconds


@pytest.mark.parametrize(
    "expression", ["rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(1 second)", "every"]
)
def test_what_eventbridge_refuses_is_refused_with_what_it_takes(expression: str) -> None:
    with pytest.raises(ValueError, match=r"say rate\(1 minute\)"):
        sources.period(expression)


def test_a_cron_rule_is_told_where_it_runs() -> None:
    with pytest.raises(ValueError, match=r"cron\(0 10 .*run on AWS and when deployed offline"):
        sources.period("cron(0 10 * * ? *)")
