"""Groups of jobs: trigger one, and see how far a run is. Progress is read off the jobs, never counted on the side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.core.ids import is_id
from chalicelib.core.job import ENDED, Job, Status, is_gone, status_at
from chalicelib.core.records import RunRecord
from chalicelib.errors import FieldError, Invalid, NotFound, Unavailable
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import keys, log, notify
from chalicelib.service.inputs import Inputs
from chalicelib.service.new_job import NewJob, build

LARGEST_JOBS = 99
"""A run and its jobs are one transaction, which holds a hundred rows."""


@dataclass(frozen=True, slots=True)
class JobFieldError:
    """What is wrong with one job of a group, or with the group itself (`job` empty)."""

    job: str
    loc: str
    msg: str


@dataclass(frozen=True, slots=True)
class Group:
    """A named list of jobs as groups.yaml defines it; `jobs` holds the valid ones, named by their label."""

    name: str
    labels: Sequence[str]
    jobs: Sequence[NewJob]
    problems: Sequence[JobFieldError]


@dataclass(frozen=True, slots=True)
class Run:
    record: RunRecord
    jobs: Sequence[Job]
    counts: Mapping[str, int]
    progress: float
    created: bool = True
    """False when an earlier run is the answer."""


def trigger(
    ports: Ports, group: Group, owner: str, request_id: str | None, *, key: str | None = None, body: bytes = b""
) -> Run:
    """Start all jobs of the group, or none. A repeat under the Idempotency-Key gets the run that it made, whatever the
    file says by now. Raises Invalid naming each field, KeyReused."""
    request = f"run {group.name}\n".encode() + body
    if group.problems:
        run_id = keys.find(ports, owner, key, request) if key else None
        earlier = ports.records.run(owner, run_id) if run_id else None
        if earlier is None:
            raise Invalid(*(FieldError(f"{p.job}.{p.loc}".strip("."), p.msg) for p in group.problems))
        return _repeat(ports, earlier)
    now = ports.clock.now()
    run_id = ports.random.new_id(now)
    if key is not None:
        run_id = keys.reserve(ports, owner, key, request, run_id, now)
        if earlier := ports.records.run(owner, run_id):
            return _repeat(ports, earlier)
    return _start(ports, group, owner, run_id, request_id)


def _start(ports: Ports, group: Group, owner: str, run_id: str, request_id: str | None) -> Run:
    now = ports.clock.now()
    jobs, inputs = [], Inputs(ports)
    for new in group.jobs:
        mine = replace(new, owner=owner, group=group.name, run_id=run_id, request_id=request_id)
        jobs.append(build(ports, mine, ports.random.new_id(now), now, inputs))
    expires_at = round(now / 1000 + 2 * ports.settings.retention)
    record = RunRecord(owner, run_id, group.name, tuple(job.id for job in jobs), now, expires_at)
    stands = _insert(ports, record, jobs)
    if stands != record:
        return _repeat(ports, stands)
    for job in jobs:
        log.transition("submit", job, None)
    notify.send(ports, jobs, now)
    return _observe(record, jobs, now)


def _insert(ports: Ports, record: RunRecord, jobs: Sequence[Job]) -> RunRecord:
    """The run that stands afterwards: the same request may have been faster."""
    try:
        ports.jobs.insert_run(record, jobs)
    except ChangeRefused as refused:
        stands = ports.records.run(record.owner, record.run_id)
        if stands is None:
            raise Unavailable("put the run: refused although its ids are new") from refused
        return stands  # our own, where the first answer was lost on the way
    return record


def _repeat(ports: Ports, record: RunRecord) -> Run:
    return replace(_read_run(ports, record), created=False)


def get_run(ports: Ports, owner: str, group: str, run_id: str) -> Run:
    """Raises NotFound."""
    record = ports.records.run(owner, run_id) if is_id(run_id) else None
    now = ports.clock.now()
    if record is None or record.group != group or record.expires_at * 1000 <= now:
        raise NotFound(f"group {group!r} has no run {run_id!r}")
    return _read_run(ports, record)


def _read_run(ports: Ports, record: RunRecord) -> Run:
    now = ports.clock.now()
    jobs = [job for job in ports.jobs.get_many(record.job_ids) if not is_gone(job, now)]
    kept_until = record.created_at + ports.settings.retention * 1000
    return _observe(record, jobs, now, gone=len(record.job_ids) - len(jobs) if now >= kept_until else 0)


def _observe(record: RunRecord, jobs: Sequence[Job], now: int, gone: int = 0) -> Run:
    """`gone`: jobs that ended so long ago that their rows are no longer kept."""
    statuses = [status_at(job, now) for job in jobs]
    counts = Counter(str(status) for status in statuses)
    done = sum(_share(job, status) for job, status in zip(jobs, statuses, strict=True))
    progress = round((done + gone) / max(1, len(record.job_ids)), 4)
    return Run(record, jobs, {str(status): counts[status] for status in Status}, progress)


def _share(job: Job, status: Status) -> float:
    return 1.0 if status in ENDED else job.progress or 0.0
