"""Settings to a real service: the one place where inside meets outside. Clients are made when first used, once."""

import os
import threading
from collections.abc import Callable
from typing import Any

from chalicelib import config, tasks
from chalicelib.aws import dynamodb, ecs, records, s3, sqs
from chalicelib.aws.calls import client
from chalicelib.config import Settings
from chalicelib.core.lane import Lane
from chalicelib.core.shards import Shards
from chalicelib.ports import Ports
from chalicelib.system import alarm, clock, log, random, threads
from chalicelib.system.log import log_to_stdout as log_to_stdout


class Lazy:
    """Stands for a client until one of its methods is asked for: making one takes a tenth of a second. Two threads that
    ask at once get the same one, and no two clients are made at once: botocore's session does not take that."""

    _lock = threading.Lock()

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._real: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._real is None:
                self._real = self._make()
        method = getattr(self._real, name)
        self.__dict__[name] = method
        return method


def ports(settings: Settings) -> Ports:
    """Everything real. Nothing is connected yet."""

    def lazy_client(service: str, tries: int = 3, read_timeout: float = 7) -> Any:
        return Lazy(lambda: client(service, settings.endpoint, tries, read_timeout))

    table, once = lazy_client("dynamodb"), lazy_client("dynamodb", tries=1)
    beats = lazy_client("dynamodb", tries=1, read_timeout=3)
    return Ports(
        jobs=dynamodb.DynamoJobs(table, once, beats, settings.table, shards(settings), batches=settings.batch_updates),
        records=records.DynamoRecords(table, once, settings.table, shards(settings)),
        queue=sqs.SqsQueue(lazy_client("sqs"), lanes(settings), settings.dead_queue),
        payloads=s3.S3Payloads(lazy_client("s3"), settings.bucket, settings.link_seconds),
        clock=clock.SystemClock(),
        random=random.SystemRandom(),
        alarm=alarm.SystemAlarm(),
        concurrency=threads.SystemThreads(),
        tasks=tasks.load(),
        settings=settings,
        containers=ecs.EcsContainers(
            lazy_client("ecs"),
            lazy_client("ecs", tries=1),
            lazy_client("logs", tries=2, read_timeout=3),
            ecs_settings(settings),
        ),
        logs=log.BoundedLogs(),
    )


def ecs_settings(settings: Settings) -> ecs.EcsSettings:
    return ecs.EcsSettings(
        stage=settings.stage,
        cluster=settings.container_cluster,
        log_group=settings.container_log,
        region=settings.region,
        role=settings.container_role,
        subnets=settings.container_subnets,
        security_group=settings.container_group,
        ignores_tokens=settings.endpoint is not None,
    )


def shards(settings: Settings) -> Shards:
    return Shards(settings.list_shards, settings.wake_shards, settings.tally_shards)


def lanes(settings: Settings) -> dict[Lane, str]:
    """The name of each lane's queue."""
    return {Lane.LONG: settings.queue, Lane.QUICK: settings.quick_queue}


def settings() -> Settings:
    return config.load(os.environ)
