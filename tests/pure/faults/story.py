"""What a story is, and what all of them need: jobs that are there before one begins."""

from collections.abc import Callable

from chalicelib.service.new_job import NewJob
from tests.pure.faults.world import ALICE, World

Story = Callable[[World], None]


def task(name: str, task_input: str, owner: str = ALICE, **more: object) -> NewJob:
    return NewJob(owner=owner, task=name, input=task_input.encode(), **more)  # type: ignore[arg-type]


def quietly(world: World, new: NewJob) -> str:
    """A job that is there before the story begins; its message is in the queue."""
    with world.gate.opened():
        answer = world.submit(new)
    assert answer is not None
    return answer.job.id
