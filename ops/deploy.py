"""`make deploy STAGE=prod`: build the package for Lambda, and create or update the stage's stack on AWS.

ENDPOINT=http://localhost:4566 sends the same calls to an emulator instead, WITH=chalice takes `chalice deploy`, and
ALARM_TOPIC names an SNS topic (its ARN) that the alarms go to, CONTAINER_IMAGES what container jobs may run,
LIST_SHARDS, WAKE_SHARDS and TALLY_SHARDS into how many parts busy lists are split: they may only grow.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from chalicelib import config, wiring
from dev import command, shards
from dev.settings import ROOT, BadStart, number
from ops import build, chalice_deploy, cloudformation
from ops.account import Account, account_of

PARAMETERS = {"ALARM_TOPIC": "AlarmTopic", "THROTTLE_RATE": "ThrottleRate", "THROTTLE_BURST": "ThrottleBurst"}
SHARDS = {name: name.title().replace("_", "") for name in shards.VARIABLES.values()}
"""`LIST_SHARDS` is the stack's parameter `ListShards`."""


def deploy(environ: Mapping[str, str], say: Callable[[str], None]) -> str:
    """The address of the stage's API. Raises BadStart."""
    stage, way = build.known_stage(environ.get("STAGE", "")), environ.get("WITH", "")
    if way not in ("", "chalice"):
        raise BadStart(f"WITH={way!r}: give chalice, or leave it out.")
    if way == "chalice" and environ.get("CONTAINER_IMAGES"):
        raise BadStart("WITH=chalice makes no cluster, and container jobs stay off: leave it or CONTAINER_IMAGES out.")
    for name in ("THROTTLE_RATE", "THROTTLE_BURST"):
        number(environ, name, 1, 1, 10_000)
    account = account_of(environ)
    if account.endpoint is None:
        refuse_old_python(sys.version_info[:2])
    say(f"Account {account.number}, region {account.region}, stage {stage}.")
    with kept_shards(account, environ, stage):
        if way == "chalice":
            return chalice_deploy.deploy(account, stage, say, shards=shard_variables(environ))
        return _deploy(account, environ, stage, say)


@contextmanager
def kept_shards(account: Account, environ: Mapping[str, str], stage: str) -> Iterator[None]:
    """Around a deployment. Raises BadStart where fewer shards are set than the stage's table has seen."""
    settings = config.load({**environ, "SORTIE_STAGE": stage})
    client, numbers = account.client("dynamodb"), wiring.shards(settings)
    shards.refuse_fewer(client, settings.table, numbers)
    yield
    shards.remember(client, settings.table, numbers)


def shard_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those that are set; the others keep their defaults."""
    return {name: environ[name] for name in SHARDS if environ.get(name)}


def shard_parameters(environ: Mapping[str, str]) -> dict[str, str]:
    return {SHARDS[name]: value for name, value in shard_variables(environ).items()}


def _deploy(account: Account, environ: Mapping[str, str], stage: str, say: Callable[[str], None]) -> str:
    package = build.build(stage, ROOT / ".build" / stage, for_aws=account.endpoint is None)
    say(f"Package: {package}")
    parameters = {name: environ[key] for key, name in PARAMETERS.items() if environ.get(key)}
    parameters |= _container_parameters(environ) | shard_parameters(environ)
    outputs = cloudformation.deploy(account, stage, package, say, **parameters)
    return cloudformation.api_url(account, outputs)


def _container_parameters(environ: Mapping[str, str]) -> dict[str, str]:
    """Raises config.BadSetting."""
    settings = config.load(environ)
    return {
        "ContainerImages": " ".join(settings.container_images),
        "ContainerSecrets": ",".join(settings.container_secrets),
        "ContainerSubnets": ",".join(settings.container_subnets),
        "ContainerVpc": environ.get("CONTAINER_VPC", ""),
    }


def refuse_old_python(version: tuple[int, ...]) -> None:
    """The functions' Python is the one that deploys. Raises BadStart."""
    if version < (3, 12):
        raise BadStart(
            "Lambda's Python 3.11 stands on Amazon Linux 2, which is out of support, with a C library that newer\n"
            "wheels do not load on. Deploy with 3.12 or newer: rm -r .venv; make PYTHON=python3.12 deploy ..."
        )


def main() -> None:
    url = deploy(os.environ, lambda text: print(text, flush=True))
    stage = os.environ["STAGE"]
    print(f"API: {url}\nA token: {sys.executable} -m ops.tokens create --owner NAME --role submit --stage {stage}")


if __name__ == "__main__":
    command.run(main)
