"""Schedules: a cron line and the job request it submits each time it fires."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from chalicelib.api.body import RequestContext, decode_body, move_inside
from chalicelib.api.fields import Time, render_time
from chalicelib.api.jobs import JobRequest, check_job
from chalicelib.api.query import LIMIT, query_cursor, query_int, query_owner
from chalicelib.core import cron
from chalicelib.core.access import Principal
from chalicelib.core.job import Millis
from chalicelib.core.records import Schedule
from chalicelib.core.schedule import next_slot
from chalicelib.core.times import from_millis, to_rfc3339
from chalicelib.errors import FieldError, Invalid
from chalicelib.service.new_job import NewJob

SCHEDULED_BYTES = 50_000
"""A schedule's row holds its job twice, as asked for and as checked, and a row has 400 KB."""
NEXT_RUNS = 5

Cron = Annotated[str, msgspec.Meta(max_length=400, extra_json_schema={"format": "cron"})]
TimeZone = Annotated[str, msgspec.Meta(max_length=100, extra_json_schema={"format": "iana-time-zone"})]
ScheduledJob = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/ScheduledJob"})]


class ScheduleRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A cron line of five fields, in a time zone, and the job request it submits each time it fires."""

    cron: Cron
    job: ScheduledJob
    timezone: TimeZone = "UTC"


class ScheduleSummary(msgspec.Struct, kw_only=True):
    """A schedule without the job that it submits; `task` says what that runs."""

    id: str
    cron: str
    timezone: str
    next_run_at: Time
    next_runs: list[Time]
    created_at: Time
    owner: str
    task: str


class ScheduleAnswer(ScheduleSummary, kw_only=True):
    job: ScheduledJob


class ScheduleList(msgspec.Struct):
    schedules: list[ScheduleSummary]
    next: str | None


def parse_schedule(raw: bytes, context: RequestContext) -> tuple[ScheduleRequest, NewJob]:
    """Raises Malformed, Invalid."""
    request = decode_body(raw, ScheduleRequest)
    _check_line(request)
    if len(bytes(request.job)) > SCHEDULED_BYTES:
        raise Invalid(FieldError("job", f"the job of a schedule holds at most {SCHEDULED_BYTES:,} bytes"))
    try:
        return request, _parse_scheduled_job(bytes(request.job), context)
    except Invalid as invalid:
        raise move_inside("job", invalid) from None


def parse_schedule_page(query: Mapping[str, str], principal: Principal) -> tuple[str, str | None, int]:
    """Whose schedules, after which cursor, how many. Raises Invalid, Forbidden."""
    return query_owner(query, principal), query_cursor(query), query_int(query, LIMIT)


def render_schedule(schedule: Schedule, now: Millis) -> ScheduleAnswer:
    return ScheduleAnswer(**_render_fields(schedule, now), job=msgspec.Raw(schedule.request))


def render_schedules(schedules: Sequence[Schedule], cursor: str | None, now: Millis) -> ScheduleList:
    return ScheduleList([ScheduleSummary(**_render_fields(schedule, now)) for schedule in schedules], cursor)


def _render_fields(schedule: Schedule, now: Millis) -> dict[str, Any]:
    following = next_slot(schedule, now)
    return {
        "id": schedule.id,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "next_run_at": render_time(following),
        "next_runs": _render_next_runs(schedule, following),
        "created_at": render_time(schedule.created_at),
        "owner": schedule.owner,
        "task": msgspec.json.decode(schedule.new_job, type=_OnlyTask).task,
    }


class _OnlyTask(msgspec.Struct):
    """What a list says of the job."""

    task: str


def _check_line(request: ScheduleRequest) -> None:
    loc = "timezone"
    try:
        cron.check_timezone(request.timezone)
        loc = "cron"
        cron.check(request.cron, request.timezone)
    except ValueError as error:
        raise Invalid(FieldError(loc, str(error))) from None


def _parse_scheduled_job(raw: bytes, context: RequestContext) -> NewJob:
    request = decode_body(raw, JobRequest)
    if request.run_in is not None or request.run_at is not None:
        loc = "run_in" if request.run_in is not None else "run_at"
        raise Invalid(FieldError(loc, "leave it out: the schedule says when its jobs run"))
    new = check_job(request, context)
    if new.upload is not None:
        raise Invalid(FieldError("input.upload", "an upload does not outlive the schedule: give the input itself"))
    return new


def _render_next_runs(schedule: Schedule, first: Millis) -> list[str]:
    """None where the zone has gone since: the schedule must still be seen, to be removed."""
    try:
        firings = cron.following(schedule.cron, schedule.timezone, from_millis(first), NEXT_RUNS)
    except ValueError:
        return []
    return [to_rfc3339(at) for at in firings]
