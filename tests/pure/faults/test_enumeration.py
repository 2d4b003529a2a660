"""Every story, stopped at every call of a port; and every story with messages and indexes that misbehave."""

from collections.abc import Callable

import pytest

from chalicelib.core.job import TABLE
from chalicelib.core.lane import Lane
from tests.pure.faults import counting
from tests.pure.faults.enumeration import calls_of, run, stop_everywhere
from tests.pure.faults.gate import Fault
from tests.pure.faults.scenarios import STORIES
from tests.pure.faults.world import World
from tests.support import fakes


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


@pytest.mark.parametrize("seconds", [0, 1, 61, 200, 3_600])
def test_two_dispatchers_interleaved_at_every_call_do_no_harm(seconds: float) -> None:
    """The second runs whole between any two calls of the first."""
    for name in ("dispatch_due", "dispatch_lost_messages", "dispatch_dead_workers", "fire_schedule", "fire_ahead"):
        for index in range(len(calls_of(STORIES[name]))):
            _interleave(name, index, seconds)


def _interleave(name: str, index: int, seconds: float) -> None:
    def second(world: World) -> None:
        with world.gate.opened():
            world.clock.advance(seconds)
            world.dispatcher()

    run(STORIES[name], lambda world: world.gate.plan(index, Fault(lambda: second(world), after=False)), kind="doubled")


def test_the_stories_see_every_move_of_the_table() -> None:
    seen = set()
    for story in STORIES.values():
        world = run(story, lambda world: None)
        seen |= {move.event for move in world.recorder.moves}
    assert seen == {event for _, event in TABLE}
    assert counting.histories
