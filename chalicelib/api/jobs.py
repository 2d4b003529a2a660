"""A job: what may be sent to make one, and what is answered of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.api.body import RequestContext, decode_body, move_inside
from chalicelib.api.fields import Time, render_optional_time, render_time
from chalicelib.core import times
from chalicelib.core.container import LONGEST_SECONDS, admit
from chalicelib.core.job import Attempt, Error, Job, Millis, Status, container_of, status_at
from chalicelib.core.task import Task
from chalicelib.core.window import OnRepeat
from chalicelib.errors import FieldError, Invalid, SortieError, shorten
from chalicelib.service import containers
from chalicelib.service.new_job import NewJob, WindowWish
from chalicelib.service.read import Link, Rendered

DAY_SECONDS, YEAR_SECONDS, LARGEST_WHOLE = 86_400, 366 * 86_400, 2**53
SUMMARY_CHARACTERS = 300
"""Of an error's message in a list: three hundred jobs have to fit an answer."""
NULL = msgspec.Raw(b"null")
Phase = Literal["starting", "running"]

Payload = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/Payload"})]
ObjectId = (
    Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    | Annotated[int, msgspec.Meta(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
)
RunIn = (
    Annotated[str, msgspec.Meta(extra_json_schema={"pattern": r"^[0-9]+(\.[0-9]+)?[smhd]$", "format": "run-in"})]
    | Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": YEAR_SECONDS})]
    | Annotated[float, msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": YEAR_SECONDS})]
)
RunAt = Annotated[
    str,
    msgspec.Meta(
        description="RFC 3339 with an offset, or `dd-mm-YYYY HH:MM:SS` in UTC; not past, at most 366 days ahead.",
        extra_json_schema={"format": "run-at"},
    ),
]


class WindowRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A span of time in which one `object_id` is run at most once."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=DAY_SECONDS)] = 300
    on_repeat: OnRepeat = OnRepeat.DELAY


class JobRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """A job to run. `array` is short for the task `sort` with that array as its input."""

    array: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "array", "items": {"type": "number"}})] = (
        msgspec.field(default_factory=msgspec.Raw)
    )
    task: str | None = None
    input: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})] = msgspec.field(
        default_factory=msgspec.Raw
    )
    object_id: ObjectId | None = None
    window: WindowRequest | None = None
    run_in: RunIn | None = None
    run_at: RunAt | None = None
    timeout: Annotated[float, msgspec.Meta(ge=1, le=LONGEST_SECONDS)] | None = None
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3


class PayloadLink(msgspec.Struct):
    """Where a payload that does not fit the answer is fetched: a short-lived link."""

    href: str
    bytes: int


class UploadInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An input that was uploaded before."""

    upload: str


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


class ContainerAnswer(msgspec.Struct):
    """The newest attempt's container: since when it runs, and what it exited with."""

    started_at: Time | None
    exit_code: int | None


class JobSummary(msgspec.Struct, kw_only=True):
    """A job without its input, output and attempt log; of an error's message, the beginning."""

    id: str
    task: str
    status: Status
    object_id: str | int | None
    group: str | None
    run_id: str | None
    label: str | None
    schedule_id: str | None
    slot_at: Time | None
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
    phase: Phase | None
    elapsed_ms: int | None
    container: ContainerAnswer | None
    cancel_requested: bool
    error: Error | None
    window: WindowAnswer | None
    window_ends_at: Time | None
    parent_id: str | None
    traceparent: str | None
    canceled_by: str | None
    canceled_at: Time | None
    retried_by: str | None
    retried_at: Time | None


class JobAnswer(JobSummary, kw_only=True):
    """A job. A payload that does not fit reads {"href", "bytes"}: a short-lived link."""

    input: Payload
    output: Payload
    attempt_log: list[AttemptAnswer]


def parse_job(raw: bytes, context: RequestContext) -> NewJob:
    """A checked job. Raises Malformed, Invalid."""
    return check_job(decode_body(raw, JobRequest), context)


def judge_job(raw: bytes, context: RequestContext) -> NewJob | SortieError:
    """A checked job, or what is wrong with it."""
    try:
        return parse_job(raw, context)
    except SortieError as error:
        return error


def check_job(request: JobRequest, context: RequestContext) -> NewJob:
    task, payload, upload = _check_task_and_input(request, context)
    return check_changes(request, context, NewJob(owner=context.owner, task=task.name, input=payload, upload=upload))


def check_changes(request: JobRequest, context: RequestContext, new: NewJob) -> NewJob:
    """`new` has its task and its input; the other fields are the request's."""
    if request.window is not None and request.object_id is None:
        raise Invalid(FieldError("window", "a window needs an object_id: say which object it is for"))
    longest = context.tasks[new.task].longest or context.settings.max_timeout
    if request.timeout is not None and request.timeout > longest:
        raise Invalid(FieldError("timeout", f"at most {longest:g} seconds for the task {new.task}"))
    return replace(
        new,
        run_at=_parse_run_at(request, context.now),
        timeout=request.timeout,
        max_attempts=request.max_attempts,
        object_id=request.object_id,
        window=WindowWish(request.window.seconds, request.window.on_repeat) if request.window else None,
        request_id=context.request_id,
        traceparent=context.traceparent,
    )


def render_job(row: Job, now: Millis, payload: Rendered, output: Rendered) -> JobAnswer:
    log = [_render_attempt(attempt) for attempt in _past_attempts(row)]
    return JobAnswer(
        **_render_fields(row, now), input=_render_payload(payload), output=_render_payload(output), attempt_log=log
    )


def render_summary(row: Job, now: Millis) -> JobSummary:
    return JobSummary(**_render_fields(brief(row), now))


def brief(row: Job) -> Job:
    """As many of them stand in one answer: without its past attempts, and with the beginning of its error."""
    error = row.error and Error(row.error.type, shorten(row.error.message, SUMMARY_CHARACTERS))
    return msgspec.structs.replace(row, past_attempts=(), error=error)


def _check_task_and_input(request: JobRequest, context: RequestContext) -> tuple[Task, bytes, str | None]:
    """The task, its input, and the id of the upload where that is the input."""
    if bytes(request.array):
        return (*_check_array(request, context), None)
    if request.task is None:
        raise Invalid(
            FieldError("task", f"say which task to run: one of {', '.join(sorted(context.tasks))}, or send `array`")
        )
    task, payload = _require_task(request.task, context), bytes(request.input)
    if not payload:
        raise Invalid(FieldError("input", "the task's input is missing"))
    upload = _parse_upload(payload)
    if task.remote:
        _check_container(task, payload, upload, context)
    elif upload is None:
        _check_input(task, payload)
    return task, payload, upload


def _check_array(request: JobRequest, context: RequestContext) -> tuple[Task, bytes]:
    if request.task is not None or bytes(request.input):
        other = "task" if request.task is not None else "input"
        raise Invalid(
            FieldError(other, 'leave it out beside `array`, or write {"task": "sort", "input": {"array": ...}}')
        )
    task, payload = _require_task("sort", context), b'{"array":' + bytes(request.array) + b"}"
    task.validate(payload)
    return task, payload


def _require_task(name: str, context: RequestContext) -> Task:
    if name not in context.tasks:
        raise Invalid(FieldError("task", f"unknown task: one of {', '.join(sorted(context.tasks))}"))
    return context.tasks[name]


def _check_input(task: Task, payload: bytes) -> None:
    try:
        task.validate(payload)
    except Invalid as invalid:
        raise move_inside("input", invalid) from None


def _check_container(task: Task, payload: bytes, upload: str | None, context: RequestContext) -> None:
    if upload is not None:
        raise Invalid(FieldError("input.upload", "what a container is told fits a request: leave the upload out"))
    if len(payload) > containers.LARGEST_INPUT_BYTES:
        raise Invalid(FieldError("input", f"at most {containers.LARGEST_INPUT_BYTES:,} bytes, white space included"))
    try:
        admit(task.decode(payload), containers.allowed(context.settings))
    except Invalid as invalid:
        raise move_inside("input", invalid) from None


def _parse_upload(payload: bytes) -> str | None:
    if len(payload) > 200 or b'"upload"' not in payload:
        return None
    try:
        return msgspec.json.decode(payload, type=UploadInput).upload
    except msgspec.DecodeError:
        return None


def _parse_run_at(request: JobRequest, now: Millis) -> Millis | None:
    if request.run_in is not None and request.run_at is not None:
        raise Invalid(FieldError("run_at", "give run_in or run_at, not both"))
    try:
        if request.run_in is not None:
            return now + round(times.parse_run_in(request.run_in) * 1000)
        if request.run_at is not None:
            # Whole seconds are what people write: the second that is going on is not past.
            this_second = times.from_millis(now) - timedelta(milliseconds=now % 1000)
            return times.to_millis(times.parse_run_at(request.run_at, this_second))
    except ValueError as error:
        raise Invalid(FieldError("run_in" if request.run_in is not None else "run_at", str(error))) from None
    return None


def _render_fields(row: Job, now: Millis) -> dict[str, Any]:
    status = status_at(row, now)
    return {
        "id": row.id,
        "task": row.task,
        "status": status,
        "object_id": row.object_id,
        "group": row.group,
        "run_id": row.run_id,
        "label": row.label,
        "schedule_id": row.schedule_id,
        "slot_at": render_optional_time(row.slot_at),
        "owner": row.owner,
        "created_at": render_time(row.created_at),
        "run_at": render_time(row.run_at),
        "next_attempt_at": render_time(row.not_before) if status is Status.SCHEDULED else None,
        "started_at": render_optional_time(row.started_at),
        "finished_at": render_optional_time(row.finished_at),
        "duration_ms": row.duration_ms,
        "attempts": row.attempts,
        "max_attempts": row.attempt_limit,
        "timeout": row.timeout,
        "progress": row.progress,
        **_render_phase(row, now),
        "cancel_requested": row.cancel_requested,
        "error": row.error,
        "window": _render_window(row),
        "window_ends_at": render_time(row.window.ends_at) if row.window else None,
        "parent_id": row.parent_id,
        "traceparent": row.traceparent,
        "canceled_by": row.canceled_by,
        "canceled_at": render_optional_time(row.canceled_at),
        "retried_by": row.retried_by,
        "retried_at": render_optional_time(row.retried_at),
    }


def _render_phase(row: Job, now: Millis) -> dict[str, Any]:
    """A container's start takes a while: until it runs, the time since the claim has elapsed."""
    container = container_of(row)
    answer = ContainerAnswer(render_optional_time(container.started_at), container.exit_code) if container else None
    if row.status is not Status.RUNNING:
        return {"phase": None, "elapsed_ms": None, "container": answer}
    runs_since = container.started_at if container else None
    phase = None if not row.remote else "running" if runs_since else "starting"
    since = runs_since or row.started_at
    return {"phase": phase, "elapsed_ms": max(0, now - since) if since else None, "container": answer}


def _render_window(row: Job) -> WindowAnswer | None:
    window = row.window
    if window is None:
        return None
    return WindowAnswer(window.seconds, window.on_repeat, render_time(window.ends_at), window.job_id)


def _past_attempts(row: Job) -> list[Attempt]:
    """Attempts that went wrong are in the row; one that completed is told from the row itself."""
    past = list(row.past_attempts)
    if row.status is Status.COMPLETED and row.started_at is not None and row.finished_at is not None:
        past.append(Attempt(row.attempts, row.started_at, row.finished_at, "completed"))
    return past


def _render_attempt(attempt: Attempt) -> AttemptAnswer:
    started_at, ended_at = render_time(attempt.started_at), render_time(attempt.ended_at)
    return AttemptAnswer(attempt.attempt, started_at, ended_at, attempt.outcome, attempt.error)


def _render_payload(payload: Rendered) -> msgspec.Raw:
    if isinstance(payload, Link):
        return msgspec.Raw(msgspec.json.encode(PayloadLink(payload.href, payload.bytes)))
    return NULL if payload is None else msgspec.Raw(payload)
