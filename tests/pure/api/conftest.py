"""The app in the process: real routes and handlers, over the adapters under moto or over the ports in memory."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from chalice.local import LambdaContext
from chalice.test import Client
from moto import mock_aws

from chalicelib import tasks, wiring
from chalicelib.core.lane import Lane
from chalicelib.ports import Ports
from chalicelib.service.work import Message
from dev import resources
from dev.client import Answer
from tests.support.fakes import (
    MemoryJobs,
    MemoryPayloads,
    MemoryQueue,
    MemoryRecords,
    OneThread,
    SeededRandom,
    SilentAlarm,
    StoppedClock,
    Table,
)

PLACE = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "SORTIE_STAGE": "local",
    "BATCH_UPDATES": "off",  # moto knows no batches of conditional updates
}


class Reply(Answer):
    @property
    def locs(self) -> list[str]:
        """The places that a problem names."""
        return [fault["loc"] for fault in self.body.get("errors", [])]


class Api:
    """Asks the routes and runs the handlers. `ports`: what is behind them."""

    def __init__(self, module: Any, ports: Ports) -> None:
        self._client = Client(module.app, stage_name="local")
        self.module = module
        self.ports = ports

    def ask(self, method: str, path: str, body: Any = None, raw: bytes = b"", **headers: str | None) -> Reply:
        """`body` is sent as JSON, `raw` as it is; `idempotency_key="k"` becomes a header, None leaves one out."""
        data = json.dumps(body).encode() if body is not None else raw
        named = {"content_type": "application/json" if data else None} | headers
        sent = {name.replace("_", "-").title(): text for name, text in named.items() if text is not None}
        answer = self._client.http.request(method, path, headers=sent, body=data)
        whole = {name.title(): str(value) for name, value in answer.headers.items()}
        return Reply(answer.status_code, whole, answer.body)

    def submit(self, **request: Any) -> Any:
        answer = self.ask("POST", "/jobs", request)
        assert answer.status in (200, 202), answer.body
        return answer.body

    def job(self, job_id: str) -> Any:
        return self.ask("GET", f"/jobs/{job_id}").body

    def dispatch(self) -> None:
        event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "account": "1", "id": "1",
                 "region": "us-east-1", "resources": [], "time": "2026-01-01T00:00:00Z", "version": "0"}  # fmt: skip
        # The test client would give it three seconds: too few for a dispatcher to begin with schedules.
        self.module.app.handler_map["dispatch"](event, LambdaContext("dispatch", 512, max_runtime_ms=55_000))

    def _work(self, lane: Lane, messages: Sequence[Message]) -> list[str]:
        """The receipts of the messages that have been dealt with."""
        records = [
            {"messageId": message.id, "body": message.body, "receiptHandle": message.receipt,
             "attributes": {"ApproximateReceiveCount": str(message.receives)}}
            for message in messages
        ]  # fmt: skip
        function = {Lane.QUICK: "quick", Lane.LONG: "work"}[lane]
        answer = self._client.lambda_.invoke(function, {"Records": records}).payload
        kept = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        return [message.receipt for message in messages if message.id not in kept]

    def work(self) -> None:
        """Hand all visible messages to the queue handler."""
        raise NotImplementedError


class MemoryApi(Api):
    queue: MemoryQueue
    clock: StoppedClock

    def work(self) -> None:
        for lane in Lane:
            while messages := self.queue.receive(lane, 1):  # the test client gives a handler three seconds
                self.queue.delete(lane, self._work(lane, messages))

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)


class MotoApi(Api):
    def work(self) -> None:
        sqs = boto3.client("sqs")
        for lane in Lane:
            url = sqs.get_queue_url(QueueName=wiring.lanes(self.ports.settings)[lane])["QueueUrl"]
            while answers := sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages"):
                messages = [Message(each["MessageId"], each["Body"], each["ReceiptHandle"]) for each in answers]
                for receipt in self._work(lane, messages):
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)

    def put(self, upload: Any, data: bytes) -> None:
        """What a client does with the presigned link of an upload."""
        key = urlsplit(upload["href"]).path.lstrip("/").removeprefix(f"{self.ports.settings.bucket}/")
        boto3.client("s3").put_object(Bucket=self.ports.settings.bucket, Key=key, Body=data)

    def remove_object(self, key: str) -> None:
        boto3.client("s3").delete_object(Bucket=self.ports.settings.bucket, Key=key)

    def remove_table(self) -> None:
        boto3.client("dynamodb").delete_table(TableName=self.ports.settings.table)


@pytest.fixture(scope="session")
def module() -> Iterator[Any]:
    """app.py, imported as the local stage."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "SORTIE_"))]:
            patch.delenv(name)
        for name, value in PLACE.items():
            patch.setenv(name, value)
        import app  # reads the environment

        assert app.settings.is_open, "another test has imported app before, in another environment"

        yield app


@pytest.fixture
def memory(module: Any) -> Iterator[MemoryApi]:
    """The routes over the ports in memory: fast, with a clock of its own."""
    table, clock = Table(), StoppedClock()
    queue = MemoryQueue(clock)
    ports = Ports(
        jobs=MemoryJobs(table),
        records=MemoryRecords(table),
        queue=queue,
        payloads=MemoryPayloads(),
        clock=clock,
        random=SeededRandom(),
        alarm=SilentAlarm(),
        concurrency=OneThread(),
        tasks=tasks.load(),
        settings=replace(module.settings),
    )
    real, module.ports = module.ports, ports
    api = MemoryApi(module, ports)
    api.queue, api.clock = queue, clock
    yield api
    module.ports = real


@pytest.fixture
def moto(module: Any) -> Iterator[MotoApi]:
    """The routes over the real adapters."""
    with mock_aws():
        resources.create("local")
        yield MotoApi(module, module.ports)


@pytest.fixture(params=["memory", "moto"])
def api(request: pytest.FixtureRequest) -> Api:
    chosen: Api = request.getfixturevalue(request.param)
    return chosen
