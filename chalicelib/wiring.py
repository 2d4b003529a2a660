"""Settings to a real service: the one place where inside meets outside. Clients are made when first used, once."""

import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from chalicelib import config, tasks
from chalicelib.aws import dynamodb, records, s3, sqs
from chalicelib.aws.calls import client
from chalicelib.config import Settings
from chalicelib.core.ids import RANDOM_BITS, make_id
from chalicelib.core.job import Millis
from chalicelib.ports import Ports

STEP_BITS = 40


class SystemClock:
    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class SystemRandom:
    """Ids made in one millisecond still come in order: each later one adds a random step to the one before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def new_id(self, now: Millis) -> str:
        with self._lock:
            then, bits = self._last
            if now > then:
                self._last = (now, secrets.randbits(RANDOM_BITS - 1))
            else:
                self._last = (then, bits + 1 + secrets.randbits(STEP_BITS))
            return make_id(*self._last)

    def new_token(self) -> str:
        return secrets.token_hex(8)

    def uniform(self) -> float:
        return secrets.randbits(53) / 2**53


class Lazy:
    """Stands for a client until one of its methods is asked for: making one takes a tenth of a second."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def _real(self) -> Any:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        self.__dict__[name] = found
        return found


def ports(settings: Settings) -> Ports:
    """Everything real. Nothing is connected yet."""

    def made(service: str, tries: int = 3) -> Any:
        return Lazy(lambda: client(service, settings.endpoint, tries))

    table = made("dynamodb")
    return Ports(
        jobs=dynamodb.DynamoJobs(table, made("dynamodb", tries=1), settings.table),
        records=records.DynamoRecords(table, settings.table),
        queue=sqs.SqsQueue(made("sqs"), settings.queue, settings.dead_queue),
        payloads=s3.S3Payloads(made("s3"), settings.bucket, settings.link_seconds),
        clock=SystemClock(),
        random=SystemRandom(),
        tasks=tasks.load(),
        settings=settings,
    )


def settings() -> Settings:
    return config.load(os.environ)


def log_to_stdout() -> None:
    """One line a record, as it is: the lines are JSON already."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("sortie")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
