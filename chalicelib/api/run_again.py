"""Run again: a new job from one that has ended, with the fields that a request changes."""

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from chalicelib.api.body import RequestContext, decode_body
from chalicelib.api.jobs import JobRequest, ObjectId, RunAt, RunIn, WindowRequest, check_changes, check_job
from chalicelib.config import LONGEST_TIMEOUT_SECONDS
from chalicelib.core.job import Inline, Job
from chalicelib.errors import FieldError, Invalid, SortieError
from chalicelib.service.new_job import NewJob


class RunAgainRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the new job has otherwise: the rest is the earlier job's. A window and a time are never taken over."""

    array: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "array", "items": {"type": "number"}})] = (
        msgspec.field(default_factory=msgspec.Raw)
    )
    input: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})] = msgspec.field(
        default_factory=msgspec.Raw
    )
    object_id: ObjectId | None | UnsetType = UNSET
    window: WindowRequest | None = None
    run_in: RunIn | None = None
    run_at: RunAt | None = None
    timeout: Annotated[float, msgspec.Meta(ge=1, le=LONGEST_TIMEOUT_SECONDS)] | UnsetType = UNSET
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] | UnsetType = UNSET


def parse_changes(raw: bytes) -> RunAgainRequest:
    """No body changes nothing. Raises Malformed, Invalid."""
    return decode_body(raw, RunAgainRequest) if raw else RunAgainRequest()


def judge_again(changes: RunAgainRequest, parent: Job, context: RequestContext) -> NewJob | SortieError:
    """A checked job, or what is wrong with it."""
    try:
        return _check_again(changes, parent, context)
    except SortieError as error:
        return error


def _check_again(changes: RunAgainRequest, parent: Job, context: RequestContext) -> NewJob:
    if bytes(changes.array) and parent.task != "sort":
        raise Invalid(FieldError("array", f"the job's task is {parent.task}: give `input`"))
    request = JobRequest(
        array=changes.array,
        task=None if bytes(changes.array) else parent.task,
        input=changes.input,
        object_id=parent.object_id if changes.object_id is UNSET else changes.object_id,
        window=changes.window,
        run_in=changes.run_in,
        run_at=changes.run_at,
        timeout=parent.timeout if changes.timeout is UNSET else changes.timeout,
        max_attempts=parent.max_attempts if changes.max_attempts is UNSET else changes.max_attempts,
    )
    if bytes(changes.array) or bytes(changes.input):
        new = check_job(request, context)
    else:
        new = check_changes(request, context, _keep_input(parent, context))
    return replace(new, parent_id=parent.id, owner=parent.owner)


def _keep_input(parent: Job, context: RequestContext) -> NewJob:
    if parent.task not in context.tasks:
        raise Invalid(FieldError("task", f"there is no task {parent.task!r} in this deployment"))
    if isinstance(parent.input, Inline):
        return NewJob(owner=context.owner, task=parent.task, input=parent.input.data)
    return NewJob(owner=context.owner, task=parent.task, kept=parent.input)
