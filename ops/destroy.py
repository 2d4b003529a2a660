"""`make destroy STAGE=dev`: remove a stage and its data. It says what would be lost, and does nothing until told again.

CONFIRM=sortie-dev is that second word. A stage whose table is protected (prod) needs it just the same.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from dev import command
from dev.settings import BadStart
from ops import build, cloudformation
from ops.account import Account, account_of


class NotConfirmed(BadStart):
    """Nothing was removed; the message says what would have been."""


def destroy(environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Raises BadStart, and NotConfirmed where nothing was removed."""
    stage = build.known_stage(environ.get("STAGE", ""))
    account = account_of(environ)
    name = cloudformation.name_of(stage)
    if not cloudformation.exists(account, stage):
        raise BadStart(f"There is no stack {name} in account {account.number}, region {account.region}.")
    resources = _resources(account, name)
    if environ.get("CONFIRM") != name:
        raise NotConfirmed(_what_would_be_lost(account, name, resources))
    for bucket in resources.get("AWS::S3::Bucket", []):
        say(f"Emptying the bucket {bucket}.")
        _empty(account.client("s3"), bucket)
    for table in resources.get("AWS::DynamoDB::Table", []):
        account.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=False)
    say(f"Removing the stack {name}.")
    cloudformation.delete(account, stage)


def _resources(account: Account, name: str) -> dict[str, list[str]]:
    """Physical names by type."""
    names: dict[str, list[str]] = {}
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            names.setdefault(resource["ResourceType"], []).append(resource["PhysicalResourceId"])
    return names


def _what_would_be_lost(account: Account, name: str, resources: Mapping[str, list[str]]) -> str:
    lines = [f"This would remove the stack {name} from account {account.number}, and with it:"]
    for table in resources.get("AWS::DynamoDB::Table", []):
        count = account.client("dynamodb").describe_table(TableName=table)["Table"].get("ItemCount", 0)
        lines.append(f"  the table {table}: about {count} rows (jobs, schedules, tokens)")
    lines += [f"  the bucket {bucket} and every payload in it" for bucket in resources.get("AWS::S3::Bucket", [])]
    lines.append(f"Nothing was removed. To do it: make destroy STAGE={name.removeprefix('sortie-')} CONFIRM={name}")
    return "\n".join(lines)


def _empty(store: Any, bucket: str) -> None:
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", [])]
        if keys:
            store.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})


def main() -> None:
    destroy(os.environ, lambda text: print(text, flush=True))
    print("Removed. The packages stay in the artifacts bucket, and so do CloudWatch's logs until they expire.")


if __name__ == "__main__":
    command.run(main)
