"""The queues in memory, with the side that an event source sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from chalicelib.core.lane import Lane
from chalicelib.ports import Depth, Hint
from chalicelib.service.work import Message
from tests.support.fake_system import StoppedClock

VISIBILITY_SECONDS = {Lane.QUICK: 360.0, Lane.LONG: 5_400.0}


@dataclass(slots=True)
class Held:
    """One message in a queue."""

    id: int
    lane: Lane
    body: str
    visible_at: float
    owner: str | None = None
    receives: int = 0


@dataclass(slots=True)
class MemoryQueue:
    """ports.Queue, with the side that an event source sees. `losing`, `doubling`, `late` act on what is
    sent; the next `early` messages come at once, whatever their delay."""

    clock: StoppedClock
    most_receives: int = 6
    losing: bool = False
    doubling: bool = False
    reordering: bool = False
    late: float = 0.0
    early: int = 0
    held: list[Held] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    sent: int = 0

    def send(self, hints: Sequence[Hint]) -> None:
        for hint in hints:
            self.put(hint.job_id, hint.lane, hint.delay, hint.owner)

    def put(self, body: str, lane: Lane = Lane.LONG, delay: int = 0, owner: str | None = None) -> None:
        """A message, whoever sends it."""
        assert isinstance(delay, int)
        assert 0 <= delay <= 900, delay
        if self.early:
            self.early, delay = self.early - 1, 0
        copies = 0 if self.losing else 2 if self.doubling else 1
        for _ in range(copies):
            self.sent += 1
            visible_at = self.clock.millis + (delay + self.late) * 1000
            self.held.append(Held(self.sent, lane, body, visible_at, owner))

    def depth(self, lane: Lane) -> Depth:
        of_lane = [held for held in self.held if held.lane is lane]
        hidden = [held for held in of_lane if held.visible_at > self.clock.millis]
        in_flight = sum(held.receives > 0 for held in hidden)
        return Depth(len(of_lane) - len(hidden), in_flight, len(hidden) - in_flight)

    def dead(self) -> int:
        return len(self.gone)

    def receive(self, lane: Lane, most: int = 10) -> list[Message]:
        """Up to `most` visible messages; one received too often goes to the dead letters instead."""
        queued = reversed(self.held) if self.reordering else iter(self.held)
        visible = (held for held in queued if held.lane is lane and held.visible_at <= self.clock.millis)
        messages = []
        for held in list(islice(visible, most)):
            if held.receives >= self.most_receives:
                self.held.remove(held)
                self.gone.append(held.body)
                continue
            held.receives += 1
            held.visible_at = self.clock.millis + VISIBILITY_SECONDS[lane] * 1000
            messages.append(Message(str(held.id), held.body, self._receipt(held), held.receives))
        return messages

    def delete(self, lane: Lane, receipts: Sequence[str]) -> None:
        """A receipt of an earlier receive no longer counts."""
        ids = {int(receipt.partition("/")[0]) for receipt in receipts}
        self.held = [held for held in self.held if held.id not in ids or self._receipt(held) not in receipts]

    @staticmethod
    def _receipt(held: Held) -> str:
        return f"{held.id}/{held.receives}"
