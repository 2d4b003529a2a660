"""An ended job makes a new one, with changed fields if given; who steered a job, and its trace, stay with it."""

import logging
from typing import Any

import pytest

from chalicelib.core.job import Job
from chalicelib.errors import FieldError, Invalid
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import submit, submit_judged
from tests.pure.api.conftest import Api, MemoryApi, MotoApi

ALICES = NewJob(owner="alice", task="sort", input=b'{"array":[2,1]}')
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def again(api: Api, job_id: str, body: Any = None, key: str | None = None) -> Any:
    answer = api.ask("POST", f"/jobs/{job_id}/run-again", body, idempotency_key=key)
    assert answer.status == 202, answer.body
    assert answer.headers["Location"].endswith(answer.body["id"])
    return answer.body


def ended(api: Api, how: str) -> Any:
    if how == "canceled":
        job = api.submit(task="sleep", input={"seconds": 0}, run_in="1h")
        api.ask("DELETE", f"/jobs/{job['id']}")
        return api.job(job["id"])
    request: dict[str, Any]
    request = {"completed": {"array": [2, 1]}, "failed": {"task": "fail", "input": {"message": "x"}, "max_attempts": 1}}
    job = api.submit(**request[how], object_id=7, timeout=5)
    api.work()
    return api.job(job["id"])


@pytest.mark.parametrize("how", ["completed", "failed", "canceled"])
def test_a_job_runs_again_however_it_ended_and_keeps_its_parent(api: Api, how: str) -> None:
    parent = ended(api, how)
    assert (parent["status"], parent["parent_id"]) == (how, None)
    child = again(api, parent["id"])
    assert child["id"] > parent["id"]
    assert child["parent_id"] == parent["id"]
    same = ("task", "input", "object_id", "timeout", "max_attempts", "owner")
    assert {name: child[name] for name in same} == {name: parent[name] for name in same}
    assert (child["status"], child["attempts"], child["error"]) == ("pending", 0, None)
    api.work()
    if how != "failed":
        assert api.job(child["id"])["status"] == "completed"
    assert api.job(parent["id"]) == parent, "the earlier job is as it was"


def test_changed_fields_are_the_new_jobs_and_the_rest_stays(memory: MemoryApi) -> None:
    parent = ended(memory, "completed")
    child = again(memory, parent["id"], {"array": [9, 8, 7], "timeout": 9, "object_id": "x", "run_in": "1h"})
    assert child["input"] == {"array": [9, 8, 7]}
    assert (child["timeout"], child["object_id"], child["status"]) == (9, "x", "scheduled")
    window = {"seconds": 60, "on_repeat": "reject"}
    assert again(memory, parent["id"], {"window": window})["window"]["seconds"] == 60
    assert memory.ask("POST", f"/jobs/{parent['id']}/run-again", {"window": window}).status == 429
    nobody = again(memory, parent["id"], {"object_id": None, "input": {"array": [1], "descending": True}})
    assert (nobody["object_id"], nobody["input"]) == (None, {"array": [1], "descending": True})


def test_a_large_input_is_kept_for_the_new_job_by_itself(moto: MotoApi) -> None:
    numbers = list(range(3_000, 0, -1))
    parent = moto.submit(array=numbers)
    upload = moto.ask("POST", "/uploads", {"bytes": 6}).body
    moto.put(upload, b"3\n1\n2\n")
    uploaded = moto.submit(task="sort", input={"upload": upload["id"]})
    moto.work()
    children = [again(moto, parent["id"]), again(moto, uploaded["id"])]
    for row in (parent, uploaded):
        stored = moto.ports.jobs.get(row["id"])
        assert stored
        moto.remove_object(stored.input.key)  # type: ignore[union-attr]
    moto.work()
    outputs = [moto.job(child["id"])["output"]["array"] for child in children]
    assert outputs == [sorted(numbers), [1, 2, 3]]


def test_the_same_request_makes_one_job_and_for_another_parent_another(api: Api) -> None:
    first, second = ended(api, "completed"), ended(api, "completed")
    child = again(api, first["id"], {"timeout": 3}, key="k")
    repeat = api.ask("POST", f"/jobs/{first['id']}/run-again", {"timeout": 3}, idempotency_key="k")
    assert (repeat.status, repeat.body["id"]) == (200, child["id"])
    other = api.ask("POST", f"/jobs/{second['id']}/run-again", {"timeout": 3}, idempotency_key="k")
    assert other.status == 422, "a key stands for one request"


def ended_of_alice(api: Api) -> Job:
    job = submit(api.ports, ALICES).job
    api.work()
    return job


def test_a_key_is_of_whoever_asks_though_the_job_is_its_owners(api: Api) -> None:
    """The admin `local` runs a job of alice's again: her own keys are as they were."""
    parent = ended_of_alice(api)
    child = again(api, parent.id, key="k")
    assert child["owner"] == "alice"
    repeat = api.ask("POST", f"/jobs/{parent.id}/run-again", idempotency_key="k")
    assert (repeat.status, repeat.body["id"]) == (200, child["id"])
    assert submit(api.ports, ALICES, key="k", body=b"hers").created
    assert api.ask("POST", "/jobs", {"array": [1]}, idempotency_key="k").status == 422


def test_a_key_that_was_kept_under_the_owners_name_is_still_known(api: Api) -> None:
    """As the version before kept it."""
    parent = ended_of_alice(api)
    before = submit(api.ports, ALICES, key="k", body=f"{parent.id}\n".encode()).job
    for _ in range(2):
        answer = api.ask("POST", f"/jobs/{parent.id}/run-again", idempotency_key="k")
        assert (answer.status, answer.body["id"]) == (200, before.id)


def test_a_key_gives_nobody_a_job_of_another_owner(api: Api) -> None:
    """Of an admin, say, who is none any more, and sends the bytes under which the job was made."""
    parent = ended_of_alice(api)
    again(api, parent.id, key="k")
    with pytest.raises(Invalid):
        submit_judged(api.ports, "local", Invalid(FieldError("", "no JSON")), key="k", body=f"{parent.id}\n".encode())


@pytest.mark.parametrize(
    ("body", "status", "loc"),
    [
        ({"task": "sleep"}, 422, "task"), ({"array": [1, "x"]}, 422, "array[1]"), ({"input": {"y": 1}}, 422, "input.y"),
        ({"timeout": 0}, 422, "timeout"), ({"run_in": "1h", "run_at": "2030-01-01T00:00:00Z"}, 422, "run_at"),
        ({"object_id": None, "window": {"seconds": 5}}, 422, "window"), ([], 422, ""),
    ],
)  # fmt: skip
def test_a_change_that_is_wrong_is_refused_with_its_place(memory: MemoryApi, body: Any, status: int, loc: str) -> None:
    answer = memory.ask("POST", f"/jobs/{ended(memory, 'completed')['id']}/run-again", body)
    assert answer.status == status, answer.body
    assert answer.locs == [loc]


def test_a_job_that_goes_on_and_one_that_is_not_there_are_refused(memory: MemoryApi) -> None:
    job = memory.submit(array=[1])
    assert memory.ask("POST", f"/jobs/{job['id']}/run-again").status == 409
    assert memory.ask("POST", "/jobs/01m8aek5rf07k6ds0twh8pd1qt/run-again").status == 404
    failed = ended(memory, "failed")
    answer = memory.ask("POST", f"/jobs/{failed['id']}/run-again", {"array": [1]})
    assert (answer.status, answer.locs) == (422, ["array"])


def test_who_canceled_and_who_retried_is_kept_with_the_job_and_when(memory: MemoryApi) -> None:
    job = memory.submit(task="sleep", input={"seconds": 0}, run_in="1h")
    assert (job["canceled_by"], job["canceled_at"], job["retried_by"], job["retried_at"]) == (None, None, None, None)
    memory.clock.advance(5)
    canceled = memory.ask("DELETE", f"/jobs/{job['id']}").body
    assert (canceled["canceled_by"], canceled["canceled_at"]) == ("local", canceled["finished_at"])
    memory.clock.advance(5)
    retried = memory.ask("POST", f"/jobs/{job['id']}/retry").body
    assert (retried["retried_by"], retried["canceled_by"]) == ("local", "local")
    assert retried["retried_at"] > retried["canceled_at"]


def test_a_trace_goes_with_the_job_into_every_line_of_its_log(
    memory: MemoryApi, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sortie"):
        job = memory.ask("POST", "/jobs", {"array": [2, 1]}, traceparent=TRACE).body
        memory.work()
    assert memory.job(job["id"])["traceparent"] == TRACE
    lines = [record.getMessage() for record in caplog.records if job["id"] in record.getMessage()]
    assert len(lines) >= 2
    assert all(f'"traceparent":"{TRACE}"' in line for line in lines)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        TRACE.upper(),
        "ff" + TRACE[2:],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        TRACE + "-more",
        TRACE[:-15] + "0" * 12,
    ],
)
def test_a_trace_that_is_not_well_formed_is_as_if_it_were_not_there(memory: MemoryApi, header: str) -> None:
    answer = memory.ask("POST", "/jobs", {"array": [1]}, traceparent=header)
    assert (answer.status, answer.body["traceparent"]) == (202, None)
