"""Stories told at the routes, stopped at every call of a port: a request that is sent again gets what it made."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.api.fields import render_time
from chalicelib.core.access import LOCAL
from tests.pure.api.conftest import Api, Reply
from tests.pure.faults.enumeration import stop_everywhere
from tests.pure.faults.invariants import Broken
from tests.pure.faults.world import World

WINDOW = {"seconds": 600, "on_repeat": "delay"}
TRIES = 5


class Client:
    """Sends a request until it is answered by something else than 503, as clients with an Idempotency-Key do."""

    def __init__(self, module: Any, world: World) -> None:
        module.ports = world.ports
        self.world = world
        self._api = Api(module, world.ports)

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Reply:
        for _ in range(TRIES):
            reply = self.world.process(lambda: self._api.ask(method, path, body, idempotency_key=key))
            if reply is not None and reply.status != 503:
                if reply.status == 500:
                    raise Broken(f"I8: {method} {path} is answered with {reply.raw!r}")
                return reply
        raise Broken(f"{method} {path} is not answered in {TRIES} tries")

    def ask_bulk(self, body: Any) -> list[Any]:
        """The results once no entry is 503 any more."""
        for _ in range(TRIES):
            results: list[Any] = self.ask("POST", "/jobs/bulk", body, "key-1").body["results"]
            if all(result["status"] != 503 for result in results):
                return results
        raise Broken("an entry of a bulk is not answered")

    def promise(self, *job_ids: str) -> None:
        """What was answered is promised."""
        rows = {row.id: row for row in self.world.backing.rows()}
        for job_id in job_ids:
            self.world.promised(rows[job_id])

    def must(self, holds: object, words: str) -> None:
        if not holds:
            raise Broken(words)


def repeats_a_job_whose_time_has_come(client: Client) -> None:
    body = {"array": [3, 1, 2], "run_at": _rfc3339(client, seconds=60)}
    first = client.ask("POST", "/jobs", body, "key-1")
    client.must(first.status in (200, 202), f"a job that is due in a minute is answered {first.status}")
    client.promise(first.body["id"])
    client.world.clock.advance(120)
    again = client.ask("POST", "/jobs", body, "key-1")
    client.must((again.status, again.body["id"]) == (200, first.body["id"]), "I6: the repeat is another job")


def repeats_a_bulk_whose_time_has_come(client: Client) -> None:
    body = {"jobs": [{"array": [1]}, {"array": [2], "run_at": _rfc3339(client, seconds=60)}, {"array": ["x"]}]}
    first = client.ask_bulk(body)
    ids = [result["job"]["id"] for result in first[:2]]
    client.promise(*ids)
    client.world.clock.advance(120)
    again = client.ask_bulk(body)
    client.must([result["status"] for result in again] == [200, 200, 422], "I6: a bulk is made twice")
    client.must([result["job"]["id"] for result in again[:2]] == ids, "I6: a bulk makes other jobs")


def repeats_a_run(client: Client) -> None:
    answers = [client.ask("POST", "/groups/group_a/runs", key="key-1") for _ in range(2)]
    client.must(answers[0].body == answers[1].body, "I6: one key makes two runs")
    ids = [job["id"] for job in answers[0].body["jobs"]]
    client.promise(*ids)
    started = [row.id for row in client.world.backing.rows() if row.group == "group_a"]
    client.must(sorted(started) == sorted(ids), f"a run of 3 jobs has started {len(started)}")


def repeats_a_schedule(client: Client) -> None:
    body = {"cron": "0 3 1 1 *", "job": {"array": [2, 1]}}
    answers = [client.ask("POST", "/schedules", body, "key-1") for _ in range(2)]
    client.must(answers[0].body["id"] == answers[1].body["id"], "I6: one key makes two schedules")
    client.must(len(client.ask("GET", "/schedules").body["schedules"]) == 1, "a schedule is there twice")


def repeats_an_upload(client: Client) -> None:
    answers = [client.ask("POST", "/uploads", {"bytes": 7}, "key-1") for _ in range(2)]
    client.must(answers[0].body["id"] == answers[1].body["id"], "I6: one key makes two uploads")


def cancels_in_a_window_and_submits_again(client: Client) -> None:
    """What ended before it ever started gives its window back."""
    body = {"array": [1], "object_id": "order-1", "window": WINDOW, "run_in": "300d"}
    first = client.ask("POST", "/jobs", body, "key-1").body["id"]
    client.must(client.ask("DELETE", f"/jobs/{first}").status in (200, 409), "a waiting job is not canceled")
    again = client.ask("POST", "/jobs", {**body, "run_in": None}, "key-2")
    client.must(again.status in (200, 202), f"a window that was given back is answered {again.status}")
    client.promise(again.body["id"])
    row = client.world.backing.jobs.get(again.body["id"])
    client.must(
        row and row.run_at < client.world.clock.now() + 700_000, "the window of a canceled job holds for a year"
    )


def is_refused_and_makes_nothing(client: Client) -> None:
    for path in ("/groups/group_a/runs", "/jobs/01h00000000000000000000000/retry"):
        answer = client.ask("POST", path, {"run_in": "1h"})
        client.must((answer.status, answer.locs) == (422, ["run_in"]), f"{path} ignores a field")
    client.must(client.ask("POST", "/groups/group_b/runs", key="key-1").status == 422, "an invalid group is started")
    client.must(not client.world.backing.rows(), "what is refused makes a job")


def _rfc3339(client: Client, *, seconds: int) -> str:
    return render_time(client.world.clock.now() + seconds * 1000)


STORIES: dict[str, Callable[[Client], None]] = {
    story.__name__: story
    for story in (
        repeats_a_job_whose_time_has_come,
        repeats_a_bulk_whose_time_has_come,
        repeats_a_run,
        repeats_a_schedule,
        repeats_an_upload,
        cancels_in_a_window_and_submits_again,
        is_refused_and_makes_nothing,
    )
}


@pytest.fixture
def routes(module: Any) -> Iterator[Any]:
    """app.py, whose ports each story replaces."""
    real = module.ports
    yield module
    module.ports = real


@pytest.mark.parametrize("name", STORIES)
def test_a_stop_at_any_call_behind_a_route_breaks_nothing(routes: Any, name: str) -> None:
    stop_everywhere(lambda world: STORIES[name](Client(routes, world)), kind="at a route")


def test_what_is_made_at_the_routes_belongs_to_the_local_owner(routes: Any) -> None:
    world = World()
    Client(routes, world).ask("POST", "/jobs", {"array": [1]})
    assert [row.owner for row in world.backing.rows()] == [LOCAL.owner]
