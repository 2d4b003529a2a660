"""Where presigned links lead: to the bucket's own region, and where the page's policy lets it go."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from chalicelib import config
from chalicelib.aws import calls, session
from chalicelib.aws.s3 import S3Payloads


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The session keeps what it has read of the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session.shared.cache_clear()
    yield monkeypatch
    session.shared.cache_clear()


def origins(region: str, endpoint: str | None = None) -> tuple[set[str], str]:
    """Of links for getting and putting; and what the policy names."""
    environ = {"AWS_REGION": region, "BUCKET_NAME": "sortie-prod-payloads-1"} | (
        {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
    )
    settings = config.load(environ)
    payloads = S3Payloads(calls.client("s3", endpoint), settings.bucket, 900)
    links = [urlsplit(href) for href in (payloads.link("outputs/a"), payloads.upload_link("uploads/a", 0, 5).href)]
    return {f"{link.scheme}://{link.netloc}" for link in links}, settings.storage_origin


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "af-south-1", "ap-southeast-3"])
def test_links_lead_to_the_buckets_own_region(env: pytest.MonkeyPatch, region: str) -> None:
    """S3's global address knows no regions after 2019, and redirects for a bucket that is new."""
    env.setenv("AWS_DEFAULT_REGION", region)
    own = f"https://sortie-prod-payloads-1.s3.{region}.amazonaws.com"
    assert origins(region) == ({own}, own)


def test_links_of_an_emulator_lead_to_it(env: pytest.MonkeyPatch) -> None:
    env.setenv("AWS_DEFAULT_REGION", "us-east-1")
    emulator = "http://127.0.0.1:4566"
    assert origins("us-east-1", emulator) == ({emulator}, emulator)
