"""Groups, schedules, uploads, stats, health, pages and what is common to all routes."""

from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from chalicelib.core.lane import Lane
from chalicelib.ports import Depth
from chalicelib.service import health
from tests.pure.api.conftest import Api, MemoryApi, MotoApi
from tests.pure.api.test_jobs import TIME, has_the_fields_of_a_job
from tests.support.fakes import StoppedClock

EVERY_MINUTE = {"cron": "* * * * *", "timezone": "Europe/Berlin", "job": {"array": [2, 1]}}


def test_groups_are_listed_with_what_is_wrong_with_them(api: Api) -> None:
    answer = api.ask("GET", "/groups")
    assert answer.status == 200
    a, b, c, d = answer.body["groups"]
    assert (a["name"], a["jobs"], a["problems"]) == ("group_a", ["job_a1", "job_a2", "job_a3"], [])
    assert (b["name"], b["jobs"]) == ("group_b", ["job_b1", "job_b2", "job_b3"])
    assert [problem["job"] for problem in b["problems"]] == ["job_b1", "job_b2", "job_b3"]
    assert len({problem["loc"] for problem in b["problems"]}) == 3
    assert (c["name"], c["jobs"], len(c["problems"])) == ("group_c", [], 1)
    assert (d["name"], [problem["job"] for problem in d["problems"]]) == ("group_d", ["job_d1"])  # no engine here
    assert api.ask("GET", "/groups/group_b").body == {"groups": [b]}


def test_a_run_starts_every_job_of_its_group_and_shows_how_far_it_is(api: Api) -> None:
    answer = api.ask("POST", "/groups/group_a/runs")
    assert answer.status == 202
    assert set(answer.body) == {"run_id", "group", "jobs"}
    href = f"/groups/group_a/runs/{answer.body['run_id']}"
    assert answer.headers["Location"] == href
    assert [job["href"] for job in answer.body["jobs"]] == [f"/jobs/{job['id']}" for job in answer.body["jobs"]]
    before = api.ask("GET", href).body
    assert (before["counts"]["pending"], before["progress"]) == (3, 0)
    api.ask("DELETE", answer.body["jobs"][2]["href"])
    api.work()
    after = api.ask("GET", href).body
    assert (after["run_id"], after["group"], after["progress"]) == (answer.body["run_id"], "group_a", 1)
    assert {status: count for status, count in after["counts"].items() if count} == {"completed": 2, "canceled": 1}
    assert [job["id"] for job in after["jobs"]] == [job["id"] for job in answer.body["jobs"]]
    assert {(job["group"], job["run_id"]) for job in after["jobs"]} == {("group_a", answer.body["run_id"])}


@pytest.mark.parametrize(("name", "faults"), [("group_b", 3), ("group_c", 1)])
def test_an_invalid_or_empty_group_starts_nothing_and_names_each_fault(api: Api, name: str, faults: int) -> None:
    answer = api.ask("POST", f"/groups/{name}/runs")
    assert (answer.status, len(answer.body["errors"])) == (422, faults)
    assert api.ask("GET", "/jobs").body["jobs"] == []


def test_a_schedule_is_made_listed_and_removed(api: Api) -> None:
    daily = EVERY_MINUTE | {"cron": "0 3 * * *"}
    answer = api.ask("POST", "/schedules", daily)
    assert answer.status == 201
    assert TIME.fullmatch(answer.body["next_run_at"])
    assert {name: answer.body[name] for name in daily} == daily
    href = f"/schedules/{answer.body['id']}"
    assert answer.headers["Location"] == href
    assert api.ask("GET", href).body == answer.body
    summary = {name: value for name, value in answer.body.items() if name != "job"}
    assert summary["task"] == "sort"
    assert api.ask("GET", "/schedules").body == {"schedules": [summary], "next": None}
    gone = api.ask("DELETE", f"/schedules/{answer.body['id']}")
    assert (gone.status, gone.raw) == (204, b"")
    assert api.ask("GET", "/schedules").body == {"schedules": [], "next": None}
    assert api.ask("GET", href).status == 404
    assert api.ask("DELETE", f"/schedules/{answer.body['id']}").status == 404


def test_a_schedule_fires_once_a_slot_and_catches_a_missed_slot_up_once(memory: MemoryApi) -> None:
    memory.ask("POST", "/schedules", EVERY_MINUTE)
    for seconds in (61, 300):
        memory.pass_time(seconds)
        for _ in range(3):
            memory.dispatch()
        memory.work()
    [schedule] = memory.ask("GET", "/schedules").body["schedules"]
    jobs = memory.ask("GET", f"/jobs?schedule_id={schedule['id']}").body["jobs"]
    assert [job["status"] for job in jobs] == ["scheduled", "completed", "completed", "completed"]
    assert jobs[0]["slot_at"] == jobs[0]["run_at"] == schedule["next_run_at"], "the one that is ahead"
    assert [job["slot_at"][14:16] for job in jobs] == ["07", "06", "02", "01"], "what was missed is caught up once"


def test_a_job_that_is_made_ahead_runs_at_its_slot_and_says_whose_it_is(memory: MemoryApi) -> None:
    line = {"cron": "*/10 * * * *", "job": {"array": [2, 1]}}
    schedule = memory.ask("POST", "/schedules", line).body
    assert memory.ask("GET", "/jobs").body["jobs"] == []
    memory.pass_time(460)
    memory.dispatch()
    [job] = memory.ask("GET", f"/jobs?schedule_id={schedule['id']}").body["jobs"]
    assert (job["schedule_id"], job["slot_at"], job["status"]) == (schedule["id"], schedule["next_run_at"], "scheduled")
    seen = memory.ask("GET", f"/schedules/{schedule['id']}").body
    assert (seen["next_run_at"], seen["next_runs"]) == (schedule["next_run_at"], schedule["next_runs"])
    memory.pass_time(139)
    memory.work()
    assert memory.job(job["id"])["status"] == "scheduled"
    memory.pass_time(1)
    memory.work()
    assert memory.job(job["id"])["status"] == "completed"
    seen = memory.ask("GET", f"/schedules/{schedule['id']}").body
    assert (seen["next_run_at"], seen["next_runs"][:4]) == (schedule["next_runs"][1], schedule["next_runs"][1:])
    assert memory.ask("GET", f"/jobs?schedule_id={schedule['id']}x").body["jobs"] == []


def test_a_first_slot_that_is_near_is_made_with_the_schedule(memory: MemoryApi) -> None:
    memory.pass_time(59)
    schedule = memory.ask("POST", "/schedules", EVERY_MINUTE).body
    [job] = memory.ask("GET", "/jobs").body["jobs"]
    assert job["slot_at"] == schedule["next_run_at"]
    memory.pass_time(1)
    memory.work()
    assert memory.job(job["id"])["status"] == "completed"


def test_a_removed_schedule_takes_the_job_that_is_ahead_with_it(memory: MemoryApi) -> None:
    schedule = memory.ask("POST", "/schedules", EVERY_MINUTE).body
    assert memory.ask("DELETE", f"/schedules/{schedule['id']}").status == 204
    memory.pass_time(120)
    memory.dispatch()
    memory.work()
    [job] = memory.ask("GET", f"/jobs?schedule_id={schedule['id']}").body["jobs"]
    assert (job["status"], job["attempts"], job["canceled_by"]) == ("canceled", 0, "local")
    assert memory.ask("GET", "/stats").body["counts"]["canceled"] == 1


def test_the_job_of_a_window_is_made_when_its_slot_has_come(memory: MemoryApi) -> None:
    job = {"array": [1], "object_id": "x", "window": {"seconds": 60}}
    schedule = memory.ask("POST", "/schedules", {"cron": "* * * * *", "job": job}).body
    memory.pass_time(59)
    memory.dispatch()
    assert memory.ask("GET", "/jobs").body["jobs"] == []
    memory.pass_time(21)
    memory.dispatch()
    [late] = memory.ask("GET", "/jobs").body["jobs"]
    assert (late["slot_at"], late["schedule_id"]) == (schedule["next_run_at"], schedule["id"])
    assert late["run_at"] > late["slot_at"]


@pytest.mark.parametrize(
    ("data", "output"),
    [
        (b"[3, 1.5, 2]", [1.5, 2, 3]),
        (b"3\n1.5\r\n\n 2 \n", [1.5, 2, 3]),
        (b'{"array": [3, 1.5, 2], "descending": true}', [3, 2, 1.5]),
        (b"", []),
    ],
    ids=["array", "text", "object", "nothing"],
)
def test_an_upload_is_sorted_in_each_of_its_forms(moto: MotoApi, data: bytes, output: list[float]) -> None:
    answer = moto.ask("POST", "/uploads", {"bytes": max(1, len(data))})
    assert answer.status == 201
    assert set(answer.body) == {"id", "href", "headers", "expires_at"}
    assert TIME.fullmatch(answer.body["expires_at"])
    assert answer.body["id"] in urlsplit(answer.body["href"]).path
    moto.put(answer.body, data)
    job = moto.submit(task="sort", input={"upload": answer.body["id"]})
    moto.work()
    assert moto.job(job["id"])["output"] == {"array": output}


def test_what_is_put_to_an_upload_after_its_job_was_accepted_changes_nothing(moto: MotoApi) -> None:
    upload = moto.ask("POST", "/uploads", {"bytes": 6}).body
    moto.put(upload, b"[2, 1]")
    job = moto.submit(task="sort", input={"upload": upload["id"]})
    moto.put(upload, b"[9, 8]")
    moto.work()
    assert moto.job(job["id"])["output"] == {"array": [1, 2]}


def test_an_upload_that_cannot_be_read_fails_its_job_alone(moto: MotoApi) -> None:
    upload = moto.ask("POST", "/uploads", {"bytes": 9}).body
    moto.put(upload, b'[1, "two"]')
    job = moto.submit(task="sort", input={"upload": upload["id"]}, max_attempts=1)
    good = moto.submit(array=[2, 1])
    moto.work()
    failed = moto.job(job["id"])
    assert (failed["status"], failed["error"]["type"]) == ("failed", "task_error")
    assert "array[1]" in failed["error"]["message"]
    assert moto.job(good["id"])["status"] == "completed"


def test_stats_count_what_is_open_and_what_has_ended(api: Api) -> None:
    for _ in range(3):
        api.submit(array=[1])
    api.submit(task="fail", input={"message": "x"}, max_attempts=1)
    api.work()
    api.submit(array=[1])
    api.submit(array=[1], run_in="1h")
    answer = api.ask("GET", "/stats")
    assert answer.status == 200
    counts = answer.body["counts"]
    assert counts == {"scheduled": 1, "pending": 1, "running": 0, "completed": 3, "failed": 1, "canceled": 0}
    assert set(answer.body["queue"]) == {"waiting", "in_flight", "delayed", "dead"}
    assert answer.body["oldest_pending_seconds"] >= 0
    assert len(answer.body["per_minute"]) == 60
    assert sum(minute["completed"] for minute in answer.body["per_minute"]) == 3
    assert set(answer.body["duration_ms"]) == {"p50", "p95", "p99"}
    assert len(api.ask("GET", "/stats?span=day").body["per_minute"]) == 288


def test_health_is_200_when_all_answer(api: Api) -> None:
    assert (api.ask("GET", "/health").status, api.ask("GET", "/health").body) == (200, {"status": "ok"})


def test_health_names_what_does_not_answer(moto: MotoApi) -> None:
    moto.remove_table()
    moto.module.vitals = health.Health()  # as in a process that has just started
    answer = moto.ask("GET", "/health")
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.body["detail"].startswith("the table sortie-local does not exist")
    broken = moto.ask("POST", "/jobs", {"array": [1]})
    assert (broken.status, broken.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(broken.headers["Retry-After"]) > 0


class CountingQueue:
    looks = 0

    def depth(self, lane: Lane) -> Depth:
        self.looks += lane is Lane.LONG
        return Depth(0, 0, 0)


def test_health_looks_again_after_five_seconds(memory: Api) -> None:
    """Anybody may ask, and each look is five calls to AWS."""
    clock, queue, vitals = StoppedClock(), CountingQueue(), health.Health()
    ports = replace(memory.ports, clock=clock, queue=cast(Any, queue))
    for seconds, looks in ((0, 1), (4.9, 1), (0.2, 2)):
        clock.advance(seconds)
        assert vitals.problems(ports) == []
        assert queue.looks == looks


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_allows_nothing_from_elsewhere(memory: MemoryApi, path: str) -> None:
    answer = memory.ask("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not {"unsafe-inline", "unsafe-eval", "*"} & set(policy.replace("'", "").replace(";", "").split())


def test_every_answer_carries_a_request_id_and_may_not_be_sniffed(memory: MemoryApi) -> None:
    asked: list[tuple[str, str, Any]] = [
        *(("GET", path, None) for path in ("/", "/docs", "/openapi.json", "/jobs", "/board", "/groups", "/schedules")),
        *(("GET", path, None) for path in ("/stats", "/health", "/jobs/none", "/groups/none", "/web/pages/style.css")),
        ("POST", "/jobs", {"array": [1]}),
        ("POST", "/jobs", {"array": ["x"]}),
        ("POST", "/uploads", {"bytes": 7}),
        ("POST", "/schedules", EVERY_MINUTE),
    ]
    for method, path, body in asked:
        headers = memory.ask(method, path, body).headers
        assert headers["X-Request-Id"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
    assert memory.ask("GET", "/jobs", x_request_id="mine-7").headers["X-Request-Id"] == "mine-7"
    assert memory.ask("GET", "/jobs", x_request_id="not\x7fmine").headers["X-Request-Id"] != "not\x7fmine"


@pytest.mark.parametrize("path", ["/jobs", "/jobs/x", "/board", "/health", "/", "/schedules/x", "/uploads"])
def test_a_wrong_method_is_a_problem_that_says_what_is_allowed(memory: MemoryApi, path: str) -> None:
    for method in ("PUT", "PATCH"):
        answer = memory.ask(method, path)
        assert (answer.status, answer.headers["Content-Type"]) == (405, "application/problem+json")
        assert answer.headers["Allow"]
        assert answer.headers["X-Request-Id"]


def test_a_job_answered_anywhere_has_the_same_fields(memory: MemoryApi) -> None:
    job = memory.submit(array=[1])
    for answer in (memory.ask("GET", f"/jobs/{job['id']}"), memory.ask("DELETE", f"/jobs/{job['id']}")):
        assert has_the_fields_of_a_job(answer.body)
    summary = {name: None for name in job if name not in ("input", "output", "attempt_log")}
    assert memory.ask("GET", "/jobs").body["jobs"][0].keys() == summary.keys()
