"""Job rows in DynamoDB. The keys and indexes are listed in items.py, the conditions in expressions.py.

insert            PutItem            pk does not exist
insert_many       BatchWriteItem     ids are new
insert_run        TransactWriteItems no pk exists
insert_in_window  TransactWriteItems pk does not exist; the window is as it was read
claim, apply      UpdateItem         expressions.claim, expressions.change
due               Query on wake      wake_at <= now, shard by shard
page, open_jobs   Query on by_status, by_task, by_object or by_group
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, cast

from botocore.exceptions import ClientError

from chalicelib.aws import expressions, items, records
from chalicelib.aws.calls import BATCH_READ, BATCH_TRIES, REFUSED, Client, code_of, read_batch, translated
from chalicelib.core.change import Change
from chalicelib.core.job import WAITING, Job, Millis, Status
from chalicelib.core.listing import SHARDS, Filter, lists_of
from chalicelib.core.records import RunRecord, WindowRecord
from chalicelib.errors import ChangeRefused, Unavailable
from chalicelib.ports import OpenJobs

BATCH_WRITE = 25


class DynamoJobs:
    """ports.JobStore on one table."""

    def __init__(self, client: Client, table: str) -> None:
        self._client = client
        self._table = table

    def insert(self, job: Job) -> Job:
        try:
            with translated("put the job"):
                try:
                    self._client.put_item(
                        TableName=self._table,
                        Item=items.to_item(job),
                        ConditionExpression="attribute_not_exists(pk)",
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
                except ClientError as error:
                    raise _refused(error) from error
        except ChangeRefused as refused:
            if refused.job is None:
                raise Unavailable("put the job: refused, and then it was gone") from refused
            return refused.job
        return job

    def insert_many(self, jobs: Sequence[Job]) -> None:
        puts = [{"PutRequest": {"Item": items.to_item(job)}} for job in jobs]
        for start in range(0, len(puts), BATCH_WRITE):
            left: Any = {self._table: puts[start : start + BATCH_WRITE]}
            for _ in range(BATCH_TRIES):
                with translated("put the jobs"):
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
            else:
                raise Unavailable("put the jobs: the table takes no more writes now")

    def insert_run(self, run: RunRecord, jobs: Sequence[Job]) -> None:
        puts = [self._new(records.run_item(run)), *(self._new(items.to_item(job)) for job in jobs)]
        self._transact(puts, "put the run")

    def insert_in_window(self, job: Job, window: WindowRecord, seen: WindowRecord | None) -> None:
        put = records.window_put(self._table, window, seen)
        self._transact([{"Put": put}, self._new(items.to_item(job))], "put the job in its window")

    def get(self, job_id: str) -> Job | None:
        with translated("read the job"):
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": job_id}}, ConsistentRead=True)
        return items.from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        found: dict[str, Job] = {}
        for start in range(0, len(job_ids), BATCH_READ):
            keys = [{"pk": {"S": job_id}} for job_id in job_ids[start : start + BATCH_READ]]
            for item in read_batch(self._client, self._table, keys):
                found[item["pk"]["S"]] = items.from_item(item)
        return [found[job_id] for job_id in job_ids if job_id in found]

    def claim(self, job_id: str, now: Millis, token: str) -> Job:
        return self._update(job_id, expressions.claim(now, token), "claim the job")

    def apply(self, change: Change) -> Job:
        return self._update(change.job.id, expressions.change(change), "change the job")

    def due(self, now: Millis, limit: int) -> Iterator[Sequence[str]]:
        first = now // 60_000  # a round that runs out of time must not leave out the same shards again
        for place in range(items.WAKE_SHARDS):
            yield from self._due_in(str((first + place) % items.WAKE_SHARDS), now, limit)

    def page(self, chosen: Filter, before: str | None, limit: int) -> list[str]:
        index, key, values = _partitions(chosen)
        pages = [self._newest(index, key, value, before, limit) for value in values]
        merged = heapq.merge(*pages, reverse=True)
        return list(dict.fromkeys(merged))[:limit]  # a job that moves while we read may be in two lists

    def open_jobs(self, owner: str) -> OpenJobs:
        waiting = [
            int(entry["due_at"]["N"])
            for status in sorted(WAITING)
            for shard in range(SHARDS)
            for entry in self._entries(items.status_list(owner, status, shard), "due_at")
        ]
        running = sum(
            1 for shard in range(SHARDS) for _ in self._entries(items.status_list(owner, Status.RUNNING, shard), "pk")
        )
        return OpenJobs(waiting, running)

    def _new(self, item: items.Item) -> Any:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _transact(self, actions: Sequence[Any], what: str) -> None:
        with translated(what):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if code_of(error) in ("TransactionCanceledException", "TransactionConflictException"):
                    raise _canceled(error, what) from error
                raise

    def _update(self, job_id: str, params: expressions.Params, what: str) -> Job:
        with translated(what):
            try:
                answer = self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": job_id}},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **params,
                )
            except ClientError as error:
                raise _refused(error) from error
        return items.from_item(answer["Attributes"])

    def _due_in(self, shard: str, now: Millis, limit: int) -> Iterator[Sequence[str]]:
        start: Any = {}
        while True:
            with translated("look for due rows"):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName="wake",
                    KeyConditionExpression="wake_shard = :s AND wake_at <= :now",
                    ExpressionAttributeValues={":s": {"S": shard}, ":now": {"N": str(now)}},
                    Limit=limit,
                    **start,
                )
            if answer["Items"]:
                yield [entry["pk"]["S"] for entry in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _newest(self, index: str, key: str, value: str, before: str | None, limit: int) -> list[str]:
        condition, values = f"{key} = :k", {":k": {"S": value}}
        if before is not None:
            condition, values = condition + " AND pk < :before", values | {":before": {"S": before}}
        with translated("read a page"):
            answer = self._client.query(
                TableName=self._table, IndexName=index, KeyConditionExpression=condition,
                ExpressionAttributeValues=values, ScanIndexForward=False, Limit=limit,
            )  # fmt: skip
        return [entry["pk"]["S"] for entry in answer["Items"]]

    def _entries(self, value: str, attribute: str) -> Iterator[items.Item]:
        start: Any = {}
        while True:
            with translated("count open jobs"):
                answer = self._client.query(
                    TableName=self._table, IndexName="by_status", KeyConditionExpression="list_key = :k",
                    ExpressionAttributeValues={":k": {"S": value}}, ProjectionExpression=attribute, **start,
                )  # fmt: skip
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _partitions(chosen: Filter) -> tuple[str, str, list[str]]:
    """The index that fits the filter best, its hash attribute, and the partitions to merge."""
    if chosen.object_id is not None:
        return "by_object", "object_key", [items.object_list(chosen.owner, chosen.object_id)]
    if chosen.group is not None:
        return "by_group", "group_key", [items.group_list(chosen.owner, chosen.group)]
    if chosen.task is not None and not chosen.quick_task:
        return "by_task", "task_key", [items.task_list(chosen.owner, chosen.task, s) for s in range(SHARDS)]
    lists = [
        items.status_list(chosen.owner, status, shard)
        for status in lists_of(chosen.statuses)
        for shard in range(SHARDS)
    ]
    return "by_status", "list_key", lists


def _refused(error: ClientError) -> Exception:
    if code_of(error) != REFUSED:
        return cast(Exception, error)
    item = error.response.get("Item")
    return ChangeRefused(items.from_item(item) if item else None)


def _canceled(error: ClientError, what: str) -> Exception:
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if reasons & {"ConditionalCheckFailed", "TransactionConflict"} or not reasons:
        return ChangeRefused(None)
    return Unavailable(f"{what}: {', '.join(sorted(str(reason) for reason in reasons))}")
