"""Deploying again, removing a stage, and `chalice deploy` as far as the emulator lets it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dev import sample
from dev.client import Client
from ops import chalice_deploy
from ops.account import Account
from tests.support.deployed_stack import DeployedStack
from tests.support.running import processes


def test_a_second_deployment_updates_in_place(deployed: DeployedStack) -> None:
    job_id = deployed.submit({"array": [2, 1]})
    lines = deployed.run("ops.deploy_offline").splitlines()
    assert f"API: {deployed.url}" in lines
    assert f"Emulator at {deployed.endpoint}" in lines
    assert deployed.ended(job_id)["status"] == "completed"
    assert sample.run(Client(deployed.url, {"Authorization": f"Bearer {deployed.token}"}))


def test_only_the_stages_own_page_may_use_links_to_the_bucket(deployed: DeployedStack) -> None:
    store = deployed.account.client("s3")
    (bucket,) = [each["Name"] for each in store.list_buckets()["Buckets"] if "sortie-dev-payloads" in each["Name"]]
    (rule,) = store.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert rule["AllowedOrigins"] == [deployed.endpoint]


def test_chalice_deploy_and_delete_with_what_they_need_before_and_after(
    deployed: DeployedStack, tmp_path: Path
) -> None:
    """MiniStack takes the import of the routes and makes none of them: the function is called without a gateway."""
    account = deployed.account
    chalice_deploy.deploy(account, "prod", print, tmp_path)
    (source,) = sources(account)
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"] == 50
    assert [each for each in account.client("events").list_rules()["Rules"] if "sortie-prod-dispatch" in each["Name"]]
    assert health(account) == (200, {"status": "ok"})
    functions = account.client("lambda")
    assert not functions.get_function(FunctionName="sortie-prod-quick")["Configuration"].get("Layers")
    (layer,) = functions.get_function(FunctionName="sortie-prod-work")["Configuration"]["Layers"]
    assert ":layer:sortie-prod-sorting:" in layer["Arn"]
    chalice_deploy.chalice(account, "delete", "prod", {}, tmp_path)
    chalice_deploy.remove_layers(account, "prod")
    assert functions.list_layer_versions(LayerName="sortie-prod-sorting")["LayerVersions"] == []
    names = {each["FunctionName"] for each in account.client("lambda").list_functions()["Functions"]}
    assert not [name for name in names if name.startswith("sortie-prod")]


def health(account: Account) -> tuple[int, Any]:
    """GET /health of the function itself: it reads its table, queue and bucket under its own role."""
    context = {"httpMethod": "GET", "resourcePath": "/health", "path": "/api/health", "identity": {}}
    event = {"requestContext": context, "headers": {}, "body": None, "isBase64Encoded": False, "stageVariables": None}
    event |= {"multiValueQueryStringParameters": None, "pathParameters": None}
    answer = account.client("lambda").invoke(FunctionName="sortie-prod", Payload=json.dumps(event))
    answered = json.loads(answer["Payload"].read())
    return answered["statusCode"], json.loads(answered["body"])


def sources(account: Account) -> list[dict[str, Any]]:
    answer = account.client("lambda").list_event_source_mappings(FunctionName="sortie-prod-work")
    mappings: list[dict[str, Any]] = answer["EventSourceMappings"]
    return mappings


def test_a_deployment_that_fails_leaves_no_emulator_behind(tmp_path: Path) -> None:
    """The package cannot be written where a file lies, and by then the emulator runs."""
    folder = tmp_path / "failing"
    folder.mkdir()
    (folder / "package").write_text("in the way")
    with pytest.raises(AssertionError, match="deploy_offline failed"):
        DeployedStack(folder)
    assert not folder.exists()
    assert [process for process in processes() if _works_in(process.pid, folder)] == []


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(str(folder))
    except OSError:  # it has ended, or this machine has no /proc
        return False
