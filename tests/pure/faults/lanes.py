"""Stories of the two lanes: what may come between a read and a write, a killer, heartbeats."""

from contextlib import suppress

from chalicelib.core.lane import Lane
from chalicelib.ports import ChangeRefused, Hint
from tests.pure.faults.gate import Fault
from tests.pure.faults.story import quietly, task
from tests.pure.faults.world import ALICE, World, sort_job


def work_on_a_job_twice_in_a_batch(world: World) -> None:
    job_id = quietly(world, sort_job())
    with world.gate.opened():
        for lane in Lane:
            world.backing.queue.send([Hint(job_id, lane)])
    world.worker()


def work_beside_a_killer(world: World) -> None:
    """The batch dies with it; later on each job is run alone."""
    for _ in range(2):
        quietly(world, sort_job())
    quietly(world, task("killer", "{}", max_attempts=2))
    quietly(world, sort_job())
    for seconds in (0, 61, 100):
        world.clock.advance(seconds)
        world.dispatcher()
        world.work_all()


def cancel_between_read_and_write(world: World) -> None:
    job_id = quietly(world, sort_job())
    world.rival = lambda: world.cancel(ALICE, job_id)
    world.worker()


def retry_between_read_and_write(world: World) -> None:
    """Whoever stands still between its read and its write meets a row that was canceled and has begun anew."""
    job_id = quietly(world, sort_job())

    def rival() -> None:
        world.cancel(ALICE, job_id)
        world.retry(ALICE, job_id)

    world.rival = rival
    world.worker()


def retry_while_the_write_is_on_its_way(world: World) -> None:
    """What was run before the job was canceled is not what its retry asks for."""
    job_id = quietly(world, sort_job())

    def act() -> None:
        with world.gate.opened(), world.beats.frozen():
            world.cancel(ALICE, job_id)
            world.clock.advance(5)
            world.retry(ALICE, job_id)

    world.gate.plan(1, Fault(act, after=False))
    world.worker()


def lose_the_quick_message(world: World) -> None:
    """The dispatcher sends it to the long lane while the quick one may still be at it."""
    quietly(world, sort_job())
    messages = world.backing.mailbox.receive(Lane.QUICK)
    world.clock.advance(61)
    world.dispatcher()
    world.work_all()
    with world.gate.opened():
        for message in messages:
            world.backing.queue.send([Hint(message.body, Lane.QUICK)])
    world.worker()


def run_twice_between_read_and_write(world: World) -> None:
    """While the quick lane stands still with its output, the long one claims the job and dies; it backs off, and is
    due again before the quick lane knows what time it is."""
    job_id = quietly(world, task("talker", "{}"))

    def act() -> None:
        with world.gate.opened(), world.beats.frozen():
            world.clock.advance(61)
            world.dispatcher()
            with suppress(ChangeRefused):
                world.ports.jobs.claim(job_id, world.clock.now(), "a worker that dies")
            for _ in range(2):
                world.clock.advance(100)
                world.dispatcher()

    world.gate.plan(1, Fault(act, after=False))
    world.worker()


def work_under_heartbeats(attempts: int, world: World) -> None:
    """Longer than several leases, and it says nothing in between; the dispatcher looks on."""
    quietly(world, task("quiet", "150", timeout=400.0, max_attempts=attempts))
    for seconds in (61, 121):
        world.clock.after(seconds, world.look_on)
    world.worker()
