"""The deployed stack that these tests share."""

from collections.abc import Iterator

import pytest

from tests.support.deployed_stack import DeployedStack, deployed_stack


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """`.url` of the API, `.token` of an admin, `.endpoint` of the emulator."""
    yield from deployed_stack(tmp_path_factory.mktemp("deployed"))
