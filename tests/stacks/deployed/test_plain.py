"""The plain Chalice app that the deployed stage is measured against: it does what its figures are taken for."""

import json
from pathlib import Path

from benchmarks import bare, deployed_run, plain_stack
from benchmarks.counted_ministack import operation
from tests.support.deployed_stack import DeployedStack, until


def test_the_plain_app_deploys_and_sorts(deployed: DeployedStack, tmp_path: Path) -> None:
    url = plain_stack.deploy(deployed.account, plain_stack.package(tmp_path))
    target = deployed_run.Target(url, plain_stack.TABLE, {})
    (job_id,) = target.submit(1)
    table = deployed.account.client("dynamodb")

    def output() -> str:
        item = table.get_item(TableName=target.table, Key={"pk": {"S": job_id}})["Item"]
        return str(item["output"]["S"]) if item["status"]["S"] == "completed" else ""

    assert json.loads(until(output, 20, "the job's output")) == sorted(bare.NUMBERS)


def test_what_is_counted_is_what_aws_was_asked() -> None:
    target = {b"x-amz-target": b"DynamoDB_20120810.PutItem"}
    assert operation(target) == "DynamoDB.PutItem"
    assert operation({b"x-amz-target": b"AmazonSQS.SendMessage", b"user-agent": b"Sortie"}) == "SQS.SendMessage"
    assert operation(target | {b"user-agent": b"watcher Botocore/1"}) == ""
    assert operation({b"authorization": b"Bearer x"}) == ""
