"""`make deploy STAGE=prod`: build the package for Lambda, and create or update the stage's stack on AWS.

ENDPOINT=http://localhost:4566 sends the same calls to an emulator instead, WITH=chalice takes `chalice deploy`, and
ALARM_TOPIC names an SNS topic (its ARN) that the alarms go to.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping

from dev.settings import ROOT
from ops import build, chalice_deploy, cloudformation
from ops.account import Account

OPEN_STAGE = "local"


class BadStage(Exception):
    """The message says which stages there are."""


def stage_of(environ: Mapping[str, str]) -> str:
    """A stage of .chalice/config.json that may be deployed. Raises BadStage."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    known = sorted(set(config["stages"]) - {OPEN_STAGE})
    stage = environ.get("STAGE", "")
    if stage not in known:
        raise BadStage(f"Say which stage: STAGE={' or STAGE='.join(known)}. (The stage local asks for no token.)")
    return stage


def deploy(environ: Mapping[str, str], say: Callable[[str], None]) -> str:
    """The address of the stage's API. Raises BadStage, cloudformation.DeployFailed."""
    stage = stage_of(environ)
    account = Account(environ.get("ENDPOINT") or None)
    say(f"Account {account.number}, region {account.region}, stage {stage}.")
    if environ.get("WITH") == "chalice":
        return chalice_deploy.deploy(account, stage, say)
    package = build.build(stage, ROOT / ".build" / stage, for_aws=account.endpoint is None)
    say(f"Package: {package.zip.stat().st_size / 1e6:.1f} MB, sha256 {package.digest[:12]}")
    topic = environ.get("ALARM_TOPIC", "")
    return cloudformation.api_url(account, cloudformation.deploy(account, stage, package, say, AlarmTopic=topic))


def main() -> int:
    try:
        url = deploy(os.environ, lambda text: print(text, flush=True))
    except (BadStage, cloudformation.DeployFailed) as error:
        print(error, file=sys.stderr)
        return 1
    stage = os.environ["STAGE"]
    print(f"API: {url}\nA token: {sys.executable} -m ops.tokens create --owner NAME --role submit --stage {stage}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
