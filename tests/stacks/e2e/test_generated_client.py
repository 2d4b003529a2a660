"""A client that openapi-python-client makes from the running service's own spec submits, waits and lists with it."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.client import Client
from tests.support.running import RunningStack

NAME = "sortie_generated"


@pytest.fixture(scope="module")
def generated(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the package that was made, which can be imported."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_bytes(Client(stack.url).ask("GET", "/openapi.json").raw)
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", str(document)]
    command += ["--output-path", str(folder / NAME), "--meta", "none", "--fail-on-warning"]
    # Its formatter is the ruff of this environment.
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=environ)
    assert run.returncode == 0, run.stdout[-4_000:] + run.stderr[-4_000:]
    sys.path.insert(0, str(folder))
    yield NAME
    sys.path.remove(str(folder))


def part(name: str) -> Any:
    return importlib.import_module(f"{NAME}.{name}")


def test_a_generated_client_submits_waits_and_lists(stack: RunningStack, generated: str) -> None:
    models, client = part("models"), part("client").Client(base_url=stack.url)
    request = models.SortJob(task="sort", input_=models.SortInput(array=[3, 1, 2], descending=True))
    with client:
        made = part("api.jobs.submit_job").sync(client=client, body=request, idempotency_key="generated")
        ended = part("api.jobs.get_job").sync(job_id=made.id, client=client, wait=20)
        listed = part("api.jobs.list_jobs").sync(client=client, limit=100)
        short = part("api.jobs.submit_job").sync(client=client, body=models.ArrayJob(array=[2, 1]))
        refused = part("api.jobs.submit_job").sync(client=client, body=models.ArrayJob(array=["x"]))
    assert (ended.status, ended.output.to_dict()) == ("completed", {"array": [3, 2, 1]})
    assert made.id in [job.id for job in listed.jobs]
    assert short.task == "sort"
    assert (refused.status, refused.errors[0].loc) == (422, "array[0]")


def test_a_generated_client_makes_and_removes_a_schedule(stack: RunningStack, generated: str) -> None:
    models = part("models")
    job = models.ScheduledSleepJob(task="sleep", input_=models.SleepInput(seconds=0))
    with part("client").Client(base_url=stack.url) as client:
        body = models.ScheduleRequest(cron="0 3 * * *", job=job)
        made = part("api.schedules.add_schedule").sync(client=client, body=body)
        listed = part("api.schedules.list_schedules").sync(client=client)
        part("api.schedules.remove_schedule").sync_detailed(schedule_id=made.id, client=client)
    assert made.id in [schedule.id for schedule in listed.schedules]
    assert made.job.input_.seconds == 0
