"""Threads that poll a queue or keep a schedule, each with a worker process of its own."""

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dev import batch
from dev.environment import CallFailed, Environment
from dev.process import say
from dev.sources import QueueSource, ScheduleSource
from dev.template import ACCOUNT, REGION

# A poll that is cut off can hide the message it was about to bring for the whole visibility time-out: polls are
# short enough to be waited for when the stack stops.
POLL_SECONDS = 2
# Between attempts while the app does not load or the emulator does not answer.
FIRST_PAUSE, LAST_PAUSE = 1.0, 16.0


class Slot:
    """One thread and one environment. `renew()` makes the next call run the sources as they are then."""

    def __init__(self, name: str, environment: Environment) -> None:
        self.name = name
        self._environment = environment
        self._pause = FIRST_PAUSE
        self._ending = threading.Event()
        self._stale = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def renew(self) -> None:
        self._stale.set()

    def end(self) -> None:
        """No further batch; the one in hand goes on until `finish`."""
        self._ending.set()

    def finish(self, grace: float) -> None:
        self._thread.join(grace)
        self._environment.kill()
        self._thread.join()
        self._environment.stop()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                if self._stale.is_set():
                    self._stale.clear()
                    self._environment.stop()
                self._environment.start()
                self._turn()
                self._pause = FIRST_PAUSE
            except (CallFailed, BotoCoreError, ClientError, OSError) as error:
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        if not self._ending.is_set():
            say(self.name, f"{error}")
            self._ending.wait(self._pause)
            self._pause = min(LAST_PAUSE, self._pause * 2)

    def _turn(self) -> None:
        raise NotImplementedError


class QueueSlot(Slot):
    """Lambda's event source mapping: receive, call, delete what succeeded, leave the rest to come back."""

    def __init__(self, name: str, environment: Environment, source: QueueSource, endpoint: str) -> None:
        super().__init__(name, environment)
        self._source = source
        settings = Config(read_timeout=POLL_SECONDS + 30, retries={"total_max_attempts": 2})
        self._client = boto3.session.Session(region_name=REGION).client("sqs", endpoint_url=endpoint, config=settings)
        self._url = ""
        self._arn = ""

    def _turn(self) -> None:
        if not self._url:
            self._look_up()
        if messages := self._gather():
            verdict = self._invoke(messages)
            self._settle(messages, verdict)

    def _look_up(self) -> None:
        try:
            url = self._client.get_queue_url(QueueName=self._source.queue)["QueueUrl"]
        except self._client.exceptions.QueueDoesNotExist:
            where = self._client.meta.endpoint_url
            raise CallFailed(f"the queue {self._source.queue} does not exist at {where}: make resources") from None
        answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self._url, self._arn = url, answer["Attributes"]["QueueArn"]

    def _gather(self) -> list[batch.Message]:
        """One poll, or with a batching window polls until the batch is full or the window is over."""
        messages = self._receive(POLL_SECONDS, self._source.batch_size)
        closes = time.monotonic() + self._source.window
        while messages and (free := self._source.batch_size - len(messages)) > 0:
            if (left := closes - time.monotonic()) <= 0:
                break
            messages += self._receive(min(POLL_SECONDS, int(left)), free)
        return messages

    def _receive(self, seconds: int, count: int) -> list[batch.Message]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(10, count),
            WaitTimeSeconds=seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[batch.Message] = answer.get("Messages", [])
        return messages

    def _invoke(self, messages: Sequence[batch.Message]) -> batch.Verdict:
        ids = [message["MessageId"] for message in messages]
        try:
            answer = self._environment.call(batch.event(messages, self._arn, REGION))
        except CallFailed as error:
            return batch.failed(ids, str(error))
        return batch.judge(ids, answer, reports_failures=self._source.reports_failures)

    def _settle(self, messages: Sequence[batch.Message], verdict: batch.Verdict) -> None:
        if verdict.problem:
            say(self.name, f"batch of {len(messages)} failed, to be received again later: {verdict.problem}")
        receipts = {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        for start in range(0, len(verdict.delete), 10):
            chosen = verdict.delete[start : start + 10]
            entries = [{"Id": str(n), "ReceiptHandle": receipts[i]} for n, i in enumerate(chosen)]
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)


class ScheduleSlot(Slot):
    """An EventBridge rule. Unlike there, it also fires at the start, so that what a crash left is found at once.

    `period`: seconds, instead of the rule's own.
    """

    def __init__(self, name: str, environment: Environment, source: ScheduleSource, period: float | None) -> None:
        super().__init__(name, environment)
        self._source = source
        self._period = period or source.period
        self._due = time.monotonic()

    def _turn(self) -> None:
        if (left := self._due - time.monotonic()) > 0:
            self._ending.wait(min(POLL_SECONDS, left))
            return
        # Counted from when it was due, so that a rule does not drift; what was missed meanwhile is not made up for.
        self._due += self._period * (1 + -left // self._period)
        try:
            self._environment.call(_event(self._source.function.name, datetime.now(UTC)))
        except CallFailed as error:
            say(self.name, f"the call failed: {error}")


def _event(rule: str, now: datetime) -> Mapping[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }
