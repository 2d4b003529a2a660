"""Steer a job by hand: cancel it, or run it again."""

from chalicelib.core import change as changes
from chalicelib.core.job import ENDED, WAITING, Event, Job, Status
from chalicelib.errors import ChangeRefused, NotFound, WrongStatus
from chalicelib.ports import Ports
from chalicelib.service import hints, journal, read
from chalicelib.service.tally import Tallies

TRIES = 5


def cancel(ports: Ports, owner: str | None, job_id: str) -> Job:
    """A waiting job is canceled; a running one is asked to stop. Raises NotFound, WrongStatus when it has ended.

    The job may move while we decide (a claim, an outcome): each try decides again on the row that stood in the way.
    """
    row = read.job(ports, owner, job_id)
    for _ in range(TRIES):
        if row.status in ENDED:
            raise WrongStatus(f"the job has already ended ({row.status}): there is nothing to cancel")
        now, retention = ports.clock.now(), ports.settings.retention
        waiting = row.status in WAITING
        planned = changes.cancel(row, now, retention=retention) if waiting else changes.request_cancel(row, now)
        try:
            after = ports.jobs.apply(planned)
        except ChangeRefused as refused:
            row = _or_not_found(refused.job, job_id)
            if row.status is Status.CANCELED and waiting and row.finished_at == now:
                return row  # our own change, whose first answer was lost on the way
            continue
        journal.moved(Event.CANCEL, after, row.status)
        _count(ports, after, row)
        return after
    raise WrongStatus("the job moves too fast to be canceled: try again")


def retry(ports: Ports, owner: str | None, job_id: str) -> Job:
    """A failed or canceled job may run again. Raises NotFound, WrongStatus."""
    row = read.job(ports, owner, job_id)
    if row.status not in (Status.FAILED, Status.CANCELED):
        raise WrongStatus(f"only a failed or canceled job can be retried: this one is {row.status}")
    now = ports.clock.now()
    try:
        after = ports.jobs.apply(changes.retry_by_hand(row, now))
    except ChangeRefused as refused:
        came = _or_not_found(refused.job, job_id)
        if came.attempt_limit == row.attempts + row.max_attempts:
            return came  # a retry of the same ended job was faster, or the answer to our own was lost
        raise WrongStatus(f"only a failed or canceled job can be retried: this one is {came.status}") from None
    journal.moved(Event.RETRY, after, row.status)
    hints.send(ports, [after], now)
    return after


def _or_not_found(row: Job | None, job_id: str) -> Job:
    if row is None:
        raise NotFound(f"there is no job {job_id!r}")
    return row


def _count(ports: Ports, after: Job, before: Job) -> None:
    """A request to cancel a running job is counted by its worker, once it has come of it."""
    if after.status is Status.CANCELED:
        tallies = Tallies(ports)
        tallies.ended(after, before, None)
        tallies.write()
