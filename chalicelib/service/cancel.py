"""Cancel a job by hand: a waiting one at once, a running one at its next checkpoint."""

from chalicelib.core import change as changes
from chalicelib.core.job import ENDED, WAITING, Event, Job, Status
from chalicelib.errors import WrongStatus
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import containers, log, read
from chalicelib.service.metrics import Tallies

TRIES = 5


def cancel(ports: Ports, owner: str | None, job_id: str, *, by: str | None = None) -> Job:
    """A waiting job is canceled; a running one is asked to stop. Raises NotFound, WrongStatus when it has ended.
    `by`: whose wish it is.

    The job may move while we decide (a claim, an outcome): each try decides again on the row that stood in the way.
    """
    row = read.get_job(ports, owner, job_id)
    for _ in range(TRIES):
        if row.status in ENDED:
            raise WrongStatus(f"the job has already ended ({row.status}): there is nothing to cancel")
        now, retention = ports.clock.now(), ports.settings.retention
        waiting = row.status in WAITING
        planned = (
            changes.cancel(row, now, retention=retention, by=by) if waiting else changes.request_cancel(row, now, by=by)
        )
        try:
            after = ports.jobs.apply(planned)
        except ChangeRefused as refused:
            row = read.require_row(refused.job, job_id)
            if row.status is Status.CANCELED and waiting and row.finished_at == now:
                return row  # our own change, whose first answer was lost on the way
            continue
        log.transition(Event.CANCEL, after, row.status)
        count_canceled(ports, after, row)
        if after.remote and after.status is Status.RUNNING:
            containers.stop_for_cancel(ports, after)
        return after
    raise WrongStatus("the job moves too fast to be canceled: try again")


def count_canceled(ports: Ports, after: Job, before: Job) -> None:
    """A request to cancel a running job is counted by its worker, once it has come of it."""
    if after.status is Status.CANCELED:
        tallies = Tallies(ports)
        tallies.ended(after, before, None)
        tallies.write()
