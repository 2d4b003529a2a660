"""Container jobs in development: what the emulator needs for them, and the events that EventBridge would send."""

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from chalicelib import config
from dev import engine
from dev.environment import Environment
from dev.settings import DevSettings
from dev.slots import Slot
from dev.sources import EventSource
from dev.template import ACCOUNT, REGION

IMAGES = "localhost/* docker.io/library/*"
SERVICES = "ecs,logs"
EVERY_SECONDS = 0.3


def variables(settings: DevSettings, reachable: engine.Engine | None) -> dict[str, str]:
    """What the app is told of the engine, and the emulator too."""
    if settings.endpoint is not None:
        return {}  # somebody else's emulator: CONTAINER_IMAGES says whether it runs any
    if reachable is None:
        return {"CONTAINERS_OFF": engine.OFF}
    if not engine.has_sdk():
        return {"CONTAINERS_OFF": engine.NO_SDK}
    return {"CONTAINER_IMAGES": IMAGES, "DOCKER_HOST": reachable.host}


def prepare(environ: Mapping[str, str], endpoint: str) -> list[str]:
    """The names of the cluster and the log group, which the template makes where it is deployed."""
    settings = config.load(environ)
    clients = boto3.session.Session(region_name=REGION)
    clients.client("ecs", endpoint_url=endpoint).create_cluster(clusterName=settings.container_cluster)
    logs = clients.client("logs", endpoint_url=endpoint)
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=settings.container_log)
    return [settings.container_cluster, settings.container_log]


class EventSlot(Slot):
    """EventBridge's rule: each container that runs or has stopped since the last look is told to the handler once."""

    def __init__(self, name: str, environment: Environment, source: EventSource, environ: Mapping[str, str]) -> None:
        super().__init__(name, environment)
        self._detail = source.detail
        self._cluster = config.load(environ).container_cluster
        settings = Config(read_timeout=10, retries={"total_max_attempts": 2})
        self._client = boto3.session.Session(region_name=REGION).client(
            "ecs", endpoint_url=environ["AWS_ENDPOINT_URL"], config=settings
        )
        self._told: dict[str, str] = {}

    def _turn(self) -> None:
        for task in self._changed():
            if self._fits(task):
                self._environment.call(_event(task))
            self._told[task["taskArn"]] = task["lastStatus"]
        self._ending.wait(EVERY_SECONDS)

    def _changed(self) -> Iterator[dict[str, Any]]:
        names = [ref for status in ("RUNNING", "STOPPED") for ref in self._list(status)]
        unsettled = [ref for ref in names if self._told.get(ref) != "STOPPED"]
        for start in range(0, len(unsettled), 100):
            answer = self._client.describe_tasks(cluster=self._cluster, tasks=unsettled[start : start + 100])
            yield from (task for task in answer["tasks"] if task["lastStatus"] != self._told.get(task["taskArn"]))

    def _list(self, status: str) -> list[str]:
        pages = self._client.get_paginator("list_tasks").paginate(cluster=self._cluster, desiredStatus=status)
        return [ref for page in pages for ref in page["taskArns"]]

    def _fits(self, task: Mapping[str, Any]) -> bool:
        """As much of EventBridge's patterns as the rule uses: lists of values, and prefixes."""
        return all(
            any(_matches(task.get(field, ""), pattern) for pattern in patterns)
            for field, patterns in self._detail.items()
        )


def _matches(value: str, pattern: object) -> bool:
    if isinstance(pattern, dict):
        return value.startswith(pattern["prefix"])
    return value == pattern


def _event(task: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("taskArn", "clusterArn", "lastStatus", "desiredStatus", "startedBy", "stopCode", "stoppedReason", "version")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [task["taskArn"]],
        "detail": {name: task[name] for name in kept if name in task},
    }
