"""The probes of the doctor: each asks one thing of an endpoint, and says in a few words what it saw."""

import io
import json
import secrets
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from dev.client import fetch

RACERS = 50
CONTAINER_SECONDS = 20.0
CONTAINERS = "ECS, containers in an engine"
HANDLER = b"""
def handler(event, context):
    bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in bad]}
"""


class Broken(Exception):
    """The endpoint does not keep it; the message says what it did instead."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A table, a queue with dead letters and a bucket that exist for the probes alone."""

    name: str
    table: Any
    queue: Any
    bucket: Any
    function: Any
    cluster: Any
    url: str
    dead_url: str

    def arn(self, url: str) -> str:
        return str(self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


@contextmanager
def prepare(endpoint: str) -> Iterator[Sandbox]:
    name = f"doctor-{secrets.token_hex(4)}"
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    table, queue, bucket, function, cluster = (
        session.client(service, endpoint_url=endpoint) for service in ("dynamodb", "sqs", "s3", "lambda", "ecs")
    )
    table.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip
    url, dead = (queue.create_queue(QueueName=f"{name}{end}")["QueueUrl"] for end in ("", "-dead"))
    bucket.create_bucket(Bucket=name)
    sandbox = Sandbox(name, table, queue, bucket, function, cluster, url, dead)
    policy = {"deadLetterTargetArn": sandbox.arn(dead), "maxReceiveCount": 2}
    queue.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    try:
        yield sandbox
    finally:
        _remove(sandbox)


def one_winner(sandbox: Sandbox) -> str:
    def put(number: int) -> bool:
        item = {"pk": {"S": "race"}, "by": {"N": str(number)}}
        return _holds(lambda: sandbox.table.put_item(
            TableName=sandbox.name, Item=item, ConditionExpression="attribute_not_exists(pk)"
        ))  # fmt: skip

    return _winners(put)


def one_claim(sandbox: Sandbox) -> str:
    sandbox.table.put_item(TableName=sandbox.name, Item={"pk": {"S": "claim"}, "attempts": {"N": "0"}})

    def claim(_: int) -> bool:
        return _holds(lambda: sandbox.table.update_item(
            TableName=sandbox.name, Key={"pk": {"S": "claim"}}, UpdateExpression="SET attempts = attempts + :one",
            ConditionExpression="attempts < :one", ExpressionAttributeValues={":one": {"N": "1"}},
        ))  # fmt: skip

    return _winners(claim)


def refusal_shows_the_row(sandbox: Sandbox) -> str:
    sandbox.table.put_item(TableName=sandbox.name, Item={"pk": {"S": "old"}, "value": {"S": "seen"}})
    try:
        sandbox.table.update_item(
            TableName=sandbox.name, Key={"pk": {"S": "old"}}, UpdateExpression="SET other = :v",
            ConditionExpression="attribute_not_exists(pk)", ExpressionAttributeValues={":v": {"S": "x"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )  # fmt: skip
    except ClientError as error:
        return _expect(error.response.get("Item", {}).get("value") == {"S": "seen"}, "the refusal holds no row")
    raise Broken("the condition was not checked")


def transaction_gives_reasons(sandbox: Sandbox) -> str:
    sandbox.table.put_item(TableName=sandbox.name, Item={"pk": {"S": "taken"}})
    puts = [
        {
            "Put": {
                "TableName": sandbox.name,
                "Item": {"pk": {"S": pk}},
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
        for pk in ("fresh", "taken")
    ]
    try:
        sandbox.table.transact_write_items(TransactItems=puts)
    except ClientError as error:
        codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        answer = sandbox.table.get_item(TableName=sandbox.name, Key={"pk": {"S": "fresh"}}, ConsistentRead=True)
        _expect("Item" not in answer, "half of the transaction was written")
        return _expect(codes == ["None", "ConditionalCheckFailed"], f"reasons were {codes}")
    raise Broken("the transaction went through")


def delay_to_the_second(sandbox: Sandbox) -> str:
    _drain(sandbox)
    start = time.monotonic()
    sandbox.queue.send_message(QueueUrl=sandbox.url, MessageBody="later", DelaySeconds=3)
    bodies = _receive(sandbox, 6)
    seconds = time.monotonic() - start
    _expect(bool(bodies), "the message never came")
    return _expect(2.9 <= seconds < 4, f"due in 3 s, came after {seconds:.1f} s", f"3 s were {seconds:.2f} s")


def groups_on_a_standard_queue(sandbox: Sandbox) -> str:
    """Without it messages are sent without their owner."""
    sandbox.queue.send_message(QueueUrl=sandbox.url, MessageBody="fair", MessageGroupId="alice", DelaySeconds=0)
    entries = [{"Id": name, "MessageBody": name, "MessageGroupId": name} for name in ("a", "b")]
    sandbox.queue.send_message_batch(QueueUrl=sandbox.url, Entries=entries)
    bodies: set[str] = set()
    for _ in range(4):
        bodies |= {message["Body"] for message in _receive(sandbox, 1)}
    return _expect(bodies == {"fair", "a", "b"}, f"of three messages came {sorted(bodies)}")


def visibility(sandbox: Sandbox) -> str:
    _drain(sandbox)
    sandbox.queue.send_message(QueueUrl=sandbox.url, MessageBody="hidden")
    first = _receive(sandbox, 2, hide=2)
    _expect(bool(first), "the message never came")
    _expect(not _receive(sandbox, 1, hide=2), "a received message was received again at once")
    return _expect(bool(_receive(sandbox, 4)), "it never came back")


def dead_letters(sandbox: Sandbox) -> str:
    _drain(sandbox)
    sandbox.queue.send_message(QueueUrl=sandbox.url, MessageBody="poison")
    for _ in range(2):
        _expect(bool(_receive(sandbox, 3, hide=0, keep=True)), "the message did not come back")
    _receive(sandbox, 2, hide=0, keep=True)
    messages = sandbox.queue.receive_message(QueueUrl=sandbox.dead_url, WaitTimeSeconds=3).get("Messages", [])
    return _expect([message["Body"] for message in messages] == ["poison"], "it is not among the dead letters")


def presigned(sandbox: Sandbox) -> str:
    params = {"Bucket": sandbox.name, "Key": "numbers"}
    put = sandbox.bucket.generate_presigned_url("put_object", Params=params | {"ContentType": "application/json"})
    stored = fetch("PUT", put, b"[1]", {"Content-Type": "application/json"}, timeout=10)
    _expect(stored.status == 200, f"the PUT was answered with {stored.status}")
    fetched = fetch("GET", sandbox.bucket.generate_presigned_url("get_object", Params=params), timeout=10)
    return _expect(fetched.raw == b"[1]", "what came back is not what was sent")


def ttl_accepted(sandbox: Sandbox) -> str:
    specification = {"Enabled": True, "AttributeName": "expires_at"}
    sandbox.table.update_time_to_live(TableName=sandbox.name, TimeToLiveSpecification=specification)
    status = sandbox.table.describe_time_to_live(TableName=sandbox.name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    return _expect(status in ("ENABLED", "ENABLING"), f"the status is {status}", "accepted; when rows go is not probed")


def consumed_capacity(sandbox: Sandbox) -> str:
    answer = sandbox.table.put_item(
        TableName=sandbox.name, Item={"pk": {"S": "units"}, "data": {"B": b"x" * 2500}}, ReturnConsumedCapacity="TOTAL"
    )
    units = answer.get("ConsumedCapacity", {}).get("CapacityUnits")
    return _expect(units == 3, f"2.5 KB were {units} units", "2.5 KB are 3 units")


def partial_batches(sandbox: Sandbox) -> str:
    _drain(sandbox)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    sandbox.function.create_function(
        FunctionName=sandbox.name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/doctor",
        Handler="index.handler", Code={"ZipFile": code.getvalue()}, Timeout=1,
    )  # fmt: skip
    sandbox.queue.set_queue_attributes(QueueUrl=sandbox.url, Attributes={"VisibilityTimeout": "1"})
    mapping = sandbox.function.create_event_source_mapping(
        EventSourceArn=sandbox.arn(sandbox.url), FunctionName=sandbox.name, BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )  # fmt: skip
    entries = [{"Id": body, "MessageBody": body} for body in ("good", "bad")]
    sandbox.queue.send_message_batch(QueueUrl=sandbox.url, Entries=entries)
    dead = _dead(sandbox, 20)
    sandbox.function.delete_event_source_mapping(UUID=mapping["UUID"])
    return _expect(dead == ["bad"], f"dead letters after two deliveries: {dead}")


def containers_end(sandbox: Sandbox) -> str:
    """An image that is nowhere: an engine says so at once. Where there is none, the task says for ever that it runs."""
    ecs, name = sandbox.cluster, sandbox.name
    ecs.create_cluster(clusterName=name)
    container = {"name": "job", "image": f"localhost/{name}:1", "essential": True}
    ecs.register_task_definition(
        family=name, cpu="256", memory="512", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        containerDefinitions=[container],
    )  # fmt: skip
    tasks = ecs.run_task(cluster=name, taskDefinition=name, launchType="FARGATE", startedBy="doctor")["tasks"]
    _expect(len(tasks) == 1, "RunTask starts nothing")
    give_up = time.monotonic() + CONTAINER_SECONDS
    while (task := _look(sandbox, tasks[0]["taskArn"]))["lastStatus"] != "STOPPED":
        _expect(time.monotonic() < give_up, f"no engine is behind it: a task without an image is {task['lastStatus']}")
        time.sleep(0.2)
    return _expect(task.get("stopCode") == "TaskFailedToStart", f"it ends by {task.get('stopCode') or 'no code'}")


def _look(sandbox: Sandbox, ref: str) -> Any:
    return sandbox.cluster.describe_tasks(cluster=sandbox.name, tasks=[ref])["tasks"][0]


ALL: Mapping[str, Callable[[Sandbox], str]] = {
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
    "messages say whose they are (fair queues)": groups_on_a_standard_queue,
    "Lambda, event source mapping, partial batches": partial_batches,
    CONTAINERS: containers_end,
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


def _receive(sandbox: Sandbox, wait: int, *, hide: int = 30, keep: bool = False) -> list[Any]:
    answer = sandbox.queue.receive_message(QueueUrl=sandbox.url, WaitTimeSeconds=wait, VisibilityTimeout=hide)
    messages = list(answer.get("Messages", []))
    if not keep and hide > 2:
        for message in messages:
            sandbox.queue.delete_message(QueueUrl=sandbox.url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def _dead(sandbox: Sandbox, seconds: float) -> list[str]:
    """Bodies among the dead letters, as soon as there are any."""
    give_up, bodies = time.monotonic() + seconds, list[str]()
    while not bodies and time.monotonic() < give_up:
        answer = sandbox.queue.receive_message(QueueUrl=sandbox.dead_url, WaitTimeSeconds=2)
        bodies = [message["Body"] for message in answer.get("Messages", [])]
    return bodies


def _drain(sandbox: Sandbox) -> None:
    for url in (sandbox.url, sandbox.dead_url):
        while messages := sandbox.queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sandbox.queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _remove(sandbox: Sandbox) -> None:
    """As far as it goes: the probes may have left anything."""
    gone: list[Callable[[], Any]] = [
        lambda: sandbox.function.delete_function(FunctionName=sandbox.name),
        lambda: _remove_cluster(sandbox),
        lambda: sandbox.table.delete_table(TableName=sandbox.name),
        lambda: sandbox.queue.delete_queue(QueueUrl=sandbox.url),
        lambda: sandbox.queue.delete_queue(QueueUrl=sandbox.dead_url),
        lambda: sandbox.bucket.delete_object(Bucket=sandbox.name, Key="numbers"),
        lambda: sandbox.bucket.delete_bucket(Bucket=sandbox.name),
    ]
    for call in gone:
        with suppress(Exception):
            call()


def _remove_cluster(sandbox: Sandbox) -> None:
    for ref in sandbox.cluster.list_tasks(cluster=sandbox.name)["taskArns"]:
        sandbox.cluster.stop_task(cluster=sandbox.name, task=ref)
    sandbox.cluster.deregister_task_definition(taskDefinition=f"{sandbox.name}:1")
    sandbox.cluster.delete_cluster(cluster=sandbox.name)
