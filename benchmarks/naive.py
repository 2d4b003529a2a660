"""The design one would write first, to be measured beside Sortie's: nothing of it is deployed.

One item holds the job with its whole array as DynamoDB numbers, one index is keyed by status, a worker receives one
message at a time, and every write reads the item before it.
"""

import random
import time
import uuid
from decimal import Decimal
from typing import Any

from benchmarks.counting import Watcher
from ops.account import Account

TABLE, QUEUE = "sortie-naive", "sortie-naive"


def run(account: Account, counter: Watcher, jobs: int, numbers: int, rounds: int) -> float:
    """Milliseconds of the processor a job, in both functions together, without their start: those of the best round."""
    table, queue = counter.watch(account.client("dynamodb")), counter.watch(account.client("sqs"))
    url = _set_up(table, queue)
    counter.reset()
    return min(_round(table, queue, url, jobs // rounds, numbers) for _ in range(rounds))


def _round(table: Any, queue: Any, url: str, jobs: int, numbers: int) -> float:
    start = time.process_time()
    jitter = random.Random(1)
    for _ in range(jobs):
        _submit(table, queue, url, [jitter.randint(-(10**9), 10**9) for _ in range(numbers)])
        _work(table, queue, url)
    return (time.process_time() - start) * 1000 / jobs


def _set_up(table: Any, queue: Any) -> str:
    key = {"AttributeName": "id", "KeyType": "HASH"}
    index = {
        "IndexName": "by_status",
        "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}, {"AttributeName": "created", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    table.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", "status", "created")],
        KeySchema=[key],
        GlobalSecondaryIndexes=[index],
    )
    return str(queue.create_queue(QueueName=QUEUE)["QueueUrl"])


def _submit(table: Any, queue: Any, url: str, array: list[int]) -> None:
    item = {"id": {"S": str(uuid.uuid4())}, "status": {"S": "pending"}, "created": {"S": f"{time.time():.6f}"}}
    table.get_item(TableName=TABLE, Key={"id": item["id"]}, ConsistentRead=True)
    table.put_item(TableName=TABLE, Item={**item, "input": _numbers(array)})
    queue.send_message(QueueUrl=url, MessageBody=item["id"]["S"])


def _work(table: Any, queue: Any, url: str) -> None:
    message = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"][0]
    key = {"id": {"S": message["Body"]}}
    item = table.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
    _set(table, key, "status", {"S": "running"})
    result = _numbers(sorted(Decimal(each["N"]) for each in item["input"]["L"]))
    table.get_item(TableName=TABLE, Key=key, ConsistentRead=True)
    _set(table, key, "output", result)
    _set(table, key, "status", {"S": "completed"})
    queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _set(table: Any, key: Any, name: str, value: Any) -> None:
    table.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET #n = :v",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues={":v": value},
    )


def _numbers(array: Any) -> dict[str, Any]:
    return {"L": [{"N": str(number)} for number in array]}
