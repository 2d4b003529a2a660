"""Plans that change a job that is there: cancel, retry, run again. Each may be sent twice with the effect of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sortie_client import asking, submitting, waiting
from sortie_client.answers import JobState
from sortie_client.errors import WrongStatus
from sortie_client.inputs import TaskInput
from sortie_client.plans import Plan, Response
from sortie_client.retries import Retries


def cancel(policy: Retries, job_id: str) -> Plan[JobState]:
    """Waiting: canceled now. Running: asked to stop at its next checkpoint. Raises WrongStatus when it has ended."""
    request = asking.delete(policy, _path(job_id))
    return (yield from _once(policy, job_id, request, lambda state: state.status == "canceled"))


def retry(policy: Retries, job_id: str) -> Plan[JobState]:
    """A failed or canceled job may run again. Raises WrongStatus."""
    request = asking.post(policy, _path(job_id, "/retry"), None)
    return (yield from _once(policy, job_id, request, lambda state: not state.has_ended))


def run_again(
    policy: Retries, job_id: str, task_input: TaskInput | None, fields: Mapping[str, Any], key: str | None
) -> Plan[JobState]:
    """A new job from an ended one; `task_input`: another input."""
    changed = {name: value for name, value in fields.items() if value is not None}
    if task_input is not None:
        changed["input"] = msgspec.Raw((yield from submitting.input_json(policy, task_input)))
    body = msgspec.json.encode(changed)
    return asking.answer(JobState, (yield from asking.post(policy, _path(job_id, "/run-again"), body, key)))


def _path(job_id: str, rest: str = "") -> str:
    return f"/jobs/{asking.quoted(job_id)}{rest}"


def _once(policy: Retries, job_id: str, request: Plan[Response], is_done: Callable[[JobState], bool]) -> Plan[JobState]:
    """Where the answer to an earlier try was lost, a 409 may be its echo: the job itself says whether it is done."""
    try:
        return asking.answer(JobState, (yield from request))
    except WrongStatus as refused:
        if refused.tries > 1:
            state = yield from waiting.job(policy, job_id)
            if is_done(state):
                return state
        raise
