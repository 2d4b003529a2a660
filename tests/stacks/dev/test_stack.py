"""`python -m dev` from outside: it recovers what is killed, leaves nothing behind, and keeps its jobs."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dev.client import fetch
from dev.emulator import free_port
from dev.settings import ROOT
from tests.support.running import Process, RunningStack, alive, below, processes, until


def worker_of(stack: RunningStack, job_id: str) -> int:
    """The pid of the worker that has claimed the job, by the line that it logged."""
    line = until(lambda: claim(stack, job_id), 20, "the job is claimed")
    slot = line.split("|")[0].strip()
    [worker] = [each.pid for each in stack.descendants() if each.command.endswith(f" {slot}")]
    return worker


def claim(stack: RunningStack, job_id: str) -> str:
    return next((line for line in stack.lines if job_id in line and '"event":"claim"' in line), "")


def submit(stack: RunningStack, **request: Any) -> str:
    status, job = stack.ask("POST", "/jobs", request)
    assert status == 202, job
    job_id: str = job["id"]
    return job_id


def job(stack: RunningStack, job_id: str) -> Any:
    status, body = stack.ask("GET", f"/jobs/{job_id}")
    assert status == 200, body
    return body


def test_descendants_are_found_when_process_ids_have_started_anew() -> None:
    stack, worker, launcher = Process(32000, 1, "dev"), Process(17, 32760, "worker"), Process(32760, 32000, "launcher")
    assert below(stack.pid, [worker, Process(40, 1, "other"), stack, launcher]) == [launcher, worker]


def test_a_worker_killed_in_the_middle_of_a_job_costs_only_time(stack: RunningStack) -> None:
    job_id = submit(stack, task="sleep", input={"seconds": 2}, timeout=3)
    os.kill(worker_of(stack, job_id), signal.SIGKILL)
    next_job = submit(stack, array=[2, 1])
    until(lambda: job(stack, next_job)["status"] == "completed", 20, "others go on meanwhile")
    until(lambda: job(stack, job_id)["status"] == "completed", 150, "the job completes")
    assert job(stack, job_id)["attempts"] == 2


def test_each_move_of_a_job_is_a_line_for_a_person_unless_verbose(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path, VERBOSE="")
    try:
        end = submit(stack, array=[2, 1])[-6:]
        until(lambda: [line for line in stack.lines if f"{end}  completed, " in line], 20, "the job's end is told")
        assert not [line for line in stack.lines if "{" in line]
    finally:
        stack.stop()


def test_routes_that_are_killed_come_back(stack: RunningStack) -> None:
    [routes] = [each for each in stack.descendants() if "dev.serve" in each.command]
    os.kill(routes.pid, signal.SIGKILL)
    stack.wait_for_line("Serving on")
    assert submit(stack, array=[2, 1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    stack = RunningStack(tmp_path)
    started = stack.descendants()
    assert len(started) >= 5
    code = stack.stop(number)
    assert code == (-9 if number is signal.SIGKILL else 0)
    until(lambda: not alive(started), 15, f"these end: {started}")


@pytest.mark.parametrize("seconds", [0.1, 0.4, 0.8, 1.5, 2.5])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_is_called_off_ends_silently_and_clean(
    tmp_path: Path, seconds: float, number: signal.Signals
) -> None:
    """Before Python has read the command, the signal's own effect ends it."""
    environ = {**os.environ, "PORT": str(free_port()), "DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "dev"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        time.sleep(seconds)
        started = below(child.pid, processes())
        child.send_signal(number)
        said = child.communicate(timeout=60)[0].decode()
    assert child.returncode in (0, -number)
    assert not re.search("Traceback|_Stop", said), said
    until(lambda: not alive(started), 15, f"these end: {started}")


def test_jobs_outlive_a_restart(tmp_path: Path) -> None:
    first = RunningStack(tmp_path)
    done, later = submit(first, array=[2, 1]), submit(first, array=[4, 3], run_in=4)
    until(lambda: job(first, done)["status"] == "completed", 20, "the first job completes")
    first.stop()
    second = RunningStack(tmp_path)
    try:
        assert job(second, done)["output"]["array"] == [1, 2]
        until(lambda: job(second, later)["status"] == "completed", 30, "the waiting job completes")
    finally:
        second.stop()


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=f"Port {port} is taken.*PORT={port + 1} make run"):
            RunningStack(Path("/nonexistent"), PORT=str(port))


def test_two_stacks_do_not_share_a_data_folder(stack: RunningStack) -> None:
    with pytest.raises(AssertionError, match="Another stack keeps its jobs in"):
        RunningStack(Path(stack.env["DATA_DIR"]))


def test_an_endpoint_that_nobody_serves_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Nothing answers at http://127.0.0.1:1"):
        RunningStack(tmp_path, AWS_ENDPOINT_URL="http://127.0.0.1:1", START_LIMIT="1")


def test_a_page_of_a_stranger_gets_nothing_from_the_emulator(stack: RunningStack) -> None:
    """What boto3 sends passes: the whole stack runs through it."""
    strange = [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    for headers in strange:
        assert fetch("POST", f"{stack.endpoint}/2015-03-31/functions", b"{}", headers).status == 403, headers
    assert fetch("GET", stack.endpoint, headers={"Origin": stack.url}).status != 403


def test_the_emulator_has_no_functions_that_anybody_could_make(stack: RunningStack) -> None:
    assert fetch("GET", f"{stack.endpoint}/2015-03-31/functions").status == 400


def test_a_running_emulator_is_used_and_left_alone(stack: RunningStack, tmp_path: Path) -> None:
    beside = RunningStack(tmp_path, AWS_ENDPOINT_URL=stack.endpoint)
    try:
        assert beside.endpoint == stack.endpoint
        assert not [each for each in beside.descendants() if "ministack" in each.command]
    finally:
        beside.stop()
    assert stack.ask("GET", "/health")[0] == 200
