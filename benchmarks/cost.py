"""`make cost`: what a million small sort jobs cost, by service, and what the design one would write first costs.

It runs 1,000 jobs of 10 numbers (NUMBERS=1000 makes them longer) through the real use cases against MiniStack, whose
count of DynamoDB's units is right, and counts calls and units: ten an invocation in the quick lane, one in the long
lane, where the input does not fit the row. A function's time is the processor's, of the best round of ten, and what its
calls wait on AWS (WAITS_MS, assumed), where no other call goes on beside them. Prices: prices.json.
"""

import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import naive
from benchmarks.counting import Counter
from chalicelib import config, wiring
from chalicelib.api.body import RequestContext
from chalicelib.api.jobs import parse_job
from chalicelib.aws import dynamodb, records, s3, sqs
from chalicelib.core.lane import Lane, lane_of
from chalicelib.core.shards import Shards
from chalicelib.ports import Ports
from chalicelib.service import quick, read, submit, work
from dev import command, emulator, resources
from dev.settings import number
from ops.account import Account

JOBS, ROUNDS = 1_000, 10
POLLS_A_MONTH = 5 * 3600 * 24 * 30 / 20
"""Five pollers with long polls of 20 s stand at an idle queue."""
API_GB, AUTHORIZER_MS = 1769 / 1024, 5.0
BATCHES = {Lane.QUICK: 10, Lane.LONG: 1}
WORK_GB = {Lane.QUICK: 1769 / 1024, Lane.LONG: 3008 / 1024}
OVERHEAD_MS = 3.0
WAITS_MS = {"dynamodb": 4.0, "sqs": 6.0, "s3": 20.0}
S3_CALLS = {"PutObject": "s3_put_thousand", "GetObject": "s3_get_thousand"}
MOVE_BYTES, INVOCATION_BYTES = 250, 220
"""What a move of a job, and an invocation, adds to the log."""
MOVES = {Lane.QUICK: 2, Lane.LONG: 3}


@dataclass(frozen=True, slots=True)
class Measured:
    """For one job, the client's own look at its result not counted. `batch`: jobs an invocation of the worker, which
    has `work_gb` gigabytes; `lines`: moves of it that are logged."""

    writes: float
    reads: float
    calls: dict[str, float]
    sqs: float
    api_ms: float
    work_ms: float
    batch: int
    work_gb: float
    lines: int


def sortie(account: Account, numbers: int, jobs: int = JOBS) -> Measured:
    settings = replace(config.load({"SORTIE_STAGE": "local"}), endpoint=account.endpoint)
    resources.create("local", account.endpoint)
    counter = Counter()
    ports = _ports(account, settings, counter)
    counter.reset()
    rounds = [_round(ports, settings, counter, numbers, jobs // ROUNDS) for _ in range(ROUNDS)]
    lane = rounds[0][0]
    calls = {name: count / jobs for name, count in counter.calls.items()}
    writes, reads = counter.units["write"] / jobs, counter.units["read"] / jobs
    # Each batch is received and deleted once; the queue is asked for its address once a process.
    batch = BATCHES[lane]
    queue = sum(count for name, count in calls.items() if name.startswith("sqs.")) + 2 / batch
    api_ms, work_ms = min(api for _, api, _ in rounds), min(worker for _, _, worker in rounds)
    return Measured(
        writes,
        reads,
        calls,
        queue,
        api_ms + OVERHEAD_MS,
        work_ms + OVERHEAD_MS / batch,
        batch,
        WORK_GB[lane],
        MOVES[lane],
    )


def _round(
    ports: Ports, settings: config.Settings, counter: Counter, numbers: int, jobs: int
) -> tuple[Lane, float, float]:
    """The lane of these jobs, and milliseconds a job to submit and to work on it."""
    jitter, rows, before = random.Random(1), [], counter.calls.copy()
    start = time.process_time()
    for _ in range(jobs):
        body = json.dumps({"array": [jitter.randint(-(10**9), 10**9) for _ in range(numbers)]}).encode()
        context = RequestContext(ports.tasks, settings, ports.clock.now(), "team-a", "cost")
        rows.append(submit.submit(ports, parse_job(body, context), key=None, body=body).job)
    submitted, between = time.process_time(), counter.calls.copy()
    lane = lane_of(rows[0])
    function = quick.work_quick if lane is Lane.QUICK else work.work
    for first in range(0, jobs, BATCHES[lane]):
        messages = [work.Message(row.id, row.id, row.id) for row in rows[first : first + BATCHES[lane]]]
        assert not function(ports, messages, lambda: 60.0)
    worked, worker_calls = time.process_time(), counter.calls - between
    if lane is Lane.QUICK:  # the writes of a batch go on side by side, and its tally after them
        worker_calls["dynamodb.UpdateItem"] = 2 * jobs // BATCHES[lane]
    api_ms, work_ms = (
        (submitted - start) * 1000 + waits(between - before),
        (worked - submitted) * 1000 + waits(worker_calls),
    )
    assert read.get_job(ports, "team-a", rows[-1].id).status == "completed"
    return lane, api_ms / jobs, work_ms / jobs


def waits(calls: Mapping[str, int]) -> float:
    """Milliseconds that these calls wait on AWS, one after the other."""
    return sum(count * WAITS_MS[name.partition(".")[0]] for name, count in calls.items())


def first_draft(account: Account, numbers: int, jobs: int = JOBS) -> Measured:
    counter = Counter()
    millis = naive.run(account, counter, jobs, numbers, ROUNDS) + waits(counter.calls) / jobs
    calls = {name: count / jobs for name, count in counter.calls.items()}
    queue = sum(count for name, count in calls.items() if name.startswith("sqs."))
    writes, reads = counter.units["write"] / jobs, counter.units["read"] / jobs
    return Measured(
        writes, reads, calls, queue, millis / 2 + OVERHEAD_MS, millis / 2 + OVERHEAD_MS, 1, WORK_GB[Lane.LONG], 3
    )


def dollars(measured: Measured, prices: dict[str, float]) -> dict[str, float]:
    """For a million jobs, each with one request to submit it."""
    seconds = (measured.api_ms * API_GB + AUTHORIZER_MS * API_GB + measured.work_ms * measured.work_gb) * 1000
    # The authorizer's answer is remembered for a minute, so it is called far less often; half is on the safe side.
    calls = 1 + 0.5 + 1 / measured.batch
    log_bytes = measured.lines * MOVE_BYTES + (1 + 1 / measured.batch) * INVOCATION_BYTES
    return {
        "API Gateway": prices["apigateway_request_million"],
        "Lambda": calls * prices["lambda_request_million"] + seconds * prices["lambda_gb_second"],
        "DynamoDB": measured.writes * prices["dynamodb_write_million"]
        + measured.reads * prices["dynamodb_read_million"],
        "SQS": measured.sqs * prices["sqs_request_million"],
        "S3": 1000 * sum(measured.calls.get(f"s3.{call}", 0) * prices[price] for call, price in S3_CALLS.items()),
        "CloudWatch Logs": log_bytes / 1000 * prices["logs_gb"],
    }


def alone(prices: dict[str, float]) -> dict[str, float]:
    """What a million jobs of the long lane cost more because each has an invocation to itself, in place of a tenth."""
    share = 1 - 1 / BATCHES[Lane.QUICK]
    return {
        "invocations": share * prices["lambda_request_million"],
        "start of each": share * OVERHEAD_MS * 1000 * WORK_GB[Lane.LONG] * prices["lambda_gb_second"],
        "receive and delete": share * 2 * prices["sqs_request_million"],
        "tally": share * prices["dynamodb_write_million"],
    }


def idle(prices: dict[str, float]) -> dict[str, float]:
    """For a month in which nobody asks for anything: the dispatcher looks once a minute, the queue is polled."""
    minutes = 60 * 24 * 30
    looks = minutes * (prices["lambda_request_million"] / 1e6 + 0.05 * API_GB * prices["lambda_gb_second"])
    queries = minutes * (Shards().wake + 1)
    return {
        "dispatcher": looks + queries * 0.5 * prices["dynamodb_read_million"] / 1e6,
        "queue polls": POLLS_A_MONTH * prices["sqs_request_million"] / 1e6,
        "14 alarms": 14 * prices["alarm_month"],
        "dashboard": prices["dashboard_month"],
    }


def container(seconds: float, cpu: float, gigabytes: float, prices: dict[str, float]) -> float:
    """One container job: Fargate bills a minute at least, and its public address by the second."""
    billed = max(60.0, seconds)
    fargate = cpu * prices["fargate_vcpu_second"] + gigabytes * prices["fargate_gb_second"]
    return billed * (fargate + prices["ipv4_hour"] / 3600)


def container_lines(prices: dict[str, float]) -> list[str]:
    lines = [f"Dollars for a container job{'':<11}{'60 s':>10}{'10 min':>10}{'1 h':>10}"]
    for cpu, gigabytes in ((0.25, 0.5), (1.0, 2.0)):
        costs = [container(seconds, cpu, gigabytes, prices) for seconds in (60, 600, 3600)]
        lines.append(f"  {f'{cpu:g} vCPU, {gigabytes:g} GB':<36}" + "".join(f"{cost:>10.5f}" for cost in costs))
    same = [seconds * 0.5 * prices["lambda_gb_second"] for seconds in (60, 600)]
    return [*lines, f"  {'Lambda of 0.5 GB':<36}" + "".join(f"{cost:>10.5f}" for cost in same) + f"{'-':>10}"]


def report(numbers: int, ours: Measured, first: Measured, prices: dict[str, float]) -> str:
    lines = [f"A job of {numbers} numbers{'':<18}{'Sortie':>10}{'naive':>10}"]
    rows = {
        "write units": (ours.writes, first.writes),
        "read units": (ours.reads, first.reads),
        "calls in all": (sum(ours.calls.values()) + 2 / ours.batch, sum(first.calls.values())),
        "SQS requests": (ours.sqs, first.sqs),
        "API function, ms": (ours.api_ms, first.api_ms),
        "worker, ms": (ours.work_ms, first.work_ms),
    }
    lines += [f"  {name:<36}{a:>10.2f}{b:>10.2f}" for name, (a, b) in rows.items()]
    mine, theirs = dollars(ours, prices), dollars(first, prices)
    lines.append("Dollars for a million jobs")
    lines += [f"  {name:<36}{mine[name]:>10.2f}{theirs[name]:>10.2f}" for name in mine]
    lines.append(f"  {'sum':<36}{sum(mine.values()):>10.2f}{sum(theirs.values()):>10.2f}")
    lines.append("Dollars more for a million jobs of the long lane, one an invocation")
    lines += [f"  {name:<36}{price:>10.2f}" for name, price in alone(prices).items()]
    lines.append(f"  {'sum':<36}{sum(alone(prices).values()):>10.2f}")
    lines.append("Dollars for an idle month")
    lines += [f"  {name:<36}{price:>10.2f}" for name, price in idle(prices).items()]
    lines += container_lines(prices)
    return "\n".join([*lines, f"Prices of {prices['date']}, {prices['region']}, without free tiers."])


def _ports(account: Account, settings: config.Settings, counter: Counter) -> Ports:
    table, queue, store = (counter.watch(account.client(name)) for name in ("dynamodb", "sqs", "s3"))
    return replace(
        wiring.ports(settings),
        jobs=dynamodb.DynamoJobs(table, table, table, settings.table, wiring.shards(settings)),
        records=records.DynamoRecords(table, table, settings.table, wiring.shards(settings)),
        queue=sqs.SqsQueue(queue, wiring.lanes(settings), settings.dead_queue),
        payloads=s3.S3Payloads(store, settings.bucket, settings.link_seconds),
    )


def main() -> None:
    numbers = int(number(os.environ, "NUMBERS", 10, 1, 10_000))
    prices = json.loads((Path(__file__).parent / "prices.json").read_text())
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with emulator.running() as endpoint:
        account = Account(endpoint)
        print(report(numbers, sortie(account, numbers), first_draft(account, numbers), prices))


if __name__ == "__main__":
    command.run(main)
