"""What the service answers, as structs. Times are aware datetimes; `extra` holds what a newer service says beyond."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from sortie_client.reading import Answer

ENDED = frozenset({"completed", "failed", "canceled"})
STATUSES = ("scheduled", "pending", "running", "completed", "failed", "canceled")
NULL = msgspec.Raw(b"null")


class JobError(Answer):
    """`type`: timeout, task_error, worker_lost, undeliverable or canceled."""

    type: str
    message: str = ""


class Window(Answer):
    """The window a job was decided in, and the job that holds it."""

    seconds: int
    on_repeat: str
    ends_at: datetime
    job_id: str


class Attempt(Answer):
    attempt: int
    started_at: datetime
    ended_at: datetime
    outcome: str
    error: JobError | None = None


class Container(Answer):
    """The newest attempt's container."""

    started_at: datetime | None = None
    exit_code: int | None = None


class JobState(Answer):
    """A job as it was when it was asked for. `input` and `output` are the JSON itself; lists leave both out."""

    id: str
    task: str
    status: str
    object_id: str | int | None = None
    group: str | None = None
    run_id: str | None = None
    label: str | None = None
    schedule_id: str | None = None
    slot_at: datetime | None = None
    owner: str = ""
    created_at: datetime | None = None
    run_at: datetime | None = None
    next_attempt_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: float | None = None
    attempts: int = 0
    max_attempts: int = 0
    timeout: float = 0
    progress: float | None = None
    phase: str | None = None
    elapsed_ms: int | None = None
    container: Container | None = None
    cancel_requested: bool = False
    error: JobError | None = None
    window: Window | None = None
    window_ends_at: datetime | None = None
    attempt_log: list[Attempt] = []
    parent_id: str | None = None
    traceparent: str | None = None
    canceled_by: str | None = None
    canceled_at: datetime | None = None
    retried_by: str | None = None
    retried_at: datetime | None = None
    input: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    output: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_whole(self) -> bool:
        """False for a job of a list, which has no input and no output."""
        return not isinstance(self.output, msgspec.UnsetType)


class JobPage(Answer):
    jobs: list[JobState]
    next: str | None = None


class Fault(Answer):
    """One wrong field: `loc` like `array[2]`."""

    loc: str = ""
    msg: str = ""


class Problem(Answer):
    """RFC 9457."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    errors: list[Fault] = []


class BulkResult(Answer):
    status: int
    job: JobState | None = None
    problem: Problem | None = None


class BulkAnswer(Answer):
    results: list[BulkResult]


class Board(Answer):
    running: dict[str, JobState]
    scheduled: dict[str, JobState]
    history: dict[str, JobState]


class GroupFault(Answer):
    job: str = ""
    loc: str = ""
    msg: str = ""


class Group(Answer):
    name: str
    jobs: list[str] = []
    problems: list[GroupFault] = []


class GroupList(Answer):
    groups: list[Group]


class RunJob(Answer):
    id: str
    href: str


class RunStarted(Answer):
    run_id: str
    group: str
    jobs: list[RunJob] = []


class RunState(Answer):
    run_id: str
    group: str
    created_at: datetime | None = None
    counts: dict[str, int] = {}
    progress: float = 0
    jobs: list[JobState] = []


class Schedule(Answer):
    id: str
    cron: str
    timezone: str
    next_run_at: datetime | None = None
    next_runs: list[datetime] = []
    created_at: datetime | None = None
    owner: str = ""
    task: str = ""
    job: dict[str, Any] = {}


class ScheduleList(Answer):
    schedules: list[Schedule]
    next: str | None = None


class Upload(Answer):
    id: str
    href: str
    headers: dict[str, str] = {}
    expires_at: datetime | None = None


class Link(Answer):
    """Where a payload lies that does not fit an answer."""

    href: str
    bytes: int


class Depth(Answer):
    waiting: int = 0
    in_flight: int = 0
    delayed: int = 0
    dead: int = 0


class Percentiles(Answer):
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Minute(Answer):
    minute: datetime
    completed: int = 0
    failed: int = 0
    canceled: int = 0
    retried: int = 0
    duration_ms: Percentiles | None = None
    wait_ms: Percentiles | None = None


class LaneDepth(Answer):
    waiting: int
    in_flight: int
    delayed: int


class Stats(Answer):
    counts: dict[str, int]
    queue: Depth
    lanes: dict[str, LaneDepth] = {}
    oldest_pending_seconds: float = 0
    per_minute: list[Minute] = []
    duration_ms: Percentiles | None = None
    wait_ms: Percentiles | None = None
