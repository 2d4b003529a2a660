"""Pure: SQS messages -> the event a handler gets, and a handler's answer -> what to delete, by AWS's rules."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Message ids. Those kept come back after the visibility time-out. `problem`: why a whole batch was kept."""

    delete: tuple[str, ...]
    keep: tuple[str, ...]
    problem: str | None = None


def event(messages: Sequence[Message], arn: str, region: str) -> dict[str, Any]:
    return {"Records": [_record(message, arn, region) for message in messages]}


def judge(ids: Sequence[str], answer: object, *, reports_failures: bool) -> Verdict:
    """What an answered invocation means. An invocation that raised or died keeps all: `failed`."""
    if not reports_failures or answer is None:
        return Verdict(tuple(ids), ())
    try:
        named = _named_failures(answer, frozenset(ids))
    except ValueError as error:
        return failed(ids, str(error))
    return Verdict(tuple(i for i in ids if i not in named), tuple(i for i in ids if i in named))


def failed(ids: Sequence[str], problem: str) -> Verdict:
    return Verdict((), tuple(ids), problem)


def _named_failures(answer: object, known: frozenset[str]) -> frozenset[str]:
    if not isinstance(answer, Mapping):
        raise ValueError(f"the answer is no object: {answer!r:.80}")
    failures = answer.get("batchItemFailures") or []
    if not isinstance(failures, list):
        raise ValueError("batchItemFailures is no list")
    return frozenset(_identifier(failure, known) for failure in failures)


def _identifier(failure: object, known: frozenset[str]) -> str:
    name = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError(f"a failure without itemIdentifier: {failure!r:.80}")
    if name not in known:
        raise ValueError(f"itemIdentifier {name!r:.80} is none of the batch")
    return name


def _record(message: Message, arn: str, region: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    binary = value.get("BinaryValue")
    content = {"binaryValue": _base64(binary)} if binary is not None else {"stringValue": value["StringValue"]}
    return {**content, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
