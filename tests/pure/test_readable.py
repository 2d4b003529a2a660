"""What `make run` prints of the handlers' log lines: each move of a job in a few words."""

import json
import re

import pytest

from dev.readable import readable

JOB = "01m8aee72480p22jvs3rg7e96q"


def move(event: str, to: str, attempt: int = 1, seconds: float | None = None) -> str:
    line = {"event": event, "job": JOB, "attempt": attempt, "from": None, "to": to, "task": "sort", "seconds": seconds}
    return json.dumps(line | {"request_id": "r"})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (move("submit", "scheduled", attempt=0), "scheduled"),
        (move("claim", "running"), "running"),
        (move("complete", "completed", seconds=0.00006), "completed, 0.06 ms"),
        (move("complete", "completed", attempt=2, seconds=1.25), "completed, attempt 2, 1.2 s"),
        (move("back_off", "scheduled", seconds=0.5), "failed, to be tried again, 500 ms"),
        (move("an event of tomorrow", "pending"), "pending"),
    ],
)
def test_a_move_is_time_task_short_id_and_what_happened(line: str, words: str) -> None:
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  sort      g7e96q  {re.escape(words)}", readable(line) or "")


def test_what_is_no_move_keeps_its_fields() -> None:
    assert (readable('{"event":"no_such_job","body":"x"}') or "").endswith("  no_such_job body=x")


@pytest.mark.parametrize("line", ["Serving on http://127.0.0.1:1", "  File app.py", '{"a": 1}', '{"event', "[1]", ""])
def test_any_other_line_is_shown_as_it_is(line: str) -> None:
    assert readable(line) == line


def test_metrics_are_for_cloudwatch_alone() -> None:
    assert readable('{"_aws":{"Timestamp":1},"Stage":"local"}') is None
