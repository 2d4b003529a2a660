"""The main stories on moto, stopped at every AWS call by botocore's hooks; and drawn histories on moto's table."""

import random
from collections.abc import Iterator

import pytest

from chalicelib.core.window import OnRepeat
from tests.emulated.faults.wire import KINDS, Wire
from tests.pure.faults import counting
from tests.pure.faults.scenarios import STORIES
from tests.pure.faults.story import Story
from tests.pure.faults.walk import walk
from tests.pure.faults.world import World, sort_job
from tests.support import emulators

pytestmark = pytest.mark.slow
MAIN = (
    "submit_large_with_key", "submit_many", f"submit_in_window_with_key_{OnRepeat.DELAY}",
    "trigger_group", "fire_schedule_in_window", "remove_at_its_slot_quick", "work_on_sort",
    "cancel_while_failing", "cancel_waiting", "retry_canceled", "dispatch_dead_workers",
)  # fmt: skip
READS = frozenset({"GetItem", "BatchGetItem", "Query", "GetObject"})
WALKS = 8


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with emulators.moto("wire") as stage:
        yield Wire(stage)


def run(wire: Wire, story: Story, kind: str | None = None, index: int = 0) -> World:
    world = World(wire.build)
    wire.begin(world.gate)
    if kind is not None:
        KINDS[kind](wire, index)
    story(world)
    wire.end()
    world.settle()
    world.check()
    counting.tried("on moto, call by call")
    return world


def kinds_for(call: str, index: int) -> list[str]:
    """Without an effect all ways to fail look alike, and so they take turns."""
    without_effect = ("crash before", "no connection", "throttled")
    turn = [without_effect[index % 3]]
    return turn if call in READS else turn + [kind for kind in KINDS if kind not in without_effect]


@pytest.mark.parametrize("name", MAIN)
def test_a_stop_at_any_aws_call_breaks_no_invariant(wire: Wire, name: str) -> None:
    run(wire, STORIES[name])
    calls = list(wire.calls)
    assert calls
    for index, call in enumerate(calls):
        if call == "Query" and index and calls[index - 1] == call:
            continue  # the next shard of the same look
        for kind in kinds_for(call, index):
            try:
                run(wire, STORIES[name], kind, index)
            except BaseException as error:
                error.add_note(f"{name}: {kind}, call {index}, {call}")
                raise


def test_a_lost_answer_that_botocore_makes_good_costs_nothing(wire: Wire) -> None:
    """The second try of an insert or a claim finds its own first one, and goes on as if nothing had been."""

    def story(world: World) -> None:
        answer = world.submit(sort_job())
        assert answer is not None
        assert answer.created
        world.work_all()
        assert [row.status for row in world.rows()] == ["completed"]
        assert [row.attempts for row in world.rows()] == [1]

    run(wire, story)
    for index, call in enumerate(list(wire.calls)):
        if call in ("PutItem", "UpdateItem", "SendMessage"):
            run(wire, story, "answer lost, and botocore asks again", index)


@pytest.mark.parametrize("index", range(WALKS))
def test_no_random_walk_on_moto_breaks_an_invariant(wire: Wire, index: int) -> None:
    seed = random.SystemRandom().randrange(1 << 40)
    try:
        walk(seed, wire.build_rows_only)
    except BaseException as error:
        error.add_note(f"tests.pure.faults.walk.walk({seed}) on moto")
        raise
    counting.tried("walked on moto")
