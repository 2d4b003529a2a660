"""A job as a DynamoDB item, and back.

pk            the job's id
list_key      owner#status#shard    index by_status; a quick job stays in `pending` while it runs
list_running  what list_key becomes when the job is claimed
task_key      owner#task#shard      index by_task; absent for quick tasks
object_key    owner#object_id       index by_object; absent without object_id
group_key     owner#group           index by_group; absent without group
wake_shard    shard                 index wake, with wake_at; both absent once the job has ended
due_at        held_until as it was while the job waited: claims leave it alone, and so the index it is projected into
lease_ms      what a claim adds to the time to get held_until

Times are numbers of milliseconds, payloads bytes; nothing a user sent is ever a DynamoDB number.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.core.change import lease_millis
from chalicelib.core.ids import shard_of
from chalicelib.core.job import WAITING, Attempt, Error, Inline, Job, Payload, Status, Stored, Window
from chalicelib.core.listing import SHARDS

Value = dict[str, Any]
Item = dict[str, Value]

WAKE_SHARDS = 8
TEXTS = frozenset({"owner", "task", "status", "group", "run_id", "label", "claim_token", "request_id"})
WHOLE = frozenset({"created_at", "run_at", "held_until", "max_attempts", "attempt_limit", "wake_at", "attempts"}
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
            item[name] = to_value(name, value)
    return item | _index_keys(job)


def from_item(item: Mapping[str, Value]) -> Job:
    fields: dict[str, Any] = {"id": item["pk"]["S"]}
    for name, value in item.items():
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


def list_key(job: Job, status: Status) -> str:
    listed = Status.PENDING if job.quick and status is Status.RUNNING else status
    return status_list(job.owner, listed, shard_of(job.id, SHARDS))


def status_list(owner: str, status: Status, shard: int) -> str:
    return f"{owner}#{status}#{shard}"


def task_list(owner: str, task: str, shard: int) -> str:
    return f"{owner}#{task}#{shard}"


def object_list(owner: str, object_id: str | int) -> str:
    return f"{owner}#{msgspec.json.encode(object_id).decode()}"


def group_list(owner: str, group: str) -> str:
    return f"{owner}#{group}"


def wake_shard(job_id: str) -> str:
    return str(shard_of(job_id, WAKE_SHARDS))


def _index_keys(job: Job) -> Item:
    shard = shard_of(job.id, SHARDS)
    keys: Item = {
        "list_key": {"S": list_key(job, job.status)},
        "list_running": {"S": list_key(job, Status.RUNNING)},
    }
    if job.status in WAITING:
        keys["due_at"] = {"N": str(job.held_until)}
    if job.wake_at is not None:
        keys["wake_shard"] = {"S": wake_shard(job.id)}
    if not job.quick:
        keys["task_key"] = {"S": task_list(job.owner, job.task, shard)}
    if job.object_id is not None:
        keys["object_key"] = {"S": object_list(job.owner, job.object_id)}
    if job.group is not None:
        keys["group_key"] = {"S": group_list(job.owner, job.group)}
    return keys


def _payload(value: Value) -> Payload:
    if "B" in value:
        return Inline(bytes(value["B"]))
    return msgspec.json.decode(value["S"], type=Stored)
