"""The lane a job goes through: which queue its messages are sent to, and which function runs it.

quick  pure jobs of milliseconds at their first delivery: a batch an invocation, one write a job, no claim
long   everything else, and whatever the quick lane had trouble with: one job an invocation, claimed, with a heartbeat
"""

from enum import StrEnum

from chalicelib.core.job import Job


class Lane(StrEnum):
    QUICK = "quick"
    LONG = "long"


def lane_of(job: Job) -> Lane:
    """Quick only while nothing out of the ordinary has happened: no attempt has begun, no message was sent again."""
    ordinary = job.attempts == 0 and job.resends == 0
    return Lane.QUICK if job.pure and job.quick and ordinary else Lane.LONG
