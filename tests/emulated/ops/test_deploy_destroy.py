"""The way to AWS, walked on an emulator: a stage comes up, is not dropped without a second word, and goes."""

from collections.abc import Iterator

import pytest

from dev import emulator
from dev.settings import BadStart
from ops import cloudformation, deploy, destroy
from ops.account import Account


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    with emulator.running() as endpoint:
        yield {"ENDPOINT": endpoint, "STAGE": "prod"}


@pytest.mark.parametrize("stage", ["", "local", "nowhere"])
def test_only_a_stage_with_tokens_is_deployed(stage: str) -> None:
    with pytest.raises(BadStart, match="STAGE=dev or STAGE=prod"):
        deploy.deploy({"STAGE": stage}, print)


def test_a_stage_comes_up_keeps_its_data_until_told_twice_and_goes(environ: dict[str, str]) -> None:
    said: list[str] = []
    url = deploy.deploy(environ, said.append)
    assert url.startswith(environ["ENDPOINT"])
    account = Account(environ["ENDPOINT"])
    store = account.client("s3")
    (bucket,) = [b["Name"] for b in store.list_buckets()["Buckets"] if "payloads" in b["Name"]]
    store.put_object(Bucket=bucket, Key="outputs/some", Body=b"[1]")

    with pytest.raises(destroy.NotConfirmed, match=f"the bucket {bucket}"):
        destroy.destroy(environ, said.append)
    assert cloudformation.exists(account, "prod")
    assert store.get_object(Bucket=bucket, Key="outputs/some")["Body"].read() == b"[1]"

    destroy.destroy(environ | {"CONFIRM": "sortie-prod"}, said.append)
    assert not cloudformation.exists(account, "prod")
    tables = account.client("dynamodb")
    assert tables.list_tables()["TableNames"] == []

    with pytest.raises(BadStart, match="no stack sortie-prod"):
        destroy.destroy(environ, said.append)
