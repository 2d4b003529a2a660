"""ports.Containers on a stopped clock: containers whose command says how long they start, run and what they exit with.

`{"command": ["4", "0"]}` runs 4 s and exits with 0. Switches make what an engine may do: no room, a container that is
taken away, events that are lost, doubled or late, and an emulator that does not know a start it has seen before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.core.container import Spec
from chalicelib.core.container_look import MISSING, RUNNING, STOPPED, Look
from chalicelib.core.job import Millis
from chalicelib.errors import Invalid
from chalicelib.ports import LogPage, StartRefused
from tests.support.fakes import StoppedClock

PULL_SECONDS, STOPPING_SECONDS = 2.0, 3.0


@dataclass(slots=True)
class Box:
    """One container: when it was asked for, runs and ends, in milliseconds."""

    ref: str
    name: str
    asked_at: float
    runs_at: float
    ends_at: float
    exit_code: int | None = 0
    stop_code: str = "EssentialContainerExited"
    reason: str = "Essential container in task exited"
    detail: str = ""
    told: str = ""

    def status_at(self, now: float) -> str:
        return STOPPED if now >= self.ends_at else RUNNING if now >= self.runs_at else "PENDING"


@dataclass(slots=True)
class FakeContainers:
    """`tokens`: a second start under one name is the first one again, as on ECS."""

    clock: StoppedClock
    tokens: bool = True
    refusing: bool = False
    losing_events: bool = False
    doubling_events: bool = False
    boxes: dict[str, Box] = field(default_factory=dict)
    on_event: Callable[[str, str], object] = lambda name, ref: None
    held: list[tuple[str, str]] = field(default_factory=list)

    def start(self, name: str, spec: Spec) -> str:
        if self.refusing:
            raise StartRefused("Capacity is unavailable at this time")
        if self.tokens and (known := self.find(name)):
            return known[0]
        if spec.image.endswith(":refused"):
            raise Invalid()
        ref, now = f"task-{len(self.boxes) + 1}", self.clock.millis
        runs_at = now + PULL_SECONDS * 1000
        seconds, code = (float(spec.command[0]), int(spec.command[1])) if spec.command else (1.0, 0)
        box = Box(ref, name, now, runs_at, runs_at + seconds * 1000, code)
        if spec.image.endswith(":missing"):
            box.ends_at, box.exit_code, box.stop_code = runs_at, None, "TaskFailedToStart"
            box.reason = "CannotPullContainerError: not found"
        self.boxes[ref] = box
        return ref

    def find(self, name: str) -> list[str]:
        return [box.ref for box in self.boxes.values() if box.name == name]

    def look(self, refs: Sequence[str]) -> Mapping[str, Look]:
        return {ref: self._look(ref) for ref in refs}

    def running(self) -> Sequence[Look]:
        return [self._look(ref) for ref, box in self.boxes.items() if box.status_at(self.clock.millis) != STOPPED]

    def stop(self, ref: str, why: str) -> None:
        box = self.boxes.get(ref)
        if box is None or box.stop_code == "UserInitiated" or box.status_at(self.clock.millis) == STOPPED:
            return
        if (ends := self.clock.millis + STOPPING_SECONDS * 1000) < box.ends_at:
            box.ends_at, box.exit_code, box.stop_code, box.reason = ends, 143, "UserInitiated", f"sortie: {why}"

    def tail(self, ref: str, lines: int) -> Sequence[str]:
        return [f"a line of {ref}"]

    def log(self, ref: str, after: str | None) -> LogPage:
        return LogPage([f"a line of {ref}"] if after is None else [], "1")

    def check(self) -> None:
        return None

    def take_away(self) -> None:
        """Every host is gone, and what ran on it."""
        for box in self.boxes.values():
            if box.status_at(self.clock.millis) != STOPPED:
                box.ends_at, box.exit_code, box.stop_code = self.clock.millis, None, "TerminationNotice"

    def tell(self) -> int:
        """Deliver the events of what has changed since the last time; how many."""
        events, self.held = self.held, []
        for box in self.boxes.values():
            if (status := box.status_at(self.clock.millis)) != box.told and status in (RUNNING, STOPPED):
                box.told = status
                events += [] if self.losing_events else [(box.name, box.ref)] * (2 if self.doubling_events else 1)
        for name, ref in events:
            self.on_event(name, ref)
        return len(events)

    def _look(self, ref: str) -> Look:
        box = self.boxes.get(ref)
        if box is None:
            return Look(ref, MISSING)
        now = self.clock.millis
        status = box.status_at(now)
        if status != STOPPED:
            return Look(ref, status, box.name, started_at=_millis(box.runs_at) if status == RUNNING else None)
        started_at = _millis(box.runs_at) if box.ends_at > box.runs_at else None
        return Look(
            ref, status, box.name, started_at, _millis(box.ends_at), box.exit_code, box.stop_code, box.reason,
            box.detail,
        )  # fmt: skip


def _millis(at: float) -> Millis:
    return int(at)
