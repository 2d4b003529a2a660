"""The end of an attempt: one write, fenced by its number, and what follows from it: log line, tally, next hint."""

from chalicelib.core import change as changes
from chalicelib.core.change import Change
from chalicelib.core.job import Event, Job, Status
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import log, notify
from chalicelib.service.metrics import Tallies


def finish(ports: Ports, job: Job, change: Change, duration_ms: float | None, tallies: Tallies) -> None:
    """Who lost the lease writes nothing. Raises Unavailable."""
    try:
        row = _apply_or_stop(ports, job, change, duration_ms)
    except ChangeRefused:
        log.warning("outcome_refused", job=job.id, attempt=job.attempts)
        return
    event = Event.STOP if row.status is Status.CANCELED else change.event
    seconds = None if duration_ms is None else duration_ms / 1000
    log.transition(event or "", row, Status.RUNNING, seconds=seconds)
    tallies.ended(row, job, duration_ms)
    if row.status is Status.SCHEDULED:
        notify.send(ports, [row], change.at)


def stop(ports: Ports, job: Job, duration_ms: float | None) -> Change:
    """The end of an attempt whose job is to be canceled."""
    return changes.stop(job, ports.clock.now(), duration_ms=duration_ms, retention=ports.settings.retention)


def _apply_or_stop(ports: Ports, job: Job, change: Change, duration_ms: float | None) -> Job:
    """The row after the change, or after a stop where a request to cancel came in between. Raises ChangeRefused."""
    try:
        return ports.jobs.apply(change)
    except ChangeRefused as refused:
        row = refused.job
        if not (row and row.status is Status.RUNNING and row.attempts == job.attempts and row.cancel_requested):
            raise
    return ports.jobs.apply(stop(ports, job, duration_ms))
