"""Creates the tables, queues and buckets of resources.yaml that are missing; what stands already is left as it is.

`make resources` does it on an emulator that somebody else has started, at AWS_ENDPOINT_URL; with CONTAINER_IMAGES it
makes the cluster and the log group of container jobs as well.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib import config, wiring
from chalicelib.core.shards import Shards
from dev import command, containers, emulator, shards, template
from dev.settings import ROOT, STAGE, BadStart, child_environ, load, use_emulator

TABLE_KEYS = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
QUEUE_KEYS = (
    "DelaySeconds",
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
)


def create(stage: str, endpoint: str | None = None, root: Path = ROOT) -> list[str]:
    """The names of what is there then. `endpoint`: None leaves it to AWS_ENDPOINT_URL, or to moto's mock_aws. Raises
    BadStart where the environment sets fewer shards than a table has seen."""
    resources = template.read(stage, root)
    session = boto3.session.Session(region_name=template.REGION)
    table = session.client("dynamodb", endpoint_url=endpoint)
    queue = session.client("sqs", endpoint_url=endpoint)
    bucket = session.client("s3", endpoint_url=endpoint)
    tables, buckets = (resources.of_type(f"AWS::{kind}").values() for kind in ("DynamoDB::Table", "S3::Bucket"))
    # The dead-letter queue first, which the other one names.
    queues = sorted(resources.of_type("AWS::SQS::Queue").values(), key=lambda each: "RedrivePolicy" in each)
    numbers = wiring.shards(config.load(os.environ))
    names = [_kept_table(table, each, numbers) for each in tables] + [_queue(queue, each) for each in queues]
    return names + [_bucket(bucket, each) for each in buckets]


def _kept_table(client: Any, properties: dict[str, Any], numbers: Shards) -> str:
    shards.refuse_fewer(client, str(properties["TableName"]), numbers)
    name = _table(client, properties)
    shards.remember(client, name, numbers)
    return name


def _table(client: Any, properties: dict[str, Any]) -> str:
    name = str(properties["TableName"])
    try:
        client.create_table(**{key: properties[key] for key in TABLE_KEYS if key in properties})
    except client.exceptions.ResourceInUseException:
        return name
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    if ttl := properties.get("TimeToLiveSpecification"):
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    return name


def _queue(client: Any, properties: dict[str, Any]) -> str:
    name = str(properties["QueueName"])
    with contextlib.suppress(client.exceptions.QueueDoesNotExist):
        client.get_queue_url(QueueName=name)
        return name
    client.create_queue(QueueName=name, Attributes=_queue_attributes(client, properties))
    return name


def _queue_attributes(client: Any, properties: dict[str, Any]) -> dict[str, str]:
    attributes = {key: properties[key] for key in QUEUE_KEYS if key in properties}
    if redrive := attributes.get("RedrivePolicy"):
        arn = _queue_arn(client, redrive["deadLetterTargetArn"].rsplit(":", 1)[1])
        attributes["RedrivePolicy"] = json.dumps({**redrive, "deadLetterTargetArn": arn})
    return {key: str(value) for key, value in attributes.items()}


def _queue_arn(client: Any, name: str) -> str:
    """Emulators differ in their account number, so the dead-letter queue is asked for its own name."""
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    return str(client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _bucket(client: Any, properties: dict[str, Any]) -> str:
    name = str(properties["BucketName"])
    if _exists(client, name):
        return name
    client.create_bucket(Bucket=name)
    if cors := properties.get("CorsConfiguration"):
        rules = [{_cors_key(key): value for key, value in rule.items()} for rule in cors["CorsRules"]]
        client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    if lifecycle := properties.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    return name


def _exists(client: Any, bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def _cors_key(key: str) -> str:
    """CloudFormation's names for two of the fields are not the API's."""
    return {"MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders", "Id": "ID"}.get(key, key)


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """The API's form of a rule."""
    api: dict[str, Any] = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if days := rule.get("ExpirationInDays"):
        api["Expiration"] = {"Days": days}
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        api["AbortIncompleteMultipartUpload"] = abort
    return api


def main() -> None:
    settings = load(os.environ)
    if settings.endpoint is None:
        raise BadStart("Say where: AWS_ENDPOINT_URL=http://localhost:4566 make resources (make run makes its own).")
    use_emulator(child_environ(os.environ, settings, emulator.demand(settings.endpoint)))
    names = create(STAGE, settings.endpoint)
    if os.environ.get("CONTAINER_IMAGES"):
        names += containers.prepare(child_environ(os.environ, settings, settings.endpoint), settings.endpoint)
    print(f"At {settings.endpoint} there are {', '.join(names)}.")


if __name__ == "__main__":
    command.run(main)
