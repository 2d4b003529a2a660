"""From a checked request to a row: where its input lies, when it is due, when the dispatcher must look at it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from chalicelib.core import dispatch_plan
from chalicelib.core.job import Inline, Job, Millis, Payload, Status, Stored
from chalicelib.core.task import Task
from chalicelib.core.window import OnRepeat
from chalicelib.errors import FieldError, Invalid
from chalicelib.ports import Ports
from chalicelib.service.inputs import Inputs, PayloadPlan

LONG_WAIT_MS: Millis = 7 * 86_400_000
"""The bucket removes what lies under inputs/ after 40 days, which is this wait, the longest retention and more:
what waits longer is put under kept/, where it stays for 420 days."""


class WindowWish(msgspec.Struct, frozen=True):
    """The window a request asks for."""

    seconds: int
    on_repeat: OnRepeat


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job request that has been checked. `input` is the JSON of the task's input, unless `upload` names it, or `kept`
    does: the input of an earlier job."""

    owner: str
    task: str
    input: bytes = b""
    upload: str | None = None
    kept: Stored | None = None
    run_at: Millis | None = None
    timeout: float | None = None
    max_attempts: int = 3
    object_id: str | int | None = None
    window: WindowWish | None = None
    group: str | None = None
    run_id: str | None = None
    label: str | None = None
    request_id: str | None = None
    parent_id: str | None = None
    traceparent: str | None = None
    schedule_id: str | None = None
    slot_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The row of a new job. Its input is in its place once `place_input` has returned."""

    job: Job
    place_input: Callable[[], object]


def build(ports: Ports, new: NewJob, job_id: str, now: Millis, inputs: Inputs) -> Job:
    """The row of a new job; its input is in its place when this returns. Raises Invalid, Contended."""
    drafted = draft(ports, new, job_id, now, inputs)
    drafted.place_input()
    return drafted.job


def draft(ports: Ports, new: NewJob, job_id: str, now: Millis, inputs: Inputs) -> Draft:
    """Nothing is stored yet. Raises Invalid."""
    task = ports.tasks.get(new.task)
    if task is None:  # a schedule outlives the deployment that took it
        raise Invalid(FieldError("task", f"there is no task {new.task!r} in this deployment"))
    run_at = now if new.run_at is None else max(new.run_at, now)
    plan = _plan_payload(new, job_id, run_at, now, inputs)
    return Draft(_make_row(ports, new, job_id, run_at, now, plan.payload, task), plan.fill)


def _make_row(ports: Ports, new: NewJob, job_id: str, run_at: Millis, now: Millis, payload: Payload, task: Task) -> Job:
    return Job(
        id=job_id,
        owner=new.owner,
        task=new.task,
        status=Status.SCHEDULED if run_at > now else Status.PENDING,
        created_at=now,
        run_at=run_at,
        not_before=run_at,
        wake_at=dispatch_plan.choose_first_wake(run_at, now),
        timeout=new.timeout or ports.settings.job_timeout,
        max_attempts=new.max_attempts,
        attempt_limit=new.max_attempts,
        input=payload,
        quick=task.quick and isinstance(payload, Inline),
        pure=task.pure,
        remote=task.remote,
        object_id=new.object_id,
        group=new.group,
        run_id=new.run_id,
        label=new.label,
        request_id=new.request_id,
        parent_id=new.parent_id,
        traceparent=new.traceparent,
        schedule_id=new.schedule_id,
        slot_at=new.slot_at,
    )


def _plan_payload(new: NewJob, job_id: str, run_at: Millis, now: Millis, inputs: Inputs) -> PayloadPlan:
    waits = new.window is not None and new.window.on_repeat is not OnRepeat.REJECT  # nobody knows yet until when
    folder = "kept" if waits or run_at - now > LONG_WAIT_MS else "inputs"
    if new.upload is not None:
        return inputs.copy_of_upload(new.owner, new.upload, folder, now)
    if new.kept is not None:
        return inputs.copy_of_job(new.kept, f"{folder}/{job_id}")
    return inputs.inline_or_put(new.input, f"{folder}/{job_id}")
