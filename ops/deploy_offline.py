"""`make deploy-offline`: the package that goes to AWS, deployed to an emulator on this machine through CloudFormation.

PORT=4566 chooses the emulator's port, STATE=1 keeps its state in .data/offline, ENDPOINT=http://localhost:4566 uses one
that runs already, STAGE=dev names the stage.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dev import command, containers, emulator, engine, sample
from dev.client import Client
from dev.settings import address, number
from ops import build, cloudformation, offline, tokens
from ops.account import Account
from ops.deploy import kept_shards, shard_parameters

OWNER = "admin"
STAGE = "dev"


@dataclass(frozen=True, slots=True)
class Deployed:
    """`token`: an admin's."""

    url: str
    token: str
    endpoint: str
    stage: str


def deploy(environ: Mapping[str, str], folder: Path, say: Callable[[str], None]) -> Deployed:
    """Bring the emulator up, the stack up to date, and one job through it."""
    stage = build.known_stage(environ.get("STAGE") or STAGE)
    endpoint = address(environ, "ENDPOINT")
    images = environ.get("CONTAINER_IMAGES", "")
    if endpoint is None:
        started = _start(environ, folder)
        endpoint, images = started.endpoint, images or (containers.IMAGES if started.containers else "")
        say("Container jobs run." if started.containers else engine.OFF)
    else:
        emulator.demand(endpoint)
    say(f"Emulator at {endpoint}")
    account = Account(endpoint)
    # An emulator that somebody else started most likely runs functions in Lambda's own containers.
    package = build.build(stage, folder / "package", for_aws=bool(environ.get("ENDPOINT")))
    say(f"Package: {package}")
    with kept_shards(account, environ, stage):
        deployed = cloudformation.deploy(
            account, stage, package, say, ContainerImages=images, **shard_parameters(environ)
        )
    url = cloudformation.api_url(account, deployed)
    token = tokens.create(tokens.records_of(account, stage), OWNER, "admin", 30, now=time.time())
    say(sample.run(Client(url, {"Authorization": f"Bearer {token}"})))
    return Deployed(url, token, endpoint, stage)


def _start(environ: Mapping[str, str], folder: Path) -> offline.Running:
    port = int(number(environ, "PORT", 0, 1, 65535)) if environ.get("PORT") else None
    keep = environ.get("STATE", "") not in ("", "0")
    return offline.start(folder, environ, port=port, keep_state=keep)


def main() -> None:
    deployed = deploy(os.environ, offline.folder_of(os.environ), lambda text: print(text, flush=True))
    print(f"API: {deployed.url}\nTOKEN: {deployed.token}")
    print("The token is an admin's, for 30 days; python -m ops.tokens makes others.")
    print("It runs until: make stop-offline" if not os.environ.get("ENDPOINT") else "The emulator is not ours to stop.")


if __name__ == "__main__":
    command.run(main)
