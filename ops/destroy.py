"""`make destroy STAGE=dev`: remove a stage and its data. It says what would be lost, and does nothing until told again.

CONFIRM=sortie-dev is that second word. A stage whose table is protected (prod) needs it just the same.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dev import command
from dev.settings import BadStart
from ops import build, cloudformation
from ops.account import Account, account_of

LOOK_EVERY_SECONDS, QUIET_LOOKS = 2.0, 3
MOST_LOOKS = 100


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
    if clusters := resources.get("AWS::ECS::Cluster", []):
        _silence(account, resources)
        _stop_containers(account.client("ecs"), clusters, say)
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


def _silence(account: Account, resources: Mapping[str, list[str]]) -> None:
    """No function is called any more: else the next attempt of what is stopped would start meanwhile."""
    functions, events = account.client("lambda"), account.client("events")
    for mapping in resources.get("AWS::Lambda::EventSourceMapping", []):
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    for rule in resources.get("AWS::Events::Rule", []):
        events.disable_rule(Name=rule)


def _stop_containers(client: Any, clusters: Sequence[str], say: Callable[[str], None]) -> None:
    """A cluster in which something runs cannot be removed. A call that was under way may have started one more."""
    quiet = 0
    while quiet < QUIET_LOOKS:
        tasks = [(cluster, ref) for cluster in clusters for ref in _running(client, cluster)]
        for cluster, ref in tasks:
            say(f"Stopping the container {ref.rsplit('/', 1)[-1]}.")
            client.stop_task(cluster=cluster, task=ref, reason="the stage is removed")
        quiet = 0 if tasks else quiet + 1
        time.sleep(LOOK_EVERY_SECONDS)


def _running(client: Any, cluster: str) -> list[str]:
    """Also what is about to stop, which holds the cluster as well."""
    refs: list[str] = []
    for status in ("RUNNING", "STOPPED"):
        for page in client.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status):
            refs += page["taskArns"]
    looks = [
        task
        for start in range(0, len(refs), MOST_LOOKS)
        for task in client.describe_tasks(cluster=cluster, tasks=refs[start : start + MOST_LOOKS])["tasks"]
    ]
    return [str(task["taskArn"]) for task in looks if task["lastStatus"] != "STOPPED"]


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
