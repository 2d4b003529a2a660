"""A handler's answer, judged by the rules that AWS states for partial batch failures."""

from typing import Any

import pytest

from dev import batch

IDS = ("a", "b", "c")


def judge(answer: object) -> batch.Verdict:
    return batch.judge(IDS, answer, reports_failures=True)


def failure(*names: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_answer_means_that_all_succeeded(answer: object) -> None:
    assert judge(answer) == batch.Verdict(IDS, ())


def test_named_failures_are_kept_and_the_rest_deleted() -> None:
    assert judge(failure("b")) == batch.Verdict(("a", "c"), ("b",))


def test_a_failure_named_twice_is_one_failure() -> None:
    assert judge(failure("b", "b")) == batch.Verdict(("a", "c"), ("b",))


@pytest.mark.parametrize(
    "answer",
    [
        failure("a", "unknown"),
        failure(""),
        failure(None),
        failure(7),
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [{"id": "a"}]},
        {"batchItemFailures": "a"},
        {"batchItemFailures": {"itemIdentifier": "a"}},
        "done",
        ["a"],
        True,
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: object) -> None:
    verdict = judge(answer)
    assert (verdict.delete, verdict.keep) == ((), IDS)
    assert verdict.problem


@pytest.mark.parametrize("answer", [None, failure("a"), "done", failure("unknown")])
def test_without_report_batch_item_failures_the_answer_is_ignored(answer: object) -> None:
    assert batch.judge(IDS, answer, reports_failures=False) == batch.Verdict(IDS, ())


def test_an_exception_fails_the_whole_batch() -> None:
    assert batch.failed(IDS, "ValueError: no") == batch.Verdict((), IDS, "ValueError: no")


def test_a_record_has_the_fields_that_lambda_gives() -> None:
    message = {
        "MessageId": "a",
        "ReceiptHandle": "r",
        "Body": "text",
        "MD5OfBody": "m",
        "Attributes": {"ApproximateReceiveCount": "2"},
        "MessageAttributes": {
            "word": {"DataType": "String", "StringValue": "x"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"x"},
        },
    }
    [record] = batch.event([message], "arn:aws:sqs:us-east-1:0:q", "us-east-1")["Records"]
    empty: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    assert record == {
        "messageId": "a",
        "receiptHandle": "r",
        "body": "text",
        "attributes": {"ApproximateReceiveCount": "2"},
        "messageAttributes": {
            "word": {"stringValue": "x", "dataType": "String", **empty},
            "bytes": {"binaryValue": "eA==", "dataType": "Binary", **empty},
        },
        "md5OfBody": "m",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:0:q",
        "awsRegion": "us-east-1",
    }
