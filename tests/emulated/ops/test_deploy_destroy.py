"""The way to AWS, walked on an emulator: a stage comes up, is not dropped without a second word, and goes."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import emulator
from dev.client import Client
from dev.settings import BadStart
from ops import cloudformation, deploy, destroy, tokens
from ops.account import Account
from tests.support import engines
from tests.support.running import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    with emulator.running() as endpoint:
        yield {"ENDPOINT": endpoint, "STAGE": "prod"}


def test_chalice_deploys_no_container_jobs_and_says_so() -> None:
    with pytest.raises(BadStart, match="WITH=chalice makes no cluster"):
        deploy.deploy({"STAGE": "dev", "WITH": "chalice", "CONTAINER_IMAGES": "docker.io/library/*"}, print)


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


def test_a_stage_goes_while_its_containers_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with engines.own_engine() as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        folder = Path(host.removeprefix("unix://")).parent
        with emulator.running() as endpoint:
            own = {"ENDPOINT": endpoint, "STAGE": "dev", "CONTAINER_IMAGES": "docker.io/library/*"}
            url, account = deploy.deploy(own, print), Account(endpoint)
            token = tokens.create(tokens.records_of(account, "dev"), "team", "submit", None, now=time.time())
            api = Client(url, {"Authorization": f"Bearer {token}"})
            request = {"task": "container", "input": {"image": engines.BUSYBOX, "command": ["sleep", "600"]}}
            job = api.ask("POST", "/jobs", request)
            assert job.status == 202, job.raw
            until(lambda: containers_in(folder), 120, "the container runs")

            said: list[str] = []
            destroy.destroy(own | {"CONFIRM": "sortie-dev"}, said.append)
            assert not cloudformation.exists(account, "dev")
            assert [line for line in said if line.startswith("Stopping the container ")]
            assert account.client("ecs").list_clusters()["clusterArns"] == []
            until(lambda: not containers_in(folder), 20, "its container is gone")


def containers_in(folder: Path) -> list[str]:
    """Those that run, by id."""
    return engines.podman(folder, "ps", "--quiet", "--filter", "label=ministack").split()
