"""The real use cases, under the meter: submit, dispatch and work, from a row to an ended job.

A message is what was sent: it is read off the call that sends it, and handed to the worker of its queue once its delay
has passed on the simulated clock. What the event source itself asks of SQS is no part of the load.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.load import Load, Phase, share_out
from benchmarks.capacity.meter import Key, Meter, Sent, Taken
from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.core.ids import make_id, shard_of
from chalicelib.core.job import ENDED
from chalicelib.core.lane import Lane as QueueLane
from chalicelib.ports import Ports
from chalicelib.service import quick, work
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import submit

CYCLE = 80
"""Ids go round so many shards in turn: any number of shards that divides it gets the same from each eighty jobs."""
LATER_SECONDS, AHEAD_SECONDS = 3_600, 60
Worker = Callable[[Ports, Sequence[work.Message], Callable[[], float]], list[str]]


class EvenIds:
    """ports.Random whose ids lie on all shards alike, as those of a million jobs do and those of eighty do not."""

    def __init__(self) -> None:
        self._random, self._count = random.Random(1), 0

    def new_id(self, now: int) -> str:
        self._count += 1
        while shard_of(job_id := self._any_id(now), CYCLE) != self._count % CYCLE:
            pass
        return job_id

    def new_token(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def uniform(self) -> float:
        return self._random.random()

    def _any_id(self, now: int) -> str:
        return make_id(now, self._count << 40 | self._random.getrandbits(40))


@dataclass(frozen=True, slots=True)
class Lane:
    """What handles a queue's messages, and how many of them at once."""

    worker: Worker
    batch: int


@dataclass(slots=True)
class _Counted:
    """Calls of one use case."""

    calls: int = 0
    at_once: int = 0

    def add(self, taken: Taken) -> None:
        self.calls += taken.calls.total()
        self.at_once = max(self.at_once, taken.at_once)

    def of_one(self, jobs: int) -> Phase:
        return Phase(self.calls / jobs, self.at_once)


@dataclass(slots=True)
class Flow:
    """One run of some jobs."""

    ports: Ports
    meter: Meter
    clock: SimulatedClock
    lanes: Mapping[str, Lane]
    units: dict[str, defaultdict[Key, float]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    waiting: list[Sent] = field(default_factory=list)
    submitting: _Counted = field(default_factory=_Counted)
    dispatching: _Counted = field(default_factory=_Counted)
    working: _Counted = field(default_factory=_Counted)
    invocations: int = 0

    def run(self, name: str, jobs: Sequence[NewJob], *, later: bool = False) -> Load:
        """`later`: the jobs are due in an hour, and the dispatcher starts them."""
        self.meter.reset()
        due = self.ports.clock.now() + LATER_SECONDS * 1000 if later else None
        for new in jobs:
            self._submit(replace(new, run_at=due))
        if later:
            self.clock.advance(LATER_SECONDS - AHEAD_SECONDS)
            self._dispatch()
        while self.waiting:
            self._deliver()
        self._check()
        calls = {call: count / len(jobs) for call, count in self.calls.items()}
        submitted, dispatched, worked = (
            each.of_one(len(jobs)) for each in (self.submitting, self.dispatching, self.working)
        )
        batch = len(jobs) / self.invocations
        return Load(name, list(self.units.values()), calls, submitted, dispatched, worked, batch)

    def _submit(self, new: NewJob) -> None:
        job = submit(self.ports, new).job
        self.units[job.id] = defaultdict(float)
        self._take([job.id], self.submitting)

    def _dispatch(self) -> None:
        dispatch(self.ports, lambda: 60.0)
        self._take(list(self.units), self.dispatching)

    def _deliver(self) -> None:
        """Every message that has been sent so far, to its queue's worker in batches."""
        sent, self.waiting = self.waiting, []
        self.clock.advance(max(each.delay for each in sent))
        for queue in dict.fromkeys(each.queue for each in sent):
            if queue not in self.lanes:
                raise KeyError(f"nothing here works on the queue {queue}: name its worker in lanes()")
            bodies, lane = [each.body for each in sent if each.queue == queue], self.lanes[queue]
            for first in range(0, len(bodies), lane.batch):
                self._work(lane.worker, bodies[first : first + lane.batch])

    def _work(self, worker: Worker, bodies: Sequence[str]) -> None:
        failed = worker(self.ports, [work.Message(body, body, body) for body in bodies], lambda: 900.0)
        if failed:
            raise RuntimeError(f"a worker gave back {len(failed)} of {len(bodies)} messages")
        self.invocations += 1
        self._take(bodies, self.working)

    def _take(self, jobs: Sequence[str], counted: _Counted) -> None:
        taken = self.meter.take()
        share_out(taken.charges, {job: self.units[job] for job in jobs})
        self.calls.update(taken.calls)
        self.waiting += taken.sent
        counted.add(taken)

    def _check(self) -> None:
        rows = [self.ports.jobs.get(job) for job in self.units]
        if left := [row for row in rows if row is None or row.status not in ENDED]:
            raise RuntimeError(f"{len(left)} of {len(rows)} jobs have not ended: their load is not whole")
        self.meter.reset()


def lanes(settings: Settings) -> Mapping[str, Lane]:
    return {settings.queue: Lane(work.work, 1), settings.quick_queue: Lane(quick.work_quick, settings.prefetch)}


def flow(settings: Settings, meter: Meter, clock: SimulatedClock) -> Flow:
    """Everything real but time and ids. To be called while the meter is watching, as clients are made then."""
    ports = replace(wiring.ports(settings), clock=clock, random=EvenIds())
    for lane in QueueLane:
        ports.queue.depth(lane)  # a queue's address is looked up once for each container
    return Flow(ports, meter, clock, lanes(settings))
