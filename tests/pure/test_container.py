"""What a container job may ask for, and what a look at its container means."""

import time
from typing import Any

import pytest

from chalicelib.config import BadSetting, load
from chalicelib.core.change import complete
from chalicelib.core.container import (
    MOST_FAULTS,
    MOST_SECRETS,
    Allowed,
    ContainerInput,
    admit,
    is_allowed,
    make_spec,
    name_of,
    parse_image,
    parse_name,
    parse_progress,
)
from chalicelib.core.container_change import with_exit
from chalicelib.core.container_look import (
    FORGOTTEN_AFTER_MS,
    MISSING,
    MISSING_BELIEVED_AFTER_MS,
    START_WITHIN_MS,
    STARTER_LIVES_MS,
    Broke,
    Canceled,
    Exited,
    Goes,
    Look,
    NotStarted,
    Start,
    Stop,
    Verdict,
    Wait,
    is_about_to_start,
    judge,
)
from chalicelib.core.job import Container, Inline, Job, Status, container_of
from chalicelib.errors import Invalid

NOW, JOB_ID = 1_800_000_000_000, "01m8ajb7wq7emshq9pr7vcyfxn"
DIGEST = "sha256:" + "a" * 64
ALLOWED = Allowed(("docker.io/library/*", "localhost/*"))


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("library/busybox:1", "docker.io/library/busybox:1"),
        ("owner/tool:v1", "docker.io/owner/tool:v1"),
        ("docker.io/busybox:1", "docker.io/library/busybox:1"),
        ("index.docker.io/library/busybox:1", "docker.io/library/busybox:1"),
        ("localhost/mine:1", "localhost/mine:1"),
        ("localhost:5000/mine:1", "localhost:5000/mine:1"),
        ("public.ecr.aws/docker/library/busybox:1", "public.ecr.aws/docker/library/busybox:1"),
        (f"busybox@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
        (f"busybox:1@{DIGEST}", f"docker.io/library/busybox:1@{DIGEST}"),
    ],
)
def test_a_reference_is_written_out_in_full(short: str, full: str) -> None:
    assert str(parse_image(short)) == full


@pytest.mark.parametrize(
    "text",
    ["busybox", "localhost/mine", "Busybox:1", "Quay.io/x:1", "busybox:", "busybox:1 ", "/busybox:1", "a//b:1",
     "busybox@sha256:abc", "https://docker.io/busybox:1", "busybox:1\n", "-x:1", "busybox:1:2", "bücher:1",
     "x" * 10 + "/../etc:1"],
)  # fmt: skip
def test_a_reference_without_a_version_or_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"which version|not an image reference"):
        parse_image(text)


@pytest.mark.parametrize(
    ("image", "pattern", "fits"),
    [
        ("busybox:1", "docker.io/library/*", True),
        ("owner/tool:1", "docker.io/library/*", False),
        ("localhost/a/b:1", "localhost/*", False),
        ("localhost/a/b:1", "localhost/*/*", True),
        ("busybox:1.36", "docker.io/library/busybox:1.*", True),
        ("busybox:2", "docker.io/library/busybox:1.*", False),
        (f"busybox@{DIGEST}", "docker.io/library/busybox:1.*", False),
        (f"busybox:1.36@{DIGEST}", "docker.io/library/busybox:1.*", False),
        (f"busybox:1.36@{DIGEST}", f"docker.io/library/busybox:1.*@{DIGEST}", True),
        (f"busybox:1.36@{DIGEST}", "docker.io/library/busybox", True),
        (f"busybox@{DIGEST}", f"docker.io/library/busybox@{DIGEST}", True),
        (f"busybox@sha256:{'b' * 64}", f"docker.io/library/busybox@{DIGEST}", False),
        ("localhost:5000/x:1", "localhost/*", False),
        ("localhost:5000/x:1", "localhost:5000/*", True),
        ("evil.io/docker.io/library/busybox:1", "docker.io/library/*", False),
        ("docker.ioxlibrary/busybox:1", "docker.io/library/*", False),
    ],
)
def test_a_star_of_a_pattern_stops_at_a_slash(image: str, pattern: str, fits: bool) -> None:
    assert is_allowed(parse_image(image), (pattern,)) is fits


def refused(**fields: object) -> list[str]:
    """The places that are wrong."""
    with pytest.raises(Invalid) as refusal:
        admit(ContainerInput(**{"image": "busybox:1", **fields}), ALLOWED)  # type: ignore[arg-type]
    return [error.loc for error in refusal.value.errors]


def test_what_a_stage_does_not_allow_is_refused_by_its_place() -> None:
    assert refused(image="quay.io/x/y:1") == ["image"]
    assert refused(env={"SORTIE_JOB": "x", "aws_region": "y", "1A": "", "OK": ""}) == [
        "env.SORTIE_JOB", "env.aws_region", "env.1A",
    ]  # fmt: skip
    assert refused(command=["a\x00b"], env={"A": "\x00"}) == ["env.A", "command[0]"]
    assert refused(secrets={"KEY": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"}) == ["secrets.KEY"]
    assert refused(command=["x" * 8_192]) == [""]


@pytest.mark.parametrize(
    "fields",
    [
        {"env": {f"{n}": "" for n in range(100_000)}},
        {"secrets": {f"a{n}": "x" for n in range(100_000)}},
        {"env": {f"{n}": "" for n in range(900)}, "command": ["\x00"] * 100},
    ],
    ids=["env", "secrets", "both that fit"],
)
def test_of_a_flood_of_faults_some_are_told_and_how_many_more_there_are(fields: Any) -> None:
    """Each of them repeats a name of the body: all of them made an answer of nine times its size."""
    with pytest.raises(Invalid) as refusal:
        admit(ContainerInput(image="busybox:1", **fields), ALLOWED)
    assert 1 <= len(refusal.value.errors) <= MOST_FAULTS + 1
    assert len(str(refusal.value)) < 2_000


def test_only_the_sizes_that_fargate_runs_are_taken() -> None:
    for cpu, memory in ((0.25, 512), (0.25, 2048), (1, 2048), (4, 30_720), (16, 122_880)):
        assert admit(ContainerInput(image="busybox:1", cpu=cpu, memory=memory), ALLOWED)
    assert refused(cpu=0.3) == ["cpu"]
    for cpu, memory in ((0.25, 1536), (0.25, 4096), (1, 512), (8, 20_000)):
        assert refused(cpu=cpu, memory=memory) == ["memory"]


def test_a_secret_goes_with_a_pattern_that_allows_it() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jobs/key-AbCdEf"
    allowed = Allowed(ALLOWED.images, ("arn:aws:secretsmanager:*:123456789012:secret:jobs/*",))
    assert admit(ContainerInput(image="busybox:1", secrets={"KEY": arn}), allowed)
    with pytest.raises(Invalid, match=r"secrets\.KEY.*give the ARN"):
        admit(ContainerInput(image="busybox:1", secrets={"KEY": "the password itself"}), allowed)


SECRETS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("jobs/key-AbCdEf:password::", "jobs/*", True),
        ("jobs/key-AbCdEf::AWSCURRENT:", "jobs/key-AbCdEf", True),
        ("payroll-AbCdEf:x-prod::", "*-prod*", False),
        ("payroll-AbCdEf:/jobs/::", "*/jobs/*", False),
        ("payroll-AbCdEf:x:jobs:y", "*jobs*", False),
    ],
)
def test_a_pattern_binds_the_secret_itself_whatever_is_said_behind_it(name: str, pattern: str, fits: bool) -> None:
    """A JSON key, a stage and a version are the job's own words: as IAM does, the pattern judges the ARN alone."""
    request = ContainerInput(image="busybox:1", secrets={"KEY": SECRETS + name})
    allowed = Allowed(ALLOWED.images, (SECRETS + pattern,))
    if fits:
        assert admit(request, allowed)
        return
    with pytest.raises(Invalid) as refusal:
        admit(request, allowed)
    (error,) = refusal.value.errors
    assert error.loc == "secrets.KEY"
    assert SECRETS + pattern in error.msg


def test_a_pattern_with_a_json_key_which_would_never_fit_is_refused_at_the_start() -> None:
    with pytest.raises(BadSetting, match=r"CONTAINER_SECRETS.*leave out :password::"):
        load({"CONTAINER_SECRETS": f"{SECRETS}jobs/* {SECRETS}db-AbCdEf:password::"})


@pytest.mark.parametrize(
    ("line", "fraction"),
    [
        ("SORTIE_PROGRESS 0.4", 0.4),
        ("SORTIE_PROGRESS  .25 ", 0.25),
        ("SORTIE_PROGRESS 7", 1.0),
        ("SORTIE_PROGRESS 1.", None),
        ("SORTIE_PROGRESS", None),
        ("SORTIE_PROGRESS " + "1" * 1_000_000 + "x", None),
        ("SORTIE_PROGRESS" + " " * 1_000_000 + "x", None),
    ],
    ids=["plain", "spaced", "too much", "no number", "none", "endless digits", "endless spaces"],
)
def test_a_line_says_how_far_a_container_is_or_costs_nothing(line: str, fraction: float | None) -> None:
    start = time.process_time()
    assert parse_progress(line) == fraction
    assert time.process_time() - start < 0.5


def test_a_job_has_a_hundred_secrets_at_most() -> None:
    allowed = Allowed(ALLOWED.images, (SECRETS + "*",))
    most = {f"KEY_{n}": f"{SECRETS}key-AbCdEf" for n in range(MOST_SECRETS)}
    assert admit(ContainerInput(image="busybox:1", secrets=most), allowed)
    with pytest.raises(Invalid) as refusal:
        admit(ContainerInput(image="busybox:1", secrets=most | {"ONE_MORE": f"{SECRETS}key-AbCdEf"}), allowed)
    assert [(error.loc, error.msg) for error in refusal.value.errors] == [("secrets", "at most 100")]


def test_the_arn_of_a_secret_has_a_length() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/" + "a" * 2_048
    request = ContainerInput(image="busybox:1", secrets={"PASSWORD": arn})
    with pytest.raises(Invalid) as refused:
        admit(request, Allowed(("docker.io/library/*",), ("*app*a*",)))
    assert [error.loc for error in refused.value.errors] == ["secrets.PASSWORD"]


def test_nothing_runs_where_it_is_off() -> None:
    with pytest.raises(Invalid, match="no engine"):
        admit(ContainerInput(image="busybox:1"), Allowed((), off="no engine"))


def job(*, noted: bool = True, started_at: int | None = None, **fields: object) -> Job:
    container = Container(2, "ref", started_at) if noted else None
    row = {
        "id": JOB_ID, "owner": "alice", "task": "container", "status": Status.RUNNING, "created_at": NOW, "run_at": NOW,
        "not_before": NOW, "timeout": 60.0, "max_attempts": 3, "attempt_limit": 3, "input": Inline(b"{}"),
        "attempts": 2, "started_at": NOW, "remote": True, "container": container,
    } | fields  # fmt: skip
    return Job(**row)  # type: ignore[arg-type]


def test_the_name_leads_back_to_the_attempt_and_the_spec_is_the_same_each_time() -> None:
    assert name_of("dev", job()) == f"dev/{JOB_ID}/2"
    assert parse_name(f"dev/{JOB_ID}/2") == ("dev", JOB_ID, 2)
    for other in ("", "ecs-svc/123", f"dev/{JOB_ID}", f"dev/{JOB_ID}/x", "dev/crawler/2"):
        assert parse_name(other) is None
    container_input = ContainerInput(image="busybox:1", env={"A": "1"})
    assert make_spec(container_input, job(), ALLOWED) == make_spec(container_input, job(), ALLOWED)
    assert dict(make_spec(container_input, job(), ALLOWED).env) == {
        "A": "1",
        "SORTIE_JOB": JOB_ID,
        "SORTIE_ATTEMPT": "2",
    }


@pytest.mark.parametrize("known", [None, Container(1, "ref"), Container(2)])
def test_a_container_belongs_to_the_attempt_that_runs_once_it_is_known(known: Container | None) -> None:
    """Not the one of the attempt before, and not the count of its refused starts."""
    assert container_of(job()) == Container(2, "ref")
    assert container_of(job(container=known)) is None


def stopped(**fields: object) -> Look:
    return Look("ref", "STOPPED", **{"started_at": NOW + 1_000, "stopped_at": NOW + 3_000, **fields})  # type: ignore[arg-type]


def never(reason: str) -> Look:
    return Look("ref", "STOPPED", stop_code="TaskFailedToStart", reason=reason)


@pytest.mark.parametrize(
    ("age", "canceling", "verdict"),
    [
        (MISSING_BELIEVED_AFTER_MS - 1, False, Wait()),
        (MISSING_BELIEVED_AFTER_MS, False, Start()),
        (MISSING_BELIEVED_AFTER_MS, True, Wait()),
        (START_WITHIN_MS, False, Wait()),
        (STARTER_LIVES_MS, True, Canceled()),
    ],
)
def test_an_attempt_without_a_container_is_started_again_while_nobody_may_still_be_about_to(
    age: int, canceling: bool, verdict: Verdict
) -> None:
    assert judge(job(noted=False, cancel_requested=canceling), None, NOW + age) == verdict


def test_an_attempt_that_no_container_came_of_is_lost() -> None:
    verdict = judge(job(noted=False), None, NOW + STARTER_LIVES_MS)
    assert isinstance(verdict, Broke)
    assert verdict.error.type == "worker_lost"


@pytest.mark.parametrize(
    ("look", "at", "verdict"),
    [
        (Look("ref", "PENDING"), 5_000, Goes(None)),
        (Look("ref", "RUNNING", started_at=NOW + 1_000), 5_000, Goes(NOW + 1_000)),
        (Look("ref", "RUNNING", started_at=NOW + 1_000), 60_999, Goes(NOW + 1_000)),
        (Look("ref", "RUNNING", started_at=NOW + 1_000), 61_000, Stop("timeout")),
        (Look("ref", "PENDING"), STARTER_LIVES_MS, Stop("never started")),
        (Look("ref", "STOPPING", started_at=NOW + 1_000), 90_000, Goes(NOW + 1_000)),
        (Look("ref", MISSING), FORGOTTEN_AFTER_MS - 1, Wait()),
        (stopped(exit_code=0, started_at=None), 5_000, Exited(0.0)),
        (stopped(exit_code=0, stopped_at=None), 5_000, Exited(0.0)),
        (
            stopped(stop_code="UserInitiated", reason="sortie: never started"),
            5_000,
            NotStarted("the container did not start within a quarter of an hour"),
        ),
        (stopped(exit_code=0, stop_code="EssentialContainerExited"), 5_000, Exited(2_000.0)),
        (stopped(exit_code=0, stop_code="UserInitiated", reason="sortie: canceled"), 5_000, Canceled(2_000.0)),
    ],
)
def test_a_look_becomes_a_verdict(look: Look, at: int, verdict: Verdict) -> None:
    assert judge(job(), look, NOW + at) == verdict


def test_a_container_that_runs_is_not_taken_for_one_that_never_started() -> None:
    look = Look("ref", "RUNNING", started_at=NOW + 1_000)
    assert judge(job(timeout=7_200.0), look, NOW + STARTER_LIVES_MS) == Goes(NOW + 1_000)


def test_a_worker_may_be_about_to_start_what_has_no_container_yet() -> None:
    assert is_about_to_start(job(noted=False), NOW + MISSING_BELIEVED_AFTER_MS - 1)
    assert not is_about_to_start(job(noted=False), NOW + MISSING_BELIEVED_AFTER_MS)
    assert not is_about_to_start(job(), NOW + 1)


def test_a_request_to_cancel_stops_what_starts_and_what_runs() -> None:
    for status in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"):
        assert judge(job(cancel_requested=True), Look("ref", status, started_at=NOW), NOW + 1) == Stop("canceled")


@pytest.mark.parametrize(
    ("look", "kind", "says"),
    [
        (stopped(exit_code=3), "task_error", "exit code 3"),
        (stopped(exit_code=137), "task_error", "killed by SIGKILL"),
        (stopped(exit_code=139), "task_error", "killed by SIGSEGV"),
        (stopped(exit_code=127), "task_error", "not found"),
        (stopped(exit_code=137, detail="OutOfMemoryError: Container killed"), "task_error", "out of memory"),
        (stopped(exit_code=0, stop_code="UserInitiated", reason="sortie: timeout"), "timeout", "timeout of 60 s"),
        (stopped(exit_code=0, stop_code="UserInitiated", reason="by hand"), "worker_lost", "from outside: by hand"),
        (stopped(exit_code=0, stop_code="SpotInterruption", reason="Your Spot task"), "worker_lost", "taken away"),
        (stopped(exit_code=143, stop_code="TerminationNotice"), "worker_lost", "taken away"),
        (stopped(), "worker_lost", "taken away"),
        (Look("ref", MISSING), "worker_lost", "no longer knows"),
        (never("CannotPullContainerError: not found"), "task_error", "image cannot be pulled"),
        (never("ResourceInitializationError: 404: No such image"), "task_error", "image cannot be pulled"),
        (never('CannotStartContainerError: exec: "/nope"'), "task_error", "command cannot be started"),
        (never("ResourceInitializationError: unable to pull secrets or registry auth"), "task_error", "secret"),
    ],
)
def test_what_went_wrong_is_said_in_words_of_ours(look: Look, kind: str, says: str) -> None:
    verdict = judge(job(), look, NOW + FORGOTTEN_AFTER_MS)
    assert isinstance(verdict, Broke)
    assert verdict.error.type == kind
    assert says in verdict.error.message


@pytest.mark.parametrize(
    "reason",
    ["Timeout waiting for network interface provisioning to complete.", "Capacity is unavailable at this time", ""],
)
def test_a_start_that_failed_for_want_of_room_is_no_fault_of_the_job(reason: str) -> None:
    assert isinstance(judge(job(), never(reason), NOW + 5_000), NotStarted)


@pytest.mark.parametrize(("seen", "kept"), [(NOW + 1_000, NOW + 1_000), (None, NOW + 7)])
def test_the_row_keeps_when_its_container_ran_and_what_it_exited_with(seen: int | None, kept: int) -> None:
    """A look that does not say when it began leaves what a look before it has said."""
    change = complete(job(), NOW, output=Inline(b"{}"), duration_ms=1.0, retention=60.0)
    known = job(started_at=None, container=Container(2, "ref", NOW + 7))
    after = with_exit(change, known, stopped(started_at=seen, exit_code=3)).fields
    assert after == {**change.fields, "container": Container(2, "ref", kept, 3)}
    assert with_exit(change, job(noted=False), stopped(exit_code=3)) == change
    assert with_exit(change, known, None) == change
