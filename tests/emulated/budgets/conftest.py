"""A stage on moto or MiniStack whose calls, write units and items read are counted by botocore's own hooks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib import tasks
from chalicelib.config import Settings
from chalicelib.core.lane import Lane
from chalicelib.ports import Ports
from chalicelib.service.quick import work_quick
from chalicelib.service.work import work
from tests.support import emulators, fakes

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


@dataclass(slots=True)
class Meter:
    """What went over the wire: calls by name, write units by table and index, items read by Query and gets."""

    calls: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    items_read: int = 0
    reads: list[dict[str, Any]] = field(default_factory=list)

    def reset(self) -> None:
        self.calls.clear()
        self.units.clear()
        self.reads.clear()
        self.items_read = 0

    def watch(self, client: Any) -> None:
        events = client.meta.events
        events.register("before-parameter-build.dynamodb", self._ask)
        events.register("before-call", self._count)
        events.register("after-call.dynamodb", self._weigh)

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"
        if model.name == "GetItem":
            self.reads.append(params)

    def _count(self, model: Any, **_: Any) -> None:
        self.calls[model.name] += 1

    def _weigh(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        tables = parsed.get("Responses", {}).values() if model.name == "BatchGetItem" else []
        self.items_read += parsed.get("ScannedCount", 0) + sum(map(len, tables))
        used = parsed.get("ConsumedCapacity", {})
        for each in used if isinstance(used, list) else [used]:
            if model.name in WRITES:
                self.units["table"] += each.get("Table", {}).get("CapacityUnits", 0)
                for index, part in each.get("GlobalSecondaryIndexes", {}).items():
                    self.units[index] += part["CapacityUnits"]


@dataclass(frozen=True, slots=True)
class Metered:
    stage: emulators.Stage
    ports: Ports
    meter: Meter
    clock: fakes.StoppedClock
    mailbox: emulators.Mailbox

    def work(self, seconds_left: float = 900.0) -> None:
        """One invocation of the worker on a batch; what the event source itself calls is not counted."""
        lane, messages = next((lane, held) for lane in Lane if (held := self.mailbox.receive(lane)))
        function = work_quick if lane is Lane.QUICK else work
        self.meter.reset()
        assert function(self.ports, messages, lambda: seconds_left) == []
        calls = self.meter.calls.copy()
        self.mailbox.delete(lane, [message.receipt for message in messages])
        self.meter.calls = calls


def metered(stage: emulators.Stage) -> Metered:
    meter, clock = Meter(), fakes.StoppedClock()
    for client in (stage.table, stage.queue, stage.bucket):
        meter.watch(client)
    ports = Ports(
        stage.jobs(), stage.records(), stage.messages(), stage.payloads(), clock, fakes.SeededRandom(),
        fakes.SilentAlarm(), fakes.OneThread(), tasks.load(), Settings(),
    )  # fmt: skip
    for lane in Lane:
        ports.queue.depth(lane)  # a queue's address is looked up once for each container
    ports.queue.dead()
    mailbox = emulators.Mailbox(stage)
    meter.reset()
    return Metered(stage, ports, meter, clock, mailbox)


@pytest.fixture
def on_moto() -> Iterator[Metered]:
    with emulators.moto("budget") as stage:
        yield metered(stage)


@pytest.fixture(scope="module")
def on_ministack(request: pytest.FixtureRequest) -> Iterator[Metered]:
    """A stage of the module's own: the ids of its jobs are those of every other."""
    with emulators.ministack(request.path.stem.replace("_", "-")) as stage:
        yield metered(stage)
