"""The ECS adapter against an emulator and a real engine: real containers, real exit codes, real logs."""

import os
import time
from collections.abc import Callable, Iterator

import boto3
import pytest

from chalicelib.aws import calls
from chalicelib.aws.ecs import EcsContainers, EcsSettings
from chalicelib.core.container import Spec
from chalicelib.core.container_look import MISSING, RUNNING, STOPPED, Look
from chalicelib.core.ids import make_id
from dev import emulator
from tests.support import engines
from tests.support.emulators import ACCESS

pytestmark = pytest.mark.slow
CLUSTER, LOG = "sortie-test", "sortie-test-containers"


@pytest.fixture(scope="module")
def containers() -> Iterator[EcsContainers]:
    with engines.own_engine() as host, pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for key, value in (ACCESS | {"DOCKER_HOST": host}).items():
            patch.setenv(key, value)
        with emulator.running() as endpoint:
            boto3.client("ecs", endpoint_url=endpoint).create_cluster(clusterName=CLUSTER)
            boto3.client("logs", endpoint_url=endpoint).create_log_group(logGroupName=LOG)
            ecs = calls.client("ecs", endpoint)
            settings = EcsSettings("test", CLUSTER, LOG, "us-east-1", ignores_tokens=True)
            yield EcsContainers(ecs, ecs, calls.client("logs", endpoint), settings)


def name_of(number: int) -> str:
    return f"test/{make_id(int(time.time() * 1000), number)}/1"


def spec(*command: str, image: str = engines.BUSYBOX) -> Spec:
    return Spec(image, command, {"SORTIE_ATTEMPT": "1"}, {}, 0.25, 512)


def wait(containers: EcsContainers, ref: str, until: Callable[[Look], bool], limit: float = 60.0) -> Look:
    give_up = time.monotonic() + limit
    while not until(look := containers.look([ref])[ref]):
        assert time.monotonic() < give_up, look
        time.sleep(0.1)
    return look


def run(containers: EcsContainers, *command: str, image: str = engines.BUSYBOX) -> Look:
    ref = containers.start(name_of(hash(command) & 0xFFFF), spec(*command, image=image))
    return wait(containers, ref, lambda look: look.status == STOPPED)


def test_a_container_runs_and_its_lines_are_there(containers: EcsContainers) -> None:
    look = run(containers, "sh", "-c", "echo out $SORTIE_ATTEMPT; echo err >&2")
    assert (look.exit_code, look.stop_code) == (0, "EssentialContainerExited")
    assert look.started_at is not None
    assert look.stopped_at is not None
    wait(containers, look.ref, lambda look: len(containers.tail(look.ref, 20)) == 2)
    assert set(containers.tail(look.ref, 20)) == {"out 1", "err"}
    page = containers.log(look.ref, None)
    assert set(page.lines) == {"out 1", "err"}
    assert containers.log(look.ref, page.after).lines == []


def test_an_exit_code_comes_through(containers: EcsContainers) -> None:
    assert run(containers, "sh", "-c", "exit 3").exit_code == 3


def test_an_image_and_a_command_that_are_not_there_say_so(containers: EcsContainers) -> None:
    missing = run(containers, "true", image="localhost/nothing:1")
    assert (missing.stop_code, "No such image" in missing.reason) == ("TaskFailedToStart", True)
    assert run(containers, "/nope").stop_code == "TaskFailedToStart"


def test_a_stop_ends_it_with_our_reason_and_twice_does_no_harm(containers: EcsContainers) -> None:
    ref = containers.start(name_of(1), spec("sleep", "600"))
    wait(containers, ref, lambda look: look.status == RUNNING)
    assert ref in [look.ref for look in containers.running()]
    containers.stop(ref, "timeout")
    containers.stop(ref, "timeout")
    look = wait(containers, ref, lambda look: look.status == STOPPED)
    assert (look.stop_code, look.reason) == ("UserInitiated", "sortie: timeout")


def test_a_second_start_of_one_attempt_is_the_first_one_also_after_its_end(containers: EcsContainers) -> None:
    name = name_of(2)
    ref = containers.start(name, spec("true"))
    assert containers.start(name, spec("true")) == ref
    wait(containers, ref, lambda look: look.status == STOPPED)
    assert containers.start(name, spec("true")) == ref
    assert containers.find(name) == [ref]


def test_what_was_never_started_is_missing_and_has_no_lines(containers: EcsContainers) -> None:
    ref = f"arn:aws:ecs:us-east-1:000000000000:task/{CLUSTER}/0123"
    assert containers.look([ref])[ref].status == MISSING
    assert containers.log(ref, None).lines == []
    assert containers.find("test/none/1") == []
    containers.stop(ref, "canceled")


def test_twenty_at_once_all_end(containers: EcsContainers) -> None:
    refs = [containers.start(name_of(100 + n), spec("sh", "-c", f"exit {n}")) for n in range(20)]
    looks = [wait(containers, ref, lambda look: look.status == STOPPED, 120) for ref in refs]
    assert [look.exit_code for look in looks] == list(range(20))


def test_in_ci_there_is_an_engine(containers: EcsContainers) -> None:
    containers.check()
    assert os.environ["DOCKER_HOST"].startswith("unix://")
