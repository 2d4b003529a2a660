"""Submit a job: the row first, then the message. What is answered is the row; the message is only a hint."""

from dataclasses import dataclass

from chalicelib.core.job import Job, Millis
from chalicelib.errors import SortieError
from chalicelib.ports import Ports
from chalicelib.service import keys, log, notify, windows
from chalicelib.service.inputs import Inputs
from chalicelib.service.new_job import Draft, NewJob, draft


@dataclass(frozen=True, slots=True)
class Submitted:
    """`created` is False when an earlier job is the answer."""

    job: Job
    created: bool


def submit(ports: Ports, new: NewJob, *, key: str | None = None, body: bytes = b"", by: str | None = None) -> Submitted:
    """`key` is the Idempotency-Key and `body` the request's bytes, by which a repeat is known again. `by`: who asks,
    and whose key it is; None is the job's owner.

    Raises Invalid, KeyReused, WindowHeld, Contended, Unavailable.
    """
    now = ports.clock.now()
    job_id = ports.random.new_id(now)
    if key is not None:
        # Where the asker is another, a version before has kept the key under the owner's name.
        known = keys.find(ports, new.owner, key, body) if by not in (None, new.owner) else None
        job_id = known or keys.reserve(ports, by or new.owner, key, body, job_id, now)
        earlier = ports.jobs.get(job_id)
        if earlier is not None:
            return Submitted(earlier, created=False)
    return submit_as(ports, new, job_id, now)


def submit_judged(
    ports: Ports, owner: str, entry: NewJob | SortieError, *, key: str | None, body: bytes, by: str | None = None
) -> Submitted:
    """Submit a request as it was judged. A repeat need not pass as a new request: its time may have come, its task may
    have gone. It gets the job that it made. Raises what `submit` raises, and `entry` where that is an error."""
    if not isinstance(entry, SortieError):
        return submit(ports, entry, key=key, body=body, by=by)
    earlier = _find_earlier(ports, owner, key, body, by) if key is not None else None
    if earlier is None:
        raise entry
    return Submitted(earlier, created=False)


def submit_as(ports: Ports, new: NewJob, job_id: str, now: Millis) -> Submitted:
    """Submit under an id that is already decided: however often this is done, one job comes of it."""
    drafted = draft(ports, new, job_id, now, Inputs(ports))
    row = windows.insert(ports, drafted, new.window) if new.window else _insert(ports, drafted)
    created = row.id == drafted.job.id and row.created_at == drafted.job.created_at
    if created:
        log.transition("submit", row, None)
        notify.send(ports, [row], now)
    return Submitted(row, created)


def _insert(ports: Ports, drafted: Draft) -> Job:
    drafted.place_input()
    return ports.jobs.insert(drafted.job)


def _find_earlier(ports: Ports, owner: str, key: str, body: bytes, by: str | None) -> Job | None:
    """The job of this owner that this very request made before."""
    for name in dict.fromkeys((owner, by or owner)):
        job_id = keys.find(ports, name, key, body)
        job = ports.jobs.get(job_id) if job_id else None
        if job is not None and job.owner == owner:
            return job
    return None
