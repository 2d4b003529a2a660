"""The MiniStack of `make deploy-offline`, which outlives the command that started it: start, find, stop.

A state file holds its process id and address. `python -m ops.offline` stops it (`make stop-offline`).
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dev import command, emulator, engine
from dev.settings import ROOT, BadStart, private_folder

ACTIONS = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
    "dynamodb:PutItem": "dynamodb:TransactWriteItems",
    "dynamodb:PartiQLUpdate": "dynamodb:BatchExecuteStatement",
}
"""AWS judges these calls by the action on the left; MiniStack looks for one named as the call."""
STOP_LIMIT = 20.0
WORKERS = {"QuickConcurrency": 2, "LongConcurrency": 4}
"""How many workers of a lane at once: each is a process of this machine."""


@dataclass(frozen=True, slots=True)
class Running:
    """`engine`: the process id of Podman's service, where it was started for this; `containers`: an engine answers."""

    pid: int
    endpoint: str
    engine: int = 0
    containers: bool = False


def folder_of(environ: Mapping[str, str]) -> Path:
    """Where the emulator keeps what it needs; its state, when asked, too."""
    return ROOT / ".data" / environ.get("OFFLINE_DIR", "offline")


def start(folder: Path, environ: Mapping[str, str], *, port: int | None, keep_state: bool) -> Running:
    """The emulator of this folder, started unless it runs already. Raises BadStart."""
    if already := running(folder):
        return already
    _tidy(folder)
    private_folder(folder, "OFFLINE_DIR")
    (folder / "tmp").mkdir()
    launch = emulator.Emulator(port or emulator.free_port(), state=folder if keep_state else None, auth=True)
    if emulator.is_taken(launch.port):
        raise BadStart(
            f"Port {launch.port} is taken. Choose another with PORT=..., or use it: ENDPOINT={launch.endpoint}"
        )
    host, engine_pid = _find_engine(environ, folder)
    docker = {"DOCKER_HOST": host} if host else {}
    with (folder / "emulator.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(emulator.GUARDED)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=launch.environ(environ) | {"TMPDIR": str(folder / "tmp")} | docker,
            cwd=folder,
            start_new_session=True,
        )
    started = Running(process.pid, launch.endpoint, engine_pid, bool(host))
    (folder / "emulator.json").write_text(json.dumps(asdict(started)))
    try:
        log_file = folder / "emulator.log"
        emulator.wait(
            launch.endpoint, lambda: None if process.poll() is None else f"Its log is {log_file}", emulator.START_LIMIT
        )
    except BadStart:
        stop(folder)
        raise
    return started


def _find_engine(environ: Mapping[str, str], folder: Path) -> tuple[str, int]:
    """The address of an engine for containers, empty where there is none, and its process id if it was started here."""
    if not engine.has_sdk():
        return "", 0
    if host := engine.find_running(environ):
        return host, 0
    return engine.start_detached(environ, folder) or ("", 0)


def running(folder: Path) -> Running | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        recorded = Running(**json.loads((folder / "emulator.json").read_text()))
        if _is_ours(recorded.pid) and emulator.answers(recorded.endpoint):
            return recorded
    return None


def stop(folder: Path) -> bool:
    """False when none ran. It is asked to end, so that it saves what it was told to keep; then it is ended."""
    try:
        recorded = json.loads((folder / "emulator.json").read_text())
        pid, engine_pid = int(recorded["pid"]), int(recorded.get("engine", 0))
    except (OSError, ValueError, KeyError):
        return False
    ran = _is_ours(pid)
    if ran:
        _signal(pid, signal.SIGTERM)
        give_up = time.monotonic() + STOP_LIMIT
        while _is_ours(pid) and time.monotonic() < give_up:
            time.sleep(0.1)
        _signal(pid, signal.SIGKILL)
    if engine_pid and _is_ours(engine_pid, "podman"):
        _signal(engine_pid, signal.SIGTERM)
    _tidy(folder)
    return ran


def adapt(template: dict[str, Any]) -> None:
    """Let the roles of a template, which is changed in place, do in MiniStack what they may on AWS. It has no TLS."""
    template["Resources"].pop("BucketPolicy", None)
    _bound_workers(template)
    roles = (each for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Role")
    for policy in (policy for role in roles for policy in role["Properties"].get("Policies", ())):
        for statement in policy["PolicyDocument"]["Statement"]:
            statement["Action"] += [ACTIONS[name] for name in statement["Action"] if name in ACTIONS]
            _name_places(statement)


def _bound_workers(template: dict[str, Any]) -> None:
    """MiniStack puts a parameter in as text, which its poller of queues cannot count with."""
    functions = (each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function")
    for event in (event for function in functions for event in function["Properties"].get("Events", {}).values()):
        if scaling := event.get("Properties", {}).get("ScalingConfig"):
            scaling["MaximumConcurrency"] = WORKERS[scaling["MaximumConcurrency"]["Ref"]]


def _name_places(statement: dict[str, Any]) -> None:
    """MiniStack judges a call of ECS by its cluster and knows no condition of ECS's, one of Logs by the bare group, and
    sees no table in a batch of statements."""
    named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    if any(action.startswith("ecs:") for action in statement["Action"]):
        statement.pop("Condition", None)
        statement["Resource"] = [*named, *(f"arn:aws:ecs:*:*:cluster/{_cluster_of(arn)}" for arn in named)]
    elif "dynamodb:PartiQLUpdate" in statement["Action"]:
        statement["Resource"] = [*named, "*"]
    elif "logs:GetLogEvents" in statement["Action"]:
        statement["Resource"] = [*named, *(arn.removesuffix(":*") for arn in named)]


def _cluster_of(arn: str) -> str:
    """It has the name that a stage's ARNs begin with: task/sortie-dev/*, task-definition/sortie-dev-*:*."""
    return arn.partition("/")[2].split("/")[0].removesuffix(":*").removesuffix("-*") or "*"


def _is_ours(pid: int, name: str = "ministack") -> bool:
    """A process id may have gone to somebody else since. What has ended and was not waited for is a zombie."""
    table = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True)
    return name in table.stdout and not table.stdout.lstrip().startswith("Z")


def _signal(pid: int, number: signal.Signals) -> None:
    """To the emulator and the functions' processes, which are its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _tidy(folder: Path) -> None:
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    (folder / "emulator.json").unlink(missing_ok=True)


def main() -> None:
    print("Stopped." if stop(folder_of(os.environ)) else "No emulator of make deploy-offline runs.")


if __name__ == "__main__":
    command.run(main)
