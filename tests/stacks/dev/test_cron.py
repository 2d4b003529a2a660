"""A schedule on `make run`, with a round of the dispatcher once a minute: its jobs start at their slots."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import RunningStack, until

LATEST_SECONDS = 2.0


@pytest.fixture
def minutely(tmp_path: Path) -> Iterator[RunningStack]:
    stack = RunningStack(tmp_path, SCHEDULE_EVERY="60")
    yield stack
    stack.stop()


def test_a_schedule_fires_at_its_slots_to_within_two_seconds_until_it_is_removed(minutely: RunningStack) -> None:
    """The first slot's job is made with the schedule, the next ones by rounds that come in between. A worker that has
    just started is slow with its first job, which is another."""
    _, first = minutely.ask("POST", "/jobs", {"array": [2, 1]})
    until(lambda: minutely.ask("GET", f"/jobs/{first['id']}")[1]["status"] == "completed", 30, "a worker is warm")
    status, schedule = minutely.ask("POST", "/schedules", {"cron": "* * * * *", "job": {"array": [2, 1]}})
    assert status == 201, schedule

    def jobs(**query: str) -> Any:
        chosen = "&".join(f"{name}={value}" for name, value in query.items())
        return minutely.ask("GET", f"/jobs?schedule_id={schedule['id']}&{chosen}")[1]["jobs"]

    until(lambda: len(jobs(status="completed")) >= 2, 200, "two slots have run")
    done = jobs(status="completed")
    assert done[-1]["slot_at"] == schedule["next_run_at"]
    late = [seconds_between(job["slot_at"], job["started_at"]) for job in done]
    print(f"started {late} s after their slots")  # noqa: T201
    assert all(0 <= seconds <= LATEST_SECONDS for seconds in late)
    ahead = until(lambda: jobs(status="scheduled"), 90, "the next slot's job is made ahead")
    status, seen = minutely.ask("GET", f"/schedules/{schedule['id']}")
    assert seen["next_run_at"] == ahead[0]["slot_at"]
    assert minutely.ask("DELETE", f"/schedules/{schedule['id']}")[0] == 204
    assert [job["id"] for job in jobs(status="canceled")] == [ahead[0]["id"]]
    assert jobs(status="scheduled") == []


def seconds_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()
