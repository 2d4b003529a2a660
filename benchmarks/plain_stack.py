"""The plain Chalice app of benchmarks/plain, packaged as Chalice does it and deployed as a CloudFormation stack."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.settings import ROOT
from ops import cloudformation, offline
from ops.account import EMULATED, Account
from ops.build import digest

APP = ROOT / "benchmarks" / "plain"
STACK, STAGE, BUCKET = "plain", "dev", "plain-artifacts"
TABLE = f"plain-{STAGE}"


@dataclass(frozen=True, slots=True)
class PlainPackage:
    zip: Path
    template: dict[str, Any]


def package(folder: Path) -> PlainPackage:
    """Made in a copy, since Chalice writes beside its sources. Chalice's own runtime is all that the zip has beside the
    app: boto3 is Lambda's."""
    copy, out = folder / "app", folder / "out"
    shutil.copytree(APP, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "requirements.txt").touch()
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package"]
    command += ["--merge-template", "resources.json", "--stage", STAGE, str(out)]
    subprocess.run(command, cwd=copy, env=_environ(), check=True, capture_output=True)
    return PlainPackage(out / "deployment.zip", json.loads((out / "sam.json").read_text("utf-8")))


def deploy(account: Account, built: PlainPackage) -> str:
    """The API's address on an emulator. As many workers as `quick` has there, with the same batches."""
    store, key = account.client("s3"), f"{digest(built.zip)}.zip"
    store.create_bucket(Bucket=BUCKET)
    store.put_object(Bucket=BUCKET, Key=key, Body=built.zip.read_bytes())
    template = json.loads(json.dumps(built.template))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": key}
    source = template["Resources"]["Work"]["Properties"]["Events"]["WorkSqsEventSource"]["Properties"]
    source["ScalingConfig"] = {"MaximumConcurrency": offline.WORKERS["QuickConcurrency"]}
    return cloudformation.api_url(account, cloudformation.apply(account, STACK, STAGE, json.dumps(template)))


def _environ() -> Mapping[str, str]:
    return {"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": EMULATED["region_name"], "PYTHONDONTWRITEBYTECODE": "1"}
