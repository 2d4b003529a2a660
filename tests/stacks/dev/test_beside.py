"""Beside an emulator of one's own: the way of docs/development.md, and what is said where a step was left out."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dev import emulator
from dev.client import Client, NoAnswer
from dev.settings import HOST, ROOT
from tests.stacks.e2e.test_readme import blocks, walk
from tests.support import engines
from tests.support.running import until

LOCAL = ("-c", "from chalice.cli import main; main()", "local", "--stage", "local", "--no-autoreload", "--port")
IMAGES = "docker.io/library/*"
JOB = {"task": "container", "input": {"image": engines.BUSYBOX, "command": ["echo", "hello"]}}


def environ(**more: str) -> dict[str, str]:
    outer = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    test = {f"AWS_{name}": "test" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
    return outer | test | {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1", **more}


@contextmanager
def started(log: Path, environ: Mapping[str, str], *command: str) -> Iterator[None]:
    with log.open("w") as output, subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=dict(environ), stdout=output, stderr=subprocess.STDOUT
    ) as child:  # fmt: skip
        try:
            yield
        finally:
            child.terminate()


def test_the_way_of_the_docs_works_from_first_to_last() -> None:
    script = "".join(blocks((ROOT / "docs" / "development.md").read_text("utf-8"), "bash beside"))
    assert "make resources" in script
    ports = {"4566": str(emulator.free_port()), "8000": str(emulator.free_port())}
    for written, free in ports.items():
        script = script.replace(written, free)
    walk([script], ROOT, "", environ())


def test_what_was_never_made_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    port = str(emulator.free_port())
    service = Client(f"http://{HOST}:{port}")
    with emulator.running() as endpoint:
        own = environ(AWS_ENDPOINT_URL=endpoint)
        with (
            started(tmp_path / "routes", own, *LOCAL, port),
            started(tmp_path / "runner", own, "-m", "dev.runner"),
        ):
            until(lambda: answers(service), 60, "chalice local listens")
            missing = f"the table sortie-local does not exist at {endpoint}: make resources"
            submitted = service.ask("POST", "/jobs", {"array": [2, 1]})
            assert (submitted.status, submitted.body["detail"]) == (503, missing)
            health = service.ask("GET", "/health")
            assert health.status == 503
            for name in (missing, "the queue sortie-local-jobs does", "the bucket sortie-local-payloads does"):
                assert name in health.body["detail"]
            nowhere = service.ask("GET", "/nowhere")
            assert (nowhere.status, nowhere.headers["Content-Type"]) == (404, "application/problem+json")
            said = f"the queue sortie-local-jobs does not exist at {endpoint}: make resources"
            until(lambda: said in (tmp_path / "runner").read_text(), 30, "the runner says so too")


def make_resources(own: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "dev.resources"]
    return subprocess.run(command, cwd=ROOT, env=dict(own), check=True, capture_output=True, text=True).stdout


def test_container_jobs_are_refused_in_a_sentence_where_no_images_are_named(tmp_path: Path) -> None:
    port = str(emulator.free_port())
    service = Client(f"http://{HOST}:{port}")
    with emulator.running() as endpoint:
        own = environ(AWS_ENDPOINT_URL=endpoint)
        assert "sortie-local-containers" not in make_resources(own)
        with started(tmp_path / "routes", own, *LOCAL, port):
            until(lambda: answers(service), 60, "chalice local listens")
            refused = service.ask("POST", "/jobs", JOB)
            assert (refused.status, "set CONTAINER_IMAGES" in refused.body["detail"]) == (422, True)
            assert service.ask("GET", "/health").status == 200


def test_container_jobs_run_where_images_are_named_and_their_cluster_is_made(tmp_path: Path) -> None:
    port = str(emulator.free_port())
    service = Client(f"http://{HOST}:{port}")
    with engines.own_engine() as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        with emulator.running() as endpoint:
            own = environ(AWS_ENDPOINT_URL=endpoint, CONTAINER_IMAGES=IMAGES)
            assert "sortie-local, sortie-local-containers" in make_resources(own)
            with started(tmp_path / "routes", own, *LOCAL, port), started(tmp_path / "runner", own, "-m", "dev.runner"):
                until(lambda: answers(service), 60, "chalice local listens")
                job_id = service.ask("POST", "/jobs", JOB).body["id"]
                job = until(lambda: ended(service, job_id), 90, "the container has ended")
                assert (job["status"], job["output"]) == ("completed", {"exit_code": 0, "tail": "hello"})


def ended(service: Client, job_id: str) -> Any:
    job = service.ask("GET", f"/jobs/{job_id}?wait=5").body
    return job if job["finished_at"] else None


def answers(service: Client) -> Any:
    try:
        return service.ask("GET", "/openapi.json")
    except NoAnswer:
        return None
