"""Container jobs on `make run`: real containers, seen by HTTP as anybody sees them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import engine
from dev.client import Client
from dev.settings import ROOT
from tests.stacks.e2e.test_readme import blocks, walk
from tests.support import engines
from tests.support.running import RunningStack, processes

ENDED = ("completed", "failed", "canceled")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with engines.own_engine() as host:
        stack = RunningStack(tmp_path_factory.mktemp("data"), DOCKER_HOST=host)
        try:
            yield stack
        finally:
            stack.stop()


def submit(
    stack: RunningStack, *command: str, image: str = engines.BUSYBOX, env: dict[str, str] | None = None, **more: Any
) -> str:
    task_input = {"image": image, "command": command, "env": env or {}}
    status, job = stack.ask("POST", "/jobs", {"task": "container", "input": task_input, **more})
    assert status == 202, job
    return str(job["id"])


def wait(
    stack: RunningStack, job_id: str, until: Callable[[dict[str, Any]], bool], limit: float = 90
) -> dict[str, Any]:
    give_up = time.monotonic() + limit
    while True:
        job: dict[str, Any] = stack.ask("GET", f"/jobs/{job_id}")[1]
        if until(job):
            return job
        assert time.monotonic() < give_up, job
        time.sleep(0.2)


def end(stack: RunningStack, job_id: str) -> dict[str, Any]:
    return wait(stack, job_id, lambda job: job["status"] in ENDED)


def log(stack: RunningStack, job_id: str, query: str = "") -> tuple[str, str | None]:
    answer = Client(stack.url).ask("GET", f"/jobs/{job_id}/log{query}")
    assert answer.status == 200
    return answer.raw.decode(), answer.headers.get("Log-After")


def test_a_container_is_scheduled_runs_and_completes_with_its_log(stack: RunningStack) -> None:
    job_id = submit(
        stack, "sh", "-c", "echo begun $SORTIE_ATTEMPT; echo SORTIE_PROGRESS 0.5; sleep 6; echo done", run_in="3s"
    )
    assert stack.ask("GET", f"/jobs/{job_id}")[1]["status"] == "scheduled"
    running = wait(stack, job_id, lambda job: job["phase"] == "running")
    assert running["elapsed_ms"] >= 0
    wait(stack, job_id, lambda job: "begun 1" in log(stack, job_id)[0] or job["status"] in ENDED)
    job = end(stack, job_id)
    assert (job["status"], job["attempts"], job["phase"]) == ("completed", 1, None)
    assert job["output"]["exit_code"] == 0
    assert job["output"]["tail"].splitlines() == ["begun 1", "done"]
    assert job["container"]["exit_code"] == 0
    lines, after = log(stack, job_id)
    assert lines.splitlines() == ["begun 1", "SORTIE_PROGRESS 0.5", "done"]
    assert log(stack, job_id, f"?attempt=1&after={after}")[0] == ""


def test_the_worked_example_of_the_docs_adds_up_in_an_image_with_python(stack: RunningStack) -> None:
    (script,) = blocks((ROOT / "docs/containers.md").read_text("utf-8"), "python")
    job_id = submit(stack, "python", "-c", script, image=engines.PYTHON, env={"NUMBERS": "1 2 3.5"})
    job = end(stack, job_id)
    assert (job["status"], job["output"]) == ("completed", {"exit_code": 0, "tail": "6.5"}), job
    missing = end(stack, submit(stack, "python", "-c", script, image=engines.PYTHON, max_attempts=1))
    assert (missing["status"], missing["container"]["exit_code"]) == ("failed", 1)
    assert "KeyError: 'NUMBERS'" in missing["error"]["message"]


def test_an_exit_code_and_the_last_lines_are_the_error(stack: RunningStack) -> None:
    job = end(stack, submit(stack, "sh", "-c", "echo no luck; exit 3", max_attempts=1))
    assert (job["status"], job["error"]["type"]) == ("failed", "task_error")
    assert job["error"]["message"].startswith("exit code 3")
    assert job["container"]["exit_code"] == 3


def test_a_time_out_of_a_second_is_kept_to_within_seconds(stack: RunningStack) -> None:
    began = time.monotonic()
    job = end(stack, submit(stack, "sleep", "600", timeout=1, max_attempts=1))
    assert (job["status"], job["error"]["type"]) == ("failed", "timeout")
    assert time.monotonic() - began < 60


def test_a_cancel_stops_the_container(stack: RunningStack) -> None:
    job_id = submit(stack, "sleep", "600")
    wait(stack, job_id, lambda job: job["phase"] == "running")
    assert stack.ask("DELETE", f"/jobs/{job_id}")[0] == 202
    assert end(stack, job_id)["status"] == "canceled"


def test_one_that_waits_is_called_off_and_never_starts(stack: RunningStack) -> None:
    job_id = submit(stack, "true", run_in="1h")
    assert stack.ask("DELETE", f"/jobs/{job_id}")[1]["status"] == "canceled"
    assert log(stack, job_id) == ("", None)


@pytest.mark.parametrize(
    ("command", "image", "says"),
    [
        ("/nope", engines.BUSYBOX, "command cannot be started"),
        ("true", "localhost/nothing:1", "image cannot be pulled"),
    ],
)
def test_what_is_not_there_says_so(stack: RunningStack, command: str, image: str, says: str) -> None:
    job = end(stack, submit(stack, command, image=image, max_attempts=1))
    assert (job["status"], job["error"]["type"], says in job["error"]["message"]) == ("failed", "task_error", True)


def test_an_image_that_is_not_allowed_is_refused(stack: RunningStack) -> None:
    status, problem = stack.ask("POST", "/jobs", {"task": "container", "input": {"image": "quay.io/x/y:1"}})
    assert (status, problem["errors"][0]["loc"]) == (422, "input.image")


def test_workers_killed_right_after_the_start_cost_nothing(stack: RunningStack) -> None:
    job_id = submit(stack, "sh", "-c", "sleep 4; echo once")
    wait(stack, job_id, lambda job: job["status"] == "running")
    for process in processes():
        if "dev.worker work" in process.command and process.pid in {each.pid for each in stack.descendants()}:
            os.kill(process.pid, signal.SIGKILL)
    job = end(stack, job_id)
    assert (job["status"], job["attempts"], log(stack, job_id)[0]) == ("completed", 1, "once\n")


def test_the_command_follows_a_log_while_it_grows_and_prints_it_again(stack: RunningStack) -> None:
    job_id = submit(stack, "sh", "-c", "echo one; sleep 4; echo two")
    wait(stack, job_id, lambda job: job["phase"] == "running")
    followed = sortie(stack, "log", "-f", job_id)
    assert (followed.returncode, followed.stdout, followed.stderr) == (0, "one\ntwo\n", "")
    assert end(stack, job_id)["status"] == "completed"
    as_json = sortie(stack, "log", job_id, "--attempt", "1", "--json")
    assert [json.loads(line) for line in as_json.stdout.splitlines()] == [{"line": "one"}, {"line": "two"}]
    none = sortie(stack, "log", job_id, "--attempt", "2")
    assert (none.returncode, none.stdout) == (1, "")
    assert "the job has had 1 attempts" in none.stderr


def sortie(stack: RunningStack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The client's command, as a shell runs it."""
    environ = stack.env | {"SORTIE_URL": stack.url, "PYTHONPATH": str(ROOT / "clients/python/src")}
    return subprocess.run(
        [sys.executable, "-c", "from sortie_client.cli import main; main()", *arguments],
        env=environ, capture_output=True, text=True, timeout=90,
    )  # fmt: skip


def test_a_group_starts_a_container(stack: RunningStack) -> None:
    status, run = stack.ask("POST", "/groups/group_d/runs")
    assert status == 202
    assert all(end(stack, job["id"])["status"] == "completed" for job in run["jobs"])


def test_the_walk_of_the_docs_does_what_it_says(stack: RunningStack, tmp_path: Path) -> None:
    page = (ROOT / "docs/containers.md").read_text("utf-8")
    walk(blocks(page, "bash walk containers"), tmp_path, stack.url, stack.env)


def of_storage(folder: Path) -> dict[str, str]:
    """The stack starts Podman's service itself, on the storage of the tests' engine."""
    return {"CONTAINERS_STORAGE_CONF": str(folder / "storage.conf")}


def left_in(folder: Path) -> str:
    return engines.podman(folder, "ps", "--all", "--quiet", "--filter", "label=ministack")


def test_the_engines_service_killed_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    with engines.own_engine() as host:
        folder = Path(host.removeprefix("unix://")).parent
        stack = RunningStack(tmp_path, **of_storage(folder))
        try:
            job_id = submit(stack, "sh", "-c", "sleep 8; echo once")
            wait(stack, job_id, lambda job: job["phase"] == "running")
            for process in stack.descendants():
                if "system service" in process.command:
                    os.kill(process.pid, signal.SIGKILL)
            stack.wait_for_line("Podman's service has ended")
            job = end(stack, job_id)
            assert (job["status"], job["attempts"]) == ("completed", 1)
        finally:
            stack.stop()


def test_a_killed_emulator_leaves_no_container(tmp_path: Path) -> None:
    with engines.own_engine() as host:
        folder = Path(host.removeprefix("unix://")).parent
        stack = RunningStack(tmp_path, **of_storage(folder))
        try:
            job_id = submit(stack, "sleep", "600")
            wait(stack, job_id, lambda job: job["phase"] == "running")
            assert left_in(folder)
            for process in stack.descendants():
                if "guarded_ministack" in process.command:
                    os.kill(process.pid, signal.SIGKILL)
            stack.wait_for_line("The emulator is gone")
        finally:
            stack.stop()
        assert left_in(folder) == ""


def test_without_an_engine_nothing_is_taken_and_the_health_says_why(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path, DOCKER_HOST="unix:///nowhere.sock")
    try:
        assert engine.OFF in stack.lines
        status, problem = stack.ask("POST", "/jobs", {"task": "container", "input": {"image": engines.BUSYBOX}})
        assert (status, engine.OFF in problem["detail"]) == (422, True)
        assert stack.ask("GET", "/health") == (200, {"status": "ok", "containers": f"off: {engine.OFF}"})
    finally:
        stack.stop()
