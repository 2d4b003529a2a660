"""Clients come quickly, and are those that botocore would have made."""

import gc

import pytest
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from chalicelib.aws import session

CONFIG = Config(region_name="us-east-1")


@pytest.mark.parametrize("service", session.SERVICES)
@pytest.mark.parametrize("part", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_the_description_of_a_service_is_botocores_own(service: str, part: str) -> None:
    loader = session._Loader(file_loader=session._Files())  # one of its own: making a client changes what it has read
    assert loader.load_service_model(service, part) == Loader().load_service_model(service, part)


def test_the_regions_are_botocores_own() -> None:
    loader = session._Loader(file_loader=session._Files())
    for name in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
        assert loader.load_data(name) == Loader().load_data(name)


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_afterwards_as_it_was_before(collects: bool) -> None:
    (gc.enable if collects else gc.disable)()
    try:
        assert session.create_client("sqs", "http://127.0.0.1:1", CONFIG).meta.region_name == "us-east-1"
        assert gc.isenabled() is collects
    finally:
        gc.enable()


@pytest.mark.parametrize("service", session.FOR_CREDENTIALS)
def test_a_profile_may_name_a_role_or_a_login(service: str) -> None:
    assert session.create_client(service, "http://127.0.0.1:1", CONFIG).meta.service_model.service_name == service


def test_another_service_is_refused_by_name_and_garbage_is_collected_all_the_same() -> None:
    with pytest.raises(UnknownServiceError, match="'ec2'"):
        session.create_client("ec2", "http://127.0.0.1:1", CONFIG)
    assert gc.isenabled()
