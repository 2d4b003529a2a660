"""log: write a line now and then, for ever if asked to, as a system failure would."""

import logging
from typing import Annotated

import msgspec

from chalicelib.core.task import Context, task

logger = logging.getLogger("sortie.tasks.log")


class LogInput(msgspec.Struct, forbid_unknown_fields=True):
    message: Annotated[str, msgspec.Meta(max_length=1_000, description="The line; it is counted in the log, not shown")]
    times: Annotated[int, msgspec.Meta(ge=0, le=1_000_000, description="How many lines; 0 goes on for ever")] = 1
    interval: Annotated[float, msgspec.Meta(ge=0, le=3_600, description="Seconds between two lines")] = 1.0


class LogOutput(msgspec.Struct):
    lines: int


@task("log", summary="Log a line some times, or without end when times is 0")
def log(given: LogInput, context: Context) -> LogOutput:
    lines = 0
    while given.times == 0 or lines < given.times:
        if lines:
            context.pause(given.interval)
        # The text is the user's own payload and stays out of the log: its length shows that the line was written.
        logger.info('{"task":"log","line":%d,"characters":%d}', lines + 1, len(given.message))
        lines += 1
        context.checkpoint()
        if given.times:
            context.progress(lines / given.times)
    return LogOutput(lines=lines)
