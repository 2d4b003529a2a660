"""Groups run to their end, and a schedule makes one job for each time it fires."""

from typing import Any

from tests.stacks.e2e.service import Service
from tests.support.running import until


def test_a_run_of_a_group_goes_to_its_end(service: Service) -> None:
    started = service.ask("POST", "/groups/group_a/runs")
    assert started.status == 202
    href = f"/groups/group_a/runs/{started.body['run_id']}"

    def done() -> Any:
        run = service.ask("GET", href).body
        return run if run["progress"] == 1 else None

    run = until(done, 90, "the run is done")
    assert run["counts"]["completed"] == len(run["jobs"]) == 3


def test_invalid_and_empty_groups_start_nothing(service: Service) -> None:
    for name in ("group_b", "group_c"):
        answer = service.ask("POST", f"/groups/{name}/runs")
        assert (answer.status, bool(answer.body["errors"])) == (422, True)
        assert service.ask("GET", f"/jobs?group={name}").body["jobs"] == []


def test_a_schedule_makes_one_job_each_minute(service: Service) -> None:
    href = f"/jobs?limit=100&schedule_id={service.minutely['id']}"

    def fired() -> Any:
        return service.ask("GET", href).body["jobs"]

    until(fired, 150, "the schedule fires")
    jobs = fired()
    slots = {job["slot_at"] for job in jobs}
    assert len(slots) == len(jobs)
    assert min(slots) == service.minutely["next_run_at"]
    assert service.ended(jobs[-1]["id"])["output"] == {"array": [1, 2]}
    listed = service.ask("GET", "/schedules").body["schedules"]
    assert service.minutely["id"] in [schedule["id"] for schedule in listed]


def test_stats_and_health_tell_of_it_all(service: Service) -> None:
    assert service.ask("GET", "/health").body == {"status": "ok"}
    stats = service.ask("GET", "/stats").body
    assert stats["counts"]["completed"] > 0
    assert stats["duration_ms"]["p50"] is not None


def test_a_route_that_is_not_there_is_a_problem(service: Service) -> None:
    answer = service.ask("GET", "/nothing")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
