"""Settings from the environment: read here, once, and nowhere else. A bad variable is named at the start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
LONGEST_TIMEOUT_SECONDS = 840
"""Seconds: an attempt's outcome has to be written within the 900 that a Lambda function may take."""
MOST_SHARDS = 100
"""A page asks each list; a round of the dispatcher asks each part of the wake index."""


ARN_PARTS = 7


class BadSetting(ValueError):
    """A variable of the environment that cannot be used; the message names it and says what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds, sizes bytes.

    `inline_limit`: a payload up to this size is kept in the row. Each of a job's three writes is billed for the whole
    row, so from about 4 KB of input and output on, two S3 objects (one PUT and one GET each) are the cheaper place.
    `container_images`: patterns of what may run, none where container jobs are off; `containers_off`: why they are,
    where that is for another reason. `container_group`: the security group of what runs.
    `list_shards`, `wake_shards`, `tally_shards`: core/shards.py; they may only grow.
    `batch_updates`: the dispatcher writes by BatchExecuteStatement, which moto does not know.
    `hosts`: what the local stage answers to, as in the header Host; none means every loopback name and port.
    """

    stage: str = "local"
    table: str = "sortie-local"
    queue: str = "sortie-local-jobs"
    quick_queue: str = "sortie-local-quick"
    dead_queue: str = "sortie-local-dead"
    bucket: str = "sortie-local-payloads"
    endpoint: str | None = None
    region: str = "us-east-1"
    job_timeout: float = 60.0
    max_timeout: float = LONGEST_TIMEOUT_SECONDS
    prefetch: int = 10
    retention: float = 7 * 86_400.0
    inline_limit: int = 4_096
    body_limit: int = 5_000_000
    answer_limit: int = 5_500_000
    upload_limit: int = 300_000_000
    link_seconds: int = 900
    container_images: tuple[str, ...] = ()
    container_secrets: tuple[str, ...] = ()
    containers_off: str = ""
    container_cluster: str = "sortie-local"
    container_log: str = "sortie-local-containers"
    container_role: str = ""
    container_subnets: tuple[str, ...] = ()
    container_group: str = ""
    hosts: tuple[str, ...] = ()
    batch_updates: bool = True
    list_shards: int = 2
    wake_shards: int = 8
    tally_shards: int = 1

    @property
    def storage_origin(self) -> str:
        """Where presigned links lead: what the page may send uploads to, besides this service."""
        if self.endpoint:
            return self.endpoint.rstrip("/")
        return f"https://{self.bucket}.s3.{self.region}.amazonaws.com"

    @property
    def is_open(self) -> bool:
        """The local stage asks for no token. Any other does, and so does one that nobody named."""
        return self.stage == "local"


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from variables; those that are not set keep their defaults. Raises BadSetting."""
    stage = environ.get("SORTIE_STAGE") or "unset"
    return Settings(
        stage=stage,
        table=environ.get("TABLE_NAME", f"sortie-{stage}"),
        queue=environ.get("QUEUE_NAME", f"sortie-{stage}-jobs"),
        quick_queue=environ.get("QUICK_QUEUE_NAME", f"sortie-{stage}-quick"),
        dead_queue=environ.get("DEAD_QUEUE_NAME", f"sortie-{stage}-dead"),
        bucket=environ.get("BUCKET_NAME", f"sortie-{stage}-payloads"),
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint=environ.get("AWS_ENDPOINT_URL") or None,
        job_timeout=_number(environ, "JOB_TIMEOUT", float, 60.0, 1, LONGEST_TIMEOUT_SECONDS),
        prefetch=_number(environ, "JOB_PREFETCH", int, 10, 1, 10),
        retention=_number(environ, "RETENTION_SECONDS", float, 7 * 86_400.0, 60, 30 * 86_400),
        inline_limit=_number(environ, "INLINE_LIMIT", int, 4_096, 0, 30_000),
        container_images=_images(environ),
        container_secrets=_secrets(environ),
        containers_off=environ.get("CONTAINERS_OFF", ""),
        container_cluster=environ.get("CONTAINER_CLUSTER", f"sortie-{stage}"),
        container_log=environ.get("CONTAINER_LOG", f"sortie-{stage}-containers"),
        container_role=environ.get("CONTAINER_ROLE", ""),
        container_subnets=_list(environ, "CONTAINER_SUBNETS"),
        container_group=environ.get("CONTAINER_GROUP", ""),
        list_shards=_number(environ, "LIST_SHARDS", int, 2, 1, MOST_SHARDS),
        wake_shards=_number(environ, "WAKE_SHARDS", int, 8, 1, MOST_SHARDS),
        tally_shards=_number(environ, "TALLY_SHARDS", int, 1, 1, MOST_SHARDS),
        batch_updates=_switch(environ, "BATCH_UPDATES", default=True),
        hosts=tuple(filter(None, (host.strip().lower() for host in environ.get("HOSTS", "").split(",")))),
    )


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name) or ("on" if default else "off")
    if text not in ("on", "off"):
        raise BadSetting(f"{name}={text!r}: give on or off, or leave it out")
    return text == "on"


def _list(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part for part in environ.get(name, "").replace(",", " ").split() if part)


def _images(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The registry is always written out, so that nobody wonders which one is meant."""
    patterns = _list(environ, "CONTAINER_IMAGES")
    for pattern in patterns:
        registry, slash, _ = pattern.partition("/")
        if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
            raise BadSetting(
                f"CONTAINER_IMAGES: {pattern!r} names no registry: write it out, as in docker.io/library/* or "
                "public.ecr.aws/docker/library/busybox:1.36"
            )
    return patterns


def _secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """IAM holds the same patterns against the ARN alone: one with more behind it would never fit."""
    patterns = _list(environ, "CONTAINER_SECRETS")
    for pattern in patterns:
        if beyond := pattern.split(":")[ARN_PARTS:]:
            raise BadSetting(f"CONTAINER_SECRETS: {pattern!r} names more than a secret: leave out :{':'.join(beyond)}")
    return patterns


def _number(environ: Mapping[str, str], name: str, kind: Callable[[str], T], default: T, low: float, high: float) -> T:
    text = environ.get(name)
    if text is None or text == "":
        return default
    try:
        value = kind(text)
        fits = low <= value <= high  # type: ignore[operator]
    except ValueError:
        fits = False
    if not fits:
        raise BadSetting(f"{name}={text!r}: give a number from {low:g} to {high:g}, or leave it out")
    return value
