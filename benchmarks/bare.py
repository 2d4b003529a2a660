"""Bare boto3 code that makes the calls of a small sort: what the service is held against by benchmarks/hot_path.py.

`python -m benchmarks.bare STAGE ENDPOINT FILE` is a worker, which adds a byte to FILE for each job.
"""

import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from chalicelib.aws import calls

NUMBERS = [(number * 7919) % 1009 / 8 for number in range(100)]
"""A hundred floats, as every client sends them."""
BATCH = 10
Item = dict[str, dict[str, Any]]


class Stage:
    """A table and a queue made from resources.yaml, with a client for each."""

    def __init__(self, name: str, endpoint: str) -> None:
        self.table = f"sortie-{name}"
        self.dynamodb, self.sqs = calls.client("dynamodb", endpoint), calls.client("sqs", endpoint)
        self.url = str(self.sqs.get_queue_url(QueueName=f"sortie-{name}-quick")["QueueUrl"])


def submit(stage: Stage) -> str:
    """Two calls, as POST /jobs makes them: a row that two indexes list, and its message."""
    job_id, now = uuid.uuid4().hex, str(int(time.time() * 1000))
    item: Item = {
        "pk": {"S": job_id}, "status": {"S": "pending"}, "owner": {"S": "local"}, "task": {"S": "sort"},
        "created_at": {"N": now}, "run_at": {"N": now}, "not_before": {"N": now}, "timeout": {"S": "60"},
        "max_attempts": {"N": "3"}, "attempts": {"N": "0"}, "input": {"B": json.dumps({"array": NUMBERS}).encode()},
        "wake_shard": {"S": job_id[0]}, "wake_at": {"N": now}, "list_key": {"S": f"local#pending#{job_id[0]}"},
    }  # fmt: skip
    stage.dynamodb.put_item(TableName=stage.table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    stage.sqs.send_message(QueueUrl=stage.url, MessageBody=job_id, MessageGroupId="local")
    return job_id


def read(stage: Stage, job_id: str) -> Item:
    answer = stage.dynamodb.get_item(TableName=stage.table, Key={"pk": {"S": job_id}}, ConsistentRead=True)
    item: Item = answer["Item"]
    return item


def work(stage: Stage, pool: ThreadPoolExecutor) -> int:
    """One batch: receive, read, write side by side, tally, delete. How many jobs it had."""
    answer = stage.sqs.receive_message(
        QueueUrl=stage.url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=2, AttributeNames=["All"]
    )
    messages = answer.get("Messages", [])
    if not messages:
        return 0
    keys = [{"pk": {"S": message["Body"]}} for message in messages]
    asked = {stage.table: {"Keys": keys, "ConsistentRead": True}}
    rows = stage.dynamodb.batch_get_item(RequestItems=asked)["Responses"][stage.table]
    list(pool.map(partial(_complete, stage), rows))
    stage.dynamodb.update_item(
        TableName=stage.table, Key={"pk": {"S": "minute#local"}}, UpdateExpression="ADD jobs :n",
        ExpressionAttributeValues={":n": {"N": str(len(rows))}},
    )  # fmt: skip
    entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
    stage.sqs.delete_message_batch(QueueUrl=stage.url, Entries=entries)
    return len(rows)


def _complete(stage: Stage, row: Item) -> None:
    output = json.dumps({"array": sorted(json.loads(row["input"]["B"])["array"])}).encode()
    now = str(int(time.time() * 1000))
    stage.dynamodb.update_item(
        TableName=stage.table, Key={"pk": row["pk"]}, ReturnValues="ALL_NEW",
        UpdateExpression="SET #status = :done, #output = :o, finished_at = :now, list_key = :key REMOVE wake_shard",
        ConditionExpression="#status = :pending AND attempts = :none",
        ExpressionAttributeNames={"#status": "status", "#output": "output"},
        ExpressionAttributeValues={
            ":done": {"S": "completed"}, ":o": {"B": output}, ":now": {"N": now}, ":none": {"N": "0"},
            ":key": {"S": f"local#completed#{row['pk']['S'][0]}"}, ":pending": {"S": "pending"},
        },
    )  # fmt: skip


def main(name: str, endpoint: str, file: str) -> None:
    stage = Stage(name, endpoint)
    with open(file, "ab", buffering=0) as done, ThreadPoolExecutor(BATCH) as pool:
        while True:
            done.write(b"." * work(stage, pool))


if __name__ == "__main__":
    main(*sys.argv[1:])
