"""A job as a DynamoDB item, and back.

pk            the job's id
list_key      owner#status#shard       index by_status; quick jobs have lists of their own, #quick behind the shard,
                                       and stay in `pending` while they run
list_running  what list_key becomes when the job is claimed
task_key      owner#phase#shard#task   index by_task; absent for quick jobs
object_key    owner#phase#object_id    index by_object; absent without object_id
group_key     owner#phase#group        index by_group; absent without group
wake_shard    shard                    index wake, with wake_at; both absent once the job has ended
due_at        not_before as it was while the job waited: claims leave it alone, and so the index it is projected into
lease_ms      what a claim adds to the time to get not_before

A phase is open, completed, failed or canceled: a claim moves none of its keys.

Times are numbers of milliseconds, payloads bytes; nothing a user sent is ever a DynamoDB number.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.core.change import lease_millis
from chalicelib.core.filters import SHARDS, listed_status, phase_of
from chalicelib.core.ids import shard_of
from chalicelib.core.job import WAITING, Attempt, Error, Inline, Job, Payload, Status, Stored, Window

STORED_AS: Mapping[str, str] = {"not_before": "held_until"}
"""Fields whose attribute has another name: what is stored keeps the name it was first stored under."""
FIELD_OF = {attribute: name for name, attribute in STORED_AS.items()}

Value = dict[str, Any]
Item = dict[str, Value]

WAKE_SHARDS = 8
TEXTS = frozenset({"owner", "task", "status", "group", "run_id", "label", "claim_token", "request_id"})
WHOLE = frozenset({"created_at", "run_at", "not_before", "max_attempts", "attempt_limit", "wake_at", "attempts"}
                  | {"started_at", "finished_at", "expires_at"})  # fmt: skip
REALS = frozenset({"timeout", "duration_ms", "progress"})
FLAGS = frozenset({"quick", "cancel_requested"})
STRUCTS: Mapping[str, Any] = {"error": Error, "window": Window, "object_id": str | int}
PAYLOADS = frozenset({"input", "output"})
ATTEMPTS = "past_attempts"


def to_item(job: Job) -> Item:
    """The whole row."""
    given = msgspec.structs.asdict(job)
    item: Item = {"pk": {"S": job.id}, "lease_ms": {"N": str(lease_millis(job.timeout))}}
    for name, value in given.items():
        if name != "id" and value is not None and value is not False and value != ():
            item[STORED_AS.get(name, name)] = to_value(name, value)
    return item | _index_keys(job)


def from_item(item: Mapping[str, Value]) -> Job:
    fields: dict[str, Any] = {"id": item["pk"]["S"]}
    for attribute, value in item.items():
        name = FIELD_OF.get(attribute, attribute)
        if name in TEXTS:
            fields[name] = value["S"]
        elif name in WHOLE:
            fields[name] = int(value["N"])
        elif name in REALS:
            fields[name] = float(value["N"])
        elif name in FLAGS:
            fields[name] = value["BOOL"]
        elif name in STRUCTS:
            fields[name] = msgspec.json.decode(value["S"], type=STRUCTS[name])
        elif name in PAYLOADS:
            fields[name] = _payload(value)
    fields["status"] = Status(fields["status"])
    past = item.get(ATTEMPTS, {"L": []})["L"]
    fields[ATTEMPTS] = tuple(msgspec.json.decode(one["S"], type=Attempt) for one in past)
    return Job(**fields)


def to_value(name: str, value: Any) -> Value:
    if name in TEXTS:
        return {"S": str(value)}
    if name in WHOLE or name in REALS:
        return {"N": repr(value)}
    if name in FLAGS:
        return {"BOOL": value}
    if isinstance(value, Inline):
        return {"B": value.data}
    if name == ATTEMPTS:
        return {"L": [{"S": msgspec.json.encode(attempt).decode()} for attempt in value]}
    return {"S": msgspec.json.encode(value).decode()}


def list_keys(job: Job, status: Status) -> Item:
    """The keys of every list that the job is in while it has this status."""
    shard, phase = shard_of(job.id, SHARDS), phase_of(status)
    keys = {"list_key": status_list(job.owner, listed_status(status, quick=job.quick), shard, quick=job.quick)}
    if not job.quick:
        keys["task_key"] = task_list(job.owner, phase, shard, job.task)
    if job.object_id is not None:
        keys["object_key"] = object_list(job.owner, phase, job.object_id)
    if job.group is not None:
        keys["group_key"] = group_list(job.owner, phase, job.group)
    return {name: {"S": key} for name, key in keys.items()}


def status_list(owner: str, status: Status, shard: int, *, quick: bool) -> str:
    return f"{owner}#{status}#{shard}{'#quick' if quick else ''}"


def task_list(owner: str, phase: str, shard: int, task: str) -> str:
    return f"{owner}#{phase}#{shard}#{task}"


def object_list(owner: str, phase: str, object_id: str | int) -> str:
    return f"{owner}#{phase}#{object_text(object_id)}"


def object_text(object_id: str | int) -> str:
    """The number 1 and the text "1" are two objects."""
    return msgspec.json.encode(object_id).decode()


def group_list(owner: str, phase: str, group: str) -> str:
    return f"{owner}#{phase}#{group}"


def wake_shard(job_id: str) -> str:
    return str(shard_of(job_id, WAKE_SHARDS))


def _index_keys(job: Job) -> Item:
    keys = list_keys(job, job.status) | {"list_running": list_keys(job, Status.RUNNING)["list_key"]}
    if job.status in WAITING:
        keys["due_at"] = {"N": str(job.not_before)}
    if job.wake_at is not None:
        keys["wake_shard"] = {"S": wake_shard(job.id)}
    return keys


def _payload(value: Value) -> Payload:
    if "B" in value:
        return Inline(bytes(value["B"]))
    return msgspec.json.decode(value["S"], type=Stored)
