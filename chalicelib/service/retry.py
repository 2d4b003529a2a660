"""Retry a job by hand: one that failed or was canceled may run again."""

from chalicelib.core import change as changes
from chalicelib.core.job import Event, Job, Status
from chalicelib.errors import WindowTaken, WrongStatus
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import log, notify, read


def retry(ports: Ports, owner: str | None, job_id: str, *, by: str | None = None) -> Job:
    """A failed or canceled job may run again. `by`: whose wish it is. Raises NotFound, WrongStatus, WindowTaken."""
    row = read.get_job(ports, owner, job_id)
    if row.status not in (Status.FAILED, Status.CANCELED):
        raise WrongStatus(f"only a failed or canceled job can be retried: this one is {row.status}")
    _refuse_taken_window(row)
    now = ports.clock.now()
    try:
        after = ports.jobs.apply(changes.retry_by_hand(row, now, by=by))
    except ChangeRefused as refused:
        current = read.require_row(refused.job, job_id)
        _refuse_taken_window(current)
        if current.attempt_limit == row.attempts + row.max_attempts:
            return current  # a retry of the same ended job was faster, or the answer to our own was lost
        raise WrongStatus(f"only a failed or canceled job can be retried: this one is {current.status}") from None
    log.transition(Event.RETRY, after, row.status)
    notify.send(ports, [after], now)
    return after


def _refuse_taken_window(row: Job) -> None:
    if row.window is not None and row.window.job_id != row.id:
        raise WindowTaken(
            f"the window of object {row.object_id!r} that this job had is held by job {row.window.job_id}: "
            "submit a new job instead"
        )
