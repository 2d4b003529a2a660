"""A whole deployed stack, as `make deploy-offline` makes it, on a port that nobody else uses."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dev.client import Answer, Client
from dev.settings import ROOT
from ops import tokens
from ops.account import Account

T = TypeVar("T")


class DeployedStack:
    """`.url` of the API, `.token` of an admin, `.endpoint` of the emulator."""

    stage = "dev"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {"OFFLINE_DIR": str(folder), "STAGE": self.stage, "PYTHONDONTWRITEBYTECODE": "1"}
        outer = {key: value for key, value in os.environ.items() if key not in ("ENDPOINT", "PORT", "STATE")}
        self.environ = outer | own
        try:
            self._deploy()
        except BaseException:  # whatever it is, the emulator must not outlive it
            self.stop()
            raise

    def _deploy(self) -> None:
        self.lines = self.run("ops.deploy_offline").splitlines()
        self.url = self._line("API: ")
        self.token = self._line("TOKEN: ")
        self.endpoint = self._line("Emulator at ")
        self.pid = int(json.loads((self.folder / "emulator.json").read_text())["pid"])
        self.account = Account(self.endpoint)

    def run(self, module: str, *arguments: str) -> str:
        """What the command printed; it has to end well."""
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{module} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def new_token(self, owner: str, role: str, *, days: float | None = None) -> str:
        return tokens.create(tokens.records_of(self.account, self.stage), owner, role, days, now=time.time())

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = "", **headers: str) -> Answer:
        """`token`: empty takes the admin's, None sends none; `headers` with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.token}"
        return Client(self.url).ask(method, path, body, **sent)

    def submit(self, body: Any, **more: Any) -> str:
        answer = self.ask("POST", "/jobs", body, **more)
        assert answer.status == 202, answer.raw
        return str(answer.body["id"])

    def job(self, job_id: str) -> Any:
        return self.ask("GET", f"/jobs/{job_id}").body

    def ended(self, job_id: str, limit: float = 40) -> Any:
        """The job, once it has ended."""
        return until(lambda: (job := self.job(job_id))["finished_at"] and job, limit, f"the end of {job_id}")

    def log_lines(self) -> list[str]:
        """What every function has logged so far."""
        logs, lines = self.account.client("logs"), []
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/sortie")["logGroups"]:
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                lines += [str(event["message"]) for event in page["events"]]
        return lines

    def stop(self) -> None:
        self.run("ops.offline")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _line(self, start: str) -> str:
        return next(line.removeprefix(start) for line in self.lines if line.startswith(start))


def until(condition: Callable[[], T], limit: float, what: str, every: float = 0.2) -> T:
    """The condition's first true value."""
    give_up = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {limit:g} s: {what}")
        time.sleep(every)
    return value


def deployed_stack(folder: Path) -> Iterator[DeployedStack]:
    """The body of a session fixture. Without MiniStack a laptop skips, CI fails."""
    if find_spec("ministack") is None and os.environ.get("CI") != "true":
        pytest.skip("MiniStack is not installed")
    stack = DeployedStack(folder)
    yield stack
    stack.stop()
