"""Units are charged to the keys that a write has to do with, whatever call makes it. MiniStack counts them."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from benchmarks.capacity.meter import Meter
from chalicelib.aws import calls
from tests.support import emulators

NAMES = count()


@dataclass(frozen=True, slots=True)
class Watched:
    client: Any
    meter: Meter
    table: str

    def charged(self) -> dict[str, float]:
        """Units by place and key since the last question."""
        total: defaultdict[str, float] = defaultdict(float)
        for charge in self.meter.take().charges:
            total[str(charge.key)] += charge.units
        return dict(total)

    def put(self, row: str, **keys: str) -> None:
        self.client.put_item(TableName=self.table, Item=item(row, **keys))


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with emulators.ministack("meter") as stage:
        meter = Meter(stage.table)
        with meter.watching():
            client = calls.client("dynamodb", stage.endpoint)
        yield Watched(client, meter, stage.table_name)


@pytest.fixture
def row(watched: Watched) -> str:
    """Its name. It is in the list `a`."""
    name = f"row{next(NAMES)}"
    watched.put(name, list_key="a")
    watched.meter.reset()
    return name


def item(row: str, **keys: str) -> dict[str, Any]:
    return {"pk": {"S": row}} | {name: {"S": value} for name, value in keys.items()}


def test_a_new_row_is_charged_to_itself_and_to_each_list_it_comes_to(watched: Watched) -> None:
    watched.put("new", list_key="a", group_key="g")
    assert watched.charged() == {"table new": 1, "by_status a": 1, "by_group g": 1}


def test_a_move_is_charged_to_the_list_left_and_to_the_list_reached(watched: Watched, row: str) -> None:
    """No answer says what the row was or is: the update asks for no values."""
    watched.client.update_item(
        TableName=watched.table, Key=item(row), UpdateExpression="SET list_key = :b",
        ExpressionAttributeValues={":b": {"S": "b"}},
    )  # fmt: skip
    assert watched.charged() == {f"table {row}": 1, "by_status a": 1, "by_status b": 1}


def test_what_no_index_holds_is_charged_to_the_row_alone(watched: Watched, row: str) -> None:
    watched.client.update_item(
        TableName=watched.table, Key=item(row), UpdateExpression="SET note = :n",
        ExpressionAttributeValues={":n": {"S": "n"}},
    )  # fmt: skip
    assert watched.charged() == {f"table {row}": 1}


def test_an_attribute_that_an_index_holds_is_charged_to_the_list_the_row_stays_in(watched: Watched, row: str) -> None:
    watched.client.update_item(
        TableName=watched.table, Key=item(row), UpdateExpression="SET due_at = :n",
        ExpressionAttributeValues={":n": {"N": "5"}},
    )  # fmt: skip
    assert watched.charged() == {f"table {row}": 1, "by_status a": 1}


def test_a_large_row_costs_its_kilobytes(watched: Watched) -> None:
    watched.client.put_item(TableName=watched.table, Item=item("large") | {"input": {"B": b"x" * 2_500}})
    assert watched.charged() == {"table large": 3}


def test_a_removal_is_charged_to_the_list_left(watched: Watched, row: str) -> None:
    watched.client.delete_item(TableName=watched.table, Key=item(row))
    assert watched.charged() == {f"table {row}": 1, "by_status a": 1}


def test_rows_written_together_are_each_charged(watched: Watched) -> None:
    puts = [{"PutRequest": {"Item": item(name, list_key=name)}} for name in ("c", "d")]
    watched.client.batch_write_item(RequestItems={watched.table: puts})
    assert watched.charged() == {"table c": 1, "table d": 1, "by_status c": 1, "by_status d": 1}


def test_a_transaction_costs_the_table_twice(watched: Watched) -> None:
    puts = [{"Put": {"TableName": watched.table, "Item": item(name, list_key="t")}} for name in ("e", "f")]
    watched.client.transact_write_items(TransactItems=puts)
    assert watched.charged() == {"table e": 2, "table f": 2, "by_status t": 2}


def test_statements_are_charged_with_the_indexes_that_the_emulator_leaves_out(watched: Watched, row: str) -> None:
    statement = f'UPDATE "{watched.table}" SET list_key = ? WHERE pk = ?'  # noqa: S608
    parameters = [{"S": "b"}, {"S": row}]
    watched.client.batch_execute_statement(Statements=[{"Statement": statement, "Parameters": parameters}])
    assert watched.charged() == {f"table {row}": 1, "by_status a": 1, "by_status b": 1}


def test_reads_are_charged_to_what_was_asked_for(watched: Watched, row: str) -> None:
    watched.client.get_item(TableName=watched.table, Key=item(row), ConsistentRead=True)
    assert watched.charged() == {f"table {row} (reads)": 1}
    watched.client.query(
        TableName=watched.table, IndexName="by_status", KeyConditionExpression="#k = :k AND pk < :p",
        ExpressionAttributeNames={"#k": "list_key"}, ExpressionAttributeValues={":k": {"S": "a"}, ":p": {"S": "z"}},
    )  # fmt: skip
    assert watched.charged() == {"by_status a (reads)": 0.5}


def test_a_refused_write_is_charged_to_nobody(watched: Watched, row: str) -> None:
    with pytest.raises(watched.client.exceptions.ConditionalCheckFailedException):
        watched.client.put_item(
            TableName=watched.table, Item=item(row), ConditionExpression="attribute_not_exists(pk)"
        )  # fmt: skip
    assert watched.charged() == {}


def test_calls_that_are_under_way_together_are_seen(watched: Watched) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(**_: Any) -> None:
        meeting.wait()

    watched.client.meta.events.register("before-send.dynamodb", meet)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(watched.put, ("one", "two")))
    watched.client.meta.events.unregister("before-send.dynamodb", meet)
    assert watched.meter.take().at_once == 2
    watched.put("three")
    assert watched.meter.take().at_once == 1
