"""Stories of container jobs: starts, ends, cancels, engines without room, workers that die in between."""

from chalicelib.core.container import Spec
from chalicelib.service.new_job import NewJob
from tests.pure.faults.story import Story, quietly, task
from tests.pure.faults.world import ALICE, World
from tests.support.fakes import MemoryQueue


def container(seconds: float = 4, code: int = 0, image: str = "busybox:1", **more: object) -> NewJob:
    task_input = f'{{"image":"{image}","command":["{seconds:g}","{code}"]}}'
    return task("container", task_input, ALICE, **more)


def run_container(world: World) -> None:
    """Started by a worker; its events come; the job has ended before the dispatcher looks."""
    quietly(world, container())
    world.worker()
    for _ in range(3):
        world.clock.advance(3)
        world.events()


def run_container_without_events(world: World) -> None:
    world.backing.containers.losing_events = True
    quietly(world, container(seconds=70, max_attempts=2, timeout=100.0))
    world.worker()
    for _ in range(3):
        world.clock.advance(60)
        world.dispatcher()


def run_container_with_doubled_events(world: World) -> None:
    world.backing.containers.doubling_events = True
    quietly(world, container(code=3, max_attempts=2))
    for _ in range(4):
        world.work_all()
        world.clock.advance(4)
        world.events()


def run_container_too_long(world: World) -> None:
    quietly(world, container(seconds=500, timeout=5.0, max_attempts=1))
    for _ in range(5):
        world.work_all()
        world.clock.advance(4)
        world.events()


def run_container_of_no_image(world: World) -> None:
    quietly(world, container(image="busybox:missing", max_attempts=2))
    world.worker()
    world.clock.advance(3)
    world.events()


def refuse_container(world: World) -> None:
    """No room at first; that costs no attempt."""
    world.backing.containers.refusing = True
    quietly(world, container(max_attempts=1))
    world.worker()
    world.clock.advance(40)
    world.backing.containers.refusing = False
    for _ in range(4):
        world.work_all()
        world.clock.advance(20)
        world.events()


def run_container_told_twice(world: World) -> None:
    """Its message comes again while its first worker may be anywhere between the claim and the note."""
    queue = world.backing.queue
    if isinstance(queue, MemoryQueue):
        queue.doubling = True
    quietly(world, container(seconds=90, timeout=100.0, max_attempts=2))
    world.worker(most=1)
    world.clock.advance(3)
    world.events()


def refuse_container_that_waited(world: World) -> None:
    """Its message stood in a backlog, so that a look of the dispatcher is due when it is claimed."""
    world.backing.containers.refusing = True
    quietly(world, container(max_attempts=1))
    world.clock.advance(31)
    world.worker()
    world.clock.advance(40)
    world.backing.containers.refusing = False
    world.work_all()
    world.clock.advance(20)
    world.events()


def refuse_container_late(world: World) -> None:
    """There is room for whoever starts it at once, and none for whoever comes minutes later."""
    engine = world.backing.containers
    world.clock.after(200.5, lambda: setattr(engine, "refusing", True))
    world.clock.after(300, lambda: setattr(engine, "refusing", False))
    quietly(world, container(seconds=300, timeout=400.0, max_attempts=2))
    world.worker()


def cancel_container(world: World) -> None:
    job_id = quietly(world, container(seconds=50))
    world.worker()
    world.clock.advance(3)
    world.cancel(ALICE, job_id)
    world.clock.advance(4)
    world.work_all()
    world.events()


def cancel_container_as_it_ends(world: World) -> None:
    job_id = quietly(world, container(seconds=4))
    world.worker()
    world.clock.advance(6)
    world.cancel(ALICE, job_id)
    world.events()


def cancel_container_before_it_starts(world: World) -> None:
    job_id = quietly(world, container(seconds=50))
    with world.gate.opened():
        world.ports.jobs.claim(job_id, world.clock.now(), "a worker that dies now")
    world.cancel(ALICE, job_id)
    world.clock.advance(61)
    world.dispatcher()


def dispatch_dead_starters(world: World) -> None:
    """Their workers died between the claim and the start, and between the start and the note."""
    for number in range(2):
        job_id = quietly(world, container(seconds=30, max_attempts=2))
        with world.gate.opened():
            row = world.ports.jobs.claim(job_id, world.clock.now(), f"a worker that dies {number}")
            if number:
                name = f"local/{row.id}/{row.attempts}"
                spec = Spec("docker.io/library/busybox:1", ["30", "0"], {}, {}, 0.25, 512)
                world.backing.containers.start(name, spec)
    world.lose_messages()
    world.clock.advance(61)
    world.dispatcher()
    world.dispatcher()
    world.clock.advance(61)
    world.dispatcher()


def take_containers_away(world: World) -> None:
    quietly(world, container(seconds=50, max_attempts=2))
    world.worker()
    world.clock.advance(3)
    world.backing.containers.take_away()
    world.events()
    world.clock.advance(30)
    world.work_all()


def retry_container(world: World) -> None:
    job_id = quietly(world, container(code=1, max_attempts=1))
    with world.gate.opened():
        for _ in range(3):
            world.work_all()
            world.clock.advance(4)
            world.events()
    world.retry(ALICE, job_id)
    world.worker()


CONTAINER_STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        run_container, run_container_without_events, run_container_with_doubled_events, run_container_too_long,
        run_container_of_no_image, run_container_told_twice, refuse_container_late, refuse_container, cancel_container,
        refuse_container_that_waited,
        cancel_container_as_it_ends, cancel_container_before_it_starts, dispatch_dead_starters, take_containers_away,
        retry_container,
    )
}  # fmt: skip
