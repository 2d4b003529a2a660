"""The policies by hand, held against what the code can call: nothing missing, nothing extra, nobody else's things."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.aws import records
from dev import template
from dev.settings import ROOT
from ops.build import policy
from tests.emulated.ops import permissions

FUNCTIONS = ("api", "authorize", "quick", "work", "dispatch", "ended")
STAGES = ("dev", "prod", "staging")
EACH = pytest.mark.parametrize("function", FUNCTIONS)
OF_EACH_STAGE = pytest.mark.parametrize("stage", STAGES)


PAYLOADS = {
    "api": ({"uploads", "inputs", "kept", "outputs"}, {"uploads", "inputs", "kept"}),
    "dispatch": ({"uploads", "inputs", "kept"}, {"inputs", "kept"}),
    "ended": ({"inputs", "kept"}, set[str]()),
    "work": ({"inputs", "kept"}, {"outputs"}),
    "quick": ({"inputs", "kept"}, {"outputs"}),
    "authorize": (set[str](), set[str]()),
}
"""Function -> the first parts of the keys that it fetches, and of those that it stores."""


def statements(stage: str, function: str, effect: str = "Allow") -> list[dict[str, Any]]:
    document = policy(ROOT / ".chalice" / f"policy-{function}.json", stage)
    return [each for each in document["Statement"] if each["Effect"] == effect]


def prefixes(function: str, action: str) -> set[str]:
    named = [each for each in statements("dev", function) if action in each["Action"]]
    return {resource.split("/")[1] for statement in named for resource in resources(statement)}


def resources(statement: dict[str, Any]) -> list[str]:
    named = statement["Resource"]
    return named if isinstance(named, list) else [named]


def indexes() -> set[str]:
    return {each["IndexName"] for each in template.read("dev").properties("Table")["GlobalSecondaryIndexes"]}


@EACH
def test_a_policy_allows_exactly_what_its_function_can_call(function: str) -> None:
    allowed = {action for statement in statements("dev", function) for action in statement["Action"]}
    assert allowed == permissions.needed()[function]


@EACH
def test_a_policy_names_exactly_the_indexes_that_its_function_queries(function: str) -> None:
    queries = [each for each in statements("dev", function) if "dynamodb:Query" in each["Action"]]
    allowed = {resource.rsplit("/index/", 1)[1] for statement in queries for resource in resources(statement)}
    assert allowed == permissions.queried(indexes())[function]


@EACH
def test_payloads_are_reached_by_prefix(function: str) -> None:
    fetched, stored = PAYLOADS[function]
    assert (prefixes(function, "s3:GetObject"), prefixes(function, "s3:PutObject")) == (fetched, stored)


@EACH
def test_every_prefix_that_a_function_writes_of_is_its_own(function: str) -> None:
    """The keys that a function makes up are in its code; those that it only fetches stand in the rows."""
    known = set().union(*(fetched | stored for fetched, stored in PAYLOADS.values()))
    in_code = {word.split("/")[0] for word in permissions.strings()[function]} & known
    fetched, stored = PAYLOADS[function]
    assert stored <= in_code <= fetched | stored


@EACH
def test_tokens_are_the_authorizers_alone(function: str) -> None:
    denied = statements("dev", function, "Deny")
    if function == "authorize":
        (reads,) = [each for each in statements("dev", function) if "dynamodb:GetItem" in each["Action"]]
        assert reads["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["token#*"]}}
        return
    (tokens,) = denied
    assert tokens["Action"] == ["dynamodb:*"]
    assert {resource.rpartition(":")[2] for resource in resources(tokens)} == {
        "table/sortie-dev",
        "table/sortie-dev/index/by_group",
    }
    assert tokens["Condition"] == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["token#*", records.TOKENS]}}


@EACH
def test_only_buckets_of_the_own_account_are_reached(function: str) -> None:
    own = {"StringEquals": {"s3:ResourceAccount": {"Fn::Sub": "${AWS::AccountId}"}}}
    reach = [each for each in statements("dev", function) if each["Action"][0].startswith("s3:")]
    assert all(each["Condition"] == own for each in reach)


@EACH
def test_where_chalice_deploys_nothing_is_left_for_cloudformation_to_put_in(function: str) -> None:
    document = json.dumps(policy(ROOT / ".chalice" / f"policy-{function}.json", "dev", "123456789012"))
    assert "${" not in document
    assert function == "authorize" or '{"s3:ResourceAccount": "123456789012"}' in document


def test_every_index_is_queried_by_somebody() -> None:
    assert set().union(*permissions.queried(indexes()).values()) == indexes()


@OF_EACH_STAGE
@EACH
def test_no_action_and_no_resource_is_a_star(stage: str, function: str) -> None:
    for statement in statements(stage, function):
        assert not [action for action in statement["Action"] if "*" in action]
        if set(statement["Action"]) == permissions.KNOW_NO_RESOURCE:
            continue
        for resource in resources(statement):
            name = re.sub(r"/\w+/\*$", "", resource.split(":", 5)[5].removesuffix(":*"))
            assert name.rstrip("*")
            assert re.search(rf"(^|[:/])sortie-{stage}(-|/|$)", name), resource


def test_every_function_of_a_stage_has_its_own_policy() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    for stage in set(stages) - {"local"}:
        files = {each["iam_policy_file"] for each in stages[stage]["lambda_functions"].values()}
        assert files == {f"policy-{function}.json" for function in FUNCTIONS}


def test_every_client_call_in_the_sources_is_known() -> None:
    """A new kind of call has to be given its action first: nothing slips by."""
    called = set()
    for path in (ROOT / "chalicelib" / "aws").glob("*.py"):
        called |= set(re.findall(r"(?:self\._client|self\._once|self\._logs|\bclient)\.(\w+)\(", path.read_text()))
    assert called - {"generate_presigned_url"} <= set(permissions.ACTIONS)


def test_the_authorizer_reads_tokens_and_nothing_else() -> None:
    assert permissions.needed()["authorize"] == {"dynamodb:GetItem"} | permissions.LOGS


@pytest.fixture(scope="module")
def bare_template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Chalice alone makes of a fresh clone; its libraries are left out, since they come from the network."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("app.py", "resources.yaml"):
        shutil.copy2(ROOT / name, clone / name)
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__", "deploy*"))
    (clone / "requirements.txt").write_text("")
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package"]
    environ = os.environ | {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command += ["--merge-template", "resources.yaml", "--stage", "prod", "out"]
    done = subprocess.run(command, cwd=clone, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    packaged: dict[str, Any] = yaml.safe_load(Path(clone / "out" / "sam.yaml").read_text())
    return packaged


def test_chalice_package_alone_gives_each_function_its_policy(bare_template: dict[str, Any]) -> None:
    """CloudFormation puts the stage in, as the commands of ops/ do before Chalice reads the policies."""
    resources = {name: each for name, each in bare_template["Resources"].items() if name != "ContainerRole"}
    roles = [each for each in resources.values() if each["Type"] == "AWS::IAM::Role"]
    names = {json.dumps(statement["Resource"]) for role in roles for policy in role["Properties"]["Policies"]
             for statement in policy["PolicyDocument"]["Statement"]}  # fmt: skip
    assert len(roles) == len(FUNCTIONS)
    assert {"Fn::Sub": "arn:aws:dynamodb:*:*:table/sortie-${Stage}"} in map(json.loads, names)
    assert not [name for name in names if "sortie" in name and "${Stage}" not in name]
    assert "Stage" in bare_template["Parameters"]
