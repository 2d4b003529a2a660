"""What ECS answers to a start, as botocore's own stubs say it: the task that was there, no room, a bad definition."""

import json
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import calls
from chalicelib.aws.ecs import EcsContainers, EcsSettings
from chalicelib.core.container import Allowed, ContainerInput, Spec, make_spec
from chalicelib.core.container_look import Look
from chalicelib.core.ids import make_id
from chalicelib.core.job import Inline, Job, Status
from chalicelib.errors import Invalid, Unavailable
from chalicelib.ports import StartRefused

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/sortie-dev/0123"
DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sortie-dev-1:1"
SPEC = Spec("docker.io/library/busybox:1", ["true"], {"A": "1"}, {}, 0.25, 512)
NAME = "dev/01m8ajb7wq7emshq9pr7vcyfxn/1"


@pytest.fixture
def ecs() -> Iterator[Stubber]:
    client = boto3.client(
        "ecs", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )  # fmt: skip
    with Stubber(client) as stubber:
        yield stubber


def containers(ecs: Stubber) -> EcsContainers:
    settings = EcsSettings(
        "dev", "sortie-dev", "sortie-dev-containers", "eu-west-1", "arn:aws:iam::1:role/x", ("subnet-1",), "sg-1"
    )
    return EcsContainers(ecs.client, ecs.client, None, settings)


def known(ecs: Stubber) -> None:
    ecs.add_response(
        "describe_task_definition", {"taskDefinition": {"taskDefinitionArn": DEFINITION, "status": "ACTIVE"}}
    )


def test_a_start_is_named_by_its_attempt_and_carries_it_as_token(ecs: Stubber) -> None:
    known(ecs)
    expected = {
        "cluster": "sortie-dev", "taskDefinition": DEFINITION, "launchType": "FARGATE", "startedBy": NAME,
        "clientToken": ANY, "overrides": ANY, "networkConfiguration": ANY,
    }  # fmt: skip
    ecs.add_response("run_task", {"tasks": [{"taskArn": ARN}], "failures": []}, expected)
    assert containers(ecs).start(NAME, SPEC) == ARN


def test_an_answer_without_tasks_is_a_refusal_and_says_why(ecs: Stubber) -> None:
    known(ecs)
    ecs.add_response("run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]})
    with pytest.raises(StartRefused, match="Capacity is unavailable"):
        containers(ecs).start(NAME, SPEC)


def test_a_cluster_that_is_not_there_is_named_and_costs_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for endpoint, mend in (("http://127.0.0.1:1", "at http://127.0.0.1:1: make resources"), (None, "make deploy")):
        with Stubber(calls.client("ecs", endpoint)) as ecs:
            known(ecs)
            ecs.add_client_error("run_task", "ClusterNotFoundException", "Cluster not found.", 400)
            with pytest.raises(StartRefused, match=f"the cluster sortie-dev does not exist .*{mend}"):
                containers(ecs).start(NAME, SPEC)


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("ThrottlingException", "Rate exceeded", StartRefused),
        ("ClientException", "You've reached the limit on the number of vCPUs you can run concurrently", StartRefused),
        ("ClientException", "TaskDefinition is inactive", Invalid),
        ("InvalidParameterException", "No such subnet", Invalid),
        ("InternalFailure", "", Unavailable),
        ("ServerException", "Capacity is unavailable at this time", StartRefused),
        ("ServerException", "Service Unavailable. Please try again later.", Unavailable),
        ("ServiceUnavailable", "", Unavailable),
    ],
)
def test_a_refused_start_is_told_from_a_wrong_one(
    ecs: Stubber, code: str, message: str, error: type[Exception]
) -> None:
    known(ecs)
    ecs.add_client_error("run_task", code, message)
    with pytest.raises(error):
        containers(ecs).start(NAME, SPEC)


def test_a_definition_that_is_not_there_is_registered_once(ecs: Stubber) -> None:
    ecs.add_client_error("describe_task_definition", "ClientException", "Unable to describe task definition.")
    ecs.add_response("register_task_definition", {"taskDefinition": {"taskDefinitionArn": DEFINITION}})
    for _ in range(2):
        ecs.add_response("run_task", {"tasks": [{"taskArn": ARN}], "failures": []})
    engine = containers(ecs)
    assert engine.start(NAME, SPEC) == engine.start(NAME, SPEC) == ARN
    ecs.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("describe_task_definition", "ThrottlingException", "Rate exceeded"),
        ("register_task_definition", "ThrottlingException", "Rate exceeded"),
        ("register_task_definition", "LimitExceededException", "The limit for the resource has been exceeded."),
        (
            "register_task_definition",
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family.",
        ),
    ],
)
def test_a_definition_that_ecs_has_no_time_for_costs_no_attempt(
    ecs: Stubber, operation: str, code: str, message: str
) -> None:
    """Another owner's flood of new definitions must not use up the attempts of a job that needs one."""
    if operation != "describe_task_definition":
        ecs.add_client_error("describe_task_definition", "ClientException", "Unable to describe task definition.")
    ecs.add_client_error(operation, code, message)
    with pytest.raises(StartRefused, match=message):
        containers(ecs).start(NAME, SPEC)


def test_a_definition_that_ecs_does_not_take_is_the_jobs_fault(ecs: Stubber) -> None:
    ecs.add_client_error("describe_task_definition", "ClientException", "Unable to describe task definition.")
    ecs.add_client_error("register_task_definition", "ClientException", "Invalid image: docker.io/a/limit:1")
    with pytest.raises(Invalid, match="Invalid image"):
        containers(ecs).start(NAME, SPEC)


class Describes:
    """A client that knows each definition it is asked for, and keeps their names."""

    def __init__(self) -> None:
        self.families: list[str] = []
        self.overrides: object = None

    def describe_task_definition(self, *, taskDefinition: str) -> dict[str, object]:  # noqa: N803
        self.families.append(taskDefinition)
        return {"taskDefinition": {"taskDefinitionArn": DEFINITION}}

    def run_task(self, *, overrides: object, **_: object) -> dict[str, object]:
        self.overrides = overrides
        return {"tasks": [{"taskArn": ARN}], "failures": []}


@pytest.mark.parametrize(
    "changed", [{"role": "arn:aws:iam::1:role/y"}, {"log_group": "other"}, {"region": "eu-west-2"}]
)
def test_a_definition_from_before_a_change_of_the_stage_is_not_taken(changed: dict[str, str]) -> None:
    """A stage that was removed and made again has another role; the definitions of the first one stay."""
    client = Describes()
    first = EcsSettings("dev", "sortie-dev", "log", "eu-west-1", "arn:aws:iam::1:role/x")
    for settings in (first, replace(first, **changed), first):  # type: ignore[arg-type]
        EcsContainers(client, client, None, settings).start(NAME, SPEC)
    before, after, again = client.families
    assert before == again != after


def test_a_token_that_started_a_task_with_other_words_leads_to_that_task(ecs: Stubber) -> None:
    known(ecs)
    ecs.add_client_error("run_task", "ConflictException", "in use", modeled_fields={"resourceIds": [ARN]})
    assert containers(ecs).start(NAME, SPEC) == ARN


def counted(command: list[str], env: dict[str, str]) -> int | None:
    """The characters of what a start overrides, as botocore sends it and Java counts them; None where it is refused."""
    client, settings = Describes(), EcsSettings("dev", "sortie-dev", "log", "eu-west-1")
    job = Job(
        id=make_id(1, 0), owner="alice", task="container", status=Status.RUNNING, created_at=0, run_at=0, not_before=0,
        timeout=60.0, max_attempts=3, attempt_limit=3, attempts=12_345, input=Inline(b"{}"),
    )  # fmt: skip
    try:
        spec = make_spec(ContainerInput("busybox:1", command, env), job, Allowed(("docker.io/library/*",)))
    except Invalid:
        return None
    EcsContainers(client, client, None, settings).start(NAME, spec)
    return len(json.dumps(client.overrides, ensure_ascii=False).encode("utf-16-le")) // 2


@given(
    st.lists(st.sampled_from(["x", "\n", '"', "ü", "\U0001f389"]), max_size=3),
    st.integers(0, 400),
    st.integers(0, 9_000),
)
def test_ecs_takes_what_is_admitted(letters: list[str], variables: int, length: int) -> None:
    """Its limit is 8,192 characters, and each variable is an object with two members."""
    text = ("".join(letters) or "x") * (length // max(1, len(letters)))
    size = counted([text], {f"A{n}": "" for n in range(variables)})
    assert size is None or size <= 8_192


def test_what_ecs_would_take_is_not_refused() -> None:
    largest = max(length for length in range(7_800, 8_200) if counted([], {"A": "x" * length}))
    assert 8_180 < (counted([], {"A": "x" * largest}) or 0) <= 8_192
    assert counted([], {f"A{n}": "" for n in range(700)}) is None


def look(ecs: Stubber, *own: dict[str, object]) -> Look:
    """At a task that has stopped, with these containers in this order."""
    task = {"taskArn": ARN, "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "containers": list(own)}
    ecs.add_response("describe_tasks", {"tasks": [task], "failures": []})
    return containers(ecs).look([ARN])[ARN]


@pytest.mark.parametrize("agent", [{}, {"exitCode": 0}, {"exitCode": 137, "reason": "OutOfMemoryError"}])
def test_a_container_that_the_account_adds_does_not_speak_for_the_job(ecs: Stubber, agent: dict[str, object]) -> None:
    """ECS lists the containers of a task in no order that it promises."""
    job, agent = {"name": "job", "exitCode": 3}, {"name": "aws-guardduty-agent-x1"} | agent
    for order in ((agent, job), (job, agent)):
        seen = look(ecs, *order)
        assert (seen.exit_code, seen.detail) == (3, "")


def test_a_job_whose_own_container_is_not_told_has_no_exit_code(ecs: Stubber) -> None:
    assert look(ecs, {"name": "aws-guardduty-agent-x1", "exitCode": 0}).exit_code is None


def test_where_no_names_are_told_the_first_container_is_the_jobs(ecs: Stubber) -> None:
    assert look(ecs, {"exitCode": 3}).exit_code == 3


def test_half_a_letter_in_a_line_keeps_no_job_from_ending() -> None:
    """JSON can say one, and nothing that is stored or answered can hold it."""
    access = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("logs", region_name="eu-west-1", **access)
    settings = EcsSettings("dev", "sortie-dev", "sortie-dev-containers", "eu-west-1")
    with Stubber(client) as logs:
        logs.add_response("get_log_events", {"events": [{"message": "a\ud800b"}], "nextForwardToken": "f/1"})
        (line,) = EcsContainers(None, None, client, settings).tail(ARN, 20)
    assert line.encode() == b"a?b"
