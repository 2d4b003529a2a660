"""Messages for jobs that may run soon: a lost one delays its job, nothing more."""

from collections.abc import Sequence

from chalicelib.core import dispatch_plan
from chalicelib.core.job import Job, Millis
from chalicelib.core.lane import lane_of
from chalicelib.errors import Unavailable
from chalicelib.ports import Hint, Ports
from chalicelib.service import log


def send(ports: Ports, jobs: Sequence[Job], now: Millis) -> None:
    """Messages for the jobs that are due soon enough, each to its lane."""
    near = [job for job in jobs if dispatch_plan.is_near(job.not_before, now)]
    send_hints(
        ports,
        [Hint(job.id, lane_of(job), job.owner, dispatch_plan.compute_delay(job.not_before, now)) for job in near],
    )


def send_hints(ports: Ports, hints: Sequence[Hint]) -> bool:
    """Whether they were sent. A failure costs time, not the jobs: the dispatcher finds them."""
    try:
        if hints:
            ports.queue.send(hints)
    except Unavailable as error:
        log.warning("message_not_sent", jobs=[hint.job_id for hint in hints], reason=str(error))
        return False
    return True
