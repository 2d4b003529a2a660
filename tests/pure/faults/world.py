"""A whole Sortie in one thread: clients, workers, dispatchers, a clock that a test owns, and faults at every call."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from chalicelib.config import Settings
from chalicelib.core.job import ENDED, Inline, Job, Payload
from chalicelib.core.lane import Lane
from chalicelib.core.schedule import LEAD_MS
from chalicelib.errors import PayloadMissing, SortieError, Unavailable
from chalicelib.ports import ChangeRefused, Concurrency, JobStore, Payloads, Ports, Queue, Records
from chalicelib.service import cancel, containers, retry, schedules
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.quick import work_quick
from chalicelib.service.submit import Submitted, submit
from chalicelib.service.work import Message, work
from tests.pure.faults import invariants, registry
from tests.pure.faults.beats import Beats
from tests.pure.faults.gate import Crash, Gate, watched
from tests.pure.faults.invariants import Broken, Removed
from tests.pure.faults.recorder import Recorder
from tests.support import fakes
from tests.support.fake_containers import FakeContainers

T = TypeVar("T")
SETTINGS = Settings(inline_limit=100, container_images=("docker.io/library/*",))
FUNCTION_LIVES_SECONDS = 900.0
ALICE, BOB = "alice", "bob"
ROUNDS = 300


class Listener(logging.Handler):
    """Hears of messages and schedules that failed for another reason than AWS."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if ("message_failed" in line or "schedule_failed" in line) and "Unavailable" not in line:
            self.heard.append(line)


LISTENER = Listener()
logging.getLogger("sortie").addHandler(LISTENER)


class Clock(fakes.StoppedClock):
    """A stopped clock on which things happen: `at` names what is done when a time has come."""

    def __init__(self) -> None:
        super().__init__()
        self._alarms: list[tuple[float, Callable[[], object]]] = []

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        self._alarms.append((self.millis + seconds * 1000, act))

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        while come := [alarm for alarm in self._alarms if alarm[0] <= self.millis]:
            alarm = min(come, key=lambda alarm: alarm[0])
            self._alarms.remove(alarm)
            alarm[1]()


class Mailbox(Protocol):
    """The event source's side of the queues."""

    def receive(self, lane: Lane, most: int = 10) -> list[Message]: ...

    def delete(self, lane: Lane, receipts: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Backing:
    """What the world stands on: memory, or moto."""

    jobs: JobStore
    records: Records
    queue: Queue
    payloads: Payloads
    mailbox: Mailbox
    rows: Callable[[], list[Job]]
    containers: FakeContainers
    batch_updates: bool = False
    container_images: tuple[str, ...] = SETTINGS.container_images
    hold_index: Callable[[], None] = lambda: None
    release_index: Callable[[], None] = lambda: None


def memory(
    clock: Clock,
    jobs: type[fakes.MemoryJobs] = fakes.MemoryJobs,
    records: type[fakes.MemoryRecords] = fakes.MemoryRecords,
    containers: type[FakeContainers] = FakeContainers,
    *,
    batch_updates: bool = False,
    container_images: tuple[str, ...] = SETTINGS.container_images,
) -> Backing:
    table = fakes.Table()
    queue = fakes.MemoryQueue(clock)
    return Backing(
        jobs(table), records(table), queue, fakes.MemoryPayloads(), queue,
        lambda: list(table.jobs.values()), containers(clock), batch_updates, container_images,
        table.hold_index, table.release_index,
    )  # fmt: skip


class Mortal:
    """ports.Containers as a function calls it: one that has stood still for longer than Lambda lets it is no more."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        world = self._world

        def call(*args: Any) -> Any:
            if not world.gate.is_open and world.clock.millis - world.began > FUNCTION_LIVES_SECONDS * 1000:
                raise Crash
            return getattr(world.backing.containers, name)(*args)

        return call


class World:
    """`build` makes the backing for a clock; `inputs` and `keyed` remember what clients were promised."""

    def __init__(
        self, build: Callable[[Clock], Backing] = memory, seed: int = 0, *,
        clock: Clock | None = None, gate: Gate | None = None, concurrency: Concurrency | None = None,
    ) -> None:  # fmt: skip
        LISTENER.heard.clear()  # what other tests, or another world, said is not ours
        self.clock = clock or Clock()
        self.backing = build(self.clock)
        self.gate = gate or Gate()
        self.beats = Beats(self.clock.after, seed)
        self.quiet = False
        self.killed: list[int] = []
        """The attempts in which the killer ran."""
        self.runs: list[tuple[str, int]] = []
        """Every run of a claimed attempt."""
        self.recorder = Recorder(self.backing.jobs, self.gate.opened)
        real = Ports(
            self.recorder, self.backing.records, self.backing.queue, self.backing.payloads,
            self.clock, fakes.SeededRandom(seed), fakes.SilentAlarm(), concurrency or self.beats,
            registry.of(self),
            replace(
                SETTINGS, batch_updates=self.backing.batch_updates, container_images=self.backing.container_images
            ), Mortal(self),
        )  # fmt: skip
        self.began = self.clock.millis
        self.backing.containers.on_event = self._container_event
        self.ports = watched(real, self.gate)
        self.inputs: dict[str, bytes] = {}
        self.answered: set[str] = set()
        self.keyed: dict[str, set[str]] = defaultdict(set)
        self.refusals: list[SortieError] = []
        self.removed: dict[str, Removed] = {}
        self.rival: Callable[[], object] = lambda: None
        """What another client does while one process stands still."""

    def process(self, what: Callable[[], T]) -> T | None:
        """A process of its own: a crash ends it, and an error that the edge can answer with is an answer."""
        try:
            return what()
        except Crash:
            return None
        except (ChangeRefused, PayloadMissing) as error:
            raise Broken(f"I8: {type(error).__name__} reaches the edge") from error
        except SortieError as error:
            self.refusals.append(error)
            return None

    def submit(self, new: NewJob, key: str | None = None) -> Submitted | None:
        """As a client does: an answer is a promise."""
        if key is not None and new.request_id is not None:
            self.keyed[new.request_id] |= set()
        body = repr((new.task, new.input, new.request_id)).encode()
        answer = self.process(lambda: submit(self.ports, new, key=key, body=body))
        if answer is not None:
            self.promised(answer.job)
            if key is not None and new.request_id is not None and not _reuses(new):
                self.keyed[new.request_id].add(answer.job.id)
        return answer

    def promised(self, job: Job) -> None:
        self.answered.add(job.id)

    def cancel(self, owner: str, job_id: str) -> Job | None:
        return self._steer(cancel.cancel, owner, job_id)

    def retry(self, owner: str, job_id: str) -> Job | None:
        return self._steer(retry.retry, owner, job_id)

    def _steer(self, act: Callable[[Ports, str | None, str], Job], owner: str, job_id: str) -> Job | None:
        """I7: nothing of a stranger's comes back, and nothing changes."""
        calls_before = len(self.gate.calls)
        after = self.process(lambda: act(self.ports, owner, job_id))
        with self.gate.opened():
            row = self.backing.jobs.get(job_id)
        if row is not None and row.owner != owner and (after is not None or "apply" in self.gate.calls[calls_before:]):
            raise Broken(f"I7: {owner} reached a job of {row.owner}")
        return after

    def remove_schedule(self, owner: str | None, schedule_id: str) -> None:
        """As a client does: an answer promises that nothing begins any more."""

        def remove() -> bool:
            schedules.remove(self.ports, owner, schedule_id)
            return True

        if self.process(remove):
            slots = [row.slot_at for row in self.rows() if row.schedule_id == schedule_id and row.slot_at]
            self.removed[schedule_id] = Removed(len(self.recorder.moves), max(slots, default=0))

    def lose_messages(self) -> None:
        """Everything that is in the queue now is gone."""
        mailbox = self.backing.mailbox
        if isinstance(mailbox, fakes.MemoryQueue):
            mailbox.held.clear()
        else:
            for lane in Lane:
                while messages := mailbox.receive(lane):
                    mailbox.delete(lane, [message.receipt for message in messages])

    def worker(self, most: int = 10, seconds_left: float = 900.0) -> int:
        """One invocation of each lane's worker; how many messages they were given. An event source mapping of the
        version before gives the long lane a batch as well."""
        quick_left = 60.0 if seconds_left >= 900 else 12.0
        quick = self._invoke(Lane.QUICK, work_quick, most, quick_left)
        return quick + self._invoke(Lane.LONG, work, most if most < 10 else 1, seconds_left)

    def _invoke(self, lane: Lane, function: Callable[..., list[str]], most: int, seconds_left: float) -> int:
        messages = self.backing.mailbox.receive(lane, most)
        if not messages:
            return 0
        left = self.clock.now() + seconds_left * 1000
        self.began = self.clock.millis if not self.gate.is_open else self.began
        try:
            failed = function(self.ports, messages, lambda: (left - self.clock.now()) / 1000)
        except Crash:
            return len(messages)
        except SortieError as error:
            raise Broken(f"I8: {type(error).__name__} stops the worker") from error
        self.backing.mailbox.delete(lane, [message.receipt for message in messages if message.id not in failed])
        return len(messages)

    def work_all(self) -> None:
        for _ in range(ROUNDS):
            if not self.worker():
                return
        raise Broken("I8: the queue never runs dry")

    def dispatcher(self) -> None:
        self.began = self.clock.millis if not self.gate.is_open else self.began
        try:
            dispatch(self.ports, lambda: 60.0)
        except Crash:
            return
        except Unavailable:
            return

    def look_on(self) -> None:
        """The dispatcher, while a worker is busy."""
        with self.gate.opened():
            self.dispatcher()

    def events(self) -> None:
        """The engine tells of containers that run or have stopped since it last did."""
        self.backing.containers.tell()

    def _container_event(self, name: str, ref: str) -> None:
        self.began = self.clock.millis if not self.gate.is_open else self.began
        try:
            containers.on_event(self.ports, name, ref)
        except Crash:
            return
        except Unavailable:
            return  # EventBridge calls again; here that event is lost

    def others(self, seconds: float, *, finish: bool = True) -> None:
        """What everybody else does while one process stands still at a call. Not `finish`: the workers among them
        only start, and are still busy when that process goes on."""
        with self.gate.opened(), self.beats.frozen():
            self.rival()
            self.clock.advance(seconds)
            if not finish:
                return self.start_all()
            self.work_all()
            self.dispatcher()
            self.work_all()
            self.events()
            self.clock.advance(21)
            self.dispatcher()
            return self.work_all()

    def cancel_all(self) -> None:
        """What every owner does meanwhile."""
        with self.gate.opened(), self.beats.frozen():
            for row in self.rows():
                self.cancel(row.owner, row.id)

    def start_all(self) -> None:
        """The dispatcher finds what is lost; then workers claim whatever they may, and stand still."""
        self.dispatcher()
        self.clock.advance(30)
        for row in self.rows():
            with suppress(ChangeRefused):
                self.ports.jobs.claim(row.id, self.clock.now(), f"another worker {row.id}")

    def settle(self) -> None:
        """No more faults: run until all is quiet. I1 says that this ends."""
        self.gate.clear()
        self.quiet = True
        self.backing.release_index()
        queue = self.backing.queue
        if isinstance(queue, fakes.MemoryQueue):
            queue.losing = queue.doubling = queue.reordering = False
            queue.late = 0.0
        engine = self.backing.containers
        engine.refusing = engine.losing_events = engine.doubling_events = False
        if stands := [each for owner in (ALICE, BOB) for each in self.ports.records.schedules(owner)]:
            self.clock.advance(LEAD_MS / 1000)  # what is ahead has its time
            self.dispatcher()
            self.work_all()
        for schedule in stands:
            self.remove_schedule(None, schedule.id)
        for _ in range(ROUNDS):
            self.work_all()
            waking = [row.wake_at or row.not_before for row in self.rows() if row.status not in ENDED]
            if not waking:
                self._end_containers()
                return
            with self.gate.opened():
                self.clock.advance(max(0, min(waking) - self.clock.now()) / 1000 + 1)
            self.dispatcher()

    def _end_containers(self) -> None:
        """What still stops has its few seconds, and what nobody wants is swept."""
        for _ in range(2):
            self.began = self.clock.millis
            self.dispatcher()
            self.clock.advance(10)

    def rows(self) -> list[Job]:
        return self.backing.rows()

    def check(self) -> None:
        """Raises Broken, naming every invariant that does not hold."""
        rows = self.rows()
        ids = {row.id for row in rows}
        broken = [f"I1: {job_id} was answered and is not there" for job_id in sorted(self.answered - ids)]
        broken += invariants.of_rows(rows)
        broken += invariants.of_moves(self.recorder)
        broken += invariants.of_windows(rows, self.recorder)
        broken += invariants.of_runs(self.runs)
        broken += invariants.of_keys(rows, self.keyed)
        inputs = {row.id: self._bytes(row.input) for row in rows if row.task == "sort"}
        outputs = {row.id: self._bytes(row.output) for row in rows if row.output is not None}
        broken += invariants.of_outputs(rows, inputs, outputs)
        broken += invariants.of_schedules(rows, self.recorder, self.removed)
        broken += self._of_runs(rows)
        boxes = list(self.backing.containers.boxes.values())
        broken += invariants.of_containers(rows, boxes, self.clock.millis)
        broken += [f"I8: {line}" for line in LISTENER.heard]
        LISTENER.heard.clear()
        if broken:
            raise Broken("\n".join(broken))

    def _bytes(self, payload: Payload) -> bytes:
        return payload.data if isinstance(payload, Inline) else self.backing.payloads.get(payload.key, payload.size)

    def _of_runs(self, rows: Sequence[Job]) -> list[str]:
        """All jobs of a run, or none."""
        broken, runs = [], {(row.owner, row.run_id) for row in rows if row.run_id}
        for owner, run_id in runs:
            assert run_id is not None
            record = self.backing.records.run(owner, run_id)
            there = {row.id for row in rows if row.run_id == run_id}
            if record is None or set(record.job_ids) != there:
                broken.append(f"groups: the run {run_id} has {len(there)} jobs")
        return broken


def _reuses(new: NewJob) -> bool:
    """Under `reuse` the answer may be another's job, and a later repeat of the same key another one still."""
    return new.window is not None and new.window.on_repeat == "reuse"


def sort_job(owner: str = ALICE, numbers: int = 5, **more: object) -> NewJob:
    array = [(number * 7919) % 101 for number in range(numbers)]
    return NewJob(owner=owner, task="sort", input=f'{{"array":{array}}}'.encode(), **more)  # type: ignore[arg-type]
