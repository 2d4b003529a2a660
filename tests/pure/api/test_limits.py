"""What one owner may have at once: so many schedules, so many uploads whose links are still good."""

import pytest

from chalicelib.service.schedules import MOST_SCHEDULES
from chalicelib.service.uploads import MOST_OPEN
from tests.pure.api.conftest import MemoryApi

LINE = {"cron": "* * * * *", "job": {"array": [1]}}


def test_an_owner_has_at_most_a_hundred_schedules(memory: MemoryApi) -> None:
    made = [memory.ask("POST", "/schedules", LINE, idempotency_key=f"key-{n}") for n in range(MOST_SCHEDULES)]
    assert {answer.status for answer in made} == {201}
    refused = memory.ask("POST", "/schedules", LINE)
    assert (refused.status, refused.body["type"]) == (429, "urn:sortie:limit-reached")
    assert "at most 100 schedules" in refused.body["detail"]
    assert "Retry-After" not in refused.headers
    assert memory.ask("POST", "/schedules", LINE, idempotency_key="key-7").status == 200, "a repeat makes none"
    memory.ask("DELETE", f"/schedules/{made[0].body['id']}")
    assert memory.ask("POST", "/schedules", LINE).status == 201


def test_an_owner_has_at_most_a_hundred_uploads_whose_links_are_good(memory: MemoryApi) -> None:
    first = memory.ask("POST", "/uploads", {"bytes": 7}, idempotency_key="key-1")
    memory.pass_time(60)
    made = [memory.ask("POST", "/uploads", {"bytes": 7}).status for _ in range(MOST_OPEN - 1)]
    assert set(made) == {201}
    refused = memory.ask("POST", "/uploads", {"bytes": 7})
    assert (refused.status, refused.body["type"]) == (429, "urn:sortie:limit-reached")
    assert int(refused.headers["Retry-After"]) == 900 - 60
    again = memory.ask("POST", "/uploads", {"bytes": 7}, idempotency_key="key-1")
    assert (again.status, again.body["id"]) == (201, first.body["id"]), "a repeat is no upload more"
    memory.pass_time(900)
    assert memory.ask("POST", "/uploads", {"bytes": 7}).status == 201


def test_a_log_that_repeats_often_waits_between_its_lines(memory: MemoryApi) -> None:
    for times in (0, 101):
        flood = {"task": "log", "input": {"message": "x", "times": times, "interval": 0}}
        assert memory.ask("POST", "/jobs", flood).locs == ["input.interval"]
    few = {"task": "log", "input": {"message": "x", "times": 100, "interval": 0}}
    assert memory.ask("POST", "/jobs", few).status == 202
    log = memory.ports.tasks["log"]
    start = memory.clock.now()
    context = Counting(memory)
    with pytest.raises(TimeoutError):
        log.run(log.decode(b'{"message":"x","times":0,"interval":0}'), context)
    assert memory.clock.now() - start >= 900, "what an older version took is slowed down"


class Counting:
    """A context that ends the task at its tenth pause."""

    attempt, deadline = 1, 100.0

    def __init__(self, api: MemoryApi) -> None:
        self.api, self.pauses = api, 0

    def progress(self, fraction: float) -> None: ...

    def checkpoint(self) -> None: ...

    def pause(self, seconds: float) -> None:
        self.api.pass_time(seconds)
        self.pauses += 1
        if self.pauses == 10:
            raise TimeoutError


def test_an_upload_says_how_long_it_is(memory: MemoryApi) -> None:
    bodies: list[dict[str, int] | None] = [None, {}]
    for body in bodies:
        refused = memory.ask("POST", "/uploads", body)
        assert (refused.status, refused.locs) == (422, ["bytes"])
        assert '{"bytes": 12345}' in refused.body["errors"][0]["msg"]
