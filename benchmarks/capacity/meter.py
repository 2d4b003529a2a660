"""Stands between botocore and DynamoDB: the units that each call used, on each partition key of table and indexes.

How many units a call used on the table and on each index is DynamoDB's own count (ReturnConsumedCapacity=INDEXES).
Which keys they fell on is read off the rows before and after: a key that a row leaves and the one that it comes to
share the index's units. It knows of no use case.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.capacity.rows import Rows, Touched
from chalicelib.aws import session

READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}
PARTIQL = {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
TABLE = "table"


@dataclass(frozen=True, slots=True)
class Key:
    """A partition key of a table (`part` is TABLE) or of one of its indexes, as it is written or read."""

    table: str
    part: str
    value: str
    read: bool = False

    def __str__(self) -> str:
        return f"{self.part} {self.value}{' (reads)' if self.read else ''}"


@dataclass(frozen=True, slots=True)
class Charge:
    """Units that a key was charged, on account of a row; a query is on account of none."""

    key: Key
    units: float
    row: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    queue: str
    body: str
    delay: int


@dataclass(slots=True)
class Taken:
    """What happened since the meter was last asked. `at_once`: the most calls that were under way together."""

    charges: list[Charge] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    sent: list[Sent] = field(default_factory=list)
    at_once: int = 0


class Meter:
    """`client`: DynamoDB by a client that is not watched."""

    def __init__(self, client: Any) -> None:
        self._rows = Rows(client)
        self._lock = threading.Lock()
        self._under_way = 0
        self._taken = Taken()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches every client that the service makes in the block."""
        session.shared.cache_clear()
        try:
            self._register(session.shared().get_component("event_emitter"))
            yield
        finally:
            session.shared.cache_clear()

    def watch(self, client: Any) -> Any:
        self._register(client.meta.events)
        return client

    def reset(self) -> None:
        self.take()

    def take(self) -> Taken:
        with self._lock:
            taken, self._taken = self._taken, Taken()
        return taken

    def _register(self, events: Any) -> None:
        events.register("before-parameter-build", self._ask)
        events.register("before-call", self._begin)
        events.register("after-call", self._end)
        events.register("after-call-error", self._fail)

    def _ask(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if model.input_shape and "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "INDEXES"
        context["metered"] = params

    def _begin(self, **_: Any) -> None:
        with self._lock:
            self._under_way += 1
            self._taken.at_once = max(self._taken.at_once, self._under_way)

    def _fail(self, **_: Any) -> None:
        with self._lock:
            self._under_way -= 1

    def _end(self, model: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        service, params = model.service_model.service_name, context["metered"]
        with self._lock:
            self._under_way -= 1
            self._taken.calls[f"{service}.{model.name}"] += 1
            if service == "sqs" and "Error" not in parsed:
                self._taken.sent += _sent(model.name, params)
            elif used := parsed.get("ConsumedCapacity"):
                self._charge(model.name, params, used if isinstance(used, list) else [used])

    def _charge(self, name: str, params: Any, used: list[dict[str, Any]]) -> None:
        if name in ("Query", "Scan"):
            self._taken.charges += self._query(params, used[0])
            return
        rows = self._rows.named(params)
        for each in used:
            mine = [row for table, row in rows if table == each["TableName"]]
            self._taken.charges += self._rows_charged(name, each, mine)

    def _query(self, params: Any, used: dict[str, Any]) -> list[Charge]:
        table, index = params["TableName"], params.get("IndexName")
        name = self._rows.key_name(table, index)
        key = Key(table, index or TABLE, _asked(params, name), read=True)
        return [Charge(key, used["CapacityUnits"], None)]

    def _rows_charged(self, name: str, used: dict[str, Any], rows: list[str]) -> list[Charge]:
        table, parts = used["TableName"], used.get("GlobalSecondaryIndexes", {})
        units = {index: part["CapacityUnits"] for index, part in parts.items()}
        read = name in READS
        own = (used["CapacityUnits"] - sum(units.values())) / len(rows)
        charges = [Charge(Key(table, TABLE, row, read), own, row) for row in rows]
        if read:
            return charges
        touched = {row: self._rows.write(table, row) for row in rows}
        if name in PARTIQL:
            units = _partiql(touched)
        for index, spent in units.items():
            charges += _spread(table, index, spent, touched)
        return charges


def _spread(table: str, index: str, units: float, touched: Mapping[str, Touched]) -> list[Charge]:
    """Evenly over the keys that rows left or came to; over those they stayed under when none moved."""
    entries = [(row, value) for row, keys in touched.items() for value in keys.moved.get(index, [])]
    entries = entries or [(row, value) for row, keys in touched.items() for value in keys.kept.get(index, [])]
    if not entries:
        raise ValueError(f"{units} units on {index} of {table}, and no row of the call has a key there")
    return [Charge(Key(table, index, value), units / len(entries), row) for row, value in entries]


def _partiql(touched: Mapping[str, Touched]) -> Counter[str]:
    """MiniStack counts no indexes there: one unit for each entry that is deleted or put, as entries are small."""
    return Counter(index for keys in touched.values() for index, values in keys.moved.items() for _ in values)


def _asked(params: Any, name: str) -> str:
    """The value that a key condition wants for the partition key."""
    names = params.get("ExpressionAttributeNames", {})
    for left, right in re.findall(r"([#\w]+)\s*=\s*(:\w+)", params["KeyConditionExpression"]):
        if names.get(left, left) == name:
            (value,) = params["ExpressionAttributeValues"][right].values()
            return str(value)
    raise ValueError(f"{params['KeyConditionExpression']!r} names no {name}")


def _sent(name: str, params: Any) -> list[Sent]:
    entries = {"SendMessage": [params], "SendMessageBatch": params.get("Entries", [])}.get(name, [])
    queue = str(params.get("QueueUrl", "")).rsplit("/", 1)[-1]
    return [Sent(queue, each["MessageBody"], each.get("DelaySeconds", 0)) for each in entries]
