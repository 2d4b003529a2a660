"""What is answered, as models; /openapi.json is made from the same ones. Times become RFC 3339 here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from chalicelib.api import problems
from chalicelib.core import cron
from chalicelib.core.job import Attempt, Error, Job, Millis, Status, status_at
from chalicelib.core.records import Schedule, Tally
from chalicelib.core.times import from_millis, to_rfc3339
from chalicelib.errors import SortieError
from chalicelib.ports import Depth
from chalicelib.service.groups import Group, Run
from chalicelib.service.read import Board, Link, Rendered
from chalicelib.service.stats import Stats, compute_percentiles
from chalicelib.service.submit import Submitted
from chalicelib.service.uploads import Upload

Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
LINK = {"type": "object", "properties": {"href": {"type": "string"}, "bytes": {"type": "integer"}}}
Shape = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"anyOf": [{"type": "null"}, LINK, {"type": "object"}]})]
NULL = msgspec.Raw(b"null")
NEXT_RUNS = 5


class WindowAnswer(msgspec.Struct):
    """The window the job was decided in, and the job that holds it."""

    seconds: int
    on_repeat: str
    ends_at: Time
    job_id: str


class AttemptAnswer(msgspec.Struct):
    attempt: int
    started_at: Time
    ended_at: Time
    outcome: str
    error: Error | None


class JobSummary(msgspec.Struct, kw_only=True):
    """A job without its input and output."""

    id: str
    task: str
    status: Status
    object_id: str | int | None
    group: str | None
    run_id: str | None
    label: str | None
    owner: str
    created_at: Time
    run_at: Time
    next_attempt_at: Time | None
    started_at: Time | None
    finished_at: Time | None
    duration_ms: float | None
    attempts: int
    max_attempts: int
    timeout: float
    progress: float | None
    cancel_requested: bool
    error: Error | None
    window: WindowAnswer | None
    window_ends_at: Time | None
    attempt_log: list[AttemptAnswer]


class JobAnswer(JobSummary, kw_only=True):
    """A job. A payload that does not fit reads {"href", "bytes"}: a short-lived link."""

    input: Shape
    output: Shape


class JobList(msgspec.Struct):
    jobs: list[JobSummary]
    next: str | None


class BoardAnswer(msgspec.Struct):
    running: dict[str, JobSummary]
    scheduled: dict[str, JobSummary]
    history: dict[str, JobSummary]


class ProblemFault(msgspec.Struct):
    loc: str
    msg: str


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemFault] = []


class BulkResult(msgspec.Struct, omit_defaults=True):
    status: int
    job: JobAnswer | None = None
    problem: Problem | None = None


class BulkAnswer(msgspec.Struct):
    results: list[BulkResult]


class GroupProblem(msgspec.Struct):
    job: str
    loc: str
    msg: str


class GroupAnswer(msgspec.Struct):
    name: str
    jobs: list[str]
    problems: list[GroupProblem]


class GroupList(msgspec.Struct):
    groups: list[GroupAnswer]


class RunJob(msgspec.Struct):
    id: str
    href: str


class RunStarted(msgspec.Struct):
    run_id: str
    group: str
    jobs: list[RunJob]


class RunAnswer(msgspec.Struct):
    run_id: str
    group: str
    created_at: Time
    counts: dict[str, int]
    progress: float
    jobs: list[JobSummary]


class ScheduleAnswer(msgspec.Struct):
    id: str
    cron: str
    timezone: str
    next_run_at: Time
    next_runs: list[Time]
    created_at: Time
    owner: str
    job: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/ScheduledJob"})]


class ScheduleList(msgspec.Struct):
    schedules: list[ScheduleAnswer]


class UploadAnswer(msgspec.Struct):
    id: str
    href: str
    headers: dict[str, str]
    expires_at: Time


class QueueAnswer(msgspec.Struct):
    waiting: int
    in_flight: int
    delayed: int
    dead: int


class Percentiles(msgspec.Struct):
    p50: float | None
    p95: float | None
    p99: float | None


class MinuteAnswer(msgspec.Struct):
    minute: Time
    completed: int
    failed: int
    canceled: int
    retried: int
    duration_ms: Percentiles
    wait_ms: Percentiles


class StatsAnswer(msgspec.Struct):
    counts: dict[str, int]
    queue: QueueAnswer
    oldest_pending_seconds: float
    per_minute: list[MinuteAnswer]
    duration_ms: Percentiles
    wait_ms: Percentiles


class HealthAnswer(msgspec.Struct):
    status: str


def job(row: Job, now: Millis, given: Rendered, output: Rendered) -> JobAnswer:
    return JobAnswer(**_job_fields(row, now), input=_payload(given), output=_payload(output))


def summary(row: Job, now: Millis) -> JobSummary:
    return JobSummary(**_job_fields(row, now))


def job_list(rows: list[Job], cursor: str | None, now: Millis) -> JobList:
    return JobList([summary(row, now) for row in rows], cursor)


def board(found: Board) -> BoardAnswer:
    sides = (
        {row.id: summary(row, found.now) for row in side} for side in (found.running, found.scheduled, found.history)
    )
    return BoardAnswer(*sides)


def bulk(results: Sequence[Submitted | SortieError], shown: Callable[[Job], JobAnswer]) -> BulkAnswer:
    return BulkAnswer([_bulk_result(result, shown) for result in results])


def group(found: Group) -> GroupAnswer:
    return GroupAnswer(found.name, list(found.labels), [GroupProblem(p.job, p.loc, p.msg) for p in found.problems])


def run_started(run: Run, job_href: str) -> RunStarted:
    """`job_href` holds `{id}`."""
    jobs = [RunJob(row.id, job_href.format(id=row.id)) for row in run.jobs]
    return RunStarted(run.record.run_id, run.record.group, jobs)


def run(found: Run, now: Millis) -> RunAnswer:
    rows = [summary(row, now) for row in found.jobs]
    record = found.record
    return RunAnswer(record.run_id, record.group, _time(record.created_at), dict(found.counts), found.progress, rows)


def schedule(found: Schedule) -> ScheduleAnswer:
    return ScheduleAnswer(
        id=found.id, cron=found.cron, timezone=found.timezone, next_run_at=_time(found.next_run_at),
        next_runs=_next_runs(found),
        created_at=_time(found.created_at), owner=found.owner, job=msgspec.Raw(found.request),
    )  # fmt: skip


def upload(made: Upload) -> UploadAnswer:
    return UploadAnswer(made.id, made.link.href, dict(made.link.headers), _time(made.link.expires_at))


def stats(found: Stats) -> StatsAnswer:
    return StatsAnswer(
        counts=dict(found.counts),
        queue=_depth(found.queue),
        oldest_pending_seconds=found.oldest_pending_seconds,
        per_minute=[_minute(at, tally) for at, tally in found.points],
        duration_ms=_percentiles(found.whole.duration),
        wait_ms=_percentiles(found.whole.wait),
    )


def _bulk_result(result: Submitted | SortieError, shown: Callable[[Job], JobAnswer]) -> BulkResult:
    if isinstance(result, Submitted):
        return BulkResult(202 if result.created else 200, job=shown(result.job))
    problem = problems.of(result)
    return BulkResult(problem.status, problem=msgspec.convert(problem.body, Problem))


def _job_fields(row: Job, now: Millis) -> dict[str, Any]:
    status = status_at(row, now)
    window = row.window
    return {
        "id": row.id,
        "task": row.task,
        "status": status,
        "object_id": row.object_id,
        "group": row.group,
        "run_id": row.run_id,
        "label": row.label,
        "owner": row.owner,
        "created_at": _time(row.created_at),
        "run_at": _time(row.run_at),
        "next_attempt_at": _time(row.not_before) if status is Status.SCHEDULED else None,
        "started_at": _maybe(row.started_at),
        "finished_at": _maybe(row.finished_at),
        "duration_ms": row.duration_ms,
        "attempts": row.attempts,
        "max_attempts": row.max_attempts,
        "timeout": row.timeout,
        "progress": row.progress,
        "cancel_requested": row.cancel_requested,
        "error": row.error,
        "window": WindowAnswer(window.seconds, window.on_repeat, _time(window.ends_at), window.job_id)
        if window
        else None,
        "window_ends_at": _time(window.ends_at) if window else None,
        "attempt_log": [_attempt(one) for one in _attempts(row)],
    }


def _next_runs(found: Schedule) -> list[str]:
    """None where the zone has gone since: the schedule must still be seen, to be removed."""
    try:
        firings = cron.following(found.cron, found.timezone, from_millis(found.next_run_at), NEXT_RUNS)
    except ValueError:
        return []
    return [to_rfc3339(at) for at in firings]


def _attempts(row: Job) -> list[Attempt]:
    """Attempts that went wrong are in the row; one that completed is told from the row itself."""
    past = list(row.past_attempts)
    if row.status is Status.COMPLETED and row.started_at is not None and row.finished_at is not None:
        past.append(Attempt(row.attempts, row.started_at, row.finished_at, "completed"))
    return past


def _attempt(one: Attempt) -> AttemptAnswer:
    return AttemptAnswer(one.attempt, _time(one.started_at), _time(one.ended_at), one.outcome, one.error)


def _minute(at: Millis, tally: Tally) -> MinuteAnswer:
    ended = tally.outcomes
    return MinuteAnswer(
        minute=_time(at), completed=ended["completed"], failed=ended["failed"], canceled=ended["canceled"],
        retried=ended["retried"], duration_ms=_percentiles(tally.duration), wait_ms=_percentiles(tally.wait),
    )  # fmt: skip


def _percentiles(histogram: Mapping[int, int]) -> Percentiles:
    return Percentiles(**compute_percentiles(histogram))


def _depth(queue: Depth) -> QueueAnswer:
    return QueueAnswer(queue.waiting, queue.in_flight, queue.delayed, queue.dead)


def _payload(shown: Rendered) -> msgspec.Raw:
    if isinstance(shown, Link):
        return msgspec.Raw(msgspec.json.encode({"href": shown.href, "bytes": shown.bytes}))
    return NULL if shown is None else msgspec.Raw(shown)


def _time(at: Millis) -> str:
    return to_rfc3339(from_millis(at))


def _maybe(at: Millis | None) -> str | None:
    return None if at is None else _time(at)
