"""log: write a line now and then, for ever if asked to, as a system failure would."""

import logging
from typing import Annotated

import msgspec

from chalicelib.core.task import Context, task
from chalicelib.errors import FieldError, Invalid

logger = logging.getLogger("sortie.tasks.log")


class LogInput(msgspec.Struct, forbid_unknown_fields=True):
    message: Annotated[str, msgspec.Meta(max_length=1_000, description="The line; it is counted in the log, not shown")]
    times: Annotated[int, msgspec.Meta(ge=0, le=1_000_000, description="How many lines; 0 goes on for ever")] = 1
    interval: Annotated[float, msgspec.Meta(ge=0, le=3_600, description="Seconds between two lines")] = 1.0


OFTEN, LEAST_SECONDS = 100, 0.1
"""Whoever writes more lines than so many, or goes on for ever, waits so long between two."""


class LogOutput(msgspec.Struct):
    lines: int


def check(task_input: LogInput) -> None:
    if _is_often(task_input) and task_input.interval < LEAST_SECONDS:
        raise Invalid(FieldError("interval", f"at least {LEAST_SECONDS} where times is 0 or above {OFTEN}"))


def _is_often(task_input: LogInput) -> bool:
    return task_input.times == 0 or task_input.times > OFTEN


@task("log", summary="Log a line some times, or without end when times is 0", check=check)
def log(task_input: LogInput, context: Context) -> LogOutput:
    lines = 0
    # Jobs that an older version took may ask for less.
    interval = max(task_input.interval, LEAST_SECONDS) if _is_often(task_input) else task_input.interval
    while task_input.times == 0 or lines < task_input.times:
        if lines:
            context.pause(interval)
        # The text is the user's own payload and stays out of the log: its length shows that the line was written.
        logger.info('{"task":"log","line":%d,"characters":%d}', lines + 1, len(task_input.message))
        lines += 1
        context.checkpoint()
        if task_input.times:
            context.progress(lines / task_input.times)
    return LogOutput(lines=lines)
