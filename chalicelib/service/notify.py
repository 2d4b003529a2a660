"""Messages for jobs that may run soon: a lost one delays its job, nothing more."""

from collections.abc import Sequence

from chalicelib.core import dispatch_plan
from chalicelib.core.job import Job, Millis
from chalicelib.errors import Unavailable
from chalicelib.ports import Ports
from chalicelib.service import log


def send(ports: Ports, jobs: Sequence[Job], now: Millis) -> None:
    """Messages for the jobs that are due soon enough. A failure costs time, not the job: the dispatcher finds it."""
    near = [
        (job.id, dispatch_plan.compute_delay(job.not_before, now))
        for job in jobs
        if dispatch_plan.is_near(job.not_before, now)
    ]
    try:
        if len(near) == 1:
            ports.queue.send(*near[0])
        elif near:
            ports.queue.send_many(near)
    except Unavailable as error:
        log.warning("message_not_sent", jobs=[job_id for job_id, _ in near], reason=str(error))
