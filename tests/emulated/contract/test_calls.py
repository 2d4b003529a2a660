"""How often a request is sent that gets no good answer: again where that is safe, and only there."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.aws.dynamodb import DynamoJobs
from chalicelib.config import Settings
from chalicelib.core.change import move_wake
from chalicelib.core.filters import Filter
from chalicelib.core.job import Status
from chalicelib.core.records import KeyRecord, Schedule, ScheduleMove, Tally
from chalicelib.core.shards import Shards
from chalicelib.errors import Unavailable
from chalicelib.ports import ChangeRefused, Ports
from tests.support import emulators
from tests.support.emulators import ACCESS
from tests.support.fakes import START
from tests.support.rows import row


@pytest.fixture(autouse=True)
def access(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)


@contextmanager
def answering_table(
    status: int = 500, body: bytes = b"", answer: Callable[[str], tuple[int, bytes]] | None = None
) -> Iterator[tuple[str, Counter[str]]]:
    """Its address, and how often each operation was asked for. `answer`: status and body by operation."""
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            asked[operation] += 1
            code, text = answer(operation) if answer else (status, body)
            asked.update({"Connection: close": 1} if self.headers["Connection"] == "close" else {})
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def error_of(code: str, **more: Any) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}).encode()


class LeavesOut:
    """A client whose batch writes leave out the last row, which another writes meanwhile if `rival` says so."""

    def __init__(self, client: Any, rival: Callable[[], object]) -> None:
        self.client, self.rival = client, rival

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        [(table, puts)] = RequestItems.items()
        self.client.batch_write_item(RequestItems={table: puts[:-1]})
        self.rival()
        return {"UnprocessedItems": {table: puts[-1:]}}


def test_what_a_batch_write_leaves_out_is_written_on_condition() -> None:
    with emulators.moto("calls") as stage:
        first, second, third = row(), row(), row()
        jobs = DynamoJobs(stage.table, LeavesOut(stage.table, lambda: None), stage.table, stage.table_name, Shards())
        jobs.insert_many([first, second])
        assert jobs.get_many([first.id, second.id]) == [first, second]

        def rival() -> None:
            stage.jobs().insert(third)
            stage.jobs().claim(third.id, START, "rival")

        jobs = DynamoJobs(stage.table, LeavesOut(stage.table, rival), stage.table, stage.table_name, Shards())
        jobs.insert_many([row(), third])
        stored = jobs.get(third.id)
        assert stored is not None
        assert stored.claim_token == "rival"


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_changes_that_are_refused_as_a_batch_are_sent_one_by_one_from_then_on(code: str) -> None:
    """A table that takes no statements, or a policy that does not allow them, costs time and no job."""
    changes = [move_wake(row(), START, START + 1_000) for _ in range(30)]

    def answer(operation: str) -> tuple[int, bytes]:
        return (400, error_of(code)) if operation == "BatchExecuteStatement" else (200, b"{}")

    with answering_table(answer=answer) as (address, asked):
        jobs = wiring.ports(Settings(endpoint=address, batch_updates=True)).jobs
        assert jobs.apply_many(changes) == [None] * 30
    assert asked == Counter(BatchExecuteStatement=1, UpdateItem=30)


def test_a_batch_that_is_not_taken_now_is_not_sent_one_by_one() -> None:
    """That would ask the more of a table which cannot keep up."""
    with answering_table(400, error_of("ProvisionedThroughputExceededException")) as (address, asked):
        jobs = wiring.ports(Settings(endpoint=address, batch_updates=True)).jobs
        [answer] = jobs.apply_many([move_wake(row(), START, START + 1_000)])
    assert isinstance(answer, Unavailable)
    assert set(asked) == {"BatchExecuteStatement"}


def test_members_of_a_batch_are_judged_by_what_is_said_of_each() -> None:
    """Written; refused; not now; and a statement that the table does not read, which goes as an update."""
    changes = [move_wake(row(), START, START + 1_000) for _ in range(4)]
    codes = ["ConditionalCheckFailed", "ThrottlingError", "ValidationError"]
    members = [{"TableName": "t"}, *({"Error": {"Code": code, "Message": ""}} for code in codes)]

    def answer(operation: str) -> tuple[int, bytes]:
        return 200, json.dumps({"Responses": members} if operation == "BatchExecuteStatement" else {}).encode()

    with answering_table(answer=answer) as (address, asked):
        answers = wiring.ports(Settings(endpoint=address, batch_updates=True)).jobs.apply_many(changes)
    assert [type(each) for each in answers] == [type(None), ChangeRefused, Unavailable, type(None)]
    assert asked == Counter(BatchExecuteStatement=1, UpdateItem=1)


def test_a_batch_whose_answer_is_lost_leaves_the_batches_beside_it_alone() -> None:
    changes = [move_wake(row(), START, START + 1_000) for _ in range(26)]
    told = itertools.count()

    def answer(operation: str) -> tuple[int, bytes]:
        return (200, json.dumps({"Responses": [{}] * 25}).encode()) if next(told) == 0 else (500, b"")

    with answering_table(answer=answer) as (address, _):
        answers = wiring.ports(Settings(endpoint=address, batch_updates=True)).jobs.apply_many(changes)
    assert answers[:25] == [None] * 25
    assert isinstance(answers[25], Unavailable)


def test_a_connection_that_has_died_meanwhile_costs_a_batch_write_nothing() -> None:
    with answering_table(200, b"{}") as (address, asked):
        jobs = wiring.ports(Settings(endpoint=address)).jobs
        jobs.insert_many([row()])
        jobs.insert_many([row()])
    assert asked == Counter({"BatchWriteItem": 2, "Connection: close": 2})


def test_a_write_without_a_condition_is_sent_once() -> None:
    """Sent again when a worker has claimed its rows, a batch write would set them back; a tally would count twice."""
    with answering_table() as (address, asked):
        ports = wiring.ports(Settings(endpoint=address))
        with pytest.raises(Unavailable):
            ports.jobs.insert_many([row(), row()])
        with pytest.raises(Unavailable):
            ports.jobs.insert(row())
        with pytest.raises(Unavailable):
            ports.jobs.get(row().id)
        with pytest.raises(Unavailable):
            ports.records.add_tally("alice", START, Tally(Counter(completed=1)), START // 1000)
    once = {"BatchWriteItem": 1, "UpdateItem": 1, "Connection: close": 2}
    assert asked == Counter({**once, "PutItem": 3, "GetItem": 3})


def plan_schedule() -> Schedule:
    return Schedule("s-1", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)


WRITES: Mapping[str, Callable[[Ports], object]] = {
    "insert": lambda ports: ports.jobs.insert(row()),
    "apply": lambda ports: ports.jobs.apply(move_wake(row(), START, START + 1)),
    "slot": lambda ports: ports.jobs.insert_slot(row(), ScheduleMove(plan_schedule(), plan_schedule())),
    "key": lambda ports: ports.records.reserve_key(KeyRecord("alice", "key", "", "", START), START),
    "schedule": lambda ports: ports.records.add_schedule(plan_schedule()),
    "move": lambda ports: ports.records.move_schedule(ScheduleMove(plan_schedule(), plan_schedule())),
}
"""One of each kind of write on condition."""


@pytest.mark.parametrize("name", WRITES)
def test_what_is_no_refusal_of_the_condition_is_no_answer(name: str) -> None:
    with answering_table(400, error_of("AccessDeniedException")) as (address, _), pytest.raises(Unavailable):
        WRITES[name](wiring.ports(Settings(endpoint=address)))


@pytest.mark.parametrize(
    ("code", "reasons", "expected"),
    [
        ("TransactionCanceledException", ["None", "ConditionalCheckFailed"], ChangeRefused),
        ("TransactionCanceledException", ["TransactionConflict", "None"], ChangeRefused),
        ("TransactionCanceledException", ["None", "ValidationError"], Unavailable),
        ("TransactionConflictException", [], ChangeRefused),
    ],
)
def test_a_transaction_is_refused_for_its_conditions_and_rivals_alone(
    code: str, reasons: list[str], expected: type[Exception]
) -> None:
    body = error_of(code, CancellationReasons=[{"Code": reason} for reason in reasons])
    with answering_table(400, body) as (address, _), pytest.raises(expected):
        WRITES["slot"](wiring.ports(Settings(endpoint=address)))


def test_a_row_that_refuses_an_insert_and_is_not_told_is_not_taken_for_ours() -> None:
    with answering_table(400, error_of("ConditionalCheckFailedException")) as (address, _), pytest.raises(Unavailable):
        WRITES["insert"](wiring.ports(Settings(endpoint=address)))


@pytest.mark.parametrize("span", [("1" * 26, "1" * 26), ("2" * 26, "1" * 26)])
def test_a_span_of_no_time_is_not_asked_for(span: tuple[str, str]) -> None:
    """DynamoDB refuses a range that ends before it begins."""
    since, until = span
    with answering_table() as (address, asked):
        jobs = wiring.ports(Settings(endpoint=address)).jobs
        assert jobs.page(Filter("alice", since=since, until=until), None, 50, START) == []
    assert asked == Counter()


@pytest.mark.parametrize(
    ("statuses", "lists"),
    [
        ([Status.RUNNING], 1),  # a quick job stays among the pending ones while it runs
        ([Status.PENDING], 4),  # what has fallen due is among the scheduled ones still
        ([Status.PENDING, Status.SCHEDULED], 4),
    ],
)
def test_no_list_is_read_twice_or_in_vain(statuses: Sequence[Status], lists: int) -> None:
    with answering_table(200, b'{"Items": []}') as (address, asked):
        jobs = wiring.ports(Settings(endpoint=address, list_shards=2)).jobs
        assert jobs.page(Filter("alice", statuses=frozenset(statuses)), None, 50, START) == []
    assert asked == Counter(Query=2 * lists)
