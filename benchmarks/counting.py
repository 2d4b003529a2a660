"""Counts what boto3 clients send: calls by operation, and the units that DynamoDB says it used."""

from collections import Counter as Counts
from typing import Any, Protocol

READS = {"GetItem", "BatchGetItem", "Query"}
COUNTED = READS | {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}


class Watcher(Protocol):
    """What sees the calls of clients."""

    def watch(self, client: Any) -> Any:
        """The same client, watched."""

    def reset(self) -> None:
        """Forget what has been seen."""


class Counter:
    """Watches clients; a list of tables in one call counts as one."""

    def __init__(self) -> None:
        self.calls: Counts[str] = Counts()
        self.units: Counts[str] = Counts()

    def watch(self, client: Any) -> Any:
        service = client.meta.service_model.service_name
        client.meta.events.register(f"provide-client-params.{service}", self._ask)
        client.meta.events.register(f"after-call.{service}", self._count)
        return client

    def reset(self) -> None:
        self.calls.clear()
        self.units.clear()

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any] | None:
        return params | {"ReturnConsumedCapacity": "TOTAL"} if model.name in COUNTED else None

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls[f"{model.service_model.service_name}.{model.name}"] += 1
        used = parsed.get("ConsumedCapacity") or []
        if model.name == "BatchGetItem" and not used:  # MiniStack does not say: a row of up to 4 KB takes one
            self.units["read"] += sum(map(len, parsed.get("Responses", {}).values()))
        for part in used if isinstance(used, list) else [used]:
            self.units["read" if model.name in READS else "write"] += part["CapacityUnits"]
