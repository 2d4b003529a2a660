"""Tokens are made for plain owner names and known roles alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.core.job import Container, Status
from chalicelib.core.lane import Lane
from chalicelib.core.records import Schedule
from chalicelib.service.stop import Stopped
from dev.settings import BadStart
from ops import tokens
from ops.account import Account
from tests.support import emulators
from tests.support.fakes import START
from tests.support.rows import RUNNING, new_id, row

ELSEWHERE = "eu-west-1"


class Book:
    def __init__(self) -> None:
        self.held: list[Any] = []

    def add_token(self, token: Any) -> None:
        self.held.append(token)


@pytest.mark.parametrize("owner", ["", "a#b", "a/b", "A", "a b", "x" * 65, "ä", "a\n"])
def test_an_owner_that_would_break_a_key_is_refused(owner: str) -> None:
    book: Any = Book()
    with pytest.raises(ValueError, match="owner"):
        tokens.create(book, owner, "read", None, now=0)
    assert not book.held


def test_what_is_stored_is_the_digest_the_role_and_the_end() -> None:
    book: Any = Book()
    token = tokens.create(book, "team-a", "submit", 90, now=1000)
    (stored,) = book.held
    assert token not in str(stored)
    assert len(token) == 43
    assert (stored.owner, stored.role, stored.expires_at) == ("team-a", "submit", 1000 + 90 * 86_400)


@pytest.fixture
def stage() -> Iterator[emulators.Stage]:
    with emulators.moto("tokens") as stage_:
        yield stage_


def submit_for(stage: emulators.Stage, owner: str) -> list[str]:
    """A job that waits, one that is due in an hour and one that runs."""
    waiting, running = row(owner=owner), row(owner=owner, **RUNNING)
    later = row(owner=owner, status=Status.SCHEDULED, not_before=START + 10**9)
    for job in (waiting, later, running):
        stage.jobs().insert(job)
    first = Schedule(f"s-{new_id()}", owner, "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    stage.records().add_schedule(first)
    return [waiting.id, later.id, running.id]


def stop(stage: emulators.Stage, owner: str) -> Stopped:
    ports = replace(wiring.ports(Settings()), jobs=stage.jobs(), records=stage.records())
    return tokens.stop(ports, stage.records(), owner, now=0)


def test_a_revoked_token_leaves_things_going_which_a_stop_ends(stage: emulators.Stage) -> None:
    mine, other = submit_for(stage, "team-a"), submit_for(stage, "team-b")
    token = tokens.create(stage.records(), "team-a", "submit", None, now=0)
    second = tokens.create(stage.records(), "team-a", "read", 1, now=0)
    assert tokens.revoke(stage.records(), token) == ["team-a"]
    with pytest.raises(BadStart, match="other tokens"):
        stop(stage, "team-a")
    assert len(stage.records().schedules("team-a")) == 1
    assert tokens.revoke(stage.records(), second) == ["team-a"]
    assert tokens.revoke(stage.records(), second) == []
    assert stop(stage, "team-a") == Stopped(schedules=1, jobs=3)
    rows = [stage.jobs().get(job_id) for job_id in mine]
    assert [each.status for each in rows if each] == [Status.CANCELED, Status.CANCELED, Status.RUNNING]
    assert rows[2] is not None
    assert rows[2].cancel_requested
    assert stage.records().schedules("team-a") == []
    assert len(stage.records().schedules("team-b")) == 1
    assert [each.status for each in map(stage.jobs().get, other) if each] == [
        Status.PENDING, Status.SCHEDULED, Status.RUNNING,
    ]  # fmt: skip


class Elsewhere(Account):
    """Another account than the one that the environment names, as an emulator's is; here it is another region."""

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=ELSEWHERE)


def run_container(cluster: str) -> str:
    ecs, ec2 = (boto3.client(service, region_name=ELSEWHERE) for service in ("ecs", "ec2"))
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(
        family="job", containerDefinitions=[{"name": "job", "image": "a:1", "memory": 512}], networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
    )  # fmt: skip
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    started = ecs.run_task(
        cluster=cluster, taskDefinition="job", launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}},
    )  # fmt: skip
    return str(started["tasks"][0]["taskArn"])


def test_what_runs_in_containers_is_stopped_in_the_account_that_is_meant(stage: emulators.Stage) -> None:
    ref = run_container(f"sortie-{stage.name}")
    queue = boto3.client("sqs", region_name=ELSEWHERE)
    url = queue.create_queue(QueueName=stage.lanes[Lane.LONG])["QueueUrl"]
    stage.jobs().insert(row(owner="team-a", task="container", remote=True, container=Container(1, ref), **RUNNING))
    ports = replace(tokens.ports_of(Elsewhere(), stage.name), jobs=stage.jobs(), records=stage.records())
    assert tokens.stop(ports, stage.records(), "team-a", now=0) == Stopped(schedules=0, jobs=1)
    (task,) = boto3.client("ecs", region_name=ELSEWHERE).describe_tasks(cluster=f"sortie-{stage.name}", tasks=[ref])[
        "tasks"
    ]
    assert task.get("stoppedReason") == "sortie: canceled"
    told = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    assert told["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"


@pytest.mark.parametrize("days", ["-1", "0", "nan"])
def test_days_that_are_no_time_are_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["create", "--stage", "dev", "--owner", "a", "--role", "read", f"--days={days}"]
    with pytest.raises(SystemExit):
        tokens._parser().parse_args(arguments)
    assert "above 0" in capsys.readouterr().err
