"""AWS for tests: moto in this process, and MiniStack as a process of its own on a free port of the loopback."""

import atexit
import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.aws import calls, dynamodb, records, s3, session, sqs
from chalicelib.core.lane import Lane
from chalicelib.core.shards import Shards
from chalicelib.service.work import Message
from dev import emulator, resources, template

SHARDS = Shards()
ACCESS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The app's table, queues and bucket on an emulator, with a client for each."""

    name: str
    endpoint: str | None
    table: Any
    queue: Any
    bucket: Any

    @property
    def table_name(self) -> str:
        return f"sortie-{self.name}"

    @property
    def bucket_name(self) -> str:
        (bucket,) = template.read(self.name).of_type("AWS::S3::Bucket").values()
        return str(bucket["BucketName"])

    @property
    def lanes(self) -> dict[Lane, str]:
        return {Lane.LONG: f"sortie-{self.name}-jobs", Lane.QUICK: f"sortie-{self.name}-quick"}

    def jobs(self, shards: Shards = SHARDS, *, batches: bool = True) -> dynamodb.DynamoJobs:
        batches = batches and self.endpoint is not None  # moto answers 500 to them
        return dynamodb.DynamoJobs(self.table, self.table, self.table, self.table_name, shards, batches=batches)

    def records(self, shards: Shards = SHARDS) -> records.DynamoRecords:
        return records.DynamoRecords(self.table, self.table, self.table_name, shards)

    def messages(self) -> sqs.SqsQueue:
        return sqs.SqsQueue(self.queue, self.lanes, f"sortie-{self.name}-dead")

    def payloads(self) -> s3.S3Payloads:
        return s3.S3Payloads(self.bucket, self.bucket_name, 900)

    def items(self) -> list[dict[str, Any]]:
        """Every row of the table: only a test may scan."""
        rows: list[dict[str, Any]] = []
        for page in self.table.get_paginator("scan").paginate(TableName=self.table_name, ConsistentRead=True):
            rows += page["Items"]
        return rows


class Mailbox:
    """The event source's side of the real queues."""

    def __init__(self, stage: Stage) -> None:
        self._client = stage.queue
        self._urls = {lane: stage.queue.get_queue_url(QueueName=name)["QueueUrl"] for lane, name in stage.lanes.items()}

    def receive(self, lane: Lane, most: int = 10) -> list[Message]:
        answer = self._client.receive_message(
            QueueUrl=self._urls[lane], MaxNumberOfMessages=most, WaitTimeSeconds=0,
            AttributeNames=["ApproximateReceiveCount"],
        )  # fmt: skip
        return [_message(each) for each in answer.get("Messages", [])]

    def delete(self, lane: Lane, receipts: Sequence[str]) -> None:
        for receipt in receipts:
            self._client.delete_message(QueueUrl=self._urls[lane], ReceiptHandle=receipt)


def _message(each: Any) -> Message:
    receives = int(each["Attributes"]["ApproximateReceiveCount"])
    return Message(each["MessageId"], each["Body"], each["ReceiptHandle"], receives)


def stage(name: str, endpoint: str | None = None) -> Stage:
    """Made if it is not there. The clients are the very ones that the service uses."""
    session.shared.cache_clear()  # which remembers the credentials of the stage before
    resources.create(name, endpoint)
    return Stage(name, endpoint, *(calls.client(service, endpoint) for service in ("dynamodb", "sqs", "s3")))


@contextmanager
def moto(name: str = "moto") -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for key, value in ACCESS.items():
            patch.setenv(key, value)
        patch.setenv("BATCH_UPDATES", "off")
        stage_ = stage(name)
        one_at_a_time(stage_.table)
        yield stage_


def one_at_a_time(client: Any) -> None:
    """moto looks at a condition and writes as two steps, between which another thread may come. DynamoDB does not."""
    lock = Lock()
    events = client.meta.events
    events.register_first("before-send.dynamodb", lambda **_: lock.acquire() and None)
    events.register("response-received.dynamodb", lambda **_: lock.release())


@contextmanager
def ministack(name: str) -> Iterator[Stage]:
    """Skips where MiniStack is not installed; in CI that is a failure."""
    if importlib.util.find_spec("ministack") is None:
        if os.environ.get("CI"):
            pytest.fail("ministack is not installed: CI runs all tests")
        pytest.skip("ministack is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for key, value in ACCESS.items():
            patch.setenv(key, value)
        yield stage(name, _ministack_endpoint())


@cache
def _ministack_endpoint() -> str:
    """Started when it is first asked for, once for all suites, and stopped when the tests end."""
    ending = ExitStack()
    atexit.register(ending.close)
    return ending.enter_context(emulator.running())
