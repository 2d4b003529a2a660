"""What may happen in a drawn history: each method is one step, and every step is legal at any time."""

from collections.abc import Callable

from chalicelib.core.filters import Filter
from chalicelib.core.lane import Lane
from chalicelib.core.window import OnRepeat
from chalicelib.errors import Invalid, SortieError
from chalicelib.ports import Hint
from chalicelib.service import bulk, groups, read, schedules
from chalicelib.service.groups import Group
from chalicelib.service.new_job import NewJob, WindowWish
from chalicelib.service.submit import Submitted
from tests.pure.faults.enumeration import Build
from tests.pure.faults.gate import Fault, crash, unavailable
from tests.pure.faults.invariants import Broken
from tests.pure.faults.story import task
from tests.pure.faults.world import ALICE, World, memory, sort_job
from tests.support import fakes

INPUTS = {
    "sort": '{"array":[3,1,2]}',
    "sleep": '{"seconds":4}',
    "fail": '{"message":"no","times":1}',
    "log": '{"message":"on","times":0}',
    "quiet": "130",
    "killer": "{}",
    "moody": "{}",
    "container": '{"image":"busybox:1","command":["8","0"]}',
    "long container": '{"image":"busybox:1","command":["900","0"]}',
    "bad container": '{"image":"busybox:1","command":["1","3"]}',
}
NAMES = (
    "sort",
    "moody",
    "large",
    "sleep",
    "fail",
    "log",
    "quiet",
    "killer",
    "container",
    "long container",
    "bad container",
)
"""What a drawn job may run."""
LARGE = '{"array":[' + ",".join(str(n * 7919 % 1009) for n in range(40)) + "]}"
FAULTS: dict[str, Callable[[World, float], None]] = {
    "crash": lambda world, seconds: crash(),
    "unavailable": lambda world, seconds: unavailable(),
    "freeze": lambda world, seconds: world.others(seconds),
    "cancel meanwhile": lambda world, seconds: world.cancel_all(),
    "freeze while others are busy": lambda world, seconds: world.others(seconds, finish=False),
}


class Driver:
    def __init__(self, build: Build = memory, seed: int = 0) -> None:
        self.world = World(build, seed)
        self.jobs: list[tuple[str, str]] = []
        self.schedules: list[tuple[str, str]] = []
        self.world.rival = self._race

    def _race(self) -> None:
        """Whoever stands still, another client is faster in both windows of drawn histories."""
        for number in (0, 1):
            window = WindowWish(60, OnRepeat.DELAY)
            self._promise(ALICE, self.world.submit(sort_job(ALICE, object_id=number, window=window)))

    def submit(
        self, owner: str, name: str, *, attempts: int, wait: int, seconds: int, on_repeat: OnRepeat | None,
        key: int | None,
    ) -> None:  # fmt: skip
        """`key`: one of a few Idempotency-Keys, each with a request of its own, so that repeats happen."""
        if key is not None:
            new = sort_job(owner, numbers=key + 1, request_id=f"request {owner} {key}")
            return self._promise(owner, self.world.submit(new, key=f"key-{key}"))
        run_at = self.world.clock.now() + wait * 1000 if wait else None
        window = WindowWish(seconds, on_repeat) if on_repeat else None
        task_input = LARGE if name == "large" else INPUTS[name]
        new = task(
            "sort" if name == "large" else name.split()[-1], task_input, owner, max_attempts=attempts, run_at=run_at,
            timeout=20.0, object_id=seconds % 2 if window else None, window=window,
        )  # fmt: skip
        return self._promise(owner, self.world.submit(new))

    def submit_many(self, owner: str, count: int) -> None:
        world = self.world
        entries: list[NewJob | SortieError] = [Invalid(), *(sort_job(owner) for _ in range(count))]
        bodies = [b""] * len(entries)
        answers = world.process(lambda: bulk.submit_many(world.ports, owner, entries, key=None, bodies=bodies))
        for answer in answers or []:
            if isinstance(answer, Submitted):
                self._promise(owner, answer)

    def trigger(self, owner: str) -> None:
        world = self.world
        group = Group("nightly", ["a", "b"], [sort_job(label="a"), task("fail", INPUTS["fail"], label="b")], [])
        run = world.process(lambda: groups.trigger(world.ports, group, owner, None))
        for job in run.jobs if run else []:
            world.promised(job)
            self.jobs.append((owner, job.id))

    def add_schedule(self, owner: str) -> None:
        world = self.world
        count = len(self.schedules)
        line = "* * * * *" if count % 2 else "*/7 * * * *"
        new = sort_job(owner, object_id=7, window=WindowWish(60, OnRepeat.DELAY)) if count % 3 == 2 else sort_job(owner)
        added = world.process(lambda: schedules.add(world.ports, line, "UTC", b"{}", new))
        if added:
            self.schedules.append((owner, added.schedule.id))

    def remove_schedule(self, owner: str, which: int) -> None:
        if self.schedules:
            mine, schedule_id = self.schedules[which % len(self.schedules)]
            there = self.world.backing.records.schedule(schedule_id)
            self.world.remove_schedule(owner, schedule_id)
            if there and owner != mine and self.world.backing.records.schedule(schedule_id) is None:
                raise Broken(f"I7: {owner} removed a schedule of {mine}")

    def cancel(self, owner: str, which: int) -> None:
        if self.jobs:
            self.world.cancel(owner, self.jobs[which % len(self.jobs)][1])

    def retry(self, owner: str, which: int) -> None:
        if self.jobs:
            self.world.retry(owner, self.jobs[which % len(self.jobs)][1])

    def contest(self, object_id: int, call: int, *, retry: bool) -> None:
        """A job with a window is canceled. Then one client retries it, or submits into its window, and stands still at
        a call while another does the other of the two."""
        world, window = self.world, WindowWish(60, OnRepeat.DELAY)
        first = world.submit(sort_job(ALICE, object_id=object_id, window=window))
        if first is None:
            return
        self._promise(ALICE, first)
        world.cancel(ALICE, first.job.id)

        def submit() -> None:
            self._promise(ALICE, world.submit(sort_job(ALICE, object_id=object_id, window=window)))

        def retry_by_hand() -> None:
            world.retry(ALICE, first.job.id)

        mine, other = (retry_by_hand, submit) if retry else (submit, retry_by_hand)

        def others() -> None:
            with world.gate.opened():
                other()

        world.gate.plan(call, Fault(others, after=False))
        mine()

    def repeat(self, owner: str, key: int, call: int) -> None:
        """A client submits under a key and stands still at a call. Meanwhile another one sends the very same request,
        and a worker is done with it."""
        world = self.world
        new = sort_job(owner, numbers=key + 1, request_id=f"request {owner} {key}")

        def submit() -> None:
            self._promise(owner, world.submit(new, key=f"key-{key}"))

        def others() -> None:
            with world.gate.opened():
                submit()
                world.worker(10)

        world.gate.plan(call, Fault(others, after=False))
        submit()

    def lose_answer(self, owner: str, call: int) -> None:
        """Who starts a container gets no answer to one of its calls: what was started may run all the same."""
        self.submit(owner, "long container", attempts=2, wait=0, seconds=60, on_repeat=None, key=None)
        self.stop_at(call, "unavailable", 0.0, after=True)
        self.world.worker(1)

    def cancel_soon(self, which: int, seconds: float) -> None:
        """While time passes inside a task, most likely."""
        if self.jobs:
            owner, job_id = self.jobs[which % len(self.jobs)]
            self.world.clock.after(seconds, lambda: self.world.cancel(owner, job_id))

    def freeze_soon(self, seconds: float, frozen: float, *, finish: bool) -> None:
        """A process stands still in the middle of its task, not at a call; the others go on."""
        world = self.world
        world.clock.after(seconds, lambda: None if world.quiet else world.others(frozen, finish=finish))

    def read(self, owner: str, which: int) -> None:
        world = self.world
        page = world.process(lambda: read.list_jobs(world.ports, Filter(owner), None, 100))
        if any(row.owner != owner for row in (page or ([], None))[0]):
            raise Broken(f"I7: {owner} sees jobs of somebody else in a list")
        if self.jobs:
            mine, job_id = self.jobs[which % len(self.jobs)]
            row = world.process(lambda: read.get_job(world.ports, owner, job_id))
            if row is not None and mine != owner:
                raise Broken(f"I7: {owner} sees a job of {mine}")

    def work(self, most: int, seconds_left: float) -> None:
        self.world.worker(most, seconds_left)

    def work_in_trouble(self, most: int, call: int, what: str, seconds: float) -> None:
        """A fault at one of the first calls of a worker."""
        self.stop_at(call, what, seconds, after=False)
        self.world.worker(most)

    def dispatch(self) -> None:
        self.world.dispatcher()

    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    def trouble_queue(self, what: str) -> None:
        queue = self.world.backing.queue
        if isinstance(queue, fakes.MemoryQueue):
            queue.losing, queue.doubling = what == "lose", what == "double"
            queue.reordering, queue.late = what == "reorder", 100.0 if what == "delay" else 0.0
            queue.early = 2 if what == "early" else 0

    def events(self) -> None:
        self.world.events()

    def trouble_containers(self, what: str) -> None:
        engine = self.world.backing.containers
        if what == "take away":
            engine.take_away()
        engine.refusing, engine.losing_events = what == "refuse", what == "lose events"
        engine.doubling_events = what == "double events"

    def send_nonsense(self, body: str) -> None:
        for lane in Lane:
            self.world.backing.queue.send([Hint(body, lane)])

    def lag(self, *, on: bool) -> None:
        (self.world.backing.hold_index if on else self.world.backing.release_index)()

    def stop_at(self, call: int, what: str, seconds: float, *, after: bool) -> None:
        """A fault at one of the next calls, whoever makes it."""
        world, act = self.world, FAULTS[what]
        world.gate.plan(call, Fault(lambda: act(world, seconds), after))

    def end(self) -> None:
        """Quiet, and every invariant. Raises Broken."""
        self.world.settle()
        self.world.check()

    def _promise(self, owner: str, answer: Submitted | None) -> None:
        if answer is not None:
            self.world.promised(answer.job)
            self.jobs.append((owner, answer.job.id))
