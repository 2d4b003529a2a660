"""The same ports on three grounds: memory, moto, MiniStack."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import sleep

import pytest

from chalicelib.core.lane import Lane
from chalicelib.ports import JobStore, Payloads, Queue, Records
from chalicelib.service.work import Message
from tests.pure.faults.world import Mailbox
from tests.support import emulators, fakes

GROUNDS = ("memory", "moto", "ministack")
NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Ground:
    """Fresh ports; `stage` where there is an emulator behind them; `wait` lets the queue's time pass."""

    name: str
    jobs: JobStore
    records: Records
    queue: Queue
    payloads: Payloads
    mailbox: Mailbox
    wait: Callable[[float], None]
    stage: emulators.Stage | None = None

    def receive(self, lane: Lane, seconds: float = 3.0, most: int = 10) -> list[Message]:
        """Messages, as soon as there are some."""
        for _ in range(round(seconds / 0.05)):
            if messages := self.mailbox.receive(lane, most):
                return messages
            self.wait(0.05)
        return []


@pytest.fixture(scope="module", params=GROUNDS)
def ground_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shared_stage(ground_name: str) -> Iterator[emulators.Stage | None]:
    name = f"contract{next(NUMBERS)}"
    if ground_name == "memory":
        yield None
    else:
        with (emulators.moto if ground_name == "moto" else emulators.ministack)(name) as stage:
            yield stage


@pytest.fixture
def ground(ground_name: str, shared_stage: emulators.Stage | None) -> Ground:
    if shared_stage is None:
        return on_memory()
    return on_emulator(ground_name, shared_stage)


def on_memory() -> Ground:
    table, clock = fakes.Table(), fakes.StoppedClock()
    queue = fakes.MemoryQueue(clock)
    return Ground(
        "memory", fakes.MemoryJobs(table), fakes.MemoryRecords(table), queue, fakes.MemoryPayloads(), queue,
        clock.advance,
    )  # fmt: skip


def on_emulator(name: str, stage: emulators.Stage) -> Ground:

    return Ground(
        name, stage.jobs(), stage.records(), stage.messages(), stage.payloads(), emulators.Mailbox(stage), sleep, stage
    )
