"""What one attempt writes to the log is bounded in lines and bytes, however it writes, and the service has its say."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib.core.task import Context
from chalicelib.service import log
from chalicelib.system.log import BoundedLogs
from chalicelib.tasks.log import LEAST_SECONDS
from tests.pure.test_work import Bench, Nothing

LINES, SIZE = 50, 4_000
logger = logging.getLogger("sortie.tasks.chatty")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the handler of the service's own logger writes, as `log_to_stdout` sets it up."""
    stream, own = io.StringIO(), logging.getLogger("sortie")
    handler, level = logging.StreamHandler(stream), own.level
    own.addHandler(handler)
    own.setLevel(logging.INFO)
    yield stream
    own.removeHandler(handler)
    own.setLevel(level)


def run(task: Callable[[Nothing, Context], object], logs: BoundedLogs | None = None) -> Bench:
    bench = Bench(task)
    bench.ports = replace(bench.ports, logs=logs or BoundedLogs(LINES, SIZE))
    bench.submit()
    bench.work()
    return bench


def chatty(say: Callable[[int], object], times: int) -> Callable[[Nothing, Context], object]:
    def task(task_input: Nothing, context: Context) -> Nothing:
        for number in range(times):
            say(number)
        return task_input

    return task


def cuts(text: str) -> list[int]:
    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [record["lines_dropped"] for record in records if record["event"] == "log_cut"]


def test_lines_beyond_the_bound_are_dropped_and_one_line_says_how_many(written: io.StringIO) -> None:
    run(chatty(lambda number: logger.info("line %d", number), LINES + 70))
    said = [line for line in written.getvalue().splitlines() if line.startswith("line ")]
    assert said == [f"line {number}" for number in range(LINES)]
    assert cuts(written.getvalue()) == [70]


def test_bytes_are_bounded_as_well_as_lines(written: io.StringIO) -> None:
    run(chatty(lambda number: logger.info("é" * 500), 20))
    assert written.getvalue().count("é") == 2_000
    assert cuts(written.getvalue()) == [16]
    run(chatty(lambda number: logger.info("x" * 1_000_000), 1))
    assert len(written.getvalue()) < 10_000


def test_a_traceback_counts_with_its_line(written: io.StringIO) -> None:
    def say(number: int) -> None:
        try:
            raise ValueError("y" * 300)
        except ValueError:
            logger.exception("it went wrong")

    run(chatty(say, 40))
    assert 3 < written.getvalue().count("Traceback") < 14
    assert len(cuts(written.getvalue())) == 1


def test_what_is_printed_counts_too_and_a_line_that_is_cut_ends(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.stdout, sys.stderr

    def say(number: int) -> None:
        print("out", number)  # noqa: T201
        print("err", number, file=sys.stderr)  # noqa: T201

    run(chatty(say, 100))
    out, err = capsys.readouterr()
    assert out.count("out") + err.count("err") == LINES
    assert all(not text or text.endswith("\n") for text in (out, err))
    assert cuts(written.getvalue()) == [200 - LINES]
    assert (sys.stdout, sys.stderr) == before


def test_an_attempt_within_the_bound_says_nothing_of_it_and_the_next_one_starts_anew(written: io.StringIO) -> None:
    for _ in range(3):
        run(chatty(lambda number: logger.info("line"), LINES))
    assert written.getvalue().count("line\n") == 3 * LINES
    assert cuts(written.getvalue()) == []


def test_the_service_is_heard_beside_a_task_that_says_too_much(written: io.StringIO) -> None:
    def say(number: int) -> None:
        logger.info("line")
        log.warning("heartbeat_failed")

    run(chatty(say, LINES + 5))
    assert written.getvalue().count("heartbeat_failed") == LINES + 5
    assert [json.loads(line)["event"] for line in written.getvalue().splitlines()[-2:]] == ["log_cut", "complete"]


def test_a_failed_attempt_is_cut_and_keeps_its_error(written: io.StringIO) -> None:
    def task(task_input: Nothing, context: Context) -> object:
        for _ in range(LINES + 1):
            logger.info("line")
        raise ValueError("at last")

    bench = run(task)
    (job,) = bench.table.jobs.values()
    assert job.error is not None
    assert job.error.message == "ValueError: at last"
    assert cuts(written.getvalue()) == [1]


def test_a_flood_costs_the_log_no_more_than_its_bound(written: io.StringIO) -> None:
    run(chatty(lambda number: logger.info("a line of a task that never stops"), 10_050), BoundedLogs())
    assert written.getvalue().count("never stops") == 10_000
    assert cuts(written.getvalue()) == [50]


def test_the_log_task_at_its_quickest_is_never_cut() -> None:
    longest = Bench().ports.settings.max_timeout
    with BoundedLogs().bounded() as quota:
        for number in range(int(longest / LEAST_SECONDS)):
            assert quota.admit(f'{{"task":"log","line":{number},"characters":1000}}', 1)
