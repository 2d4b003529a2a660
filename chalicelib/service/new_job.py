"""From a checked request to a row: where its input lies, when it is due, when the dispatcher must look at it."""

from dataclasses import dataclass

import msgspec

from chalicelib.core import dispatch_plan
from chalicelib.core.ids import is_id
from chalicelib.core.job import Inline, Job, Millis, Payload, Status, Stored
from chalicelib.core.window import OnRepeat
from chalicelib.errors import FieldError, Invalid
from chalicelib.ports import Ports

LONG_WAIT_MS: Millis = 7 * 86_400_000
"""The bucket removes what lies under inputs/ after 40 days, which is this wait and the longest retention:
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


def build(ports: Ports, new: NewJob, job_id: str, now: Millis) -> Job:
    """The row of a new job; its input is in its place when this returns. Raises Invalid."""
    task = ports.tasks.get(new.task)
    if task is None:  # a schedule outlives the deployment that took it
        raise Invalid(FieldError("task", f"there is no task {new.task!r} in this deployment"))
    run_at = now if new.run_at is None else max(new.run_at, now)
    payload = _place_input(ports, new, job_id, run_at - now)
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
        object_id=new.object_id,
        group=new.group,
        run_id=new.run_id,
        label=new.label,
        request_id=new.request_id,
        parent_id=new.parent_id,
        traceparent=new.traceparent,
    )


def _place_input(ports: Ports, new: NewJob, job_id: str, wait: Millis) -> Payload:
    delays = new.window is not None and new.window.on_repeat is OnRepeat.DELAY  # nobody knows yet until when
    long_wait = delays or wait > LONG_WAIT_MS
    if new.upload is not None:
        return _adopt_upload(ports, new.owner, new.upload, job_id, long_wait=long_wait)
    key = f"{'kept' if long_wait else 'inputs'}/{job_id}"
    if new.kept is not None:
        ports.payloads.copy(new.kept.key, key)  # the earlier job's goes when its time has come
        return Stored(key, new.kept.size, raw=new.kept.raw)
    if len(new.input) <= ports.settings.inline_limit:
        return Inline(new.input)
    ports.payloads.put(key, new.input)
    return Stored(key, len(new.input))


def upload_key(owner: str, upload_id: str) -> str:
    return f"uploads/{owner}/{upload_id}"


def _adopt_upload(ports: Ports, owner: str, upload: str, job_id: str, *, long_wait: bool) -> Payload:
    key = upload_key(owner, upload)
    size = ports.payloads.size(key) if is_id(upload) else None
    if size is None:
        raise Invalid(
            FieldError("input.upload", "no such upload: POST /uploads, PUT the data to its href, then submit")
        )
    if size > ports.settings.upload_limit:
        raise Invalid(FieldError("input.upload", f"an upload holds at most {ports.settings.upload_limit:,} bytes"))
    own = f"{'kept' if long_wait else 'inputs'}/{job_id}"
    ports.payloads.copy(key, own)  # the upload's link still takes a PUT: what was accepted must not change
    return Stored(own, size, raw=True)
