"""Faults between the service and AWS: botocore's own hooks, before a call is made and after it was answered."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from chalicelib.aws import items
from chalicelib.core.ids import is_id
from chalicelib.core.job import Job
from tests.pure.faults.gate import Gate, crash
from tests.pure.faults.world import Backing, Clock
from tests.support import emulators, fakes
from tests.support.fake_containers import FakeContainers

THROTTLED = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}, "ResponseMetadata": {}}


def refuse() -> None:
    raise ConnectTimeoutError(endpoint_url="nowhere")


def lose_answer() -> None:
    raise ReadTimeoutError(endpoint_url="nowhere")


def throttle() -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("nowhere", 400, {}, None), THROTTLED


KINDS: dict[str, Callable[["Wire", int], None]] = {
    "crash before": lambda wire, index: wire.before.update({index: crash}),
    "crash after": lambda wire, index: wire.after.update({index: crash}),
    "no connection": lambda wire, index: wire.before.update({index: refuse}),
    "throttled": lambda wire, index: wire.before.update({index: throttle}),
    "answer lost": lambda wire, index: wire.after.update({index: lose_answer}),
    "answer lost, and botocore asks again": lambda wire, index: wire.again.add(index),
}


class Wire:
    """Counts the calls of a stage's clients and carries out what is planned for some of them."""

    def __init__(self, stage: emulators.Stage) -> None:
        self.stage = stage
        self.gate = Gate()
        self.calls: list[str] = []
        self.before: dict[int, Callable[[], Any]] = {}
        self.after: dict[int, Callable[[], Any]] = {}
        self.again: set[int] = set()
        for client in (stage.table, stage.queue, stage.bucket):
            client.meta.events.register("before-call", self._before)
            client.meta.events.register("after-call", self._after)
            client.meta.events.register_first("needs-retry", self._again)

    def build(self, clock: Clock) -> Backing:
        """A backing on the stage, empty. The wire is quiet until `begin`."""
        self.end()
        for item in self.stage.items():
            self.stage.table.delete_item(TableName=self.stage.table_name, Key={"pk": item["pk"]})
        self._empty_queues()
        stage = self.stage
        return Backing(
            stage.jobs(),
            stage.records(),
            stage.messages(),
            stage.payloads(),
            emulators.Mailbox(stage),
            self.rows,
            FakeContainers(clock),
        )

    def build_rows_only(self, clock: Clock) -> Backing:
        """The table on the stage; queue and payloads in memory, so that their time passes as a test says."""
        queue, on_stage = fakes.MemoryQueue(clock), self.build(clock)
        return Backing(
            on_stage.jobs, on_stage.records, queue, fakes.MemoryPayloads(), queue, self.rows, on_stage.containers
        )

    def _empty_queues(self) -> None:
        """New ones: messages in flight cannot be purged, and moto slows down with each."""
        client = self.stage.queue
        for lane, name in self.stage.lanes.items():
            client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])
            seconds = str(int(fakes.VISIBILITY_SECONDS[lane]))
            client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": seconds})

    def begin(self, gate: Gate) -> None:
        self.gate = gate
        self.calls.clear()

    def end(self) -> None:
        """No more faults, and no more counting."""
        for planned in (self.before, self.after):
            planned.clear()
        self.again.clear()
        self.gate = Gate(is_open=True)

    def rows(self) -> list[Job]:
        return [items.from_item(item) for item in self.stage.items() if is_id(item["pk"]["S"])]

    def _before(self, model: Any, **_: Any) -> Any:
        if self.gate.is_open or model.name in ("ReceiveMessage", "DeleteMessage", "GetQueueUrl", "Scan"):
            return None
        self.calls.append(model.name)
        act = self.before.pop(len(self.calls) - 1, None)
        return act() if act else None

    def _after(self, model: Any, **_: Any) -> None:
        act = None if self.gate.is_open else self.after.pop(len(self.calls) - 1, None)
        if act and model.name == self.calls[-1]:
            act()

    def _again(self, **_: Any) -> float | None:
        index = len(self.calls) - 1
        if self.gate.is_open or index not in self.again:
            return None
        with suppress(KeyError):
            self.again.remove(index)
        return 0.0
