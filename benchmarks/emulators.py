"""Measures both emulators as a development stack uses them: `python -m benchmarks.emulators`, about a minute."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from dev import emulator, resources
from dev.client import fetch

JOBS = 1000
BODY = 20_000_000
TABLE, QUEUE, BUCKET = "sortie-local", "sortie-local-jobs", "sortie-local-payloads"


class Clients:
    def __init__(self, endpoint: str) -> None:
        session = boto3.session.Session("test", "test", region_name="us-east-1")
        self.table: Any = session.client("dynamodb", endpoint_url=endpoint)
        self.queue: Any = session.client("sqs", endpoint_url=endpoint)
        self.bucket: Any = session.client("s3", endpoint_url=endpoint)
        self.url: str = ""

    def find_queue(self) -> None:
        self.url = self.queue.get_queue_url(QueueName=QUEUE)["QueueUrl"]


def main() -> None:
    rows: dict[str, dict[str, str]] = {}
    for name in ("moto", "ministack"):
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = measure(name, Path(folder))
    print(f"| {'':44} | {'moto server':>24} | {'MiniStack':>24} |")
    for label, moto in rows["moto"].items():
        print(f"| {label:44} | {moto:>24} | {rows['ministack'][label]:>24} |")


def measure(name: str, folder: Path) -> dict[str, str]:
    with running(name, folder) as (clients, start):
        figures = {"start to first answer, s": f"{start:.2f}"}
        figures |= calls(clients)
        figures["20 MB presigned PUT / GET, s"] = presigned(clients)
        figures["CORS preflight for that PUT"] = preflight(clients)
        figures["winners of 50 conditional puts"] = str(winners(clients))
        figures["message due in 3.0 s came after, s"] = delay(clients)
        clients.queue.send_message(QueueUrl=clients.url, MessageBody="kept")
    with running(name, folder) as (clients, start):
        figures["start with 1,000 rows to load, s"] = f"{start:.2f}"
        figures["row, message, object kept over a restart"] = kept(clients)
    return figures


@contextmanager
def running(name: str, folder: Path) -> Iterator[tuple[Clients, float]]:
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    begun = time.perf_counter()
    with emulator.running(name, folder) as endpoint:
        seconds = time.perf_counter() - begun
        resources.create("local", endpoint)
        clients = Clients(endpoint)
        clients.find_queue()
        yield clients, seconds


def calls(clients: Clients) -> dict[str, str]:
    put(clients, "warm")
    figures = {
        "GetItem, ms": median(200, lambda n: clients.table.get_item(TableName=TABLE, Key=key("warm"))),
        "conditional UpdateItem, ms": median(200, lambda n: update(clients, "warm", "running")),
        "SendMessage, empty queue, ms": median(20, lambda n: send(clients, f"job{n}")),
    }
    for n in range(20, JOBS):
        send(clients, f"job{n}")
    figures["SendMessage, 1,000 waiting, ms"] = median(20, lambda n: send(clients, f"job{JOBS + n}"))
    figures["jobs per second, 1,000 waiting"] = drain(clients)
    return figures


def drain(clients: Clients) -> str:
    """What a worker asks of AWS: receive ten, claim and end each, delete ten."""
    begun, done = time.perf_counter(), 0
    while messages := receive(clients, 0):
        for message in messages:
            update(clients, message["Body"], "running")
            update(clients, message["Body"], "completed")
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        clients.queue.delete_message_batch(QueueUrl=clients.url, Entries=entries)
        done += len(messages)
    return f"{done / (time.perf_counter() - begun):.0f}"


def presigned(clients: Clients) -> str:
    data = b"7" * BODY
    put_url = clients.bucket.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "large"}, 600)
    get_url = clients.bucket.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "large"}, 600)
    begun = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    assert fetch("PUT", put_url, data, headers).status == 200
    middle = time.perf_counter()
    assert fetch("GET", get_url).raw == data
    return f"{middle - begun:.2f} / {time.perf_counter() - middle:.2f}"


def preflight(clients: Clients) -> str:
    url = clients.bucket.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "large"}, 600)
    headers = {
        "Origin": "http://127.0.0.1:8000",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,x-amz-checksum-sha256",
    }
    answer = fetch("OPTIONS", url, headers=headers)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    return f"{answer.status}, {allowed}, {answer.headers.get('Access-Control-Allow-Headers', 'none'):.12}"


def winners(clients: Clients) -> int:
    def attempt(_: int) -> bool:
        try:
            put(clients, "contested", ConditionExpression="attribute_not_exists(pk)")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        return sum(pool.map(attempt, range(50)))


def delay(clients: Clients) -> str:
    begun = time.perf_counter()
    clients.queue.send_message(QueueUrl=clients.url, MessageBody="later", DelaySeconds=3)
    while not (messages := receive(clients, 10)):
        pass
    clients.queue.delete_message(QueueUrl=clients.url, ReceiptHandle=messages[0]["ReceiptHandle"])
    return f"{time.perf_counter() - begun:.2f}"


def kept(clients: Clients) -> str:
    row = "Item" in clients.table.get_item(TableName=TABLE, Key=key("warm"))
    message = [each["Body"] for each in receive(clients, 1)] == ["kept"]
    objects = clients.bucket.list_objects_v2(Bucket=BUCKET).get("KeyCount", 0) == 1
    return ", ".join("yes" if each else "no" for each in (row, message, objects))


def median(times: int, call: Callable[[int], object]) -> str:
    def once(n: int) -> float:
        begun = time.perf_counter()
        call(n)
        return time.perf_counter() - begun

    return f"{statistics.median(once(n) for n in range(times)) * 1000:.1f}"


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def put(clients: Clients, name: str, **more: Any) -> None:
    item = {**key(name), "state": {"S": "pending"}, "input": {"B": b"1" * 600}}
    clients.table.put_item(TableName=TABLE, Item=item, **more)


def send(clients: Clients, name: str) -> None:
    clients.queue.send_message(QueueUrl=clients.url, MessageBody=name)


def update(clients: Clients, name: str, status: str) -> None:
    clients.table.update_item(
        TableName=TABLE,
        Key=key(name),
        UpdateExpression="SET #s = :s",
        ConditionExpression="attribute_not_exists(#s) OR #s <> :gone",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": {"S": status}, ":gone": {"S": "gone"}},
    )


def receive(clients: Clients, seconds: int) -> list[Any]:
    answer = clients.queue.receive_message(QueueUrl=clients.url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds)
    messages: list[Any] = answer.get("Messages", [])
    return messages


if __name__ == "__main__":
    main()
