"""The rows beside jobs, in the same table.

key#owner#key         idempotency key; conditional put: absent or expired
window#owner#object   newest window of an object; put only together with its job, conditional on `version`
uploads#owner         uploads whose links still take a PUT; conditional on `version`
run#owner#run_id      a run and its jobs' ids; put only together with them
s-<id>                a schedule, in index wake (wake_at) and, under #schedule#owner, in index by_group:
                      no owner is called nothing, so no group of jobs has that key;
                      moved and removed conditional on `wake_at`, which every move changes
token#digest          a bearer token's owner and role; under tokens in index by_group
minute#owner#minute   tallies; ADD only, so that batches on different workers sum up; #shard behind all but the first,
                      where an owner has several
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from chalicelib.aws import items
from chalicelib.aws.calls import REFUSED, Client, code_of, query_all, read_rows, translated
from chalicelib.core.job import Millis
from chalicelib.core.records import (
    KeyRecord,
    OpenUploads,
    RunRecord,
    Schedule,
    ScheduleMove,
    Tally,
    TokenRecord,
    WindowRecord,
)
from chalicelib.core.shards import Shards

T = TypeVar("T")
TOKENS = "tokens"
WINDOW_KEPT_SECONDS = 400 * 86_400


class DynamoRecords:
    """ports.Records on the same table. `once`: a client that sends no request a second time, for what adds up."""

    def __init__(self, client: Client, once: Client, table: str, shards: Shards) -> None:
        self._client = client
        self._once = once
        self._table = table
        self._shards = shards

    def reserve_key(self, record: KeyRecord, now: Millis) -> KeyRecord:
        item = _item(_key_pk(record.owner, record.key), record, expires_at=record.expires_at)
        with translated("take the idempotency key"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
                    ExpressionAttributeValues={":now": {"N": str(now // 1000)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if code_of(error) != REFUSED:
                    raise
                return _body(error.response["Item"], KeyRecord)
        return record

    def key(self, owner: str, key: str) -> KeyRecord | None:
        return self._read(_key_pk(owner, key), KeyRecord)

    def window(self, owner: str, object_id: str | int) -> WindowRecord | None:
        return self._read(window_pk(owner, object_id), WindowRecord)

    def open_uploads(self, owner: str) -> OpenUploads | None:
        return self._read(f"uploads#{owner}", OpenUploads)

    def put_open_uploads(self, uploads: OpenUploads, seen: OpenUploads | None) -> bool:
        expires_at = max(uploads.until.values()) // 1000
        item = _item(f"uploads#{uploads.owner}", uploads, expires_at=expires_at)
        return self._put_version(item, uploads.version, seen.version if seen else None, "note the upload")

    def run(self, owner: str, run_id: str) -> RunRecord | None:
        return self._read(f"run#{owner}#{run_id}", RunRecord)

    def add_schedule(self, schedule: Schedule) -> Schedule:
        with translated("put the schedule"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_schedule_item(schedule),
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if code_of(error) != REFUSED:
                    raise
                return _body(error.response["Item"], Schedule)
        return schedule

    def schedule(self, schedule_id: str) -> Schedule | None:
        return self._read(schedule_id, Schedule)

    def schedules(self, owner: str) -> list[Schedule]:
        """All of them: there are few. One that was just added may lag."""
        return self._listed(f"#schedule#{owner}", Schedule)

    def schedule_ids(self, owner: str) -> list[str]:
        return self._entries(f"#schedule#{owner}")

    def get_schedules(self, schedule_ids: Sequence[str]) -> list[Schedule]:
        return self._read_all(schedule_ids, Schedule)

    def move_schedule(self, move: ScheduleMove) -> bool:
        put = schedule_put(self._table, move)
        return _holds("move the schedule on", lambda: self._client.put_item(**put))

    def remove_schedule(self, schedule: Schedule) -> bool:
        delete = schedule_delete(self._table, schedule)
        return _holds("remove the schedule", lambda: self._client.delete_item(**delete))

    def add_tally(self, owner: str, minute: Millis, tally: Tally, expires_at: int, share: float = 0.0) -> None:
        names, values, parts = {"#ttl": "expires_at"}, {":ttl": {"N": str(expires_at)}}, []
        for number, (attribute, count) in enumerate(_counts(tally).items()):
            names[f"#a{number}"], values[f":a{number}"] = attribute, {"N": str(count)}
            parts.append(f"#a{number} :a{number}")
        if not parts:
            return
        with translated("add to the minute"):
            self._once.update_item(
                TableName=self._table,
                Key={"pk": {"S": _minute_pk(owner, minute, int(share * self._shards.tallies))}},
                UpdateExpression=f"SET #ttl = :ttl ADD {', '.join(parts)}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )

    def token(self, digest: str) -> TokenRecord | None:
        return self._read(f"token#{digest}", TokenRecord)

    def add_token(self, token: TokenRecord) -> None:
        item = _item(f"token#{token.digest}", token, expires_at=token.expires_at)
        with translated("put the token"):
            self._client.put_item(TableName=self._table, Item=item | {"group_key": {"S": TOKENS}})

    def tokens(self) -> list[TokenRecord]:
        """Every token; one that was just added may lag."""
        return self._listed(TOKENS, TokenRecord)

    def remove_token(self, digest: str) -> None:
        with translated("remove the token"):
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": f"token#{digest}"}})

    def tallies(self, owner: str, minutes: Sequence[Millis]) -> Mapping[Millis, Tally]:
        shards = range(self._shards.tallies)
        by_pk = {_minute_pk(owner, minute, shard): minute for minute in minutes for shard in shards}
        sums: dict[Millis, Tally] = defaultdict(Tally)
        for item in read_rows(self._client, self._table, list(by_pk)):
            sums[by_pk[item["pk"]["S"]]].add(_tally(item))
        return dict(sums)

    def _listed(self, key: str, kind: type[T]) -> list[T]:
        """The index says which, the rows say how they stand."""
        return self._read_all(self._entries(key), kind)

    def _read_all(self, pks: Sequence[str], kind: type[T]) -> list[T]:
        rows = {row["pk"]["S"]: row for row in read_rows(self._client, self._table, pks, consistent=True)}
        return [_body(rows[pk], kind) for pk in pks if pk in rows]

    def _put_version(self, item: items.Item, version: int, seen: int | None, what: str) -> bool:
        put = _version_put(self._table, item, version, seen)
        return _holds(what, lambda: self._client.put_item(**put))

    def _entries(self, key: str) -> list[str]:
        """What the index lists under this key, oldest first."""
        entries = query_all(
            self._client, "list records", TableName=self._table, IndexName="by_group",
            KeyConditionExpression="group_key = :k", ExpressionAttributeValues={":k": {"S": key}},
        )  # fmt: skip
        return [entry["pk"]["S"] for entry in entries]

    def _read(self, pk: str, kind: type[T]) -> T | None:
        with translated("read a record"):
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return _body(answer["Item"], kind) if "Item" in answer else None


def _holds(what: str, write: Callable[[], object]) -> bool:
    """Write it; False where its condition says no."""
    with translated(what):
        try:
            write()
        except ClientError as error:
            if code_of(error) != REFUSED:
                raise
            return False
    return True


def window_put(table: str, window: WindowRecord, seen: WindowRecord | None) -> dict[str, Any]:
    """The Put of a transaction: only if the window is as it was seen."""
    item = _item(
        window_pk(window.owner, window.object_id), window, expires_at=window.ends_at // 1000 + WINDOW_KEPT_SECONDS
    )
    return _version_put(table, item, window.version, seen.version if seen else None)


def _version_put(table: str, item: items.Item, version: int, seen: int | None) -> dict[str, Any]:
    """A Put of this version, only if the row has the version that was seen; None: if there is no row."""
    item["version"] = {"N": str(version)}
    put: dict[str, Any] = {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    if seen is not None:
        put["ConditionExpression"] = "#version = :seen"
        put["ExpressionAttributeNames"] = {"#version": "version"}
        put["ExpressionAttributeValues"] = {":seen": {"N": str(seen)}}
    return put


def schedule_put(table: str, move: ScheduleMove) -> dict[str, Any]:
    """The Put that moves a schedule on: only if it is as it was read, which its wake time tells."""
    return {"TableName": table, "Item": _schedule_item(move.after), **_as_read(move.seen)}


def schedule_delete(table: str, schedule: Schedule) -> dict[str, Any]:
    return {"TableName": table, "Key": {"pk": {"S": schedule.id}}, **_as_read(schedule)}


def _as_read(schedule: Schedule) -> dict[str, Any]:
    seen = {":seen": {"N": str(schedule.wake_at)}}
    return {"ConditionExpression": "wake_at = :seen", "ExpressionAttributeValues": seen}


def run_item(run: RunRecord) -> items.Item:
    return _item(f"run#{run.owner}#{run.run_id}", run, expires_at=run.expires_at)


def window_pk(owner: str, object_id: str | int) -> str:
    return f"window#{owner}#{items.object_text(object_id)}"


def _key_pk(owner: str, key: str) -> str:
    return f"key#{owner}#{key}"


def _minute_pk(owner: str, minute: Millis, shard: int) -> str:
    return f"minute#{owner}#{minute}" + (f"#{shard}" if shard else "")


def _schedule_item(schedule: Schedule) -> items.Item:
    item = _item(schedule.id, schedule)
    item["wake_at"] = {"N": str(schedule.wake_at)}
    item["wake_shard"] = {"S": items.SCHEDULES}
    item["group_key"] = {"S": f"#schedule#{schedule.owner}"}
    return item


def _item(pk: str, record: object, *, expires_at: int | None = None) -> items.Item:
    item: items.Item = {"pk": {"S": pk}, "body": {"B": msgspec.json.encode(record)}}
    return item | ({"expires_at": {"N": str(expires_at)}} if expires_at is not None else {})


def _body(item: Mapping[str, items.Value], kind: type[T]) -> T:
    return msgspec.json.decode(bytes(item["body"]["B"]), type=kind)


def _counts(tally: Tally) -> dict[str, int]:
    return (
        {f"n_{name}": count for name, count in tally.outcomes.items()}
        | {f"d_{bucket}": count for bucket, count in tally.duration.items()}
        | {f"w_{bucket}": count for bucket, count in tally.wait.items()}
    )


def _tally(item: Mapping[str, items.Value]) -> Tally:
    tally = Tally()
    for attribute, value in item.items():
        kind, _, name = attribute.partition("_")
        if kind == "n":
            tally.outcomes[name] = int(value["N"])
        elif kind == "d":
            tally.duration[int(name)] = int(value["N"])
        elif kind == "w":
            tally.wait[int(name)] = int(value["N"])
    return tally
