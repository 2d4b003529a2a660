"""Runs a story with one fault, lets everything go quiet, and checks the invariants."""

from collections.abc import Callable, Iterator

from tests.pure.faults import counting
from tests.pure.faults.gate import Fault, crash, unavailable
from tests.pure.faults.story import Story
from tests.pure.faults.world import Backing, Clock, World, memory

Build = Callable[[Clock], Backing]
KINDS: dict[str, Callable[[World], None]] = {
    "crash": lambda world: crash(),
    "unavailable": lambda world: unavailable(),
    "others go on meanwhile": lambda world: world.others(0),
    "everything is canceled meanwhile": lambda world: world.cancel_all(),
    "frozen past the lease": lambda world: world.others(200),
    "frozen until its message is seen again": lambda world: world.others(6_000),
    "frozen past the lease, the next attempt runs": lambda world: world.others(100, finish=False),
}


def run(story: Story, prepare: Callable[[World], None], build: Build = memory, kind: str = "enumerated") -> World:
    """`prepare` plans the faults. Raises Broken."""
    world = World(build)
    prepare(world)
    story(world)
    world.settle()
    world.check()
    counting.tried(kind)
    return world


def calls_of(story: Story, build: Build = memory) -> list[str]:
    """The port calls of a story in which nothing goes wrong."""
    world = World(build)
    story(world)
    return world.gate.calls


def stop_everywhere(story: Story, build: Build = memory, kind: str = "enumerated") -> None:
    """One run for each call, each kind of fault, before and after the call's effect."""
    for index, call in enumerate(calls_of(story, build)):
        for name, fault in _faults():
            try:
                run(story, lambda world, index=index, fault=fault: world.gate.plan(index, fault(world)), build, kind)  # type: ignore[misc]
            except BaseException as error:
                error.add_note(f"{name} call {index}, {call}")
                raise


def _faults() -> Iterator[tuple[str, Callable[[World], Fault]]]:
    for name, act in KINDS.items():
        for after in (False, True):
            yield f"{name}, {'after' if after else 'before'}", _fault(act, after=after)


def _fault(act: Callable[[World], None], *, after: bool) -> Callable[[World], Fault]:
    return lambda world: Fault(lambda: act(world), after)
