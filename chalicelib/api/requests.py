"""What may be sent, as models that validate; /openapi.json is made from the same ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, TypeVar

import msgspec

from chalicelib.config import LONGEST_TIMEOUT_SECONDS, Settings
from chalicelib.core import cron, decoding, times
from chalicelib.core.access import Principal, is_owner, may_name
from chalicelib.core.filters import Filter
from chalicelib.core.ids import is_id
from chalicelib.core.job import Millis, Status
from chalicelib.core.task import Task, field_error_of
from chalicelib.core.window import OnRepeat
from chalicelib.errors import FieldError, Forbidden, Invalid, Malformed, SortieError
from chalicelib.service.new_job import NewJob, WindowWish

T = TypeVar("T")
DAY_SECONDS, YEAR_SECONDS, LARGEST_WHOLE = 86_400, 366 * 86_400, 2**53
LONGEST_NAME = 128
SCHEDULED_BYTES = 50_000
"""A schedule's row holds its job twice, as asked for and as checked, and a row has 400 KB."""
KEY_FORM = re.compile(r"[\x21-\x7e]{1,255}")

Raw = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={})]
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
Cron = Annotated[str, msgspec.Meta(max_length=400, extra_json_schema={"format": "cron"})]
TimeZone = Annotated[str, msgspec.Meta(max_length=100, extra_json_schema={"format": "iana-time-zone"})]


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
    timeout: Annotated[float, msgspec.Meta(ge=1, le=LONGEST_TIMEOUT_SECONDS)] | None = None
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3


class BulkRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One to a hundred job requests, each judged by itself."""

    jobs: Annotated[list[Raw], msgspec.Meta(min_length=1, max_length=100)]


class ScheduleRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A cron line of five fields, in a time zone, and the job request it submits each time it fires."""

    cron: Cron
    job: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/ScheduledJob"})]
    timezone: TimeZone = "UTC"


class UploadRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`bytes`, when given, becomes part of what the link is signed for."""

    bytes: Annotated[int, msgspec.Meta(ge=1, le=300_000_000)] | None = None


class UploadInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An input that was uploaded before."""

    upload: str


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What a request is checked against."""

    tasks: Mapping[str, Task]
    settings: Settings
    now: Millis
    owner: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListRequest:
    chosen: Filter
    limit: int
    before: str | None


def decode(raw: bytes, kind: type[T]) -> T:
    """Raises Malformed for what is no JSON, Invalid naming the field for JSON that does not fit."""
    try:
        return decoding.decode(raw, kind)
    except msgspec.ValidationError as error:
        raise Invalid(_plain(field_error_of(error))) from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        nan = decoding.find_nan_path(raw)
        if nan is not None:
            raise Invalid(FieldError(nan[0], f"{nan[1]}, not a number")) from None
        raise Malformed(f"the body is not valid JSON: {error}") from None


def job(raw: bytes, context: RequestContext) -> NewJob:
    """A checked job. Raises Malformed, Invalid."""
    return checked(decode(raw, JobRequest), context)


def checked(wanted: JobRequest, context: RequestContext) -> NewJob:
    task, given, upload = _task_and_input(wanted, context)
    if wanted.window is not None and wanted.object_id is None:
        raise Invalid(FieldError("window", "a window needs an object_id: say which object it is for"))
    if wanted.timeout is not None and wanted.timeout > context.settings.max_timeout:
        raise Invalid(FieldError("timeout", f"at most {context.settings.max_timeout:g} seconds"))
    window = WindowWish(wanted.window.seconds, wanted.window.on_repeat) if wanted.window else None
    return NewJob(
        owner=context.owner,
        task=task.name,
        input=given,
        upload=upload,
        run_at=_run_at(wanted, context.now),
        timeout=wanted.timeout,
        max_attempts=wanted.max_attempts,
        object_id=wanted.object_id,
        window=window,
        request_id=context.request_id,
    )


def bulk(raw: bytes, context: RequestContext) -> tuple[list[NewJob | SortieError], list[bytes]]:
    """Each entry checked by itself, and its bytes."""
    bodies = [bytes(one) for one in decode(raw, BulkRequest).jobs]
    found: list[NewJob | SortieError] = []
    for body in bodies:
        try:
            found.append(job(body, context))
        except SortieError as error:
            found.append(error)
    return found, bodies


def schedule(raw: bytes, context: RequestContext) -> tuple[ScheduleRequest, NewJob]:
    """Raises Malformed, Invalid."""
    wanted = decode(raw, ScheduleRequest)
    _check_line(wanted)
    if len(bytes(wanted.job)) > SCHEDULED_BYTES:
        raise Invalid(FieldError("job", f"the job of a schedule holds at most {SCHEDULED_BYTES:,} bytes"))
    try:
        request = decode(bytes(wanted.job), JobRequest)
        if request.run_in is not None or request.run_at is not None:
            loc = "run_in" if request.run_in is not None else "run_at"
            raise Invalid(FieldError(loc, "leave it out: the schedule says when its jobs run"))
        new = checked(request, context)
        if new.upload is not None:
            raise Invalid(FieldError("input.upload", "an upload does not outlive the schedule: give the input itself"))
    except Invalid as invalid:
        raise _inside("job", invalid) from None
    return wanted, new


def _check_line(wanted: ScheduleRequest) -> None:
    loc = "timezone"
    try:
        cron.check_timezone(wanted.timezone)
        loc = "cron"
        cron.check(wanted.cron, wanted.timezone)
    except ValueError as error:
        raise Invalid(FieldError(loc, str(error))) from None


def upload(raw: bytes) -> UploadRequest:
    return decode(raw, UploadRequest) if raw else UploadRequest()


def idempotency_key(value: str | None) -> str | None:
    if value is not None and not KEY_FORM.fullmatch(value):
        raise Invalid(FieldError("Idempotency-Key", "1 to 255 visible ASCII characters"))
    return value


def owner(query: Mapping[str, str], principal: Principal) -> str:
    """Whose things are asked for: one's own, or for an admin those of `?owner=`. Raises Invalid, Forbidden."""
    wanted = query.get("owner", principal.owner)
    if not is_owner(wanted):
        raise Invalid(FieldError("owner", "1 to 64 of a-z, 0-9 and -"))
    if not may_name(principal.sees, wanted):
        raise Forbidden("only an admin may look at what another owner has")
    return wanted


def listing(query: Mapping[str, str], principal: Principal, tasks: Mapping[str, Task]) -> ListRequest:
    """The query of GET /jobs. Raises Invalid, Forbidden."""
    refuse_unknown_query(query, ("status", "task", "object_id", "group", "limit", "cursor", "owner"))
    status = query.get("status")
    if status is not None and status not in tuple(Status):
        raise Invalid(FieldError("status", f"one of {', '.join(Status)}"))
    task, group = (_name(query, name) for name in ("task", "group"))
    chosen = Filter(
        owner(query, principal),
        statuses=frozenset({Status(status)}) if status else frozenset(Status),
        task=task,
        object_id=_object_id(query["object_id"]) if "object_id" in query else None,
        group=group,
        quick_task=task is not None and task in tasks and tasks[task].quick,
    )
    limit = query_int(query, "limit", 20, 1, 100)
    return ListRequest(chosen, limit, _before(query.get("cursor")))


def refuse_unknown_query(query: Mapping[str, str], known: Sequence[str]) -> None:
    """Refuse query parameters that nothing reads."""
    for name in query:
        if name not in known:
            takes = f"this route takes {', '.join(known)}" if known else "this route takes none"
            raise Invalid(FieldError(name, f"unknown query parameter: {takes}"))


def query_int(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise Invalid(FieldError(name, f"a whole number from {low} to {high}"))
    return int(text)


def query_choice(query: Mapping[str, str], name: str, values: Sequence[str]) -> str:
    text = query.get(name, values[0])
    if text not in values:
        raise Invalid(FieldError(name, f"one of {', '.join(values)}"))
    return text


def _name(query: Mapping[str, str], name: str) -> str | None:
    """Part of an index key, which DynamoDB refuses beyond 2 KB."""
    text = query.get(name)
    if text is not None and len(text) > LONGEST_NAME:
        raise Invalid(FieldError(name, f"at most {LONGEST_NAME} characters"))
    return text


def _object_id(text: str) -> str | int:
    """In a query `7` means the integer; write `"7"`, with the quotes, for the text."""
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,15})", text):
        return int(text)
    if len(text) > 2 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    if not 1 <= len(text) <= 128:
        raise Invalid(FieldError("object_id", "1 to 128 characters, or an integer"))
    return text


def _before(cursor: str | None) -> str | None:
    """A page goes on below the last job of the page before: its id is the cursor."""
    if cursor is not None and not is_id(cursor):
        raise Invalid(FieldError("cursor", "not a cursor of this service: use the `next` of the page before"))
    return cursor


def _task_and_input(wanted: JobRequest, context: RequestContext) -> tuple[Task, bytes, str | None]:
    if bytes(wanted.array):
        if wanted.task is not None or bytes(wanted.input):
            other = "task" if wanted.task is not None else "input"
            raise Invalid(
                FieldError(other, 'leave it out beside `array`, or write {"task": "sort", "input": {"array": ...}}')
            )
        task, given = _task("sort", context), b'{"array":' + bytes(wanted.array) + b"}"
        task.validate(given)
        return task, given, None
    if wanted.task is None:
        raise Invalid(
            FieldError("task", f"say which task to run: one of {', '.join(sorted(context.tasks))}, or send `array`")
        )
    task, given = _task(wanted.task, context), bytes(wanted.input)
    if not given:
        raise Invalid(FieldError("input", "the task's input is missing"))
    upload_id = _upload_of(given)
    if upload_id is None:
        _validate(task, given)
    return task, given, upload_id


def _task(name: str, context: RequestContext) -> Task:
    if name not in context.tasks:
        raise Invalid(FieldError("task", f"unknown task: one of {', '.join(sorted(context.tasks))}"))
    return context.tasks[name]


def _validate(task: Task, given: bytes) -> None:
    try:
        task.validate(given)
    except Invalid as invalid:
        raise _inside("input", invalid) from None


def _inside(name: str, invalid: Invalid) -> Invalid:
    """The same errors, each in its place within the field `name`."""
    errors = map(_plain, invalid.errors)
    return Invalid(*(replace(field_error, loc=f"{name}.{field_error.loc}".rstrip(".")) for field_error in errors))


def _upload_of(given: bytes) -> str | None:
    if len(given) > 200 or b'"upload"' not in given:
        return None
    try:
        return msgspec.json.decode(given, type=UploadInput).upload
    except msgspec.DecodeError:
        return None


def _run_at(wanted: JobRequest, now: Millis) -> Millis | None:
    if wanted.run_in is not None and wanted.run_at is not None:
        raise Invalid(FieldError("run_at", "give run_in or run_at, not both"))
    try:
        if wanted.run_in is not None:
            return now + round(times.parse_run_in(wanted.run_in) * 1000)
        if wanted.run_at is not None:
            # Whole seconds are what people write: the second that is going on is not past.
            this_second = times.from_millis(now) - timedelta(milliseconds=now % 1000)
            return times.to_millis(times.parse_run_at(wanted.run_at, this_second))
    except ValueError as error:
        raise Invalid(FieldError("run_in" if wanted.run_in is not None else "run_at", str(error))) from None
    return None


_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)


def _plain(field_error: FieldError) -> FieldError:
    """The place of an unknown or missing field is the field itself."""
    for form, words in ((_UNKNOWN, "unknown field: leave it out"), (_MISSING, "required, but missing")):
        found = form.fullmatch(field_error.msg)
        if found:
            return FieldError(f"{field_error.loc}.{found[1]}".lstrip("."), words)
    return field_error
