"""The four ways a job is made (alone, in bulk, in a group, by a schedule): each reads every field, or refuses it; and
each knows a repeat again, whatever has become of the request since."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.pure.api.conftest import Api, MemoryApi, Reply

FIELDS: dict[str, Any] = {
    "task": "sleep", "input": {"seconds": 1}, "object_id": "order-7", "window": {"seconds": 600, "on_repeat": "reject"},
    "timeout": 7.5, "max_attempts": 2, "run_in": 40,
}  # fmt: skip
NOT_IN_A_GROUP = frozenset({"window"})
NOT_IN_A_SCHEDULE = frozenset({"run_in"})


@pytest.fixture
def write_groups(module: Any) -> Iterator[Callable[[Any], None]]:
    """Puts another groups.yaml (JSON is YAML) in the place of the real one."""
    real = module.read_groups_file

    def write(groups: Any) -> None:
        module.read_groups_file = lambda: json.dumps({"groups": groups}).encode()

    yield write
    module.read_groups_file = real


def without(left_out: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in FIELDS.items() if name not in left_out}


def has_every_field(job: Any, left_out: frozenset[str] = frozenset()) -> None:
    assert (job["task"], job["object_id"], job["timeout"], job["max_attempts"]) == ("sleep", "order-7", 7.5, 2)
    if "window" not in left_out:
        assert (job["window"]["seconds"], job["window"]["on_repeat"]) == (600, "reject")
    if "run_in" not in left_out:
        assert job["status"] == "scheduled"


def test_a_job_sent_alone_or_in_bulk_has_every_field_of_its_request(memory: MemoryApi) -> None:
    has_every_field(memory.submit(**FIELDS))
    other = FIELDS | {"object_id": "order-8"}
    (result,) = memory.ask("POST", "/jobs/bulk", {"jobs": [other]}).body["results"]
    has_every_field(result["job"] | {"object_id": "order-7"})


def test_a_job_of_a_group_has_every_field_and_a_window_is_one_of_its_problems(
    memory: MemoryApi, write_groups: Callable[[Any], None]
) -> None:
    write_groups({"good": [without(NOT_IN_A_GROUP)], "bad": [{"name": "one", **FIELDS}]})
    started = memory.ask("POST", "/groups/good/runs").body["jobs"]
    has_every_field(memory.job(started[0]["id"]), NOT_IN_A_GROUP)
    listed = memory.ask("GET", "/groups/bad").body["groups"][0]["problems"]
    assert [(problem["job"], problem["loc"]) for problem in listed] == [("one", "window")]
    for _ in range(3):
        refused = memory.ask("POST", "/groups/bad/runs")
        assert (refused.status, refused.locs) == (422, ["one.window"])
    assert len(memory.ask("GET", "/jobs").body["jobs"]) == 1


def test_the_job_of_a_schedule_has_every_field_and_a_time_of_its_own_is_refused(memory: MemoryApi) -> None:
    line = {"cron": "* * * * *", "job": without(NOT_IN_A_SCHEDULE)}
    assert memory.ask("POST", "/schedules", line).status == 201
    memory.pass_time(61)
    memory.dispatch()
    has_every_field(memory.ask("GET", "/jobs").body["jobs"][0], NOT_IN_A_SCHEDULE)
    assert memory.ask("POST", "/schedules", line | {"job": FIELDS}).locs == ["job.run_in"]


def in_bulk(api: Api, request: Any, key: str) -> Reply:
    return api.ask("POST", "/jobs/bulk", {"jobs": [{"array": [1]}, request]}, idempotency_key=key)


def alone(api: Api, request: Any, key: str) -> Reply:
    return api.ask("POST", "/jobs", request, idempotency_key=key)


@pytest.mark.parametrize("send", [alone, in_bulk])
def test_a_repeat_under_a_key_gets_its_job_although_its_time_has_come_since(
    memory: MemoryApi, send: Callable[[Api, Any, str], Reply]
) -> None:
    request = {"array": [2, 1], "run_at": "2027-01-15T08:00:05Z"}
    first = send(memory, request, "key-1")
    memory.pass_time(10)
    again = send(memory, request, "key-1")
    if send is alone:
        assert (first.status, again.status, again.body["id"]) == (202, 200, first.body["id"])
        assert send(memory, request, "key-2").status == 422
    else:
        assert [result["status"] for result in again.body["results"]] == [200, 200]
        assert jobs_of(again) == jobs_of(first)
        assert [result["status"] for result in send(memory, request, "key-2").body["results"]] == [202, 422]


def jobs_of(answer: Reply) -> list[str]:
    return [result["job"]["id"] for result in answer.body["results"]]


def test_the_attempts_of_a_job_never_pass_its_max_attempts_however_often_it_is_retried(memory: MemoryApi) -> None:
    job = memory.submit(task="fail", input={"message": "no"}, max_attempts=1)
    for tries in (1, 2, 3):
        assert (job["attempts"], job["max_attempts"]) == (tries - 1, tries)
        memory.work()
        job = memory.job(job["id"])
        assert (job["status"], job["attempts"], job["max_attempts"]) == ("failed", tries, tries)
        job = memory.ask("POST", f"/jobs/{job['id']}/retry").body


MAKING = {
    "/jobs": {"array": [1]},
    "/groups/group_a/runs": None,
    "/schedules": {"cron": "0 3 * * *", "job": {"array": [1]}},
    "/uploads": {"bytes": 10},
}


@pytest.mark.parametrize("path", MAKING)
def test_every_post_that_makes_something_makes_it_once_under_a_key(api: Api, path: str) -> None:
    first, again = (api.ask("POST", path, MAKING[path], idempotency_key="key-1") for _ in range(2))
    assert first.status in (201, 202)
    assert again.status in (200, 201)
    assert made(again) == made(first)
    assert made(api.ask("POST", path, MAKING[path], idempotency_key="key-2")) != made(first)
    assert made(api.ask("POST", path, MAKING[path])) != made(first)
    other = next(each for each in MAKING if each != path)
    reused = api.ask("POST", other, MAKING[other], idempotency_key="key-1")
    assert (reused.status, reused.body["type"]) == (422, "urn:sortie:key-reused")
    assert api.ask("POST", path, MAKING[path], idempotency_key="a b").locs == ["Idempotency-Key"]


def made(answer: Reply) -> Any:
    ids = [job["id"] for job in answer.body.get("jobs", [])]
    return answer.body.get("id") or (answer.body["run_id"], ids)


def test_a_repeat_of_a_run_gets_it_although_its_group_is_wrong_by_now(
    memory: MemoryApi, write_groups: Callable[[Any], None]
) -> None:
    write_groups({"nightly": [{"array": [1]}]})
    first = memory.ask("POST", "/groups/nightly/runs", idempotency_key="key-1")
    write_groups({"nightly": [{"array": ["one"]}]})
    again = memory.ask("POST", "/groups/nightly/runs", idempotency_key="key-1")
    assert (again.status, made(again)) == (200, made(first))
    assert memory.ask("POST", "/groups/nightly/runs", idempotency_key="key-2").status == 422


def test_a_repeat_of_a_schedule_makes_none_after_the_first_has_fired(memory: MemoryApi) -> None:
    line = {"cron": "* * * * *", "job": {"array": [1]}}
    first = memory.ask("POST", "/schedules", line, idempotency_key="key-1").body
    memory.pass_time(61)
    memory.dispatch()
    again = memory.ask("POST", "/schedules", line, idempotency_key="key-1")
    assert (again.status, again.body["id"]) == (200, first["id"])
    assert again.body["next_run_at"] > first["next_run_at"]


@pytest.mark.parametrize("path", ["/groups/group_a/runs", "/jobs/{id}/retry"])
def test_a_body_where_none_is_read_is_refused_and_nothing_starts(memory: MemoryApi, path: str) -> None:
    job = memory.submit(task="fail", input={"message": "no"}, max_attempts=1)
    memory.work()
    refused = memory.ask("POST", path.format(id=job["id"]), {"run_in": "1h"})
    assert (refused.status, refused.locs) == (422, ["run_in"])
    assert [each["status"] for each in memory.ask("GET", "/jobs").body["jobs"]] == ["failed"]
