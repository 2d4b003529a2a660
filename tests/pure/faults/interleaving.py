"""Histories in which any process may go on at any call: drawn by a seed, or every order there is of a small world."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from chalicelib.core.lane import Lane
from chalicelib.core.window import OnRepeat
from chalicelib.service import schedules
from chalicelib.service.new_job import NewJob, WindowWish
from tests.pure.faults import invariants
from tests.pure.faults.enumeration import Build
from tests.pure.faults.free import Fate, FreeWorld, Process, fates
from tests.pure.faults.invariants import Broken
from tests.pure.faults.schedule_scenarios import quietly_scheduled
from tests.pure.faults.story import quietly, task
from tests.pure.faults.world import ALICE, memory, sort_job
from tests.support.fakes import MemoryJobs

STEPS, MOST_ALIVE = 90, 6
SECONDS = (0.5, 5.0, 21.0, 31.0, 61.0, 130.0)
INPUTS = (
    ("sort", '{"array":[3,1,2]}'), ("moody", "{}"), ("fail", '{"message":"no","times":1}'), ("sleep", '{"seconds":4}'),
    ("quiet", "70"), ("killer", "{}"), ("container", '{"image":"busybox:1","command":["8","0"]}'),
)  # fmt: skip


def interleave(seed: int, build: Build = memory) -> None:
    """One drawn history. Raises Broken."""
    draw, world = random.Random(seed), FreeWorld(build, seed)
    clients = _Clients(world, draw)
    acts: list[tuple[int, Callable[[], object]]] = [
        (24, lambda: _step(world, draw)),
        (4, clients.submit),
        (2, clients.cancel),
        (2, clients.retry),
        (1, clients.add_schedule),
        (1, clients.remove_schedule),
        (3, lambda: world.spawn_worker(draw.choice(list(Lane)))),
        (2, world.spawn_dispatcher),
        (1, world.events),
        (1, lambda: _fill_engine(world, draw)),
        (2, lambda: world.pass_time(draw.choice(SECONDS))),
    ]
    weights = [weight for weight, _ in acts]
    try:
        for _ in range(STEPS):
            crowded = len(world.hub.alive) >= MOST_ALIVE
            (acts[0][1] if crowded else draw.choices(acts, weights)[0][1])()
        world.finish()
    finally:
        world.close()


def _step(world: FreeWorld, draw: random.Random) -> None:
    """Most calls go through."""
    if not (ready := world.ready()):
        return world.pass_time(1.0)
    process = draw.choice(ready)
    unhappy = [fate for fate in fates(process.call) if fate is not Fate.GO]
    return world.hub.step(process, draw.choice(unhappy) if draw.random() < 0.08 else Fate.GO)


def _fill_engine(world: FreeWorld, draw: random.Random) -> None:
    """From now on it has room for containers, or none."""
    world.backing.containers.refusing = draw.random() < 0.5


class _Clients:
    """Requests, each a process of its own."""

    def __init__(self, world: FreeWorld, draw: random.Random) -> None:
        self._world, self._draw = world, draw

    def submit(self) -> None:
        draw = self._draw
        name, task_input = draw.choice(INPUTS)
        key = draw.choice((None, None, 0, 1))
        if key is not None:
            new = sort_job(ALICE, numbers=key + 1, request_id=f"request {key}")
        elif draw.random() < 0.25:
            new = sort_job(ALICE, object_id=1, window=WindowWish(60, draw.choice(list(OnRepeat))))
        else:
            new = task(name, task_input, max_attempts=draw.randint(1, 3), timeout=20.0)
        self._world.spawn_client(lambda: self._world.submit(new, key=None if key is None else f"key-{key}"))

    def cancel(self) -> None:
        self._steer(self._world.cancel)

    def retry(self) -> None:
        self._steer(self._world.retry)

    def add_schedule(self) -> None:
        world, line = self._world, self._draw.choice(("* * * * *", "*/2 * * * *"))
        new = task(*self._draw.choice(INPUTS), max_attempts=2, timeout=20.0)
        world.spawn_client(lambda: world.process(lambda: schedules.add(world.ports, line, "UTC", b"{}", new)))

    def remove_schedule(self) -> None:
        """Most are left a while to fire."""
        stands = self._world.backing.records.schedule_ids(ALICE)
        if stands and self._draw.random() < 0.5:
            schedule_id = self._draw.choice(stands)
            self._world.spawn_client(lambda: self._world.remove_schedule(ALICE, schedule_id))

    def _steer(self, act: Callable[[str, str], object]) -> None:
        if rows := self._world.rows():
            job_id = self._draw.choice(rows).id
            self._world.spawn_client(lambda: act(ALICE, job_id))


@dataclass(frozen=True, slots=True)
class Small:
    """A world so small that each order of its calls can be tried: one job, `workers` that take its messages, a
    dispatcher, a client; time may pass by `waits`, and `faults` of the calls may go wrong. `line`: the job is that of a
    schedule, whose id the client gets."""

    job: NewJob
    line: str | None = None
    client: Callable[[FreeWorld, str], object] | None = None
    workers: int = 2
    dispatchers: int = 1
    waits: tuple[float, ...] = (61.0, 61.0)
    faults: int = 1


Choice = tuple[str, Fate]


class OneShard(MemoryJobs):
    """Each shard of the wake index is a call more of the dispatcher, and the orders are multiplied by it; so is a look
    for containers."""

    wake_shards = 1


ONE_SHARD: Build = partial(memory, jobs=OneShard, container_images=())


def enumerate_orders(small: Small, build: Build = ONE_SHARD) -> tuple[int, int]:
    """How many states there are, and how many ends, each of which was run to quiet and checked. Raises Broken."""
    seen: set[int] = set()
    ends, open_ = 0, [list[Choice]()]
    while open_:
        path = open_.pop()
        trial = _Trial(small, build)
        try:
            for choice in path:
                trial.take(choice)
            while (state := trial.state) not in seen:
                seen.add(state)
                trial.check()
                if not (choices := list(trial.choices())):
                    ends += 1
                    trial.world.finish()
                    break
                open_ += [[*path, choice] for choice in choices[1:]]
                path = [*path, choices[0]]
                trial.take(choices[0])
        except Broken as broken:
            broken.add_note(" → ".join(f"{who}: {fate}" for who, fate in path))
            raise
        finally:
            trial.world.close()
    return len(seen), ends


class _Trial:
    """A small world, as one order of choices has led to it."""

    def __init__(self, small: Small, build: Build) -> None:
        self.world, self._small, self._spent = FreeWorld(build), small, 0
        self._waits = list(small.waits)
        line = small.line
        self._id = quietly_scheduled(self.world, small.job, line) if line else quietly(self.world, small.job)
        self._left = {"quick": small.workers, "long": small.workers, "dispatcher": small.dispatchers}
        self._left["client"] = 1 if small.client else 0

    @property
    def state(self) -> int:
        return hash((self.world.state, self._spent, len(self._waits), tuple(self._left.items())))

    def check(self) -> None:
        """Of what has happened so far. Raises Broken."""
        if broken := list(invariants.of_moves(self.world.recorder)) + list(invariants.of_runs(self.world.runs)):
            raise Broken("\n".join(broken))

    def choices(self) -> Iterator[Choice]:
        world = self.world
        for process in world.ready():
            yield process.name, Fate.GO
            if self._spent < self._small.faults and process.call not in ("start", "waits"):
                yield from ((process.name, fate) for fate in fates(process.call) if fate is not Fate.GO)
        yield from ((name, Fate.GO) for name, left in self._left.items() if left and self._can_start(name))
        if self._waits:
            yield "time", Fate.GO

    def _can_start(self, name: str) -> bool:
        if name in ("dispatcher", "client"):
            return True
        now = self.world.clock.millis
        held = self.world.queue.held
        return any(message.lane == name and message.visible_at <= now for message in held)

    def take(self, choice: Choice) -> None:
        name, fate = choice
        self._spent += fate is not Fate.GO
        if name == "time":
            self.world.pass_time(self._waits.pop(0))
        elif name in self._left:
            self._left[name] -= 1
            self._start(name)
        else:
            self.world.hub.step(self._named(name), fate)

    def _start(self, name: str) -> None:
        world, client = self.world, self._small.client
        if name == "dispatcher":
            world.hub.step(world.spawn_dispatcher())
        elif name == "client" and client is not None:
            world.hub.step(world.spawn_client(lambda: client(world, self._id)))
        elif worker := world.spawn_worker(Lane(name)):
            world.hub.step(worker)

    def _named(self, name: str) -> Process:
        return next(process for process in self.world.hub.alive if process.name == name)
