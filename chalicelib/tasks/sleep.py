"""sleep: wait, and say how far the waiting is. Stands in for slow work."""

from typing import Annotated

import msgspec

from chalicelib.core.task import Context, task


class SleepInput(msgspec.Struct, forbid_unknown_fields=True):
    seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400, description="How long to wait")]


class SleepOutput(msgspec.Struct):
    slept: float


@task("sleep", summary="Wait some seconds, reporting progress; stops when canceled")
def sleep(task_input: SleepInput, context: Context) -> SleepOutput:
    left = task_input.seconds
    while left > 0:
        step = min(left, 0.25)
        context.pause(step)
        left -= step
        context.progress(1 - left / task_input.seconds)
    return SleepOutput(slept=task_input.seconds)
