"""Processes that stand at each of their calls, of which any may go on next, be killed there, or lose its answer.

A process is a greenlet; the hub chooses who goes on. A heartbeat is a process of its own, and dies with the one it
beats for. Time passes only where the hub says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar
from zlib import crc32

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from chalicelib.core.lane import Lane
from chalicelib.errors import Unavailable
from chalicelib.ports import Ports
from chalicelib.service import containers
from chalicelib.service.dispatch import dispatch
from chalicelib.service.quick import work_quick
from chalicelib.service.work import work
from tests.pure.faults.enumeration import Build
from tests.pure.faults.gate import Crash, Gate
from tests.pure.faults.world import Clock, World, memory
from tests.support.fakes import MemoryJobs, MemoryQueue, SeededRandom

T = TypeVar("T")
QUICK_SECONDS, LONG_SECONDS, DISPATCHER_SECONDS, ROUTE_SECONDS, EVENT_SECONDS = 60.0, 900.0, 60.0, 30.0, 60.0
"""How long Lambda lets each function live."""
SENT_ONCE = ("add_tally", "send", "start")
"""Calls that no client library repeats, or of which a repeat is a message more."""


class Fate(StrEnum):
    """What becomes of the call at which a process stands."""

    GO = "go"
    KILL = "kill"
    LOSE_REQUEST = "lose the request"
    LOSE_ANSWER = "lose the answer"
    REPEAT = "lose the answer, and ask again"


def fates(call: str) -> list[Fate]:
    """What may happen there."""
    if call in ("start", "waits"):
        return [Fate.GO, Fate.KILL]
    return [fate for fate in Fate if fate is not Fate.REPEAT or call not in SENT_ONCE]


@dataclass(eq=False, slots=True)
class Process:
    """`call`: where it stands; `heard`: its calls and their answers so far, which tell two of its states apart."""

    name: str
    run: greenlet
    dies_at: float
    ports: Ports
    call: str = "start"
    wakes_at: float = 0.0
    heard: list[str] = field(default_factory=list)
    hearts: list[Process] = field(default_factory=list)
    is_dead: bool = False


class Hub:
    """Who lives, and who goes on."""

    def __init__(self) -> None:
        self.root = getcurrent()
        self.alive: list[Process] = []
        self._counts = Counter[str]()

    @property
    def current(self) -> Process | None:
        here = getcurrent()
        return next((process for process in self.alive if process.run is here), None)

    def seed_of(self, name: str, seed: int) -> int:
        """Of the next process of that name: the same whoever else has been spawned meanwhile."""
        return crc32(f"{seed} {name} {self._counts[name]}".encode())

    def spawn(self, name: str, act: Callable[[], object], dies_at: float, now: float, ports: Ports) -> Process:
        def run(fate: Fate) -> None:
            try:
                act()
            except Crash:
                pass
            finally:
                self._bury(process)

        self._counts[name] += 1
        process = Process(f"{name} {self._counts[name]}", greenlet(run, parent=self.root), dies_at, ports, wakes_at=now)
        self.alive.append(process)
        return process

    def step(self, process: Process, fate: Fate = Fate.GO) -> None:
        """Until it stands again, or has ended. Broken comes out here."""
        if fate is Fate.KILL:
            for heart in process.hearts:
                if heart in self.alive:
                    self.step(heart, Fate.KILL)
            process.is_dead = True
            if process.call == "start":
                self._bury(process)
                return
        process.run.switch(fate)

    def stand(self, call: str, until: float = 0.0) -> Fate:
        """From a process: it stands here until the hub lets it go on."""
        process = self.current
        assert process is not None
        if process.is_dead:
            raise Crash  # what a `finally` would still do, a killed process does not
        process.call, process.wakes_at = call, until
        fate: Fate = self.root.switch()
        if fate is Fate.KILL or process.is_dead:
            raise Crash
        return fate

    def _bury(self, process: Process) -> None:
        if process in self.alive:
            self.alive.remove(process)


class FreeGate(Gate):
    """A call from a process stands first; the hub's own calls go through."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub

    def passed(self, name: str, effect: Callable[[], T]) -> T:
        process = self.hub.current
        if process is None or self.is_open:
            return effect()
        fate = self.hub.stand(name)
        self.calls.append(name)
        if fate is Fate.LOSE_REQUEST:
            process.heard.append(f"{name}: lost")
            raise Unavailable("throttled, timed out or refused")
        try:
            answer = effect()
        except Exception as error:
            if fate is not Fate.REPEAT:
                process.heard.append(f"{name}: {error!r} {getattr(error, 'job', None)!r}")
                raise
        if fate is Fate.LOSE_ANSWER:
            process.heard.append(f"{name}: its answer lost")
            raise Unavailable("timed out")
        if fate is Fate.REPEAT:
            try:
                answer = effect()
            except Exception as error:
                process.heard.append(f"{name} again: {error!r} {getattr(error, 'job', None)!r}")
                raise
        process.heard.append(f"{name}: {answer!r}")
        return answer


class FreeClock(Clock):
    """Whoever waits stands; the hub's own time passes at once."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub

    def advance(self, seconds: float) -> None:
        if self.hub.current is None:
            super().advance(seconds)
        else:
            self.hub.stand("waits", self.millis + seconds * 1000)


class FreeBeats:
    """ports.Concurrency. In the hub, where everything else stands still, nothing beats."""

    def __init__(self, world: FreeWorld) -> None:
        self._world = world

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        return [call() for call in calls]

    @contextmanager
    def beat(self, seconds: float, act: Callable[[], bool]) -> Iterator[None]:
        owner, over = self._world.hub.current, [False]
        if owner is None:
            yield
            return

        def run() -> None:
            while True:
                self._world.hub.stand("waits", self._world.clock.millis + seconds * 1000)
                if over[0] or not act():
                    return

        heart = self._world.hub.spawn("heart", run, owner.dies_at, self._world.clock.millis, owner.ports)
        owner.hearts.append(heart)
        try:
            yield
        finally:
            over[0] = True


class FreeWorld(World):
    """A world whose processes are spawned and go on step by step."""

    def __init__(self, build: Build = memory, seed: int = 0) -> None:
        self.hub, self._seed = Hub(), seed
        super().__init__(
            build, seed, clock=FreeClock(self.hub), gate=FreeGate(self.hub), concurrency=FreeBeats(self)
        )  # fmt: skip

    @property
    def ports(self) -> Ports:
        """Those of the process that asks: with chance of its own, which does not hang on who else has drawn."""
        process = self.hub.current
        return process.ports if process else self._ports

    @ports.setter
    def ports(self, ports: Ports) -> None:
        self._ports = ports

    @property
    def began(self) -> float:
        """The hub ends whoever has lived too long."""
        return self.clock.millis

    @began.setter
    def began(self, millis: float) -> None: ...

    def spawn(self, name: str, act: Callable[[Ports, Callable[[], float]], object], seconds: float) -> Process:
        """`act` gets its ports, and what says how many seconds it has left."""
        dies_at = self.clock.millis + seconds * 1000
        ports = replace(self._ports, random=SeededRandom(self.hub.seed_of(name, self._seed)))

        def run() -> None:
            with suppress(Unavailable):
                act(ports, lambda: (dies_at - self.clock.millis) / 1000)

        return self.hub.spawn(name, run, dies_at, self.clock.millis, ports)

    def spawn_worker(self, lane: Lane) -> Process | None:
        function: Callable[..., list[str]] = {Lane.QUICK: work_quick, Lane.LONG: work}[lane]
        messages = self.backing.mailbox.receive(lane, 10 if lane is Lane.QUICK else 1)
        if not messages:
            return None

        def act(ports: Ports, seconds_left: Callable[[], float]) -> None:
            failed = function(ports, messages, seconds_left)
            receipts = [message.receipt for message in messages if message.id not in failed]
            self.backing.mailbox.delete(lane, receipts)

        return self.spawn(f"{lane}", act, {Lane.QUICK: QUICK_SECONDS, Lane.LONG: LONG_SECONDS}[lane])

    def spawn_dispatcher(self) -> Process:
        return self.spawn("dispatcher", dispatch, DISPATCHER_SECONDS)

    def spawn_client(self, act: Callable[[], object]) -> Process:
        return self.spawn("client", lambda ports, seconds_left: act(), ROUTE_SECONDS)

    def _container_event(self, name: str, ref: str) -> None:
        if self.quiet:
            return super()._container_event(name, ref)
        self.spawn("event", lambda ports, seconds_left: containers.on_event(ports, name, ref), EVENT_SECONDS)
        return None

    def pass_time(self, seconds: float) -> None:
        """Whoever has lived as long as Lambda lets it is no more."""
        self.clock.advance(seconds)
        self._kill([process for process in self.hub.alive if process.dies_at <= self.clock.millis])

    def ready(self) -> list[Process]:
        return [process for process in self.hub.alive if process.wakes_at <= self.clock.millis]

    def finish(self) -> None:
        """Everybody goes on to the end, and what is left runs without faults. Raises Broken."""
        while self.hub.alive:
            if ready := self.ready():
                self.hub.step(ready[0])
            else:
                self.pass_time((min(process.wakes_at for process in self.hub.alive) - self.clock.millis) / 1000)
        self.settle()
        self.check()

    def close(self) -> None:
        """Nobody is left standing."""
        self._kill(list(self.hub.alive))

    def _kill(self, processes: Sequence[Process]) -> None:
        for process in processes:
            if process in self.hub.alive:
                self.hub.step(process, Fate.KILL)

    @property
    def queue(self) -> MemoryQueue:
        assert isinstance(self.backing.queue, MemoryQueue)
        return self.backing.queue

    @property
    def state(self) -> int:
        """Two histories that come to one state go on alike."""
        queue, jobs = self.queue, self.backing.jobs
        assert isinstance(jobs, MemoryJobs)
        moves = sorted((move.before.id, str(move.event), move.before.attempts) for move in self.recorder.moves)
        standing = sorted(
            (process.name, process.call, process.wakes_at, tuple(process.heard)) for process in self.hub.alive
        )
        return hash(repr((
            self.clock.millis, sorted(jobs.table.jobs.items()), sorted(jobs.table.keys.items()),
            sorted(jobs.table.windows.items()), sorted(jobs.table.schedules.items()), sorted(self.removed.items()),
            queue.held, queue.gone, moves, standing, sorted(self.runs),
        )))  # fmt: skip
