"""Which partition keys a row has: its own, and one in each index that it is in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Touched:
    """The keys that a write of a row has to do with, by index. `moved`: where it left, and where it came."""

    moved: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Schema:
    """Names of the attributes: the table's partition key, and partition and sort key of each index."""

    own: str
    indexes: dict[str, list[str]]


class Rows:
    """Remembers every row's keys. Reads with a client of its own, which nobody meters: no expression is taken apart."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._schemas: dict[str, _Schema] = {}
        self._seen: dict[tuple[str, str], dict[str, list[str]]] = {}

    def key_name(self, table: str, index: str | None = None) -> str:
        """The attribute that is the partition key."""
        schema = self._schema(table)
        return schema.own if index is None else schema.indexes[index][0]

    def named(self, params: Params) -> list[tuple[str, str]]:
        """(table, partition key) of each row that a request names."""
        keys = [(table, _text(row[self.key_name(table)])) for table, part in _parts(params) for row in _keys(part)]
        return keys or [key for text in _parameters(params) for key in self._seen if key[1] == text]

    def write(self, table: str, row: str) -> Touched:
        """To be asked once after each write of the row."""
        before, after = self._seen.get((table, row), {}), self._read(table, row)
        self._seen[table, row] = after
        touched = Touched()
        for index in before.keys() | after.keys():
            keys = [row_keys[index] for row_keys in (before, after) if index in row_keys]
            if len(keys) == 2 and keys[0] == keys[1]:
                touched.kept[index] = [keys[0][0]]
            else:
                touched.moved[index] = [key[0] for key in keys]
        return touched

    def _read(self, table: str, row: str) -> dict[str, list[str]]:
        schema = self._schema(table)
        answer = self._client.get_item(TableName=table, Key={schema.own: {"S": row}}, ConsistentRead=True)
        item = answer.get("Item", {})
        return {
            index: [_text(item[name]) for name in names]
            for index, names in schema.indexes.items()
            if all(name in item for name in names)
        }

    def _schema(self, table: str) -> _Schema:
        if table not in self._schemas:
            description = self._client.describe_table(TableName=table)["Table"]
            indexes = description.get("GlobalSecondaryIndexes", [])
            self._schemas[table] = _Schema(
                _names(description["KeySchema"])[0], {each["IndexName"]: _names(each["KeySchema"]) for each in indexes}
            )
        return self._schemas[table]


def _parts(params: Params) -> Iterator[tuple[str, Any]]:
    """Each table of a request, with what concerns it."""
    if "TransactItems" in params:
        for action in params["TransactItems"]:
            (inner,) = action.values()
            yield inner["TableName"], inner
    elif "RequestItems" in params:
        yield from params["RequestItems"].items()
    elif "TableName" in params:
        yield params["TableName"], params


def _keys(part: Any) -> Iterator[Params]:
    """Whole items or bare keys, wherever they stand."""
    if isinstance(part, list):
        for each in part:
            yield from _keys(each)
    elif "Item" in part or "Key" in part:
        yield part.get("Item") or part["Key"]
    elif "Keys" in part:
        yield from part["Keys"]
    else:
        for name in ("PutRequest", "DeleteRequest"):
            if name in part:
                yield from _keys(part[name])


def _parameters(params: Params) -> list[str]:
    """Texts that PartiQL statements are given: a row is named by one of them."""
    statements = params.get("Statements") or params.get("TransactStatements") or [params]
    return [value["S"] for each in statements for value in each.get("Parameters", []) if "S" in value]


def _names(key_schema: list[dict[str, str]]) -> list[str]:
    """The partition key first."""
    return [each["AttributeName"] for each in sorted(key_schema, key=lambda each: each["KeyType"] != "HASH")]


def _text(value: Mapping[str, Any]) -> str:
    (text,) = value.values()
    return str(text)
