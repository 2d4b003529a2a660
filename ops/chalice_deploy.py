"""`make deploy STAGE=dev WITH=chalice`: `chalice deploy` with what it needs before and after.

before   tables, queues and bucket, which Chalice does not make: a stack of resources.yaml's own; the layer of `work`
chalice  functions, roles, event sources, routes
after    what Chalice cannot say: partial batches and a bound on workers, and the gateway's answers as problems
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dev import template
from dev.settings import ROOT
from ops import cloudformation, gateway_responses, offline, vendor
from ops.account import Account
from ops.build import copy_sources, write_layer

RECORD = ROOT / ".chalice" / "deployed"
OWN = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::S3::BucketPolicy")


def deploy(
    account: Account,
    stage: str,
    say: Callable[[str], None],
    record: Path = RECORD,
    shards: Mapping[str, str] | None = None,
) -> str:
    """The API's address. Raises DeployFailed."""
    say("Tables, queues and bucket first.")
    bucket = before(account, stage)
    say(chalice(account, "deploy", stage, {"BUCKET_NAME": bucket, **(shards or {})}, record))
    state = json.loads((record / f"{stage}.json").read_text())["resources"]
    api = next(each for each in state if each["resource_type"] == "rest_api")
    after(account, stage)
    protect(account, api["rest_api_id"])
    url = cloudformation.api_url(account, {"RestAPIId": api["rest_api_id"], "EndpointURL": api["rest_api_url"]})
    cloudformation.allow_page(account, bucket, url)
    return url


def before(account: Account, stage: str) -> str:
    """The bucket's name."""
    whole = template.load()
    own = {name: each for name, each in whole["Resources"].items() if each.get("Type") in OWN}
    part = whole | {"Resources": own}
    if account.endpoint:
        offline.adapt(part)
    name = f"{cloudformation.name_of(stage)}-resources"
    return cloudformation.apply(account, name, stage, json.dumps(part))["Bucket"]


def chalice(account: Account, command: str, stage: str, variables: Mapping[str, str], record: Path = RECORD) -> str:
    """`command`: deploy or delete. `variables`: of the functions' environment. What Chalice said; its own record of
    what it made is kept in `record`."""
    with tempfile.TemporaryDirectory() as name:
        app = Path(name)
        copy_sources(ROOT, app, stage, account.number)
        libraries = vendor.installed() if account.endpoint else vendor.from_index(app / "libraries")
        lean, layer = vendor.split(libraries)
        layers = [publish_layer(account, stage, layer, app / "layer.zip")] if command == "deploy" else []
        _set_up(app / ".chalice/config.json", stage, variables, layers)
        for path, file in lean.items():
            (app / "vendor" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, app / "vendor" / path)
        shutil.rmtree(app / "libraries", ignore_errors=True)
        if record.exists():
            shutil.copytree(record, app / ".chalice/deployed")
        words = [sys.executable, "-c", "from chalice.cli import main; main()", command, "--stage", stage]
        done = subprocess.run(words, cwd=app, env=_environ(account, stage), capture_output=True, text=True)
        if (app / ".chalice/deployed").exists():
            shutil.copytree(app / ".chalice/deployed", record, dirs_exist_ok=True)
    if done.returncode:
        raise cloudformation.DeployFailed(f"{done.stdout}\n{done.stderr}")
    return done.stdout.strip()


def publish_layer(account: Account, stage: str, libraries: Mapping[str, Path], file: Path) -> str:
    """The ARN of the version. Chalice zips what it finds, so the file must be gone again before it looks."""
    write_layer(file, libraries)
    version = account.client("lambda").publish_layer_version(
        LayerName=layer_name(stage), Content={"ZipFile": file.read_bytes()}
    )
    file.unlink()
    arn: str = version["LayerVersionArn"]
    return arn


def remove_layers(account: Account, stage: str) -> None:
    """Once no function has them: Chalice does not know that it had them published."""
    client = account.client("lambda")
    for page in client.get_paginator("list_layer_versions").paginate(LayerName=layer_name(stage)):
        for version in page["LayerVersions"]:
            client.delete_layer_version(LayerName=layer_name(stage), VersionNumber=version["Version"])


def layer_name(stage: str) -> str:
    return cloudformation.LAYER_NAME.replace("${Stage}", stage)


def after(account: Account, stage: str) -> None:
    """Without this, Lambda deletes messages that the worker gave back."""
    functions, resources = account.client("lambda"), template.read(stage)
    for name in ("Work", "Quick"):
        source: dict[str, Any] = resources.properties(name)["Events"][f"{name}SqsEventSource"]["Properties"]
        mappings = functions.list_event_source_mappings(FunctionName=f"sortie-{stage}-{name.lower()}")
        for mapping in mappings["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], **source)


def protect(account: Account, api_id: str) -> None:
    """The form of a token, the throttling and the gateway's own answers, as the template has them."""
    gateway, whole = account.client("apigateway"), template.load()
    guard = whole["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["securityDefinitions"]["authorize"]
    form = guard["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    for authorizer in gateway.get_authorizers(restApiId=api_id).get("items", []):
        change = {"op": "replace", "path": "/identityValidationExpression", "value": form}
        gateway.update_authorizer(restApiId=api_id, authorizerId=authorizer["id"], patchOperations=[change])
    limits = {"rateLimit": "ThrottleRate", "burstLimit": "ThrottleBurst"}
    changes = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(whole["Parameters"][parameter]["Default"])}
        for name, parameter in limits.items()
    ]
    gateway.update_stage(restApiId=api_id, stageName=cloudformation.API_STAGE, patchOperations=changes)
    gateway_responses.apply(account, api_id, cloudformation.API_STAGE, gateway_responses.of_template(whole))


def _set_up(file: Path, stage: str, variables: Mapping[str, str], layers: list[str]) -> None:
    config = json.loads(file.read_text())
    config["stages"][stage]["environment_variables"] |= variables
    config["stages"][stage]["lambda_functions"]["work"]["layers"] = layers
    file.write_text(json.dumps(config))


def _environ(account: Account, stage: str) -> dict[str, str]:
    own = {"SORTIE_STAGE": stage, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": account.region}
    if not account.endpoint:
        return dict(os.environ) | own
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    own |= {"AWS_ENDPOINT_URL": account.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return kept | own
