"""A job as a DynamoDB item, and back.

pk            the job's id
list_key      owner#status#shard       index by_status; quick jobs have lists of their own, #quick behind the shard,
                                       and stay in `pending` while they run
list_running  what list_key becomes when the job is claimed
task_key      owner#phase#shard#task   index by_task; absent for quick jobs
object_key    owner#phase#object_id    index by_object; absent without object_id
group_key     owner#phase#group        index by_group; absent without group, or
              owner#phase##schedule_id for the job of a schedule, which is in no group
wake_shard    shard                    index wake, with wake_at; both absent once the job has ended; a schedule's
                                       is `schedules`, where no backlog of jobs stands before it
due_at        not_before as it was while the job waited: claims leave it alone, and so the index it is projected into
lease_ms      how long an attempt may hold the row in all: workers of the version before add it to the time of a claim

A phase is open, completed, failed or canceled: a claim moves none of its keys.

Every field of `Job` is an attribute, encoded by its type. Times are numbers of milliseconds, payloads bytes; nothing a
user sent is ever a DynamoDB number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import msgspec

from chalicelib.core.change import compute_lease_ms
from chalicelib.core.filters import listed_status, phase_of
from chalicelib.core.ids import shard_of
from chalicelib.core.job import WAITING, Inline, Job, Payload, Status, Stored
from chalicelib.core.shards import Shards

STORED_AS: Mapping[str, str] = {"not_before": "held_until"}
"""Fields whose attribute has another name: what is stored keeps the name it was first stored under."""
FIELD_OF = {attribute: name for name, attribute in STORED_AS.items()}

SCHEDULES = "schedules"
"""The wake_shard of every schedule. Versions before put them among the jobs; a schedule's next move takes it here."""

Value = dict[str, Any]
Item = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Codec:
    """How the values of one field become an attribute, and back."""

    encode: Callable[[Any], Value]
    decode: Callable[[Value], Any]


def to_item(job: Job, shards: Shards) -> Item:
    """The whole row."""
    item: Item = {"pk": {"S": job.id}, "lease_ms": {"N": str(compute_lease_ms(job.timeout))}}
    for name in CODECS:
        value = getattr(job, name)
        if value is not None and value is not False and value != ():
            item[STORED_AS.get(name, name)] = to_value(name, value)
    return item | _index_keys(job, shards)


def from_item(item: Mapping[str, Value]) -> Job:
    """Attributes that are no field (keys of indexes, and what a newer version stores) are left aside."""
    fields: dict[str, Any] = {"id": item["pk"]["S"]}
    for attribute, value in item.items():
        name = FIELD_OF.get(attribute, attribute)
        if name in CODECS:
            fields[name] = CODECS[name].decode(value)
    return Job(**fields)


def to_value(name: str, value: Any) -> Value:
    return CODECS[name].encode(value)


def _codec_of(field_type: Any) -> Codec:
    """By the field's type alone, None left aside: a new field of `Job` needs no line here."""
    kinds = [kind for kind in get_args(field_type) or [field_type] if kind is not type(None)]
    if set(kinds) == {Inline, Stored}:
        return Codec(_encode_payload, _decode_payload)
    if get_origin(field_type) is tuple:
        return _list_codec(kinds[0])
    if len(kinds) > 1:
        return _json_codec(field_type)
    (kind,) = kinds
    if kind is bool:
        return Codec(lambda flag: {"BOOL": flag}, lambda value: value["BOOL"])
    if kind in (int, float):
        return Codec(lambda number: {"N": repr(number)}, lambda value: kind(value["N"]))
    if issubclass(kind, str):
        return Codec(lambda text: {"S": str(text)}, lambda value: kind(value["S"]))
    return _json_codec(kind)


def _json_codec(kind: Any) -> Codec:
    decoder = msgspec.json.Decoder(kind)
    return Codec(lambda member: {"S": msgspec.json.encode(member).decode()}, lambda value: decoder.decode(value["S"]))


def _list_codec(kind: Any) -> Codec:
    member = _json_codec(kind)
    return Codec(
        lambda members: {"L": [member.encode(each) for each in members]},
        lambda value: tuple(member.decode(each) for each in value["L"]),
    )


def _encode_payload(payload: Payload) -> Value:
    if isinstance(payload, Inline):
        return {"B": payload.data}
    return {"S": msgspec.json.encode(payload).decode()}


def _decode_payload(value: Value) -> Payload:
    if "B" in value:
        return Inline(bytes(value["B"]))
    return msgspec.json.decode(value["S"], type=Stored)


def list_keys(job: Job, status: Status, shards: Shards) -> Item:
    """The keys of every list that the job is in while it has this status."""
    shard, phase = shard_of(job.id, shards.lists), phase_of(status)
    keys = {"list_key": status_list(job.owner, listed_status(status, quick=job.quick), shard, quick=job.quick)}
    if not job.quick:
        keys["task_key"] = task_list(job.owner, phase, shard, job.task)
    if job.object_id is not None:
        keys["object_key"] = object_list(job.owner, phase, job.object_id)
    if job.group is not None:
        keys["group_key"] = group_list(job.owner, phase, job.group)
    elif job.schedule_id is not None:
        keys["group_key"] = schedule_list(job.owner, phase, job.schedule_id)
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


def schedule_list(owner: str, phase: str, schedule_id: str) -> str:
    return f"{owner}#{phase}##{schedule_id}"


def wake_shard(job_id: str, shards: Shards) -> str:
    return str(shard_of(job_id, shards.wake))


def _index_keys(job: Job, shards: Shards) -> Item:
    keys = list_keys(job, job.status, shards)
    keys["list_running"] = list_keys(job, Status.RUNNING, shards)["list_key"]
    if job.status in WAITING:
        keys["due_at"] = {"N": str(job.not_before)}
    if job.wake_at is not None:
        keys["wake_shard"] = {"S": wake_shard(job.id, shards)}
    return keys


CODECS: Mapping[str, Codec] = {
    field.name: _codec_of(field.type) for field in msgspec.structs.fields(Job) if field.name != "id"
}
