"""localstack-compose.yml, as far as it can be judged without a Docker engine: form, pins, ports, health checks."""

import re
from typing import Any

import pytest
import yaml

from dev.settings import ROOT

WITH_CONTAINERS = {"ecs", "ec2"}
KNOWN = {"image", "ports", "environment", "volumes", "healthcheck", "profiles"}


class AnyTags(yaml.SafeLoader):
    """CloudFormation's own tags, such as !Ref, count as what stands behind them."""


AnyTags.add_multi_constructor("!", lambda loader, suffix, node: str(node.value))


def services() -> dict[str, Any]:
    compose = yaml.safe_load((ROOT / "localstack-compose.yml").read_text())
    assert set(compose) == {"services"}
    services_: dict[str, Any] = compose["services"]
    return services_


@pytest.mark.parametrize("name", ["localstack", "ministack"])
def test_a_service_is_pinned_answers_on_4566_of_loopback_and_says_when_it_is_well(name: str) -> None:
    service = services()[name]
    assert set(service) <= KNOWN
    assert re.fullmatch(r"[a-z]+/[a-z]+:\d+\.\d+\.\d+(-full)?", service["image"])
    assert service["ports"] == ["127.0.0.1:4566:4566"]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert "/health" in check["test"][-1]
    assert all(re.fullmatch(r"\d+s", check[key]) for key in ("interval", "timeout", "start_period"))
    assert all(isinstance(value, str) for value in service["environment"].values())


def test_up_alone_starts_one_of_them() -> None:
    assert [name for name, service in services().items() if "profiles" not in service] == ["localstack"]


def test_localstack_is_the_last_that_needs_no_account() -> None:
    assert services()["localstack"]["image"] == "localstack/localstack:4.14.0"


def test_ministack_is_the_version_that_the_tests_run_on() -> None:
    pins = (ROOT / "requirements-dev.txt").read_text()
    version = services()["ministack"]["image"].split(":")[1].removesuffix("-full")
    assert f"ministack[full]=={version}\n" in pins
    assert f"ministack=={version}\n" in (ROOT / "requirements-run.txt").read_text()


def test_localstack_starts_the_services_of_everything_in_the_stack() -> None:
    """Both queues and functions among them. Container jobs are off there."""
    stack = yaml.load((ROOT / "resources.yaml").read_text(), Loader=AnyTags)["Resources"]
    kinds = {resource["Type"].split("::")[1].lower() for resource in stack.values() if "Type" in resource}
    needed = (kinds - WITH_CONTAINERS - {"serverless"}) | {"lambda", "events", "apigateway", "sts"}
    started = set(services()["localstack"]["environment"]["SERVICES"].split(","))
    assert needed <= started
    queues = [name for name, resource in stack.items() if resource.get("Type", "").endswith("::Queue")]
    assert len(queues) == 3, "a queue for each lane, and the dead letters of both"
