"""Submit a job: the row first, then the message. What is answered is the row; the message is only a hint."""

from dataclasses import dataclass
from hashlib import sha256

from chalicelib.core.job import Job, Millis
from chalicelib.core.records import KeyRecord
from chalicelib.errors import KeyReused, SortieError
from chalicelib.ports import Ports
from chalicelib.service import log, notify, windows
from chalicelib.service.new_job import NewJob, build


@dataclass(frozen=True, slots=True)
class Submitted:
    """`created` is False when an earlier job is the answer."""

    job: Job
    created: bool


def submit(ports: Ports, new: NewJob, *, key: str | None = None, body: bytes = b"") -> Submitted:
    """`key` is the Idempotency-Key and `body` the request's bytes, by which a repeat is known again.

    Raises Invalid, KeyReused, WindowHeld, Contended, Unavailable.
    """
    now = ports.clock.now()
    job_id = ports.random.new_id(now)
    if key is not None:
        job_id = _reserve(ports, new.owner, key, body, job_id, now)
        earlier = ports.jobs.get(job_id)
        if earlier is not None:
            return Submitted(earlier, created=False)
    return submit_as(ports, new, job_id, now)


def submit_judged(ports: Ports, owner: str, entry: NewJob | SortieError, *, key: str | None, body: bytes) -> Submitted:
    """Submit a request as it was judged. A repeat need not pass as a new request: its time may have come, its task may
    have gone. It gets the job that it made. Raises what `submit` raises, and `entry` where that is an error."""
    if not isinstance(entry, SortieError):
        return submit(ports, entry, key=key, body=body)
    earlier = _find_earlier(ports, owner, key, body) if key is not None else None
    if earlier is None:
        raise entry
    return Submitted(earlier, created=False)


def submit_as(ports: Ports, new: NewJob, job_id: str, now: Millis) -> Submitted:
    """Submit under an id that is already decided: however often this is done, one job comes of it."""
    job = build(ports, new, job_id, now)
    row = windows.insert(ports, job, new.window) if new.window else ports.jobs.insert(job)
    created = row.id == job.id and row.created_at == job.created_at
    if created:
        log.transition("submit", row, None)
        notify.send(ports, [row], now)
    return Submitted(row, created)


def _find_earlier(ports: Ports, owner: str, key: str, body: bytes) -> Job | None:
    """The job that this very request made before."""
    record = ports.records.key(owner, key)
    if (
        record is None
        or record.fingerprint != _take_fingerprint(body)
        or record.expires_at <= ports.clock.now() // 1000
    ):
        return None
    return ports.jobs.get(record.job_id)


def _reserve(ports: Ports, owner: str, key: str, body: bytes, job_id: str, now: Millis) -> str:
    """The id this key stands for: `job_id` unless the key was taken before.

    The key row comes first and the job row second, both conditional: a crash in between leaves a key whose repeat
    makes the very job that is missing. The key expires before that job's row could.
    """
    fingerprint = _take_fingerprint(body)
    mine = KeyRecord(owner, key, job_id, fingerprint, round(now / 1000 + ports.settings.retention))
    record = ports.records.reserve_key(mine, now)
    if record.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key was sent with another body before: use a new key for a new job")
    return record.job_id


def _take_fingerprint(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]
