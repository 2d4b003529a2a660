"""Where a stage lives: an AWS account, or an emulator that stands in for one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

from dev import emulator
from dev.settings import address

EMULATED = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True)
class Account:
    """`endpoint`: the emulator's address; None: AWS, with the caller's own credentials and region."""

    endpoint: str | None = None

    def client(self, service: str) -> Any:
        """A new client. What this computer knows of real accounts never reaches an emulator."""
        config = Config(retries={"mode": "standard", "total_max_attempts": 4})
        if service == "s3" and self.endpoint:
            config = config.merge(Config(s3={"addressing_style": "path"}, signature_version="s3v4"))
        return self._session.client(service, endpoint_url=self.endpoint, config=config)

    @cached_property
    def region(self) -> str:
        if not self._session.region_name:
            raise NoRegionError
        return str(self._session.region_name)

    @cached_property
    def number(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def _session(self) -> Any:
        if self.endpoint:
            return boto3.session.Session(**EMULATED)
        return boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)


def account_of(environ: Mapping[str, str]) -> Account:
    """ENDPOINT's or AWS's, within reach: asked before anything is built. Raises BadStart and botocore's errors."""
    endpoint = address(environ, "ENDPOINT")
    account = Account(endpoint if endpoint is None else emulator.demand(endpoint))
    _ = account.region, account.number
    return account
