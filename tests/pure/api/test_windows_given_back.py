"""A job that ended before it ever started gives its window back. Who has it by then stands in the way of a retry."""

from typing import Any

import pytest

from tests.pure.api.conftest import Api, MemoryApi

MODES = ("delay", "reuse", "reject")


def submit(api: Api, on_repeat: str, seconds: int = 300, **more: Any) -> Any:
    window = {"seconds": seconds, "on_repeat": on_repeat}
    return api.ask("POST", "/jobs", {"array": [2, 1], "object_id": "order-1", "window": window, **more})


@pytest.mark.parametrize("mode", MODES)
def test_a_job_that_was_canceled_before_it_started_leaves_its_window_to_the_next(api: Api, mode: str) -> None:
    far = submit(api, mode, run_in="300d").body
    assert api.ask("DELETE", f"/jobs/{far['id']}").status == 200
    near = submit(api, mode)
    assert (near.status, near.body["status"]) == (202, "pending")
    assert near.body["run_at"] < far["run_at"]
    assert api.job(far["id"])["window"]["job_id"] == near.body["id"]
    api.work()
    assert api.job(near.body["id"])["status"] == "completed"


@pytest.mark.parametrize("mode", MODES)
def test_a_retry_of_a_job_whose_window_another_holds_is_a_conflict_that_names_it(api: Api, mode: str) -> None:
    first = submit(api, mode).body
    api.ask("DELETE", f"/jobs/{first['id']}")
    second = submit(api, mode).body
    refused = api.ask("POST", f"/jobs/{first['id']}/retry")
    assert (refused.status, refused.body["type"]) == (409, "urn:sortie:window-taken")
    assert second["id"] in refused.body["detail"]
    assert api.job(first["id"])["status"] == "canceled"
    api.ask("DELETE", f"/jobs/{second['id']}")
    assert api.ask("POST", f"/jobs/{second['id']}/retry").status == 202, "nobody has taken its own"


@pytest.mark.parametrize("mode", ["delay", "reject"])
def test_a_job_that_was_retried_in_time_holds_its_window_again(api: Api, mode: str) -> None:
    first = submit(api, mode).body
    api.ask("DELETE", f"/jobs/{first['id']}")
    assert api.ask("POST", f"/jobs/{first['id']}/retry").status == 202
    later = submit(api, mode)
    if mode == "reject":
        assert later.status == 429
    else:
        assert later.body["run_at"] == first["window"]["ends_at"]


def test_a_job_that_had_started_keeps_its_window_under_delay_and_reject(memory: MemoryApi) -> None:
    first = memory.submit(task="fail", input={"message": "no"}, max_attempts=1, object_id="order-1",
                          window={"seconds": 300})  # fmt: skip
    memory.work()
    assert memory.job(first["id"])["status"] == "failed"
    assert submit(memory, "reject").status == 429
    assert submit(memory, "delay").body["run_at"] == first["window"]["ends_at"]


def test_an_earlier_place_in_a_chain_of_delays_stays_empty(memory: MemoryApi) -> None:
    first, second = submit(memory, "delay").body, submit(memory, "delay").body
    memory.ask("DELETE", f"/jobs/{first['id']}")
    third = submit(memory, "delay").body
    assert third["run_at"] == second["window"]["ends_at"]
    memory.ask("DELETE", f"/jobs/{third['id']}")
    assert submit(memory, "delay").body["run_at"] == third["run_at"], "the newest place is taken again"


def test_who_takes_a_place_over_keeps_clear_of_the_window_before_by_the_longer_of_both(memory: MemoryApi) -> None:
    first, second = submit(memory, "delay", 60).body, submit(memory, "delay", 60).body
    memory.ask("DELETE", f"/jobs/{second['id']}")
    assert submit(memory, "reject", 60).status == 429, "the first one's window is still going on"
    memory.pass_time(61)
    memory.work()
    third = submit(memory, "delay", 300).body
    assert third["run_at"][:19] == "2027-01-15T08:05:00", (first["run_at"], third["run_at"])


def test_a_place_is_free_when_the_row_of_its_canceled_job_is_gone(memory: MemoryApi) -> None:
    far = submit(memory, "delay", run_in="300d").body
    memory.ask("DELETE", f"/jobs/{far['id']}")
    memory.pass_time(8 * 86_400)
    memory.ports.jobs.table.jobs.pop(far["id"])  # type: ignore[attr-defined]
    assert submit(memory, "delay").body["status"] == "pending"
