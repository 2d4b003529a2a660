"""Stories of schedules: what fires, what is ahead of its slot, and removals that race both."""

from collections.abc import Mapping
from functools import partial

from chalicelib.core.window import OnRepeat
from chalicelib.service import schedules
from chalicelib.service.new_job import NewJob, WindowWish
from tests.pure.faults.invariants import Broken
from tests.pure.faults.story import Story, task
from tests.pure.faults.world import BOB, World, sort_job

WINDOW = WindowWish(300, OnRepeat.DELAY)
JOBS: Mapping[str, NewJob] = {
    "quick": sort_job(BOB),
    "long": task("sleep", '{"seconds":1}', BOB),
    "in_window": sort_job(BOB, object_id="x", window=WINDOW),
}


def quietly_scheduled(world: World, new: NewJob, line: str = "* * * * *") -> str:
    """A schedule that is there before the story begins."""
    with world.gate.opened():
        return schedules.add(world.ports, line, "UTC", b"{}", new).schedule.id


def add_schedule_with_key(world: World) -> None:
    def add() -> None:
        world.process(
            lambda: schedules.add(world.ports, "* * * * *", "UTC", b"{}", sort_job(BOB), key="key-1", body=b"{}")
        )

    world.rival = add
    for _ in range(3):
        add()
        world.clock.advance(61)
        world.dispatcher()
    with world.gate.opened():
        if len(world.ports.records.schedules(BOB)) > 1:
            raise Broken("I6: one key made two schedules")


def fire_schedule(world: World) -> None:
    with world.gate.opened():
        schedule = schedules.add(world.ports, "* * * * *", "UTC", b"{}", sort_job(BOB)).schedule
    for seconds in (61, 200, 61):  # the second one has missed two slots, which are caught up once
        world.clock.advance(seconds)
        world.dispatcher()
    world.remove_schedule(BOB, schedule.id)


def fire_schedule_in_window(world: World) -> None:
    wish = WindowWish(300, OnRepeat.DELAY)
    with world.gate.opened():
        schedules.add(world.ports, "* * * * *", "UTC", b"{}", sort_job(BOB, object_id="x", window=wish))
    for _ in range(2):
        world.clock.advance(61)
        world.dispatcher()
        world.dispatcher()


def fire_ahead(world: World) -> None:
    """Made at the lead before its slot, it runs when that comes; the one after it likewise."""
    quietly_scheduled(world, sort_job(BOB, numbers=200), "*/5 * * * *")
    for seconds in (160, 60, 81, 200, 101):
        world.clock.advance(seconds)
        world.dispatcher()
        world.work_all()


def remove_ahead(job: str, world: World) -> None:
    """While the owner removes the schedule, its slot comes and goes."""
    schedule_id = quietly_scheduled(world, JOBS[job])

    def rival() -> None:
        world.clock.advance(61)
        world.dispatcher()

    world.rival = rival
    for _ in range(2):
        world.remove_schedule(BOB, schedule_id)
    world.clock.advance(61)
    world.dispatcher()
    world.work_all()


def remove_at_its_slot(job: str, world: World) -> None:
    """While the owner removes the schedule, its job begins and the schedule stands as it was."""
    schedule_id = quietly_scheduled(world, JOBS[job], "*/5 * * * *")
    with world.gate.opened():
        for seconds in (160, 141):
            world.clock.advance(seconds)
            world.dispatcher()
    world.remove_schedule(BOB, schedule_id)
    world.work_all()


def remove_while_it_fires(job: str, world: World) -> None:
    """While a dispatcher makes the next job, the owner removes the schedule."""
    schedule_id = quietly_scheduled(world, JOBS[job])
    world.rival = lambda: world.remove_schedule(BOB, schedule_id)
    for _ in range(2):
        world.clock.advance(61)
        world.dispatcher()
    world.work_all()


def remove_while_its_job_begins(job: str, world: World) -> None:
    """While a worker takes the job of the slot, the owner removes the schedule."""
    schedule_id = quietly_scheduled(world, JOBS[job])
    with world.gate.opened():
        world.clock.advance(61)
        world.dispatcher()
    world.rival = lambda: world.remove_schedule(BOB, schedule_id)
    world.worker()


def cancel_ahead(world: World) -> None:
    """The job of one slot is canceled by hand and put back: the schedule goes on."""
    quietly_scheduled(world, sort_job(BOB))
    [job_id] = [row.id for row in world.rows()]
    world.cancel(BOB, job_id)
    world.clock.advance(61)
    world.dispatcher()
    world.retry(BOB, job_id)
    world.work_all()


SCHEDULE_STORIES: Mapping[str, Story] = {
    story.__name__: story
    for story in (add_schedule_with_key, fire_schedule, fire_schedule_in_window, fire_ahead, cancel_ahead)
} | {
    f"{story.__name__}_{job}": partial(story, job)
    for story in (remove_ahead, remove_at_its_slot, remove_while_it_fires, remove_while_its_job_begins)
    for job in JOBS
}  # fmt: skip
