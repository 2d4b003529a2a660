"""The runner with an app of its own on a real emulator: what Lambda and EventBridge would do, it does."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from dev import emulator, resources
from dev import template as templates
from dev.runner import Runner
from dev.settings import child_environ, load
from tests.support.running import processes, until

APP = """
import json, os, time
from pathlib import Path
from chalice import Chalice

app = Chalice(app_name="sortie")
LOG = Path(os.environ["SEEN"])


def note(**what):
    with LOG.open("a") as log:
        log.write(json.dumps(what) + "\\n")


@app.on_sqs_message(queue="sortie-local-jobs", batch_size=10, name="work")
def work(event):
    failed = []
    for record in event:
        body, count = record.body, int(record.to_dict()["attributes"]["ApproximateReceiveCount"])
        note(handler="work", body=body, count=count, pid=os.getpid(), left=event.context.get_remaining_time_in_millis())
        if body.startswith("sleep"):
            time.sleep(float(body[5:]))
        if body == "raise":
            raise ValueError("as asked")
        if body == "fail" or body == "fail once" and count == 1:
            failed.append({"itemIdentifier": record.to_dict()["messageId"]})
        note(handler="done", body=body)
    return {"batchItemFailures": failed}


@app.schedule("rate(1 minute)", name="tick")
def tick(event):
    note(handler="tick", source=event.source)
"""
CONFIG = {
    "version": "2.0",
    "app_name": "sortie",
    "lambda_functions": {"work": {"lambda_timeout": 3}},
    "stages": {"local": {"environment_variables": {"SORTIE_STAGE": "local"}}},
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A scratch app that is driven. `queue`: a client; `url`, `dead`: the two queues."""

    root: Path
    runner: Runner
    queue: Any
    url: str
    dead: str

    def send(self, *bodies: str) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        self.queue.send_message_batch(QueueUrl=self.url, Entries=entries)

    def seen(self, handler: str, body: str | None = None) -> list[dict[str, Any]]:
        log = self.root / "seen"
        rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [row for row in rows if row["handler"] == handler and body in (None, row.get("body"))]

    def waiting(self, url: str) -> int:
        """Messages in the queue, whether or not they can be received now."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with emulator.running() as endpoint:
        yield endpoint


@pytest.fixture
def scene(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(CONFIG))
    template = templates.load()
    template["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] = 1
    template["Resources"]["Queue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] = 3
    (tmp_path / "resources.yaml").write_text(json.dumps(template))
    settings = replace(load({}), root=tmp_path, endpoint=endpoint, workers=1)
    environ = {**child_environ(os.environ, settings, endpoint), "SEEN": str(tmp_path / "seen")}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    resources.create("local", endpoint, tmp_path)
    queue = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1")
    url, dead = (queue.get_queue_url(QueueName=f"sortie-local-{n}")["QueueUrl"] for n in ("jobs", "dead"))
    runner = Runner(settings, environ)
    runner.start(runner.read())
    yield Scene(tmp_path, runner, queue, url, dead)
    runner.stop()
    queue.delete_queue(QueueUrl=url)
    queue.delete_queue(QueueUrl=dead)
    queue.close()
    shutil.rmtree(tmp_path)


def test_what_succeeded_is_deleted_and_what_failed_comes_back(scene: Scene) -> None:
    scene.send("well", "fail once")
    until(lambda: len(scene.seen("work", "fail once")) == 2, 15, "the failed message comes back")
    until(lambda: scene.waiting(scene.url) == 0, 10, "the queue is empty")
    assert [row["count"] for row in scene.seen("work", "fail once")] == [1, 2]
    assert len(scene.seen("work", "well")) == 1


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue(scene: Scene) -> None:
    scene.send("fail")
    until(lambda: scene.waiting(scene.dead) == 1, 20, "the message is a dead letter")
    assert len(scene.seen("work", "fail")) == 3


def test_an_exception_fails_the_whole_batch(scene: Scene) -> None:
    scene.send("before", "raise")
    until(lambda: scene.waiting(scene.dead) == 2, 20, "both messages are dead letters")


def test_a_handler_over_its_time_is_killed_and_the_worker_comes_back(scene: Scene) -> None:
    scene.send("sleep60")
    [first] = until(lambda: scene.seen("work", "sleep60"), 15, "the handler starts")
    assert 2000 < first["left"] <= 3000
    until(lambda: len(scene.seen("work", "sleep60")) == 2, 15, "it is tried again")
    pids = {row["pid"] for row in scene.seen("work", "sleep60")}
    assert len(pids) == 2
    assert not scene.seen("done")


def test_a_killed_worker_costs_only_time(scene: Scene) -> None:
    scene.send("sleep2")
    [first] = until(lambda: scene.seen("work", "sleep2"), 15, "the handler starts")
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: scene.seen("done", "sleep2"), 15, "the message is handled by another worker")
    until(lambda: scene.waiting(scene.url) == 0, 10, "the queue is empty")


def test_a_schedule_fires_while_the_queue_handler_is_busy(scene: Scene) -> None:
    scene.send("sleep2")
    until(lambda: scene.seen("tick"), 15, "the schedule fires at the start")
    assert scene.seen("tick")[0]["source"] == "aws.events"


def test_changed_code_runs_from_the_next_batch_and_new_handlers_need_no_more(scene: Scene) -> None:
    scene.send("sleep1.5")
    until(lambda: scene.seen("work", "sleep1.5"), 15, "the handler starts")
    new = '\n\n@app.schedule("rate(1 hour)", name="hourly")\ndef hourly(event):\n    note(handler="hourly")\n'
    (scene.root / "app.py").write_text(APP + new)
    scene.runner.renew(scene.runner.read())
    until(lambda: scene.seen("done", "sleep1.5"), 15, "the batch in hand is finished")
    until(lambda: scene.seen("hourly"), 15, "the new handler runs")


def test_no_worker_outlives_the_runner(scene: Scene) -> None:
    until(lambda: _workers(scene), 15, "workers have started")
    scene.runner.stop()
    assert not _workers(scene)


def _workers(scene: Scene) -> list[int]:
    return [each.pid for each in processes() if "dev.worker" in each.command and each.parent == os.getpid()]
