"""Where packages are uploaded to: a bucket of one's own account, whoever has guessed its name before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ops import cloudformation
from ops.build import Package, digest

NUMBER, BUCKET = "123456789012", "sortie-artifacts-123456789012-eu-west-1"
OURS = {"Bucket": BUCKET, "ExpectedBucketOwner": NUMBER}


@dataclass
class OnlyStore:
    """An account of which only S3 may be called."""

    store: Any
    number: str = NUMBER
    region: str = "eu-west-1"
    endpoint: str | None = None

    def client(self, service: str) -> Any:
        assert service == "s3"
        return self.store


def test_nothing_is_uploaded_to_a_bucket_of_somebody_else(tmp_path: Path) -> None:
    """S3 says 403 to whoever expects another owner. What CloudFormation reads from there would be the owner's."""
    store = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    package = Package(tmp_path / "code.zip", tmp_path / "layer.zip", {})
    account: Any = OnlyStore(store)
    with Stubber(store) as stubbed:
        stubbed.add_client_error("head_bucket", "403", "Forbidden", 403, expected_params=OURS)
        with pytest.raises(cloudformation.DeployFailed, match="belongs to another account than 123456789012"):
            cloudformation.deploy(account, "dev", package, lambda _: None)
        stubbed.assert_no_pending_responses()


def test_every_upload_names_the_account_that_the_bucket_must_belong_to(tmp_path: Path) -> None:
    store = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    package = Package(tmp_path / "code.zip", tmp_path / "layer.zip", {})
    for file in (package.zip, package.layer):
        file.write_bytes(b"")
    account: Any = OnlyStore(store)
    with Stubber(store) as stubbed:
        stubbed.add_response("head_bucket", {}, OURS)
        key = f"dev/{digest(package.zip)}.zip"
        stubbed.add_client_error("head_object", "404", "", 404, expected_params={**OURS, "Key": key})
        stubbed.add_client_error(
            "put_object", "403", "Forbidden", 403, expected_params={**OURS, "Key": key, "Body": b""}
        )
        with pytest.raises(store.exceptions.ClientError, match="Forbidden"):
            cloudformation.deploy(account, "dev", package, lambda _: None)
