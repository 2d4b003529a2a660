"""How many due jobs a second one round of the dispatcher moves, where each call to AWS takes 5 ms.

python -m benchmarks.dispatcher [--profile]
"""

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from benchmarks.slow_aws import make_row
from chalicelib import config, wiring
from chalicelib.aws import expressions
from chalicelib.core.change import move_wake
from chalicelib.core.job import Job
from chalicelib.core.lane import Lane
from chalicelib.core.shards import Shards
from chalicelib.service.dispatch import dispatch

ROWS, CALL_MILLIS = 4_000, 5
BARE_ROWS, BARE_THREADS = 1_000, 16
BARE_UPDATES_A_SECOND = 1_026
"""Where it was first measured."""
ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Moved:
    """What a round did, as the stub saw it: how often each job was written, and sent. A busy second is one of the
    client's own on a processor, which other work on the machine does not lengthen."""

    jobs_a_second: float
    jobs_a_busy_second: float
    written: dict[str, int]
    sent: dict[str, int]
    calls: dict[str, int]


def measure(*, batches: bool, rows: int = ROWS) -> Moved:
    os.environ |= ACCESS
    with slow_aws(rows, Shards().wake) as endpoint:
        settings = replace(config.load({"SORTIE_STAGE": "local"}), endpoint=endpoint, batch_updates=batches)
        ports = wiring.ports(settings)
        next(ports.jobs.due(ports.clock.now(), 1)[0])  # making a client takes a third of a second, once
        ports.queue.depth(Lane.QUICK), ports.queue.depth(Lane.LONG)
        started, began = perf_counter(), process_time()
        dispatch(ports, lambda: 60.0)
        seconds, busy = perf_counter() - started, process_time() - began
        return Moved(rows / seconds, rows / busy, **_counts(endpoint))


def bare_updates_a_second() -> float:
    """Of sixteen threads of boto3 as it comes, one row a call: what this machine can do at this time."""
    os.environ |= ACCESS
    with slow_aws(BARE_ROWS, Shards().wake) as endpoint, ThreadPoolExecutor(BARE_THREADS) as pool:
        client = boto3.client("dynamodb", endpoint_url=endpoint, config=Config(max_pool_connections=BARE_THREADS))
        rows = [make_row(number, 0) for number in range(BARE_ROWS)]

        def update(job: Job) -> None:
            params = expressions.change(move_wake(job, 0, 1), Shards())
            client.update_item(TableName="t", Key={"pk": {"S": job.id}}, ReturnValues="ALL_NEW", **params)

        list(pool.map(update, rows[:BARE_THREADS]))
        started = perf_counter()
        list(pool.map(update, rows))
        return BARE_ROWS / (perf_counter() - started)


@contextmanager
def slow_aws(rows: int, shards: int) -> Iterator[str]:
    """The stub's address. It has a process, and where there are two a core, to itself."""
    argv = [sys.executable, "-m", "benchmarks.slow_aws", str(rows), str(shards), str(CALL_MILLIS)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdout
        assert stub.stdin
        try:
            yield f"http://127.0.0.1:{int(stub.stdout.readline())}"
        finally:
            stub.stdin.close()


def _counts(endpoint: str) -> dict[str, dict[str, int]]:
    with urlopen(Request(endpoint, data=b"{}", headers={"X-Amz-Target": "Stub.Count"})) as answer:
        counts: dict[str, dict[str, int]] = json.load(answer)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="say where the client's time goes")
    profile = cProfile.Profile()
    print(f"boto3 as it is  {bare_updates_a_second():>8,.0f} updates a second, {BARE_THREADS} threads")
    for batches in (False, True):
        if parser.parse_args().profile:
            profile.enable()
        moved = measure(batches=batches)
        profile.disable()
        way = "batches of 25" if batches else "single updates"
        print(
            f"{way:<16}{moved.jobs_a_second:>8,.0f} jobs a second, {moved.jobs_a_busy_second:,.0f} a second of the"
            f" client's processor, {sum(moved.calls.values()):,} calls"
        )
    if parser.parse_args().profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
