"""Job rows in DynamoDB. The keys and indexes are listed in items.py, the conditions in expressions.py.

insert            PutItem            pk does not exist
insert_many       BatchWriteItem     ids are new; no condition, so the request is sent once
insert_run        TransactWriteItems no pk exists
insert_in_window  TransactWriteItems pk does not exist; the window is as it was read, and so is the job that it is
                                     taken over from, and the schedule that moves on with it
insert_slot       TransactWriteItems pk does not exist; the schedule is as it was read
cancel_slot       TransactWriteItems expressions.change; the schedule is as it was read
claim, apply      UpdateItem         expressions.claim, expressions.change
apply_many        BatchExecuteStatement, 25 a call, each with the condition of its own: expressions.statement
beat              UpdateItem         expressions.change, by a client of its own
read_batch        BatchGetItem       consistent
due               Query on wake      wake_at <= now, each shard by itself; due_schedules: the shard of schedules
page, open_jobs   Query on by_status, by_task, by_object or by_group
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from botocore.exceptions import ClientError

from chalicelib.aws import expressions, items, records
from chalicelib.aws.calls import REFUSED, Client, code_of, query_all, read_once, read_rows, translated
from chalicelib.core.change import Change
from chalicelib.core.filters import Filter, id_range, listed_status, phases_of, wants_due
from chalicelib.core.ids import id_below
from chalicelib.core.job import WAITING, Job, Millis, Status
from chalicelib.core.records import RunRecord, Schedule, ScheduleMove, WindowRecord
from chalicelib.core.shards import Shards
from chalicelib.errors import SortieError, Unavailable
from chalicelib.ports import BatchRead, ChangeRefused, OpenJobs, WaitingJob

T = TypeVar("T")
R = TypeVar("R")
RUNNING = frozenset({Status.RUNNING})
AT_ONCE = 8
BATCH_STATEMENTS = 25
NO_BATCHES = frozenset({
    "AccessDenied", "AccessDeniedException", "InvalidAction", "NotImplementedException", "UnknownOperationException",
    "ValidationException",
})  # fmt: skip
"""Where no batch of statements is taken or allowed: nothing was written then."""
NO_STATEMENT = frozenset({"ValidationError", "AccessDenied"})
"""The same of one member."""


class DynamoJobs:
    """ports.JobStore on one table.

    `once`: a client that sends no request a second time. A batch write that seemed lost, repeated when a worker has
    already claimed its rows, would set them back. `beats`: one for heartbeats, which come from a thread of their own.
    `batches`: the table takes BatchExecuteStatement.
    """

    def __init__(
        self, client: Client, once: Client, beats: Client, table: str, shards: Shards, *, batches: bool = True
    ) -> None:
        self._client = client
        self._beats = beats
        self._once = once
        self._table = table
        self._shards = shards
        self._batches = batches
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def insert(self, job: Job) -> Job:
        try:
            with translated("put the job"):
                try:
                    self._client.put_item(
                        TableName=self._table,
                        Item=self._item(job),
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
        rows = {job.id: job for job in jobs}
        puts = [{"PutRequest": {"Item": self._item(job)}} for job in jobs]
        with translated("put the jobs"):
            answer = self._once.batch_write_item(RequestItems={self._table: puts})
        for left in answer.get("UnprocessedItems", {}).get(self._table, []):
            self.insert(rows[left["PutRequest"]["Item"]["pk"]["S"]])

    def insert_run(self, run: RunRecord, jobs: Sequence[Job]) -> None:
        puts = [self._new(records.run_item(run)), *(self._new(self._item(job)) for job in jobs)]
        self._transact(puts, "put the run")

    def insert_in_window(
        self, job: Job, window: WindowRecord, seen: WindowRecord | None, handed: Change | None = None,
        move: ScheduleMove | None = None,
    ) -> None:  # fmt: skip
        actions: list[Any] = [{"Put": records.window_put(self._table, window, seen)}, self._new(self._item(job))]
        if handed is not None:
            actions.append(self._change(handed))
        if move is not None:
            actions.append({"Put": records.schedule_put(self._table, move)})
        self._transact(actions, "put the job in its window")

    def insert_slot(self, job: Job, move: ScheduleMove) -> None:
        put = {"Put": records.schedule_put(self._table, move)}
        self._transact([self._new(self._item(job)), put], "put the job of the schedule")

    def cancel_slot(self, change: Change, schedule: Schedule) -> None:
        delete = {"Delete": records.schedule_delete(self._table, schedule)}
        self._transact([self._change(change), delete], "remove the schedule with its job")

    def get(self, job_id: str) -> Job | None:
        with translated("read the job"):
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": job_id}}, ConsistentRead=True)
        return items.from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        rows = read_rows(self._client, self._table, job_ids)
        by_id = {item["pk"]["S"]: items.from_item(item) for item in rows}
        return [by_id[job_id] for job_id in job_ids if job_id in by_id]

    def read_batch(self, job_ids: Sequence[str]) -> BatchRead:
        stored, unread = read_once(self._client, self._table, job_ids)
        rows = {}
        for item in stored:
            try:
                rows[item["pk"]["S"]] = items.from_item(item)
            except Exception:  # a damaged row must not keep its batch from running
                unread.append(item["pk"]["S"])
        return BatchRead(rows, unread)

    def claim(self, job_id: str, now: Millis, token: str) -> Job:
        return self._update(self._client, job_id, expressions.claim(now, token), "claim the job")

    def apply(self, change: Change) -> Job:
        return self._update(self._client, change.job.id, self._params(change), "change the job")

    def apply_many(self, changes: Sequence[Change]) -> list[SortieError | None]:
        answers: list[SortieError | None] = []
        for start in range(0, len(changes), BATCH_STATEMENTS):
            part = changes[start : start + BATCH_STATEMENTS]
            try:
                answers += self._apply_batch(part)
            except Unavailable as error:  # the parts before it were written all the same
                answers += [error] * len(part)
        return answers

    def beat(self, change: Change) -> Job:
        return self._update(self._beats, change.job.id, self._params(change), "extend the lease")

    def due(self, now: Millis, limit: int) -> list[Iterator[Sequence[str]]]:
        first = now // 60_000  # a round that runs out of time must not leave out the same shards again
        shards = [str((first + offset) % self._shards.wake) for offset in range(self._shards.wake)]
        return [self._due_in(shard, now, limit) for shard in shards]

    def due_schedules(self, now: Millis, limit: int) -> Iterator[Sequence[str]]:
        return self._due_in(items.SCHEDULES, now, limit)

    def page(self, chosen: Filter, before: str | None, limit: int, now: Millis) -> list[str]:
        since, below = id_range(chosen, before)
        if since is not None and below is not None and since >= below:
            return []
        pages = self._together(
            lambda each: self._newest(each, since, below, limit, now), _lists(chosen, self._shards.lists)
        )
        merged = heapq.merge(*pages, reverse=True)
        return list(dict.fromkeys(merged))[:limit]  # a job that moves while we read may be in two lists, or in none

    def open_jobs(self, owner: str) -> OpenJobs:
        lists = [
            (name, quick)
            for quick in (False, True)
            for name in _status_lists(owner, WAITING, self._shards.lists, [quick])
        ]
        running = _status_lists(owner, RUNNING, self._shards.lists)
        asked = [(name, "pk, due_at") for name, _ in lists] + [(name, "pk") for name in running]
        read = self._together(lambda each: self._entries(*each), asked)
        waiting = [
            WaitingJob(entry["pk"]["S"], int(entry["due_at"]["N"]), quick)
            for (_, quick), entries in zip(lists, read[: len(lists)], strict=True)
            for entry in entries
        ]
        return OpenJobs(waiting, sum(map(len, read[len(lists) :])))

    def _item(self, job: Job) -> items.Item:
        return items.to_item(job, self._shards)

    def _params(self, change: Change) -> expressions.Params:
        return expressions.change(change, self._shards)

    def _new(self, item: items.Item) -> Any:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _change(self, change: Change) -> Any:
        key = {"pk": {"S": change.job.id}}
        return {"Update": {"TableName": self._table, "Key": key, **self._params(change)}}

    def _transact(self, actions: Sequence[Any], what: str) -> None:
        with translated(what):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if code_of(error) in ("TransactionCanceledException", "TransactionConflictException"):
                    raise _canceled(error, what) from error
                raise

    def _update(self, client: Client, job_id: str, params: expressions.Params, what: str) -> Job:
        return items.from_item(self._send_update(client, job_id, params, what, "ALL_NEW")["Attributes"])

    def _send_update(self, client: Client, job_id: str, params: expressions.Params, what: str, returned: str) -> Any:
        with translated(what):
            try:
                return client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": job_id}},
                    ReturnValues=returned,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **params,
                )
            except ClientError as error:
                raise _refused(error) from error

    def _apply_batch(self, changes: Sequence[Change]) -> list[SortieError | None]:
        """What refuses statements as such gets single updates, from the first refusal on."""
        if not self._batches:
            return [self._apply_alone(change) for change in changes]
        statements = [expressions.statement(change, self._shards, self._table) for change in changes]
        with translated("change the jobs"):
            try:
                responses = self._client.batch_execute_statement(Statements=statements)["Responses"]
            except ClientError as error:
                if code_of(error) not in NO_BATCHES:
                    raise
                self._batches, responses = False, [{"Error": {"Code": "ValidationError"}}] * len(changes)
        return [self._judged(change, answer) for change, answer in zip(changes, responses, strict=True)]

    def _judged(self, change: Change, answer: Mapping[str, Any]) -> SortieError | None:
        """Of one statement of a batch."""
        if "Error" not in answer:
            return None
        code, item = answer["Error"]["Code"], answer["Error"].get("Item")
        if code in NO_STATEMENT:
            return self._apply_alone(change)
        if code == "ConditionalCheckFailed":
            return ChangeRefused(items.from_item(item) if item else None)
        return Unavailable(f"change the job: {code}")

    def _apply_alone(self, change: Change) -> SortieError | None:
        try:
            self._send_update(self._client, change.job.id, self._params(change), "change the job", "NONE")
        except (ChangeRefused, Unavailable) as error:
            return error
        return None

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

    def _together(self, read: Callable[[T], R], lists: Sequence[T]) -> list[R]:
        """Reads the lists side by side: one after the other, twenty take a tenth of a second. Their threads are made
        once, since to make them takes as long as some reads."""
        return list(self._pool.map(read, lists))

    def _newest(self, index_list: "_List", since: str | None, below: str | None, limit: int, now: Millis) -> list[str]:
        condition, values = f"{index_list.key} = :k", {":k": {"S": index_list.value}}
        condition, values = condition + _range_condition(since, below), values | _range_values(since, below)
        only: dict[str, str] = {}
        if index_list.due_only:
            only, values = {"FilterExpression": "due_at <= :now"}, values | {":now": {"N": str(now)}}
        with translated("read a page"):
            answer = self._client.query(
                TableName=self._table, IndexName=index_list.index, KeyConditionExpression=condition,
                ExpressionAttributeValues=values, ScanIndexForward=False, Limit=limit,
                ProjectionExpression="pk", **only,
            )  # fmt: skip
        return [entry["pk"]["S"] for entry in answer["Items"]]

    def _entries(self, value: str, attribute: str) -> list[items.Item]:
        return query_all(
            self._client, "count open jobs", TableName=self._table, IndexName="by_status",
            KeyConditionExpression="list_key = :k", ExpressionAttributeValues={":k": {"S": value}},
            ProjectionExpression=attribute,
        )  # fmt: skip


def _range_condition(since: str | None, below: str | None) -> str:
    """A sort key takes one condition, and BETWEEN counts both of its ends in."""
    if since is not None and below is not None:
        return " AND pk BETWEEN :since AND :last"
    if since is not None:
        return " AND pk >= :since"
    return " AND pk < :below" if below is not None else ""


def _range_values(since: str | None, below: str | None) -> dict[str, items.Value]:
    if since is not None and below is not None:
        return {":since": {"S": since}, ":last": {"S": id_below(below)}}
    ends = {":since": since, ":below": below}
    return {name: {"S": id_} for name, id_ in ends.items() if id_ is not None}


@dataclass(frozen=True, slots=True)
class _List:
    """One partition of an index: `key` is its hash attribute."""

    index: str
    key: str
    value: str
    due_only: bool = False


def _lists(chosen: Filter, shards: int) -> list[_List]:
    """The lists that the filter needs, from the index that fits it best."""
    owner, phases = chosen.owner, phases_of(chosen.statuses)
    if chosen.schedule_id is not None:
        names = [items.schedule_list(owner, phase, chosen.schedule_id) for phase in phases]
        return [_List("by_group", "group_key", name) for name in names]
    if chosen.object_id is not None:
        return [_List("by_object", "object_key", items.object_list(owner, phase, chosen.object_id)) for phase in phases]
    if chosen.group is not None:
        return [_List("by_group", "group_key", items.group_list(owner, phase, chosen.group)) for phase in phases]
    kinds = (False, True) if chosen.task is None else (True,) if chosen.quick_task else ()
    names = _status_lists(owner, chosen.statuses, shards, kinds)
    due = _status_lists(owner, frozenset({Status.SCHEDULED}), shards, kinds) if wants_due(chosen.statuses) else []
    index_lists = [_List("by_status", "list_key", name) for name in names]
    index_lists += [_List("by_status", "list_key", name, due_only=True) for name in due]
    if chosen.task is not None:
        places = [(phase, shard) for phase in phases for shard in range(shards)]
        index_lists += [_List("by_task", "task_key", items.task_list(owner, *part, chosen.task)) for part in places]
    return index_lists


def _status_lists(
    owner: str, statuses: frozenset[Status], shards: int, kinds: Sequence[bool] = (False, True)
) -> list[str]:
    """`kinds`: jobs that are not quick, jobs that are; a list that no job is ever in is left out. In the order of a
    job's life: what moves on while we read is met in its next list."""
    return [
        items.status_list(owner, status, shard, quick=quick)
        for quick in kinds
        for status in Status
        if status in statuses and listed_status(status, quick=quick) is status
        for shard in range(shards)
    ]


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
