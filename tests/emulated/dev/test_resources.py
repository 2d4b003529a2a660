"""resources.yaml, resolved and created."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dev import resources, template


@pytest.fixture
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def client(name: str) -> Any:
    return boto3.client(name, region_name="us-east-1")


def resolve(value: Any, **parameters: str) -> Any:
    body = {
        "Parameters": {"Stage": {"Type": "String", "Default": "local"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {
            "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "app-${Stage}-dead"}}},
            "It": {"Type": "Any", "Properties": {"value": value}},
        },
    }
    return template.Template(body, **parameters).properties("It")["value"]


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("plain", "plain"),
        ({"Ref": "Stage"}, "local"),
        ({"Fn::Sub": "a-${Stage}-${AWS::Region}"}, "a-local-us-east-1"),
        ({"Fn::Sub": "${Dead.Arn}"}, "arn:aws:sqs:us-east-1:000000000000:app-local-dead"),
        ({"Fn::GetAtt": ["Dead", "Arn"]}, "arn:aws:sqs:us-east-1:000000000000:app-local-dead"),
        ({"Ref": "Dead"}, "app-local-dead"),
        ({"Fn::If": ["IsProd", 1, 2]}, 2),
        ([{"deep": {"Ref": "Stage"}}], [{"deep": "local"}]),
    ],
)
def test_functions_resolve_as_in_cloudformation(value: Any, resolved: Any) -> None:
    assert resolve(value) == resolved


def test_a_parameter_given_wins_over_its_default() -> None:
    assert resolve({"Fn::If": ["IsProd", {"Ref": "Stage"}, "other"]}, Stage="prod") == "prod"


def test_a_function_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="Fn::Select"):
        resolve({"Fn::Select": [0, ["a"]]})


@pytest.mark.usefixtures("_aws")
def test_everything_is_created_with_its_settings() -> None:
    resources.create("local")
    table = client("dynamodb").describe_table(TableName="sortie-local")["Table"]
    properties = template.read("local").of_type("AWS::DynamoDB::Table")["Table"]
    assert {i["IndexName"] for i in table["GlobalSecondaryIndexes"]} == {
        i["IndexName"] for i in properties["GlobalSecondaryIndexes"]
    }
    ttl = client("dynamodb").describe_time_to_live(TableName="sortie-local")["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")
    attributes = queue_attributes("sortie-local-jobs")
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == queue_attributes("sortie-local-dead")["QueueArn"]
    assert int(attributes["VisibilityTimeout"]) == template.read("local").properties("Queue")["VisibilityTimeout"]
    rules = client("s3").get_bucket_cors(Bucket="sortie-local-payloads")["CORSRules"]
    assert "PUT" in rules[0]["AllowedMethods"]
    assert client("s3").get_bucket_lifecycle_configuration(Bucket="sortie-local-payloads")["Rules"]


@pytest.mark.usefixtures("_aws")
def test_a_second_time_changes_nothing() -> None:
    resources.create("local")
    client("s3").put_object(Bucket="sortie-local-payloads", Key="kept", Body=b"1")
    resources.create("local")
    assert client("s3").get_object(Bucket="sortie-local-payloads", Key="kept")["Body"].read() == b"1"


@pytest.mark.usefixtures("_aws")
def test_what_is_missing_is_made_again() -> None:
    resources.create("local")
    url = client("sqs").get_queue_url(QueueName="sortie-local-jobs")["QueueUrl"]
    client("sqs").delete_queue(QueueUrl=url)
    resources.create("local")
    assert client("sqs").get_queue_url(QueueName="sortie-local-jobs")


def queue_attributes(name: str) -> dict[str, str]:
    url = client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    attributes: dict[str, str] = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes
