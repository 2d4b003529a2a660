"""A stub of DynamoDB and SQS that answers each call some milliseconds later, as AWS does, and keeps count.

    python -m benchmarks.slow_aws ROWS SHARDS MILLISECONDS

prints its port and serves until its input ends. It holds rows that the dispatcher must look at, and takes every
condition to be true: how fast its client is can be measured with it, and nothing else.
"""

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from typing import Any

from chalicelib.aws import items
from chalicelib.core.ids import make_id, shard_of
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.shards import Shards

FIRST = 1_790_000_000_000
"""The time in the first id: ids are the same in whatever process."""
DUE_IN_MS, LATE_MS = 90_000, 1_000


def make_row(number: int, now: int) -> Job:
    """A small sort that is due soon: its message is to be sent, with a delay."""
    return Job(
        id=make_id(FIRST + number, number << 40 | number), owner=f"owner-{number % 40}", task="sort",
        status=Status.SCHEDULED, created_at=now - 3_600_000, run_at=now + DUE_IN_MS, not_before=now + DUE_IN_MS,
        wake_at=now - LATE_MS, timeout=60.0, max_attempts=3, attempt_limit=3, input=Inline(b'{"array":[3,1,2]}'),
        quick=True, pure=True,
    )  # fmt: skip


class SlowAws:
    """Answers by operation, as JSON. `rows` are texts already: the stub must not be what is slow."""

    def __init__(self, rows: int, shards: int, now: int) -> None:
        jobs = [make_row(number, now) for number in range(rows)]
        self.rows = {job.id: json.dumps(items.to_item(job, Shards()), default=_text) for job in jobs}
        self.due = {
            str(shard): [job.id for job in jobs if shard_of(job.id, shards) == shard] for shard in range(shards)
        }
        self.written, self.sent, self.calls = Counter[str](), Counter[str](), Counter[str]()

    def answer(self, name: str, asked: dict[str, Any]) -> str:
        self.calls[name] += 1
        match name:
            case "Query":
                return self._query(asked)
            case "BatchGetItem":
                ((table, part),) = asked["RequestItems"].items()
                rows = ",".join(self.rows[key["pk"]["S"]] for key in part["Keys"])
                return f'{{"Responses": {{"{table}": [{rows}]}}}}'
            case "UpdateItem":
                row = self._write(asked["Key"]["pk"]["S"])
                return f'{{"Attributes": {row}}}' if asked.get("ReturnValues") == "ALL_NEW" else "{}"
            case "BatchExecuteStatement":
                return f'{{"Responses": [{",".join(map(self._execute, asked["Statements"]))}]}}'
            case "GetQueueUrl":
                return json.dumps({"QueueUrl": f"http://queues/{asked['QueueName']}"})
            case "GetQueueAttributes":
                return json.dumps({"Attributes": dict.fromkeys(asked["AttributeNames"], "0")})
            case "SendMessageBatch":
                self.sent.update(each["MessageBody"] for each in asked["Entries"])
                return json.dumps({"Successful": [{"Id": each["Id"]} for each in asked["Entries"]], "Failed": []})
            case "SendMessage":
                self.sent[asked["MessageBody"]] += 1
                return json.dumps({"MessageId": "1"})
            case "Count":
                return json.dumps({"written": self.written, "sent": self.sent, "calls": self.calls})
        raise KeyError(f"{name} is nothing that a dispatcher asks of this stub")

    def _query(self, asked: dict[str, Any]) -> str:
        ids = self.due[asked["ExpressionAttributeValues"][":s"]["S"]]
        start = asked.get("ExclusiveStartKey")
        first = ids.index(start["pk"]["S"]) + 1 if start else 0
        page = ids[first : first + asked["Limit"]]
        more = {"LastEvaluatedKey": {"pk": {"S": page[-1]}}} if first + len(page) < len(ids) else {}
        return json.dumps({"Items": [{"pk": {"S": each}} for each in page]} | more)

    def _execute(self, statement: dict[str, Any]) -> str:
        (key,) = [value["S"] for value in statement["Parameters"] if value.get("S") in self.rows]
        row = self._write(key)
        return f'{{"Item": {row}}}' if "RETURNING ALL NEW" in statement["Statement"] else "{}"

    def _write(self, key: str) -> str:
        self.written[key] += 1
        return self.rows[key]


class Connection(asyncio.Protocol):
    """Just enough of HTTP for botocore: one request at a time, kept alive."""

    def __init__(self, aws: SlowAws, seconds: float) -> None:
        self._aws, self._seconds, self._held = aws, seconds, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, _, body = self._held.partition(b"\r\n\r\n")
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        fields = {line[0].lower(): line[-1] for line in lines}
        if b"\r\n\r\n" not in self._held or len(body) < int(fields.get("content-length", 0)):
            return
        self._held = b""
        answer = self._aws.answer(fields["x-amz-target"].partition(".")[2], json.loads(body or b"{}"))
        asyncio.get_running_loop().call_later(self._seconds, self._send, answer.encode())

    def _send(self, answer: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(answer)}\r\n\r\n"
        self._transport.write(head.encode() + answer)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def serve(rows: int, shards: int, millis: float) -> None:
    loop, aws = asyncio.get_running_loop(), SlowAws(rows, shards, time.time_ns() // 1_000_000)
    server = await loop.create_server(lambda: Connection(aws, millis / 1000), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
