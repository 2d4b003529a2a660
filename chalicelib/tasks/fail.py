"""fail: raise, on the first attempts or on all, to show what a failure and its retries look like."""

from typing import Annotated

import msgspec

from chalicelib.core.task import Context, TaskError, task


class FailInput(msgspec.Struct, forbid_unknown_fields=True):
    message: Annotated[str, msgspec.Meta(max_length=1_000, description="What the error says")]
    times: (
        Annotated[int, msgspec.Meta(ge=0, le=1_000, description="How many attempts fail; all, when it is left out")]
        | None
    ) = None


class FailOutput(msgspec.Struct):
    attempts: int


@task("fail", summary="Raise on the first attempts, or on all of them")
def fail(task_input: FailInput, context: Context) -> FailOutput:
    if task_input.times is None or context.attempt <= task_input.times:
        raise TaskError(task_input.message)
    return FailOutput(attempts=context.attempt)
