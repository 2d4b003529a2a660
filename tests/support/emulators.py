"""AWS for tests: moto in this process, and MiniStack as a process of its own on a free port of the loopback."""

import atexit
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.aws import calls, dynamodb, records, s3, sqs
from chalicelib.service.work import Message
from dev import resources, template

ACCESS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
START_LIMIT = 60.0


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

    def jobs(self) -> dynamodb.DynamoJobs:
        return dynamodb.DynamoJobs(self.table, self.table, self.table_name)

    def records(self) -> records.DynamoRecords:
        return records.DynamoRecords(self.table, self.table_name)

    def messages(self) -> sqs.SqsQueue:
        return sqs.SqsQueue(self.queue, f"sortie-{self.name}-jobs", f"sortie-{self.name}-dead")

    def payloads(self) -> s3.S3Payloads:
        return s3.S3Payloads(self.bucket, self.bucket_name, 900)

    def items(self) -> list[dict[str, Any]]:
        """Every row of the table: only a test may scan."""
        found: list[dict[str, Any]] = []
        for page in self.table.get_paginator("scan").paginate(TableName=self.table_name, ConsistentRead=True):
            found += page["Items"]
        return found


class Mailbox:
    """The event source's side of a real queue."""

    def __init__(self, stage: Stage) -> None:
        self._client = stage.queue
        self._url = stage.queue.get_queue_url(QueueName=f"sortie-{stage.name}-jobs")["QueueUrl"]

    def receive(self, most: int = 10) -> list[Message]:
        answer = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=most, WaitTimeSeconds=0)
        return [Message(each["MessageId"], each["Body"], each["ReceiptHandle"]) for each in answer.get("Messages", [])]

    def delete(self, receipts: Sequence[str]) -> None:
        for receipt in receipts:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


def stage(name: str, endpoint: str | None = None) -> Stage:
    """Made if it is not there. The clients are the very ones that the service uses."""
    resources.create(name, endpoint)
    return Stage(name, endpoint, *(calls.client(service, endpoint) for service in ("dynamodb", "sqs", "s3")))


@contextmanager
def moto(name: str = "moto") -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for key, value in ACCESS.items():
            patch.setenv(key, value)
        made = stage(name)
        one_at_a_time(made.table)
        yield made


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
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    home = tempfile.mkdtemp(prefix="sortie-ministack-")
    mine = {
        "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR",
        "PERSIST_STATE": "0", "S3_PERSIST": "0", "STATE_DIR": f"{home}/state", "S3_DATA_DIR": f"{home}/s3",
        "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
    }  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "ministack"], env=os.environ | mine, cwd=home, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    atexit.register(_stop, child, home)
    endpoint = f"http://127.0.0.1:{port}"
    _wait_for(endpoint, child)
    return endpoint


def _wait_for(endpoint: str, child: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + START_LIMIT
    while child.poll() is None and time.monotonic() < give_up:
        try:
            urllib.request.urlopen(endpoint, timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    pytest.fail(f"MiniStack does not answer at {endpoint} (exit status {child.poll()})")


def _stop(child: "subprocess.Popen[bytes]", home: str) -> None:
    """MiniStack, whatever it started, and its files."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    shutil.rmtree(home, ignore_errors=True)
