"""What the first version stored works to its end under the code of today.

The JSON files here are data, never made anew: the attribute names in them are those of tables that exist. They are put
into the table as they are, by boto3, and then met only through the routes and the function handlers, with a clock that
stands at the minute in which they were written. Where an answer has more fields than it had, that is fine.
"""

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from chalice.local import LambdaContext
from chalice.test import Client
from moto import mock_aws

from chalicelib.core.lane import Lane
from dev import resources
from tests.pure.api.conftest import module as module
from tests.support.fakes import MemoryQueue, StoppedClock

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
ENDED = ("completed", "failed", "canceled")
TICK = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "account": "1", "id": "1",
        "region": "us-east-1", "resources": [], "time": "2027-01-15T00:00:00Z", "version": "0"}  # fmt: skip
ROUND, ROUNDS = 900, 11
"""Seconds between two rounds of the dispatcher, and how many reach past the last stored job."""

ENDS: Mapping[str, tuple[str, int, str | None]] = {
    "lost_attempts_left": ("completed", 2, None),
    "lost_last_attempt": ("failed", 1, "worker_lost"),
    "lost_canceling": ("canceled", 1, "canceled"),
    "lost_quick": ("completed", 2, None),
    "running": ("completed", 2, None),
    "quick_running": ("completed", 2, None),
    "backed_off": ("completed", 2, None),
}
"""Status, attempts and error of the open jobs that do not just complete at the first attempt."""


def data(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text("utf-8"))


NAMES: Mapping[str, Any] = data("names")
ANSWERS: Mapping[str, Any] = data("answers")
JOBS = [name for name in NAMES if name not in ("now", "run", "schedule")]


@dataclass(frozen=True, slots=True)
class House:
    """The service over the stored items: its routes, its handlers, its queue and its clock."""

    app: Any
    clock: StoppedClock
    queue: MemoryQueue

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        raw = json.dumps(body).encode() if body is not None else b""
        kind = {"Content-Type": "application/json"} if raw else {}
        answer = Client(self.app).http.request(method, path, headers=kind | headers, body=raw)
        return answer.status_code, json.loads(answer.body) if answer.body else None

    def job(self, name: str) -> Any:
        return self.ask("GET", f"/jobs/{NAMES[name]}")[1]

    def call(self, function: str, event: Any) -> Any:
        return self.app.handler_map[function](event, LambdaContext(function, 256, 60_000))

    def work(self) -> None:
        """Everything that the queue shows now, a message a batch."""
        for lane, function in ((Lane.QUICK, "quick"), (Lane.LONG, "work")):
            while messages := self.queue.receive(lane, 1):
                record = {"messageId": messages[0].id, "body": messages[0].body, "receiptHandle": messages[0].receipt}
                assert self.call(function, {"Records": [record]}) == {"batchItemFailures": []}
                self.queue.delete(lane, [messages[0].receipt])

    def live(self, rounds: int) -> None:
        for _ in range(rounds):
            self.call("dispatch", TICK)
            self.work()
            self.clock.advance(ROUND)

    def load_messages(self) -> None:
        for body in data("messages").values():
            self.queue.put(body)


@pytest.fixture(scope="module")
def clients(module: Any) -> Iterator[tuple[Any, Any]]:
    """Of moto's table and bucket, which are made once: that takes half a second."""
    with mock_aws():
        resources.create("local")
        yield boto3.client("dynamodb"), boto3.client("s3")


@pytest.fixture
def house(module: Any, clients: tuple[Any, Any]) -> Iterator[House]:
    """The stored items, nothing else in the table, and no message in the queue."""
    real = module.ports
    load_rows(clients[0], real.settings.table)
    load_objects(clients[1], real.settings.bucket)
    clock = StoppedClock(NAMES["now"])
    queue = MemoryQueue(clock)
    module.ports = replace(real, clock=clock, queue=queue)
    yield House(module.app, clock, queue)
    module.ports = real


def load_rows(client: Any, table: str) -> None:
    for page in client.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            client.delete_item(TableName=table, Key={"pk": item["pk"]})
    for item in data("items"):
        client.put_item(TableName=table, Item={name: with_bytes(value) for name, value in item.items()})


def load_objects(client: Any, bucket: str) -> None:
    for each in client.list_objects_v2(Bucket=bucket).get("Contents", []):
        client.delete_object(Bucket=bucket, Key=each["Key"])
    for key, text in data("objects").items():
        client.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")


def with_bytes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"B": base64.b64decode(value["B"])} if "B" in value else value


def plain(value: Any) -> Any:
    """An answer as it is kept: links without their signature, the jobs of a list as ids, minutes with something in."""
    if isinstance(value, list):
        return [plain(each) for each in value if not is_empty_minute(each)]
    if not isinstance(value, dict):
        return value
    if "cancel_requested" in value and "input" not in value:
        return value["id"]
    return {name: urlsplit(each)._replace(query="").geturl() if name == "href" else plain(each)
            for name, each in value.items()}  # fmt: skip


def is_empty_minute(value: Any) -> bool:
    outcomes = ("completed", "failed", "canceled", "retried")
    return isinstance(value, dict) and "minute" in value and not any(value[name] for name in outcomes)


def holds(answer: Any, kept: Any) -> bool:
    if isinstance(kept, dict) and isinstance(answer, dict):
        return all(name in answer and holds(answer[name], value) for name, value in kept.items())
    if isinstance(kept, list) and isinstance(answer, list):
        return len(answer) == len(kept) and all(map(holds, answer, kept))
    return bool(answer == kept)


def test_every_answer_is_what_it_was(house: House) -> None:
    """Each job, each list, the board, a run, the schedules and the charts. The job of a schedule has a route of its
    own by now."""
    wrong = {}
    (schedule,) = ANSWERS["/schedules"]["schedules"]
    listed = {name: value for name, value in schedule.items() if name != "job"}
    now = {"/schedules": {"schedules": [listed]}, f"/schedules/{schedule['id']}": schedule}
    for path, kept in {**ANSWERS, **now}.items():
        status, body = house.ask("GET", path)
        if status != 200 or not holds(plain(body), kept):
            wrong[path] = (status, plain(body), kept)
    assert wrong == {}


@pytest.mark.parametrize("messages", ["kept", "lost"])
def test_every_job_comes_to_its_end(house: House, messages: str) -> None:
    """By its message, or by the dispatcher alone."""
    if messages == "kept":
        house.load_messages()
        house.work()
    house.live(ROUNDS)
    for name in JOBS:
        then, now = ANSWERS[f"/jobs/{NAMES[name]}"], house.job(name)
        if then["status"] in ENDED:
            assert holds(plain(now), then), name
            continue
        error = now["error"] and now["error"]["type"]
        assert (now["status"], now["attempts"], error) == ENDS.get(name, ("completed", 1, None)), name
        assert now["finished_at"] >= now["run_at"], name
        assert now["run_at"] == then["run_at"], name
        assert now["attempt_log"][-1]["attempt"] == now["attempts"], name


def test_inputs_in_the_row_in_the_bucket_and_as_uploaded_are_read(house: House) -> None:
    house.load_messages()
    house.work()
    for name in ("pending", "pending_upload", "run_a1"):
        assert house.job(name)["output"] == {"array": [1, 2, 3]}, name
    large = json.loads(data("objects")[f"inputs/{NAMES['pending_large']}"])["array"]
    for name in ("pending_large", "window_delay_kept"):
        assert house.job(name)["output"] == {"array": sorted(large)}, name


def test_a_job_with_a_live_lease_is_left_alone(house: House) -> None:
    house.load_messages()
    house.work()
    house.call("dispatch", TICK)
    house.work()
    assert holds(house.job("running"), ANSWERS[f"/jobs/{NAMES['running']}"])
    assert holds(house.job("quick_running"), ANSWERS[f"/jobs/{NAMES['quick_running']}"])


def test_a_job_does_not_run_before_its_time(house: House) -> None:
    house.queue.put(NAMES["scheduled"])
    house.work()
    house.call("dispatch", TICK)
    house.work()
    assert house.job("scheduled")["status"] == "scheduled"


@pytest.mark.parametrize("name", ["pending", "pending_large", "due", "scheduled", "window_second", "backed_off"])
def test_a_waiting_job_can_be_canceled(house: House, name: str) -> None:
    status, job = house.ask("DELETE", f"/jobs/{NAMES[name]}")
    assert (status, job["status"]) == (200, "canceled")
    house.load_messages()
    house.work()
    assert house.job(name)["status"] == "canceled"


def test_a_running_job_stops_when_it_is_asked_to(house: House) -> None:
    status, job = house.ask("DELETE", f"/jobs/{NAMES['running']}")
    assert (status, job["status"], job["cancel_requested"]) == (202, "running", True)
    house.live(4)
    assert house.job("running")["status"] == "canceled"


@pytest.mark.parametrize(("name", "attempts"), [("failed", 3), ("canceled", 1), ("canceled_running", 2)])
def test_an_ended_job_can_be_retried(house: House, name: str, attempts: int) -> None:
    """Its attempts go on counting, and its log stays."""
    log = house.job(name)["attempt_log"]
    assert house.ask("POST", f"/jobs/{NAMES[name]}/retry")[0] == 202
    house.work()
    job = house.job(name)
    assert (job["status"], job["attempts"], job["error"]) == ("completed", attempts, None)
    assert job["attempt_log"][:-1] == log


@pytest.mark.parametrize("name", ["completed", "completed_stored", "completed_late"])
def test_a_completed_job_can_neither_be_canceled_nor_retried(house: House, name: str) -> None:
    assert house.ask("DELETE", f"/jobs/{NAMES[name]}")[0] == 409
    assert house.ask("POST", f"/jobs/{NAMES[name]}/retry")[0] == 409


def submit(house: House, object_id: str | int, on_repeat: str, seconds: int = 3600) -> tuple[int, Any]:
    window = {"seconds": seconds, "on_repeat": on_repeat}
    return house.ask("POST", "/jobs", {"array": [2, 1], "object_id": object_id, "window": window})


@pytest.mark.parametrize(
    ("object_id", "holder"), [(7, "window_delay"), ("7", "window_delay_kept"), ("door-4", "window_second")]
)
def test_a_delayed_job_runs_when_the_stored_window_ends(house: House, object_id: str | int, holder: str) -> None:
    status, job = submit(house, object_id, "delay")
    assert (status, job["run_at"]) == (202, house.job(holder)["window"]["ends_at"])


def test_a_stored_window_is_reused(house: House) -> None:
    status, job = submit(house, "door-2", "reuse")
    assert (status, job["id"]) == (200, NAMES["window_reuse"])


def test_a_window_whose_job_was_canceled_is_taken_over(house: House) -> None:
    status, job = submit(house, "door-5", "reuse")
    assert (status, job["status"]) == (202, "pending")
    assert submit(house, "door-5", "reuse")[1]["id"] == job["id"]


def test_a_window_that_is_taken_over_leaves_the_stored_one_before_it_alone(house: House) -> None:
    assert house.ask("DELETE", f"/jobs/{NAMES['window_second']}")[0] == 200
    status, job = submit(house, "door-4", "reuse")
    assert (status, job["run_at"]) == (202, house.job("window_first")["window"]["ends_at"])


def test_a_stored_window_rejects(house: House) -> None:
    assert submit(house, "door-3", "reject")[0] == 429


def test_a_stored_window_that_is_over_is_free(house: House) -> None:
    status, job = submit(house, "door-1", "reject", seconds=60)
    assert (status, job["status"]) == (202, "pending")


def test_a_stored_idempotency_key_gives_the_same_job(house: House) -> None:
    status, job = house.ask("POST", "/jobs", {"array": [4, 3]}, **{"Idempotency-Key": "order-1"})
    assert (status, job["id"]) == (200, NAMES["keyed"])
    assert house.ask("POST", "/jobs", {"array": [5]}, **{"Idempotency-Key": "order-1"})[0] == 422


def test_what_is_stored_is_gone_after_its_retention(house: House) -> None:
    """A key's job may then be made again."""
    house.clock.advance(7 * 86_400)
    assert house.ask("GET", f"/jobs/{NAMES['completed']}")[0] == 404
    assert house.ask("POST", "/jobs", {"array": [4, 3]}, **{"Idempotency-Key": "order-1"})[0] == 202


def test_log_lines_name_the_request_that_made_a_stored_job(house: House, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("sortie")
    logger.addHandler(caplog.handler)
    house.queue.put(NAMES["pending"])
    house.work()
    logger.removeHandler(caplog.handler)
    (request_id,) = [item["request_id"]["S"] for item in data("items") if item["pk"]["S"] == NAMES["pending"]]
    lines = [json.loads(line) for line in caplog.messages if NAMES["pending"] in line]
    assert {(line["event"], line["request_id"]) for line in lines} == {("claim", request_id), ("complete", request_id)}


def test_a_stored_run_goes_on(house: House) -> None:
    house.load_messages()
    house.work()
    status, run = house.ask("GET", f"/groups/group_a/runs/{NAMES['run']}")
    assert (status, run["progress"], run["counts"]["completed"]) == (200, 1.0, 3)
    assert [job["label"] for job in run["jobs"]] == ["job_a1", "job_a2", "job_a3"]


def test_a_stored_schedule_fires_moves_on_and_can_be_removed(house: House) -> None:
    before = {job["id"] for job in house.ask("GET", "/jobs?limit=100")[1]["jobs"]}
    house.call("dispatch", TICK)
    new = [job for job in house.ask("GET", "/jobs?limit=100")[1]["jobs"] if job["id"] not in before]
    assert [job["task"] for job in new] == ["sort"]
    house.work()
    assert house.ask("GET", f"/jobs/{new[0]['id']}")[1]["output"] == {"array": [5, 6]}
    (schedule,) = house.ask("GET", "/schedules")[1]["schedules"]
    assert schedule["next_run_at"] == "2027-01-15T08:10:00.000Z"
    assert house.ask("DELETE", f"/schedules/{NAMES['schedule']}")[0] == 204
    assert house.ask("GET", "/schedules")[1]["schedules"] == []


def test_a_stored_token_authorises_until_its_time_is_over(house: House, module: Any) -> None:
    def context(token: str) -> Any:
        arn = "arn:aws:execute-api:us-east-1:123456789012:api/api/GET/jobs"
        event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": arn}
        return house.call("authorize", event).get("context")

    assert context("a-token-of-today") == {"owner": "alice", "role": "submit"}
    assert not context("a-token-past-its-time")
    house.clock.advance(-301)
    assert context("a-token-past-its-time") == {"owner": "alice", "role": "admin"}


def test_what_ends_now_is_added_to_the_stored_minute(house: House) -> None:
    (before,) = minutes(house)[-1:]
    house.queue.put(NAMES["tallied"])
    house.work()
    (after,) = minutes(house)[-1:]
    assert (after["minute"], after["completed"]) == (before["minute"], before["completed"] + 1)


def minutes(house: House) -> list[Any]:
    per_minute: list[Any] = plain(house.ask("GET", "/stats?span=hour")[1]["per_minute"])
    return per_minute
