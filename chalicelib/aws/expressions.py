"""Conditions and updates of job rows as DynamoDB expressions: core/change.py's guards, word for word. Each is written
once, as UpdateItem says it; a PartiQL statement is made of the same parts in other words.

claim      status in (what the table allows) and not_before <= now and attempts < attempt_limit and not canceling
           and not (remote and running)
a change   each guard that the change carries: statuses, attempt (the fence), wake_at, not_before <=, not canceling,
           that the row's window (JSON) names the job itself as its holder
"""

import re
from collections.abc import Iterable
from typing import Any

from chalicelib.aws import items
from chalicelib.core.change import LEASE_MS, Change
from chalicelib.core.job import WAITING, Event, Millis, Status, sources, target
from chalicelib.core.shards import Shards

Params = dict[str, Any]
IN = re.compile(r"IN \(([^)]*)\)")
MISSING = re.compile(r"attribute_not_exists\((#\w+)\)")
TOKEN = re.compile(r"#(\w+)|(:v\d+)")


class Expression:
    """Collects the parts of one UpdateItem; every name goes through an alias, since many are reserved words."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, items.Value] = {}
        self.conditions: list[str] = []
        self.sets: list[str] = []
        self.removes: list[str] = []

    def name(self, field: str) -> str:
        attribute = items.STORED_AS.get(field, field)
        self.names[f"#{attribute}"] = attribute
        return f"#{attribute}"

    def value(self, value: items.Value) -> str:
        key = f":v{len(self.values)}"
        self.values[key] = value
        return key

    def number(self, value: int) -> str:
        return self.value({"N": str(value)})

    def set(self, attribute: str, value: items.Value) -> None:
        self.sets.append(f"{self.name(attribute)} = {self.value(value)}")

    def remove(self, attribute: str) -> None:
        self.removes.append(self.name(attribute))

    def status_in(self, statuses: Iterable[Status]) -> None:
        listed = ", ".join(self.value({"S": str(status)}) for status in sorted(statuses))
        self.conditions.append(f"{self.name('status')} IN ({listed})")

    def not_canceling(self) -> None:
        self.conditions.append(f"attribute_not_exists({self.name('cancel_requested')})")

    def params(self) -> Params:
        update = ("SET " + ", ".join(self.sets) if self.sets else "") + (
            " REMOVE " + ", ".join(self.removes) if self.removes else ""
        )
        params: Params = {
            "ConditionExpression": " AND ".join(self.conditions),
            "ExpressionAttributeNames": self.names,
            "ExpressionAttributeValues": self.values,
        }
        return params | ({"UpdateExpression": update.strip()} if update else {})

    def statement(self, table: str, pk: str) -> Params:
        """The same update of one row, as a member of BatchExecuteStatement. A row that is not there is refused."""
        sets, removes = (f"SET {each}" for each in self.sets), (f"REMOVE {each}" for each in self.removes)
        where = " AND ".join([f"#pk = {self.value({'S': pk})}", *self.conditions])
        text = " ".join([*sets, *removes, "WHERE", where])
        parameters: list[items.Value] = []

        def say(token: re.Match[str]) -> str:
            if token[1]:
                return f'"{token[1]}"'
            parameters.append(self.values[token[2]])
            return "?"

        text = TOKEN.sub(say, MISSING.sub(r"\1 IS MISSING", IN.sub(r"IN [\1]", text)))
        return {
            "Statement": f'UPDATE "{table}" {text}',
            "Parameters": parameters,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def claim(now: Millis, token: str) -> Params:
    e = Expression()
    e.status_in(sources(Event.CLAIM))
    at = e.number(now)
    e.conditions.append(f"{e.name('not_before')} <= {at}")
    e.conditions.append(f"{e.name('attempts')} < {e.name('attempt_limit')}")
    e.not_canceling()
    running = e.value({"S": str(Status.RUNNING)})
    e.conditions.append(f"(attribute_not_exists({e.name('remote')}) OR {e.name('status')} <> {running})")
    e.set("status", {"S": str(target(Event.CLAIM))})
    e.sets.append(f"{e.name('attempts')} = {e.name('attempts')} + {e.number(1)}")
    e.set("not_before", {"N": str(now + LEASE_MS)})
    e.sets.append(f"{e.name('list_key')} = {e.name('list_running')}")
    e.set("started_at", {"N": str(now)})
    e.set("claim_token", {"S": token})
    e.remove("progress")
    return e.params()


def change(decision: Change, shards: Shards) -> Params:
    return _change(decision, shards).params()


def statement(decision: Change, shards: Shards, table: str) -> Params:
    return _change(decision, shards).statement(table, decision.job.id)


def _change(decision: Change, shards: Shards) -> Expression:
    e = Expression()
    _guard(e, decision)
    for field, value in decision.fields.items():
        if value is None or value is False:
            e.remove(field)
        else:
            e.set(field, items.to_value(field, value))
    _keep_indexes(e, decision, shards)
    return e


def _guard(e: Expression, decision: Change) -> None:
    e.status_in(decision.statuses)
    if decision.attempt is not None:
        e.conditions.append(f"{e.name('attempts')} = {e.number(decision.attempt)}")
    if decision.wake_at is not None:
        e.conditions.append(f"{e.name('wake_at')} = {e.number(decision.wake_at)}")
    if decision.released_by is not None:
        e.conditions.append(f"{e.name('not_before')} <= {e.number(decision.released_by)}")
    if decision.unless_canceling:
        e.not_canceling()
    if decision.holds_window:
        own = e.value({"S": decision.job.id})
        e.conditions.append(f"contains({e.name('window')}, {own})")


def _keep_indexes(e: Expression, decision: Change, shards: Shards) -> None:
    """Whatever a field means for an index changes in the same write."""
    fields = decision.fields
    if "status" in fields:
        for name, key in items.list_keys(decision.job, fields["status"], shards).items():
            e.set(name, key)
        if fields["status"] in WAITING:
            e.set("due_at", {"N": str(fields["not_before"])})
    if "wake_at" in fields:
        if fields["wake_at"] is None:
            e.remove("wake_shard")
        else:
            e.set("wake_shard", {"S": items.wake_shard(decision.job.id, shards)})
