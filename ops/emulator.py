"""A MiniStack of one's own that outlives the command that started it: start, find, stop.

A state file holds its process id and address. It listens on loopback alone.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dev.emulator import free_port

HOST = "127.0.0.1"
BATCHES = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
    "dynamodb:PutItem": "dynamodb:TransactWriteItems",
}
"""AWS judges these calls by the action on the left; MiniStack looks for one named as the call."""
START_LIMIT, STOP_LIMIT = 60.0, 20.0


class NotStarted(Exception):
    """The emulator does not run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    endpoint: str


def start(folder: Path, environ: Mapping[str, str], *, port: int | None, keep_state: bool) -> Running:
    """The emulator of this folder, started unless it runs already. Raises NotStarted."""
    if found := running(folder):
        return found
    _tidy(folder)
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    chosen = port or free_port()
    if answers(f"http://{HOST}:{chosen}"):
        raise NotStarted(
            f"Port {chosen} is taken. Choose another with PORT=..., or use it: ENDPOINT=http://{HOST}:{chosen}"
        )
    with (folder / "emulator.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environ(environ, folder, chosen, keep_state),
            cwd=folder,
            start_new_session=True,
        )
    made = Running(process.pid, f"http://{HOST}:{chosen}")
    (folder / "emulator.json").write_text(json.dumps(asdict(made)))
    _wait(process, made, folder)
    return made


def running(folder: Path) -> Running | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = Running(**json.loads((folder / "emulator.json").read_text()))
        if _is_ours(found.pid) and answers(found.endpoint):
            return found
    return None


def stop(folder: Path) -> bool:
    """False when none ran. It is asked to end, so that it saves what it was told to keep; then it is ended."""
    try:
        pid = int(json.loads((folder / "emulator.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return False
    ran = _is_ours(pid)
    if ran:
        _signal(pid, signal.SIGTERM)
        give_up = time.monotonic() + STOP_LIMIT
        while _is_ours(pid) and time.monotonic() < give_up:
            time.sleep(0.1)
        _signal(pid, signal.SIGKILL)
    _tidy(folder)
    return ran


def name_batches(template: dict[str, Any]) -> None:
    """Let the roles of a template, which is changed in place, do in MiniStack what they may do on AWS."""
    for resource in template["Resources"].values():
        for policy in (
            resource.get("Properties", {}).get("Policies", ()) if resource["Type"] == "AWS::IAM::Role" else ()
        ):
            for statement in policy["PolicyDocument"]["Statement"]:
                statement["Action"] += [BATCHES[name] for name in statement["Action"] if name in BATCHES]


def answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=3).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _environ(environ: Mapping[str, str], folder: Path, port: int, keep_state: bool) -> dict[str, str]:
    """The functions inherit this, so nothing of the developer's own account or settings may be in it."""
    kept = {key: value for key, value in environ.items() if not key.startswith(("AWS_", "SORTIE_", "PYTHON"))}
    own = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "LOG_LEVEL": "WARNING",
        # Every call is held against the policy of the function's role, as on AWS.
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(folder / "tmp"),
    }
    if keep_state:
        state = {"PERSIST_STATE": "1", "STATE_DIR": str(folder / "state"), "S3_PERSIST": "1"}
        own |= state | {"S3_DATA_DIR": str(folder / "s3")}
    return kept | own


def _wait(process: "subprocess.Popen[bytes]", made: Running, folder: Path) -> None:
    give_up = time.monotonic() + START_LIMIT
    while not answers(made.endpoint):
        if process.poll() is not None or time.monotonic() > give_up:
            stop(folder)
            raise NotStarted(f"MiniStack did not start; its log is {folder / 'emulator.log'}")
        time.sleep(0.1)


def _is_ours(pid: int) -> bool:
    """A process id may have gone to somebody else since. What has ended and was not waited for is a zombie."""
    table = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True)
    return "ministack" in table.stdout and not table.stdout.lstrip().startswith("Z")


def _signal(pid: int, number: signal.Signals) -> None:
    """To the emulator and the functions' processes, which are its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _tidy(folder: Path) -> None:
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    (folder / "emulator.json").unlink(missing_ok=True)
