"""The service under test: the development stack, and the deployed one where this checkout can start it."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.stacks.e2e.service import Service, some_object

DEPLOYED = "tests.support.deployed_stack"
PLACES = ["development", *(["deployed"] if find_spec(DEPLOYED) else [])]


@pytest.fixture(scope="session", params=PLACES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if request.param == "development":
        yield from _with_schedule(Service(request.getfixturevalue("stack").url))
        return
    deployed: Any = import_module(DEPLOYED).DeployedStack(tmp_path_factory.mktemp("deployed"))
    try:
        yield from _with_schedule(Service(deployed.url, {"Authorization": f"Bearer {deployed.token}"}, clients=10))
    finally:
        deployed.stop()


def _with_schedule(service: Service) -> Iterator[Service]:
    """The schedule is made before anything else, so that no test has to sit through its whole first minute."""
    job = {"array": [2, 1], "object_id": some_object()}
    answer = service.ask("POST", "/schedules", {"cron": "* * * * *", "job": job})
    assert answer.status == 201, answer.raw
    yield replace(service, minutely=answer.body)
    service.ask("DELETE", f"/schedules/{answer.body['id']}")
