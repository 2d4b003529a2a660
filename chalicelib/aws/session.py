"""Botocore's session and its clients, made in half of botocore's own time: most of a cold start goes into them.

boto3's clients are the same ones, and what it has beside them takes as long again.
"""

import gc
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session, get_session

SERVICES = ("dynamodb", "ecs", "logs", "s3", "sqs")
FOR_CREDENTIALS = ("sso", "sso-oidc", "sts")
"""Botocore asks them itself where a profile names a role or a login: on a laptop, and never in a function."""


class _Files(JSONFileLoader):  # type: ignore[misc]
    """The descriptions of services are a megabyte of JSON, which the standard library reads slowly."""

    def load_file(self, file_path: str) -> Any:
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return msgspec.json.decode(plain.read_bytes())
        return msgspec.json.decode(gzip.decompress(packed.read_bytes())) if packed.is_file() else None


class _Loader(Loader):  # type: ignore[misc]
    """Botocore would look through the folders of all four hundred services before it takes one."""

    def list_available_services(self, type_name: str) -> list[str]:
        return [*SERVICES, *FOR_CREDENTIALS]


def create_client(service: str, endpoint: str | None, config: Config) -> Any:
    with _uncollected():
        return shared().create_client(service, endpoint_url=endpoint, config=config)


@cache
def shared() -> Session:
    """By all clients of this process."""
    session = get_session()
    session.register_component("data_loader", _Loader(file_loader=_Files()))
    return session


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hardly anything of it is garbage, and the collector would go through all of it again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
