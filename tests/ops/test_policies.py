"""The policies by hand, held against what the code can call: nothing missing, nothing extra, nobody else's things."""

import json
import re
from typing import Any

import pytest

from dev import template
from dev.settings import ROOT
from tests.ops import permissions

STAGES = ("dev", "prod")
FUNCTIONS = ("api", "authorize", "work", "dispatch")
BOTH = pytest.mark.parametrize(("stage", "function"), [(s, f) for s in STAGES for f in FUNCTIONS])


def statements(stage: str, function: str) -> list[dict[str, Any]]:
    policy = json.loads((ROOT / ".chalice" / f"policy-{stage}-{function}.json").read_text())
    assert all(each["Effect"] == "Allow" for each in policy["Statement"])
    found: list[dict[str, Any]] = policy["Statement"]
    return found


def resources(statement: dict[str, Any]) -> list[str]:
    named = statement["Resource"]
    return named if isinstance(named, list) else [named]


@BOTH
def test_a_policy_allows_exactly_what_its_function_can_call(stage: str, function: str) -> None:
    allowed = {action for statement in statements(stage, function) for action in statement["Action"]}
    assert allowed == permissions.needed()[function]


@BOTH
def test_no_action_and_no_resource_is_a_star(stage: str, function: str) -> None:
    for statement in statements(stage, function):
        assert not [action for action in statement["Action"] if "*" in action]
        for resource in resources(statement):
            name = resource.split(":", 5)[5].removesuffix(":*").removesuffix("/*")
            assert name.rstrip("*")
            assert re.search(rf"(^|[:/])sortie-{stage}(-|/|$)", name), resource


@BOTH
def test_indexes_are_named_one_by_one_and_exist(stage: str, function: str) -> None:
    known = {
        each["IndexName"] for each in template.load()["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    }
    for statement in statements(stage, function):
        if "dynamodb:Query" in statement["Action"]:
            assert {resource.rsplit("/index/", 1)[1] for resource in resources(statement)} <= known


def test_every_function_of_a_stage_has_its_own_policy() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    for stage in STAGES:
        files = {each["iam_policy_file"] for each in config["stages"][stage]["lambda_functions"].values()}
        assert files == {f"policy-{stage}-{function}.json" for function in FUNCTIONS}
        assert all((ROOT / ".chalice" / name).exists() for name in files)


def test_every_client_call_in_the_sources_is_known() -> None:
    """A new kind of call has to be given its action first: nothing slips by."""
    called = set()
    for path in (ROOT / "chalicelib" / "aws").glob("*.py"):
        called |= set(re.findall(r"(?:self\._client|\bclient)\.(\w+)\(", path.read_text()))
    assert called - {"generate_presigned_url"} <= set(permissions.ACTIONS)


def test_the_authorizer_reads_tokens_and_nothing_else() -> None:
    assert permissions.needed()["authorize"] == {"dynamodb:GetItem"} | permissions.LOGS
