"""The queue of hints: a message's body is a job id."""

from collections.abc import Sequence

from chalicelib.aws.calls import Client, translated
from chalicelib.errors import Unavailable
from chalicelib.ports import Depth

BATCH_MESSAGES = 10
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]


class SqsQueue:
    """ports.Queue. The queue's address is looked up once, when it is first needed."""

    def __init__(self, client: Client, name: str, dead_name: str) -> None:
        self._client = client
        self._names = {"live": name, "dead": dead_name}
        self._urls: dict[str, str] = {}

    def send(self, job_id: str, delay: int = 0) -> None:
        with translated("send the message"):
            self._client.send_message(QueueUrl=self._url("live"), MessageBody=job_id, DelaySeconds=delay)

    def send_many(self, messages: Sequence[tuple[str, int]]) -> None:
        failed: list[str] = []
        for start in range(0, len(messages), BATCH_MESSAGES):
            entries = [
                {"Id": str(number), "MessageBody": job_id, "DelaySeconds": delay}
                for number, (job_id, delay) in enumerate(messages[start : start + BATCH_MESSAGES])
            ]
            with translated("send the messages"):
                answer = self._client.send_message_batch(QueueUrl=self._url("live"), Entries=entries)
            failed += [str(entry.get("Code")) for entry in answer.get("Failed", [])]
        if failed:
            raise Unavailable(f"send the messages: {len(failed)} refused, {failed[0]}")

    def give_back(self, receipts: Sequence[str]) -> None:
        for start in range(0, len(receipts), BATCH_MESSAGES):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + BATCH_MESSAGES])
            ]
            with translated("give messages back"):
                self._client.change_message_visibility_batch(QueueUrl=self._url("live"), Entries=entries)

    def depth(self) -> Depth:
        live, dead = self._counts("live", COUNTS), self._counts("dead", COUNTS[:1])
        return Depth(*live, *dead)

    def _counts(self, which: str, names: Sequence[str]) -> list[int]:
        with translated("read the queue's depth"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url(which), AttributeNames=names)
        return [int(answer["Attributes"][name]) for name in names]

    def _url(self, which: str) -> str:
        if which not in self._urls:
            answer = self._client.get_queue_url(QueueName=self._names[which])
            self._urls[which] = answer["QueueUrl"]
        return self._urls[which]
