"""Container jobs on a deployed stack of an emulator: the same containers, under the functions' own roles."""

from collections.abc import Iterator

import pytest

from tests.support import engines
from tests.support.deployed_stack import DeployedStack, deployed_stack, until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    with engines.own_engine() as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        yield from deployed_stack(tmp_path_factory.mktemp("deployed"))


def request(*command: str, **more: object) -> dict[str, object]:
    return {"task": "container", "input": {"image": engines.BUSYBOX, "command": command}, **more}


def test_a_container_is_scheduled_runs_and_completes_with_its_log(stack: DeployedStack) -> None:
    job_id = stack.submit(request("sh", "-c", "echo begun; sleep 6; echo done", run_in="3s"))
    assert stack.job(job_id)["status"] == "scheduled"
    until(lambda: stack.job(job_id)["status"] == "running", 40, "it runs")
    job = stack.ended(job_id, 100)
    assert (job["status"], job["output"]["exit_code"]) == ("completed", 0)
    assert stack.ask("GET", f"/jobs/{job_id}/log").raw.decode().splitlines() == ["begun", "done"]


def test_a_time_out_and_a_cancel_stop_it(stack: DeployedStack) -> None:
    late = stack.submit(request("sleep", "600", timeout=1, max_attempts=1))
    asked = stack.submit(request("sleep", "600"))
    until(lambda: stack.job(asked)["phase"] == "running", 60, "it runs")
    assert stack.ask("DELETE", f"/jobs/{asked}").status == 202
    assert stack.ended(asked, 100)["status"] == "canceled"
    assert stack.ended(late, 100)["error"]["type"] == "timeout"


def test_one_that_waits_is_called_off(stack: DeployedStack) -> None:
    job_id = stack.submit(request("true", run_in="1h"))
    assert stack.ask("DELETE", f"/jobs/{job_id}").body["status"] == "canceled"
    assert stack.job(job_id)["container"] is None
