"""The tasks of a world: those of the service, and some that misbehave. Each says when a claimed attempt runs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib import tasks
from chalicelib.core.task import Context, Task, TaskError
from tests.pure.faults.gate import Crash

if TYPE_CHECKING:
    from tests.pure.faults.world import World

SERVICE = dict(tasks.load())


def of(world: World) -> dict[str, Task]:
    return {name: _watched(world, task) for name, task in (SERVICE | _misbehaving(world)).items()}


def _misbehaving(world: World) -> dict[str, Task]:
    """Three pure ones: one ends its process, one fails in the long lane, and the output of one does not fit its
    row. And one that takes minutes and comes to no checkpoint."""

    def kill(task_input: object, context: Context) -> object:
        world.killed.append(context.attempt)
        raise Crash

    def keep_quiet(seconds: int, context: Context) -> int:
        for _ in range(seconds):
            world.clock.advance(1)
        return seconds

    def be_moody(task_input: object, context: Context) -> object:
        if getattr(context, "watch", None) is not None:
            raise TaskError("not while somebody watches")
        return {}

    return {
        "moody": Task("moody", "", be_moody, dict, dict, True, True, None, None, None),
        "talker": Task(
            "talker", "", lambda task_input, context: {"said": "x" * 200}, dict, dict, True, True, None, None, None
        ),
        "killer": Task("killer", "", kill, dict, dict, True, True, None, None, None),
        "quiet": Task("quiet", "", keep_quiet, int, int, False, False, None, None, None),
    }


def _watched(world: World, task: Task) -> Task:
    def run(task_input: Any, context: Any) -> Any:
        if context.watch is not None:
            world.runs.append((context.job.id, context.attempt))
        return task.run(task_input, context)

    return replace(task, run=run)
