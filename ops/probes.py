"""The probes of the doctor: each asks one thing of an endpoint, and says in a few words what it saw."""

import io
import json
import secrets
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

RACERS = 50
HANDLER = b"""
def handler(event, context):
    bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in bad]}
"""


class Broken(Exception):
    """The endpoint does not keep it; the message says what it did instead."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table, a queue with dead letters and a bucket that exist for the probes alone."""

    name: str
    table: Any
    queue: Any
    bucket: Any
    function: Any
    url: str
    dead_url: str

    def arn(self, url: str) -> str:
        return str(self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


@contextmanager
def place(endpoint: str) -> Iterator[Place]:
    name = f"doctor-{secrets.token_hex(4)}"
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    table, queue, bucket, function = (
        session.client(service, endpoint_url=endpoint) for service in ("dynamodb", "sqs", "s3", "lambda")
    )
    table.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip
    url, dead = (queue.create_queue(QueueName=f"{name}{end}")["QueueUrl"] for end in ("", "-dead"))
    bucket.create_bucket(Bucket=name)
    made = Place(name, table, queue, bucket, function, url, dead)
    policy = {"deadLetterTargetArn": made.arn(dead), "maxReceiveCount": 2}
    queue.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    try:
        yield made
    finally:
        _remove(made)


def one_winner(where: Place) -> str:
    def put(number: int) -> bool:
        item = {"pk": {"S": "race"}, "by": {"N": str(number)}}
        return _holds(lambda: where.table.put_item(
            TableName=where.name, Item=item, ConditionExpression="attribute_not_exists(pk)"
        ))  # fmt: skip

    return _winners(put)


def one_claim(where: Place) -> str:
    where.table.put_item(TableName=where.name, Item={"pk": {"S": "claim"}, "attempts": {"N": "0"}})

    def claim(_: int) -> bool:
        return _holds(lambda: where.table.update_item(
            TableName=where.name, Key={"pk": {"S": "claim"}}, UpdateExpression="SET attempts = attempts + :one",
            ConditionExpression="attempts < :one", ExpressionAttributeValues={":one": {"N": "1"}},
        ))  # fmt: skip

    return _winners(claim)


def refusal_shows_the_row(where: Place) -> str:
    where.table.put_item(TableName=where.name, Item={"pk": {"S": "old"}, "value": {"S": "seen"}})
    try:
        where.table.update_item(
            TableName=where.name, Key={"pk": {"S": "old"}}, UpdateExpression="SET other = :v",
            ConditionExpression="attribute_not_exists(pk)", ExpressionAttributeValues={":v": {"S": "x"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )  # fmt: skip
    except ClientError as error:
        return _expect(error.response.get("Item", {}).get("value") == {"S": "seen"}, "the refusal holds no row")
    raise Broken("the condition was not checked")


def transaction_gives_reasons(where: Place) -> str:
    where.table.put_item(TableName=where.name, Item={"pk": {"S": "taken"}})
    puts = [
        {"Put": {"TableName": where.name, "Item": {"pk": {"S": pk}}, "ConditionExpression": "attribute_not_exists(pk)"}}
        for pk in ("fresh", "taken")
    ]
    try:
        where.table.transact_write_items(TransactItems=puts)
    except ClientError as error:
        codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        found = where.table.get_item(TableName=where.name, Key={"pk": {"S": "fresh"}}, ConsistentRead=True)
        _expect("Item" not in found, "half of the transaction was written")
        return _expect(codes == ["None", "ConditionalCheckFailed"], f"reasons were {codes}")
    raise Broken("the transaction went through")


def delay_to_the_second(where: Place) -> str:
    _drain(where)
    start = time.monotonic()
    where.queue.send_message(QueueUrl=where.url, MessageBody="later", DelaySeconds=3)
    found = _receive(where, 6)
    seconds = time.monotonic() - start
    _expect(bool(found), "the message never came")
    return _expect(2.9 <= seconds < 4, f"due in 3 s, came after {seconds:.1f} s", f"3 s were {seconds:.2f} s")


def visibility(where: Place) -> str:
    _drain(where)
    where.queue.send_message(QueueUrl=where.url, MessageBody="hidden")
    first = _receive(where, 2, hide=2)
    _expect(bool(first), "the message never came")
    _expect(not _receive(where, 1, hide=2), "a received message was received again at once")
    return _expect(bool(_receive(where, 4)), "it never came back")


def dead_letters(where: Place) -> str:
    _drain(where)
    where.queue.send_message(QueueUrl=where.url, MessageBody="poison")
    for _ in range(2):
        _expect(bool(_receive(where, 3, hide=0, keep=True)), "the message did not come back")
    _receive(where, 2, hide=0, keep=True)
    found = where.queue.receive_message(QueueUrl=where.dead_url, WaitTimeSeconds=3).get("Messages", [])
    return _expect([one["Body"] for one in found] == ["poison"], "it is not among the dead letters")


def presigned(where: Place) -> str:
    params = {"Bucket": where.name, "Key": "numbers"}
    put = where.bucket.generate_presigned_url("put_object", Params=params | {"ContentType": "application/json"})
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(put, b"[1]", headers, method="PUT"), timeout=10):
        pass
    with urllib.request.urlopen(where.bucket.generate_presigned_url("get_object", Params=params), timeout=10) as got:
        return _expect(got.read() == b"[1]", "what came back is not what was sent")


def ttl_accepted(where: Place) -> str:
    wanted = {"Enabled": True, "AttributeName": "expires_at"}
    where.table.update_time_to_live(TableName=where.name, TimeToLiveSpecification=wanted)
    found = where.table.describe_time_to_live(TableName=where.name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    return _expect(found in ("ENABLED", "ENABLING"), f"the status is {found}", "accepted; when rows go is not probed")


def consumed_capacity(where: Place) -> str:
    answer = where.table.put_item(
        TableName=where.name, Item={"pk": {"S": "units"}, "data": {"B": b"x" * 2500}}, ReturnConsumedCapacity="TOTAL"
    )
    units = answer.get("ConsumedCapacity", {}).get("CapacityUnits")
    return _expect(units == 3, f"2.5 KB were {units} units", "2.5 KB are 3 units")


def partial_batches(where: Place) -> str:
    _drain(where)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    where.function.create_function(
        FunctionName=where.name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/doctor",
        Handler="index.handler", Code={"ZipFile": code.getvalue()}, Timeout=1,
    )  # fmt: skip
    where.queue.set_queue_attributes(QueueUrl=where.url, Attributes={"VisibilityTimeout": "1"})
    mapping = where.function.create_event_source_mapping(
        EventSourceArn=where.arn(where.url), FunctionName=where.name, BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )  # fmt: skip
    entries = [{"Id": body, "MessageBody": body} for body in ("good", "bad")]
    where.queue.send_message_batch(QueueUrl=where.url, Entries=entries)
    found = _dead(where, 20)
    where.function.delete_event_source_mapping(UUID=mapping["UUID"])
    return _expect(found == ["bad"], f"dead letters after two deliveries: {found}")


ALL: Mapping[str, Callable[[Place], str]] = {
    f"{RACERS} racing conditional puts have one winner": one_winner,
    f"{RACERS} racing claims have one winner": one_claim,
    "a refused condition shows the row": refusal_shows_the_row,
    "a canceled transaction gives reasons and writes nothing": transaction_gives_reasons,
    "SQS delays to the second": delay_to_the_second,
    "a received message is hidden, then comes back": visibility,
    "dead letters": dead_letters,
    "presigned PUT and GET": presigned,
    "TTL": ttl_accepted,
    "consumed capacity": consumed_capacity,
    "Lambda, event source mapping, partial batches": partial_batches,
}
NEEDED = frozenset(list(ALL)[:8])
"""What the development stack and the contract tests cannot do without."""


def _winners(race: Callable[[int], bool]) -> str:
    with ThreadPoolExecutor(RACERS) as pool:
        won = sum(pool.map(race, range(RACERS)))
    return _expect(won == 1, f"{won} winners")


def _holds(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _expect(kept: bool, otherwise: str, note: str = "") -> str:
    if not kept:
        raise Broken(otherwise)
    return note


def _receive(where: Place, wait: int, *, hide: int = 30, keep: bool = False) -> list[Any]:
    found = where.queue.receive_message(QueueUrl=where.url, WaitTimeSeconds=wait, VisibilityTimeout=hide)
    messages = list(found.get("Messages", []))
    if not keep and hide > 2:
        for message in messages:
            where.queue.delete_message(QueueUrl=where.url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def _dead(where: Place, seconds: float) -> list[str]:
    """Bodies among the dead letters, as soon as there are any."""
    give_up, found = time.monotonic() + seconds, list[str]()
    while not found and time.monotonic() < give_up:
        answer = where.queue.receive_message(QueueUrl=where.dead_url, WaitTimeSeconds=2)
        found = [message["Body"] for message in answer.get("Messages", [])]
    return found


def _drain(where: Place) -> None:
    for url in (where.url, where.dead_url):
        while found := where.queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                where.queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _remove(where: Place) -> None:
    """As far as it goes: the probes may have left anything."""
    gone: list[Callable[[], Any]] = [
        lambda: where.function.delete_function(FunctionName=where.name),
        lambda: where.table.delete_table(TableName=where.name),
        lambda: where.queue.delete_queue(QueueUrl=where.url),
        lambda: where.queue.delete_queue(QueueUrl=where.dead_url),
        lambda: where.bucket.delete_object(Bucket=where.name, Key="numbers"),
        lambda: where.bucket.delete_bucket(Bucket=where.name),
    ]
    for call in gone:
        with suppress(Exception):
            call()
