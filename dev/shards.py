"""LIST_SHARDS, WAKE_SHARDS and TALLY_SHARDS may only grow: the table remembers the largest that it was written with.

Asked before a stage is deployed or started, and remembered before and after: a table that is new is there only then.
"""

from dataclasses import asdict
from typing import Any

from chalicelib.core.shards import Shards, find_shrunk, grown
from dev.settings import BadStart

PK = "shards"
VARIABLES = {"lists": "LIST_SHARDS", "wake": "WAKE_SHARDS", "tallies": "TALLY_SHARDS"}


def refuse_fewer(client: Any, table: str, shards: Shards) -> None:
    """Raises BadStart. A table that is not there has seen nothing, and is allowed anything."""
    before = seen(client, table)
    if before is None:
        return
    if shrunk := find_shrunk(before, shards):
        faults = ", ".join(
            f"{VARIABLES[name]}={getattr(shards, name)}, and it was {getattr(before, name)}" for name in shrunk
        )
        raise BadStart(
            f"The table {table} has rows in more parts than would be read: {faults}. These settings may only grow:"
            " give what it was, or more."
        )
    remember(client, table, shards)


def remember(client: Any, table: str, shards: Shards) -> None:
    """To be called again once the table is there."""
    numbers = asdict(grown(_row(client, table) or Shards(1, 1, 1), shards))
    client.put_item(
        TableName=table, Item={"pk": {"S": PK}} | {name: {"N": str(number)} for name, number in numbers.items()}
    )


def seen(client: Any, table: str) -> Shards | None:
    """None where there is no such table. Without the row, it was written by a version whose numbers were fixed."""
    try:
        return _row(client, table) or Shards()
    except client.exceptions.ResourceNotFoundException:
        return None


def _row(client: Any, table: str) -> Shards | None:
    item = client.get_item(TableName=table, Key={"pk": {"S": PK}}, ConsistentRead=True).get("Item")
    return Shards(*(int(item[name]["N"]) for name in VARIABLES)) if item else None
