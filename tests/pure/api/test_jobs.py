"""The routes of jobs, to the letter of the contract: status codes, headers, fields and their types."""

import re
from typing import Any

import pytest

from chalicelib.core.times import from_millis, to_rfc3339
from tests.pure.api.conftest import Api, MemoryApi

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TIMES = ("created_at", "run_at", "started_at", "finished_at")
FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str, "task": str, "status": str, "object_id": (str, int, type(None)), "group": (str, type(None)),
    "run_id": (str, type(None)), "owner": str, "created_at": str, "run_at": str, "started_at": (str, type(None)),
    "finished_at": (str, type(None)), "duration_ms": (float, type(None)), "attempts": int, "max_attempts": int,
    "timeout": float, "progress": (float, int, type(None)), "error": (dict, type(None)), "input": dict,
    "output": (dict, type(None)),
}  # fmt: skip


def has_the_fields_of_a_job(job: Any) -> bool:
    right = all(isinstance(job[name], kinds) for name, kinds in FIELDS.items())
    return right and all(TIME.fullmatch(job[name]) for name in TIMES if job[name] is not None)


def test_a_job_is_accepted_where_it_can_be_found(api: Api) -> None:
    answer = api.ask("POST", "/jobs", {"array": [3, 1, 2]})
    assert answer.status == 202
    assert answer.headers["Location"] == f"/jobs/{answer.body['id']}"
    assert answer.headers["Content-Type"] == "application/json"
    assert has_the_fields_of_a_job(answer.body)
    assert answer.body["status"] == "pending"
    assert api.job(answer.body["id"])["input"] == {"array": [3, 1, 2]}


def test_a_completed_job_has_its_output_and_its_times(api: Api) -> None:
    job = api.submit(task="sort", input={"array": [3, 1.5, 2], "descending": True}, max_attempts=1, timeout=9)
    api.work()
    done = api.job(job["id"])
    assert has_the_fields_of_a_job(done)
    assert (done["status"], done["output"]) == ("completed", {"array": [3, 2, 1.5]})
    assert (done["attempts"], done["max_attempts"], done["timeout"], done["error"]) == (1, 1, 9, None)
    assert all(done[name] for name in TIMES)
    assert round(done["duration_ms"], 3) == done["duration_ms"] >= 0


def test_the_body_may_say_utf_8(api: Api) -> None:
    for kind in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        assert api.ask("POST", "/jobs", {"array": []}, content_type=kind).status == 202


def test_a_key_makes_one_job_however_often_it_is_sent(api: Api) -> None:
    first = api.ask("POST", "/jobs", {"array": [1]}, idempotency_key="k" * 255)
    again = api.ask("POST", "/jobs", {"array": [1]}, idempotency_key="k" * 255)
    other = api.ask("POST", "/jobs", {"array": [2]}, idempotency_key="k" * 255)
    assert (first.status, again.status, other.status) == (202, 200, 422)
    assert again.body["id"] == first.body["id"]
    assert again.headers["Location"] == first.headers["Location"]
    assert other.body["type"] == "urn:sortie:key-reused"


def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    assert api.ask("POST", "/jobs", {"array": ["x"]}, idempotency_key="free").status == 422
    assert api.ask("POST", "/jobs", {"array": [1]}, idempotency_key="free").status == 202


def test_a_bulk_is_answered_in_order(api: Api) -> None:
    entries: list[Any] = [{"array": [n]} for n in range(100)]
    entries[50] = {"array": [1], "colour": "red"}
    answer = api.ask("POST", "/jobs/bulk", {"jobs": entries})
    assert answer.status == 207
    results = answer.body["results"]
    assert [result["status"] for result in results] == [202] * 50 + [422] + [202] * 49
    assert [r["job"]["input"]["array"][0] for r in results if "job" in r] == [*range(50), *range(51, 100)]
    assert all(has_the_fields_of_a_job(result["job"]) for result in results if "job" in result)
    assert results[50]["problem"]["errors"][0]["loc"] == "colour"
    assert len(api.ask("GET", "/jobs?status=pending&limit=100").body["jobs"]) == 99


def test_a_bulk_may_be_sent_again_under_its_key(api: Api) -> None:
    body = {"jobs": [{"array": [1]}, {"array": [2]}]}
    first, again = (api.ask("POST", "/jobs/bulk", body, idempotency_key="b") for _ in range(2))
    assert [result["status"] for result in again.body["results"]] == [200, 200]
    assert [r["job"]["id"] for r in first.body["results"]] == [r["job"]["id"] for r in again.body["results"]]


def test_a_repeated_bulk_links_to_large_outputs_which_share_one_answer(api: Api) -> None:
    body = {"jobs": [{"array": list(range(3_000))}] * 2}
    api.ask("POST", "/jobs/bulk", body, idempotency_key="large")
    api.work()
    again = api.ask("POST", "/jobs/bulk", body, idempotency_key="large").body["results"]
    assert [set(result["job"]["output"]) for result in again] == [{"href", "bytes"}] * 2
    assert len(api.job(again[0]["job"]["id"])["output"]["array"]) == 3_000


def test_a_waiting_job_is_canceled_and_stays_so(api: Api) -> None:
    job = api.submit(array=[1])
    answer = api.ask("DELETE", f"/jobs/{job['id']}")
    assert (answer.status, answer.body["status"]) == (200, "canceled")
    api.work()
    assert api.job(job["id"])["started_at"] is None
    assert api.ask("DELETE", f"/jobs/{job['id']}").status == 409


def test_an_ended_job_cannot_be_canceled_and_a_completed_one_not_retried(api: Api) -> None:
    job = api.submit(array=[1])
    assert api.ask("POST", f"/jobs/{job['id']}/retry").status == 409
    api.work()
    assert api.ask("DELETE", f"/jobs/{job['id']}").status == 409
    answer = api.ask("POST", f"/jobs/{job['id']}/retry")
    assert (answer.status, answer.headers["Content-Type"]) == (409, "application/problem+json")


def test_a_failed_job_is_retried_by_hand_with_its_attempts_going_on(api: Api) -> None:
    job = api.submit(task="fail", input={"message": "broken", "times": 1}, max_attempts=1)
    api.work()
    failed = api.job(job["id"])
    assert (failed["status"], failed["error"]) == ("failed", {"type": "task_error", "message": "broken"})
    answer = api.ask("POST", f"/jobs/{job['id']}/retry")
    assert (answer.status, answer.body["status"]) == (202, "pending")
    api.work()
    done = api.job(job["id"])
    assert (done["status"], done["attempts"], done["output"]) == ("completed", 2, {"attempts": 2})


def test_a_failed_attempt_is_scheduled_again(memory: MemoryApi) -> None:
    job = memory.submit(task="fail", input={"message": "broken", "times": 1})
    memory.work()
    assert memory.job(job["id"])["status"] == "scheduled"
    memory.pass_time(900)
    memory.dispatch()
    memory.work()
    assert memory.job(job["id"])["status"] == "completed"


def test_waiting_for_a_job_lasts_no_longer_than_asked(memory: MemoryApi) -> None:
    job = memory.submit(array=[1], run_in="1h")
    before = memory.clock.now()
    answer = memory.ask("GET", f"/jobs/{job['id']}?wait=25")
    assert (answer.status, answer.body["status"]) == (200, "scheduled")
    assert memory.clock.now() - before == 25_000


def test_an_ended_job_is_not_waited_for(memory: MemoryApi) -> None:
    job = memory.submit(array=[1])
    memory.work()
    before = memory.clock.now()
    assert memory.ask("GET", f"/jobs/{job['id']}?wait=25").body["status"] == "completed"
    assert memory.clock.now() == before


@pytest.mark.parametrize(("written", "seconds"), [("30s", 30), ("2m", 120), ("1h", 3600), ("4d", 345_600), (5, 5)])
def test_a_job_is_due_when_run_in_says(memory: MemoryApi, written: Any, seconds: int) -> None:
    job = memory.submit(array=[1], run_in=written)
    assert job["status"] == "scheduled"
    memory.pass_time(seconds - 0.001)
    memory.dispatch()
    memory.work()
    assert memory.job(job["id"])["status"] == "scheduled"
    memory.dispatch()
    memory.pass_time(1)
    memory.work()
    assert memory.job(job["id"])["status"] == "completed"


@pytest.mark.parametrize("written", ["2027-02-01T00:00:00Z", "2027-02-01T01:00:00+01:00", "01-02-2027 00:00:00"])
def test_run_at_is_taken_in_both_forms(memory: MemoryApi, written: str) -> None:
    assert memory.submit(array=[1], run_at=written)["run_at"] == "2027-02-01T00:00:00.000Z"


def test_a_second_job_of_an_object_gets_what_its_window_says(api: Api) -> None:
    window = {"seconds": 60, "on_repeat": "delay"}
    jobs = [api.submit(array=[1], object_id="o", window=window) for _ in range(3)]
    assert [job["status"] for job in jobs] == ["pending", "scheduled", "scheduled"]
    assert jobs[0]["window_ends_at"] == jobs[1]["run_at"]
    assert jobs[1]["window_ends_at"] == jobs[2]["run_at"]
    reused = api.ask("POST", "/jobs", {"array": [1], "object_id": "o", "window": {"on_repeat": "reuse"}})
    assert (reused.status, reused.body["id"]) == (200, jobs[2]["id"])
    refused = api.ask("POST", "/jobs", {"array": [1], "object_id": "o", "window": window | {"on_repeat": "reject"}})
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 180
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_an_integer_and_the_same_digits_as_text_are_two_objects(api: Api) -> None:
    for name in (7, "7"):
        assert api.submit(array=[1], object_id=name, window={"on_repeat": "reject"})["object_id"] == name


def test_a_canceled_job_is_not_reused(api: Api) -> None:
    window = {"on_repeat": "reuse"}
    first = api.submit(array=[1], object_id=1, window=window)
    api.ask("DELETE", f"/jobs/{first['id']}")
    again = api.ask("POST", "/jobs", {"array": [1], "object_id": 1, "window": window})
    assert (again.status, again.body["id"] == first["id"]) == (202, False)


def test_numbers_come_back_as_they_were_sent(api: Api) -> None:
    raw = b'{"array":[1e2,100,-0.0,0,9007199254740993,18446744073709551616,1e-7,%b]}' % (b"9" * 4_000)
    job = api.ask("POST", "/jobs", raw=raw).body
    api.work()
    output = api.job(job["id"])["output"]["array"]
    assert [type(number) for number in output] == [float, int, float, float, int, int, int, int]
    assert output[-1] == int("9" * 4_000)


def test_a_large_payload_is_kept_elsewhere_and_read_the_same(api: Api) -> None:
    numbers = list(range(20_000, 0, -1))
    job = api.submit(array=numbers)
    assert set(job["input"]) == {"href", "bytes"}
    api.work()
    assert api.job(job["id"])["output"]["array"] == sorted(numbers)


def test_a_repeat_gets_its_job_though_its_time_has_come_since(api: Api) -> None:
    soon = from_millis(api.ports.clock.now() + 1_500)
    body = {"array": [2, 1], "run_at": to_rfc3339(soon)}
    first = api.ask("POST", "/jobs", body, idempotency_key="late")
    api.ports.clock.pause(3)
    again = api.ask("POST", "/jobs", body, idempotency_key="late")
    assert (first.status, again.status) == (202, 200)
    assert again.body["id"] == first.body["id"]
    assert api.ask("POST", "/jobs", body, idempotency_key="new").status == 422
    assert api.ask("POST", "/jobs", body | {"array": [3]}, idempotency_key="late").status == 422
