"""Every story, stopped at every call of a port; and every story with messages and indexes that misbehave."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from chalicelib.core.change import Change
from chalicelib.core.job import TABLE, Status
from chalicelib.core.lane import Lane
from chalicelib.errors import SortieError
from chalicelib.service.dispatch_jobs import PART_OF_SINGLES
from tests.pure.faults import counting
from tests.pure.faults.enumeration import Build, calls_of, run, stop_everywhere
from tests.pure.faults.gate import Fault, crash, unavailable
from tests.pure.faults.scenarios import STORIES
from tests.pure.faults.world import World, memory
from tests.support import fakes

IN_BATCHES: Build = partial(memory, batch_updates=True)


def queue_of(world: World) -> fakes.MemoryQueue:
    queue = world.backing.queue
    assert isinstance(queue, fakes.MemoryQueue)
    return queue


def lose(world: World) -> None:
    queue_of(world).losing = True


def double(world: World) -> None:
    queue_of(world).doubling = True


def reorder(world: World) -> None:
    queue_of(world).doubling = queue_of(world).reordering = True


def delay(world: World) -> None:
    queue_of(world).late = 130.0


def come_early(world: World) -> None:
    queue_of(world).early = 5


def lag(world: World) -> None:
    world.backing.hold_index()


def bring_nonsense(world: World) -> None:
    for body in ("", "x" * 200_000, "{}", "\x00", "\ud800", "0" * 26, "💥", '{"job": 1}', "null", "7" + "z" * 25):
        for lane in Lane:
            queue_of(world).put(body, lane)


TROUBLES: list[Callable[[World], None]] = [lose, double, reorder, delay, come_early, lag, bring_nonsense]


@pytest.mark.parametrize("name", STORIES)
def test_a_stop_at_any_call_breaks_no_invariant(name: str) -> None:
    assert calls_of(STORIES[name])
    stop_everywhere(STORIES[name])


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", STORIES)
def test_messages_and_indexes_that_misbehave_break_no_invariant(name: str, trouble: Callable[[World], None]) -> None:
    run(STORIES[name], trouble, kind="with a bad queue or index")


def test_messages_that_are_no_job_ids_are_acknowledged() -> None:
    world = World()
    bring_nonsense(world)
    world.work_all()
    assert queue_of(world).held == []
    assert queue_of(world).gone == []


@pytest.mark.parametrize(
    "name", [name for name in STORIES if name.startswith("dispatch_") and name != "dispatch_dead_starters"]
)
def test_a_stop_at_any_call_of_a_dispatcher_that_writes_in_batches_breaks_no_invariant(name: str) -> None:
    assert "apply_many" in calls_of(STORIES[name], IN_BATCHES)
    stop_everywhere(STORIES[name], IN_BATCHES, "in batches")


@pytest.mark.parametrize("written", range(PART_OF_SINGLES + 2))
@pytest.mark.parametrize("stop", [crash, unavailable])
def test_a_batch_that_is_torn_in_the_middle_is_made_good(written: int, stop: Callable[[], None]) -> None:
    """So many of its changes are written, and nobody hears of any."""

    class Torn(fakes.MemoryJobs):
        left = written

        def apply_many(self, changes: Sequence[Change]) -> list[SortieError | None]:
            for _ in changes:
                if self.left == 0:
                    self.left = -1
                    stop()
                self.left -= 1
            return super().apply_many(changes)

    torn = partial(memory, jobs=Torn, batch_updates=True)
    world = run(STORIES["dispatch_many"], lambda world: None, torn, "torn batches")
    assert getattr(world.backing.jobs, "left", None) != written
    assert {row.status for row in world.rows()} == {Status.COMPLETED}


@pytest.mark.parametrize("build", [memory, IN_BATCHES], ids=["one by one", "in batches"])
@pytest.mark.parametrize("seconds", [0, 1, 61, 200, 3_600])
def test_two_dispatchers_interleaved_at_every_call_do_no_harm(seconds: float, build: Build) -> None:
    """The second runs whole between any two calls of the first."""
    for name in ("dispatch_due", "dispatch_lost_messages", "dispatch_dead_workers", "fire_schedule", "fire_ahead"):
        for index in range(len(calls_of(STORIES[name], build))):
            _interleave(name, index, seconds, build)


def _interleave(name: str, index: int, seconds: float, build: Build) -> None:
    def second(world: World) -> None:
        with world.gate.opened():
            world.clock.advance(seconds)
            world.dispatcher()

    fault = lambda world: world.gate.plan(index, Fault(lambda: second(world), after=False))  # noqa: E731
    run(STORIES[name], fault, build, kind="doubled")


def test_the_stories_see_every_move_of_the_table() -> None:
    seen = set()
    for story in STORIES.values():
        world = run(story, lambda world: None)
        seen |= {move.event for move in world.recorder.moves}
    assert seen == {event for _, event in TABLE}
    assert counting.histories
