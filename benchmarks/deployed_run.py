"""One deployment to a new MiniStack, measured: for benchmarks/deployed.py."""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from benchmarks import processes
from benchmarks.counted_ministack import PATH, WATCHER
from benchmarks.hot_path import BODY, CLIENTS, Caller, shares
from dev import emulator
from dev.process import Child, module
from ops.account import EMULATED, Account

LIMIT_SECONDS = 180.0
IMPORT = "import sys, time, botocore.handlers; sys.path.insert(0, '.'); start = time.perf_counter(); import app; "
IMPORT += "print((time.perf_counter() - start) * 1000)"
"""In the order of MiniStack, which has its own use of botocore."""


@dataclass(frozen=True, slots=True)
class Target:
    """A deployed API and the table that its jobs are in, keyed by `pk`, with a `status`."""

    url: str
    table: str
    headers: Mapping[str, str]

    def submit(self, count: int) -> list[str]:
        parts = urlsplit(self.url)
        with closing(http.client.HTTPConnection(parts.netloc)) as connection:
            caller = Caller(connection, self.headers)
            return [str(caller.ask("POST", f"{parts.path}/jobs", BODY)["id"]) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from the first submit. `started`: processes, the trial job's included; `seconds`: of the processor, while
    the jobs ran; `calls`: of AWS, a job."""

    jobs: int
    first_ms: float
    submitted: float
    done: float
    started: Mapping[str, int]
    seconds: Mapping[str, float]
    calls: Mapping[str, float]

    @property
    def jobs_a_second(self) -> float:
        return self.jobs / self.done


def run(deploy: Callable[[Account], Target], jobs: int) -> Run:
    with _new_emulator() as (endpoint, pid):
        target, table = deploy(Account(endpoint)), _watcher(endpoint)
        start = time.perf_counter()
        trial = target.submit(1)
        first_ms = (time.perf_counter() - start) * 1000
        _wait_until_done(table, target.table, trial)
        calls, before = _calls(endpoint), _processor_seconds(pid)
        start = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            ids = [job_id for ids in pool.map(target.submit, shares(jobs)) for job_id in ids]
        submitted = time.perf_counter() - start
        _wait_until_done(table, target.table, ids)
        done = time.perf_counter() - start
        calls, after = _calls(endpoint) - calls, _processor_seconds(pid)
    kinds = Counter(kind for kind, _ in after)
    seconds = {kind: sum(s - before.get(key, 0) for key, s in after.items() if key[0] == kind) for kind in kinds}
    started = {kind: number for kind, number in kinds.items() if kind != "emulator"}
    a_job = {name: times / jobs for name, times in calls.items()}
    return Run(jobs, first_ms, submitted, done, started, seconds, a_job)


def import_ms(package: Path, rounds: int = 5) -> float:
    """Milliseconds that a new process takes to import app.py from the zip: the best round."""
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "SORTIE_STAGE": "dev", "PYTHONTZPATH": ""}
    environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(package).extractall(folder)
        call = [sys.executable, "-c", IMPORT]
        return min(float(subprocess.check_output(call, cwd=folder, env=environ)) for _ in range(rounds))


@contextmanager
def _new_emulator() -> Iterator[tuple[str, int]]:
    """Its endpoint and process id. As `make deploy-offline` starts it: each function runs under its own role."""
    with tempfile.TemporaryDirectory() as folder:
        launch = emulator.Emulator(emulator.free_port(), auth=True)
        environ = launch.environ({**os.environ, "TMPDIR": folder})
        child = Child("ministack", module("benchmarks.counted_ministack"), environ, quiet=True)
        try:
            emulator.wait(launch.endpoint, child.why_ended, emulator.START_LIMIT)
            yield launch.endpoint, child.pid
        finally:
            child.stop(emulator.STOP_LIMIT)


def _watcher(endpoint: str) -> Any:
    session = boto3.session.Session(**EMULATED)
    return session.client("dynamodb", endpoint_url=endpoint, config=Config(user_agent=WATCHER))


def _wait_until_done(table: Any, name: str, ids: Sequence[str]) -> None:
    left, give_up = list(ids), time.monotonic() + LIMIT_SECONDS
    while left:
        asked = {
            "Keys": [{"pk": {"S": job_id}} for job_id in left[:100]],
            "ProjectionExpression": "pk, #s",
            "ExpressionAttributeNames": {"#s": "status"},
        }
        rows = table.batch_get_item(RequestItems={name: asked})["Responses"][name]
        done = {row["pk"]["S"] for row in rows if row["status"]["S"] == "completed"}
        if len(done) < len(left[:100]):
            time.sleep(0.05)
        left = [job_id for job_id in left if job_id not in done]
        assert time.monotonic() < give_up, f"{len(left)} of {len(ids)} jobs are not done"


def _calls(endpoint: str) -> Counter[str]:
    with closing(http.client.HTTPConnection(urlsplit(endpoint).netloc)) as connection:
        answer = Caller(connection).ask("GET", PATH)
    return Counter({name: int(str(times)) for name, times in answer.items()})


def _processor_seconds(emulator_pid: int) -> dict[tuple[str, int], float]:
    """By kind and process id."""
    below = processes.tree(emulator_pid)
    return {(_kind(each, emulator_pid), each.pid): each.seconds for each in below}


def _kind(process: processes.Process, emulator_pid: int) -> str:
    """MiniStack unpacks a function into a folder that has its name."""
    if process.pid == emulator_pid:
        return "emulator"
    match = re.search(r"ministack-lambda-(.+)-[^-]{8}/", process.command)
    name = match[1] if match else ""
    if name == "sortie-dev" or "APIHandler" in name:
        return "API"
    if name.endswith("-authorize"):
        return "authorizer"
    return "worker" if name.endswith("-quick") or "-Work" in name else "other"
