"""What the API says of container jobs where none may run, and of logs that are not there."""

import pytest

from chalicelib import tasks
from chalicelib.api.body import RequestContext
from chalicelib.api.jobs import parse_job
from chalicelib.config import Settings
from chalicelib.errors import Invalid
from chalicelib.service.containers import LARGEST_INPUT_BYTES
from tests.pure.api.conftest import Api


def test_a_container_job_is_refused_where_they_are_off(api: Api) -> None:
    answer = api.ask("POST", "/jobs", {"task": "container", "input": {"image": "busybox:1"}})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, "input")
    assert "CONTAINER_IMAGES" in answer.body["detail"]
    upload = {"upload": "01m8ajb7wq7emshq9pr7vcyfxn"}
    answer = api.ask("POST", "/jobs", {"task": "container", "input": upload})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, "input.upload")


def test_the_longest_timeout_is_the_tasks_own(api: Api) -> None:
    for task, task_input, seconds, loc in (
        ("sleep", {"seconds": 1}, 841, "timeout"),
        ("sleep", {"seconds": 1}, 43_201, "timeout"),
    ):
        answer = api.ask("POST", "/jobs", {"task": task, "input": task_input, "timeout": seconds})
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, loc)
    assert api.submit(task="sleep", input={"seconds": 1}, timeout=840)["timeout"] == 840


def test_only_container_jobs_have_a_log(api: Api) -> None:
    job = api.submit(array=[2, 1])
    assert (job["phase"], job["elapsed_ms"], job["container"]) == (None, None, None)
    assert api.ask("GET", f"/jobs/{job['id']}/log").status == 404
    assert api.ask("GET", "/jobs/01m8ajb7wq7emshq9pr7vcyfxn/log").status == 404
    assert api.ask("GET", f"/jobs/{job['id']}/log?after=a b").status == 422
    assert api.ask("GET", f"/jobs/{job['id']}/log?attempt=0").status == 422


def test_an_input_that_no_start_would_read_is_refused_at_submit() -> None:
    settings = Settings(container_images=("docker.io/library/*",))
    context = RequestContext(tasks.load(), settings, 1_800_000_000_000, "team-a")
    for size in (LARGEST_INPUT_BYTES, LARGEST_INPUT_BYTES + 1):
        task_input = b'{"image":"busybox:1"%b}' % (b" " * (size - 21))
        raw = b'{"task":"container","input":%b}' % task_input
        assert len(task_input) == size
        if size <= LARGEST_INPUT_BYTES:
            assert parse_job(raw, context).input == task_input
            continue
        with pytest.raises(Invalid, match="at most 100,000 bytes") as refusal:
            parse_job(raw, context)
        assert [error.loc for error in refusal.value.errors] == ["input"]
