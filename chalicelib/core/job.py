"""A job: its statuses, the events that move it, and the one table that says which move is legal.

                      cancel                    ┌─────────────── retry ──────────────┐
            ┌────────────────────────┐          ▼                                    │
 scheduled ─┴ due ─▶ pending ─ claim ─▶ running ─ complete ─▶ completed              │
     ▲                 │ └ cancel ─▶ canceled ◀─ stop ─┤ └─ fail, give_up ─▶ failed ─┤
     │                 ├ give_up ─▶ failed             │              canceled ──────┘
     │                 └ complete_unclaimed ─▶ completed (a pure job, in one write)
     └───────────────── back_off ──────────────────────┘

A stored `scheduled` row reads `pending` from `not_before` on, and may be claimed: `due` is the clock's own event. Only
when no worker has come for half a minute does the dispatcher write it, so that the job is listed where it belongs.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

Millis = int
"""Milliseconds since 1970 UTC: what every `*_at` and `*_until` inside Sortie holds."""


class Status(StrEnum):
    SCHEDULED = "scheduled"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class Event(StrEnum):
    DUE = "due"
    CLAIM = "claim"
    COMPLETE = "complete"
    COMPLETE_UNCLAIMED = "complete_unclaimed"
    BACK_OFF = "back_off"
    FAIL = "fail"
    STOP = "stop"
    CANCEL = "cancel"
    GIVE_UP = "give_up"
    RETRY = "retry"


S, E = Status, Event
TABLE: Mapping[tuple[Status, Event], Status] = {
    (S.SCHEDULED, E.DUE): S.PENDING,
    (S.SCHEDULED, E.CANCEL): S.CANCELED,
    (S.PENDING, E.CANCEL): S.CANCELED,
    (S.PENDING, E.CLAIM): S.RUNNING,
    (S.PENDING, E.COMPLETE_UNCLAIMED): S.COMPLETED,  # a pure job: nobody else needs to know that it runs
    (S.PENDING, E.GIVE_UP): S.FAILED,  # no worker ever took it
    (S.RUNNING, E.CLAIM): S.RUNNING,  # the lease is over: the next attempt takes it
    (S.RUNNING, E.COMPLETE): S.COMPLETED,
    (S.RUNNING, E.BACK_OFF): S.SCHEDULED,
    (S.RUNNING, E.FAIL): S.FAILED,
    (S.RUNNING, E.STOP): S.CANCELED,
    (S.RUNNING, E.GIVE_UP): S.FAILED,  # the lease is over and no attempt is left
    (S.FAILED, E.RETRY): S.PENDING,
    (S.CANCELED, E.RETRY): S.PENDING,
}
WAITING = frozenset({S.SCHEDULED, S.PENDING})
ENDED = frozenset({S.COMPLETED, S.FAILED, S.CANCELED})


class Error(msgspec.Struct, frozen=True):
    """Why an attempt or a job ended badly. `type`: timeout, task_error, worker_lost, undeliverable, canceled."""

    type: str
    message: str


class Inline(msgspec.Struct, frozen=True, tag="inline"):
    """A payload kept in the row, as the JSON bytes it is."""

    data: bytes


class Stored(msgspec.Struct, frozen=True, tag="stored"):
    """A payload kept in object storage. `raw` marks an upload, whose bytes the task still has to adopt."""

    key: str
    size: int
    raw: bool = False


Payload = Inline | Stored


class Window(msgspec.Struct, frozen=True):
    """The window a job was decided in: `job_id` is the job that holds it until `ends_at`."""

    seconds: int
    on_repeat: str
    ends_at: Millis
    job_id: str


class Container(msgspec.Struct, frozen=True):
    """The container of one attempt: the engine's reference to it, since when it runs, how it exited. `refused`: how
    many starts in a row the engine had no room for, the first of them at `refused_since`."""

    attempt: int
    ref: str = ""
    started_at: Millis | None = None
    exit_code: int | None = None
    refused: int = 0
    refused_since: Millis | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One attempt that is over; `outcome` is completed, canceled, not_started or the error's type. `ref`: its
    container."""

    attempt: int
    started_at: Millis
    ended_at: Millis
    outcome: str
    error: Error | None = None
    ref: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `not_before`: nobody may claim it before; the due time while it waits, the lease while it runs.
    `resends`: how often the dispatcher has sent its message again. `remote`: it runs in a container, and only a
    look at that ends an attempt."""

    id: str
    owner: str
    task: str
    status: Status
    created_at: Millis
    run_at: Millis
    not_before: Millis
    timeout: float
    max_attempts: int
    attempt_limit: int
    input: Payload
    wake_at: Millis | None = None
    attempts: int = 0
    quick: bool = False
    object_id: str | int | None = None
    group: str | None = None
    run_id: str | None = None
    label: str | None = None
    window: Window | None = None
    started_at: Millis | None = None
    finished_at: Millis | None = None
    duration_ms: float | None = None
    progress: float | None = None
    error: Error | None = None
    output: Payload | None = None
    cancel_requested: bool = False
    claim_token: str | None = None
    past_attempts: tuple[Attempt, ...] = ()
    expires_at: int | None = None
    request_id: str | None = None
    remote: bool = False
    container: Container | None = None
    parent_id: str | None = None
    traceparent: str | None = None
    canceled_by: str | None = None
    canceled_at: Millis | None = None
    retried_by: str | None = None
    retried_at: Millis | None = None
    pure: bool = False
    resends: int = 0
    schedule_id: str | None = None
    slot_at: Millis | None = None


def container_of(job: Job) -> Container | None:
    """The container of the attempt that runs; None while it is not known to have one."""
    container = job.container
    return container if container and container.attempt == job.attempts and container.ref else None


def sources(event: Event) -> frozenset[Status]:
    """The stored statuses a row may have for `event`: a `scheduled` row counts as pending once it is due."""
    statuses = {status for status, on in TABLE if on is event}
    return frozenset(statuses | {S.SCHEDULED} if S.PENDING in statuses else statuses)


def target(event: Event) -> Status:
    """The status that `event` leads to, from wherever it may start."""
    (status,) = {to for (_, on), to in TABLE.items() if on is event}
    return status


def status_at(job: Job, now: Millis) -> Status:
    """The status a reader sees at `now`."""
    if job.status in WAITING:
        return S.PENDING if job.not_before <= now else S.SCHEDULED
    return job.status


def is_gone(job: Job, now: Millis) -> bool:
    """True once the row is past its retention, whether or not it has been removed yet."""
    return job.expires_at is not None and job.expires_at * 1000 <= now
