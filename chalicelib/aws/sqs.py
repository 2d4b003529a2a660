"""The queues of hints, one for each lane: a message's body is a job id.

Messages carry their owner as group (SQS fair queues): an owner with a backlog waits behind the others, and nothing is
dropped. An emulator that refuses the group gets messages without.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.calls import Client, code_of, translated
from chalicelib.core.lane import Lane
from chalicelib.errors import Unavailable
from chalicelib.ports import Depth, Hint

BATCH_MESSAGES = 10
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
NO_GROUPS = frozenset({"InvalidParameterValue", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"})


class SqsQueue:
    """ports.Queue. A queue's address is looked up once, when it is first needed."""

    def __init__(self, client: Client, lanes: Mapping[Lane, str], dead: str) -> None:
        self._client = client
        self._lanes = lanes
        self._dead = dead
        self._urls: dict[str, str] = {}
        self._groups = True

    def send(self, hints: Sequence[Hint]) -> None:
        by_lane: dict[Lane, list[Hint]] = defaultdict(list)
        for hint in hints:
            by_lane[hint.lane].append(hint)
        refused: list[str] = []
        for lane, of_lane in by_lane.items():
            for start in range(0, len(of_lane), BATCH_MESSAGES):
                refused += self._send(self._lanes[lane], of_lane[start : start + BATCH_MESSAGES])
        if refused:
            raise Unavailable(f"send the messages: {len(refused)} refused, {refused[0]}")

    def depth(self, lane: Lane) -> Depth:
        return Depth(*self._counts(self._lanes[lane], COUNTS))

    def dead(self) -> int:
        return self._counts(self._dead, COUNTS[:1])[0]

    def _send(self, name: str, hints: Sequence[Hint]) -> list[str]:
        """The codes of the messages that were refused."""
        with translated("send the messages"):
            try:
                return self._send_grouped(name, hints)
            except ClientError as error:
                if not self._groups or code_of(error) not in NO_GROUPS:
                    raise
                self._groups = False
                return self._send_grouped(name, hints)

    def _send_grouped(self, name: str, hints: Sequence[Hint]) -> list[str]:
        url, entries = self._url(name), [self._entry(hint) for hint in hints]
        if len(entries) == 1:
            self._client.send_message(QueueUrl=url, **entries[0])
            return []
        numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
        answer = self._client.send_message_batch(QueueUrl=url, Entries=numbered)
        return [str(entry.get("Code")) for entry in answer.get("Failed", [])]

    def _entry(self, hint: Hint) -> dict[str, Any]:
        entry: dict[str, Any] = {"MessageBody": hint.job_id, "DelaySeconds": hint.delay}
        return entry | ({"MessageGroupId": hint.owner} if hint.owner and self._groups else {})

    def _counts(self, name: str, counts: Sequence[str]) -> list[int]:
        with translated("read the queue's depth"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url(name), AttributeNames=counts)
        return [int(answer["Attributes"][count]) for count in counts]

    def _url(self, name: str) -> str:
        if name not in self._urls:
            answer = self._client.get_queue_url(QueueName=name)
            self._urls[name] = answer["QueueUrl"]
        return self._urls[name]
