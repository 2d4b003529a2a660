"""Each command with each of its inputs missing, wrong and out of reach: a line that says what to do, no traceback."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dev.settings import ROOT

pytestmark = pytest.mark.slow
DEAD = "http://127.0.0.1:1"
AWS = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
TOKENS = ("create", "--role", "read", "--stage", "dev", "--owner")
LIMIT = 60.0
"""Seconds, on a machine that does other things too: none of these waits for anything."""


@dataclass(frozen=True)
class Case:
    """`says`: what the message names."""

    command: str
    says: str
    environ: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


def run_cases(command: str) -> list[Case]:
    """What is read from the environment of the development stack."""
    numbers = ("WORKERS", "SCHEDULE_EVERY", "START_LIMIT", "JOB_TIMEOUT", "JOB_PREFETCH", "RETENTION_SECONDS")
    return [
        *(Case(command, f"{name}='banana'", {name: "banana", "AWS_ENDPOINT_URL": DEAD}) for name in numbers),
        Case(command, "EMULATOR='floci': give ministack or moto", {"EMULATOR": "floci", "AWS_ENDPOINT_URL": DEAD}),
        Case(command, f"Nothing answers at {DEAD}", {"AWS_ENDPOINT_URL": DEAD}),
        Case(command, "http://localhost:4566", {"AWS_ENDPOINT_URL": "localhost:4566"}),
    ]


def aws_cases(command: str, *arguments: str, stage: str = "dev") -> list[Case]:
    """What leads to an account."""
    named = {"STAGE": stage}
    return [
        Case(command, "AWS_REGION", named | {**AWS, "AWS_REGION": ""}, arguments),
        Case(command, "AWS_PROFILE", named | {"AWS_REGION": "eu-central-1"}, arguments),
        Case(command, "nobody", named | {"AWS_REGION": "eu-central-1", "AWS_PROFILE": "nobody"}, arguments),
        Case(command, DEAD, named | AWS | {"AWS_ENDPOINT_URL": DEAD}, arguments),
        Case(command, f"Nothing answers at {DEAD}", named | {"ENDPOINT": DEAD}, arguments),
        Case(command, "http://localhost:4566", named | {"ENDPOINT": "localhost:4566"}, arguments),
    ]


CASES = [
    *run_cases("dev"),
    *(Case("dev", f"PORT='{port}': give a number", {"PORT": port}) for port in ("banana", "0", "70000", "1e3x")),
    Case("dev", "DATA_DIR", {"DATA_DIR": "/dev/null/data"}),
    *run_cases("dev.runner"),
    Case("dev.runner", "AWS_ENDPOINT_URL"),
    *run_cases("dev.resources"),
    Case("dev.resources", "AWS_ENDPOINT_URL"),
    *aws_cases("ops.deploy"),
    Case("ops.deploy", "STAGE=dev or STAGE=prod", AWS),
    Case("ops.deploy", "STAGE=dev or STAGE=prod", AWS | {"STAGE": "local"}),
    Case("ops.deploy", "WITH='chalise'", AWS | {"STAGE": "dev", "WITH": "chalise"}),
    Case("ops.deploy", "THROTTLE_RATE='banana'", AWS | {"STAGE": "dev", "THROTTLE_RATE": "banana"}),
    *aws_cases("ops.destroy"),
    Case("ops.destroy", "STAGE=dev or STAGE=prod", AWS),
    *aws_cases("ops.tokens", *TOKENS, "team-a"),
    *aws_cases("ops.tokens", "list", "--stage", "dev"),
    *aws_cases("ops.tokens", "revoke", "--stage", "dev", "abc"),
    Case("ops.tokens", "owner 'A B'", arguments=(*TOKENS, "A B")),
    Case("ops.tokens", "--days", arguments=(*TOKENS, "a", "--days", "-1")),
    Case("ops.tokens", "--stage", arguments=("list",)),
    Case("ops.tokens", "required"),
    Case("ops.deploy_offline", f"Nothing answers at {DEAD}", {"ENDPOINT": DEAD}),
    Case("ops.deploy_offline", "http://localhost:4566", {"ENDPOINT": "localhost:4566"}),
    Case("ops.deploy_offline", "STAGE=dev or STAGE=prod", {"STAGE": "nowhere"}),
    Case("ops.deploy_offline", "PORT='banana'", {"PORT": "banana"}),
    Case("ops.deploy_offline", "/dev/null/offline", {"OFFLINE_DIR": "/dev/null/offline"}),
    Case("ops.doctor", f"Nothing answers at {DEAD}", {"ENDPOINT": DEAD}),
    Case("ops.doctor", "http://localhost:4566", {"ENDPOINT": "localhost:4566"}),
    Case("ops.build", "STAGE=dev or STAGE=prod", arguments=("nowhere",)),
    Case("ops.build", "package index", {"PIP_INDEX_URL": DEAD, "PIP_NO_INDEX": "1"}, ("dev",)),
    Case("benchmarks.service", f"answers at {DEAD}", arguments=(DEAD,)),
    Case("benchmarks.service", "--jobs", arguments=("--jobs", "many")),
    Case("benchmarks.client", f"nothing answers at {DEAD}", arguments=(DEAD,)),
    Case("benchmarks.client", "--rounds", arguments=("--rounds", "0")),
    Case("benchmarks.cost", "NUMBERS='banana'", {"NUMBERS": "banana"}),
]


def run(case: Case, folder: Path) -> tuple[int, str]:
    outer = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    own = {
        "HOME": str(folder),
        "DATA_DIR": str(folder),
        "OFFLINE_DIR": str(folder),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environ = outer | own | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(case.environ)
    command = [sys.executable, "-m", case.command, *case.arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=LIMIT)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join([case.command, *case.arguments, *case.environ])[:80])
def test_what_a_person_can_mend_is_said_in_a_line(case: Case, tmp_path: Path) -> None:
    code, said = run(case, tmp_path)
    assert code != 0
    assert case.says in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["dev", "ops.deploy_offline"])
def test_a_taken_port_is_named_with_what_to_do(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run(Case(command, "", {"PORT": str(port)}), tmp_path)
    assert code != 0
    assert f"Port {port} is taken" in said
    assert "Traceback" not in said


def test_make_says_what_to_do_without_a_package_index(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements-run.lock"):
        shutil.copy2(ROOT / name, tmp_path / name)
    environ = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(["make", "run"], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode != 0
    assert "Is a package index within reach (pip config list)?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv" / ".runnable").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("/dev/full")
    code, said = run(Case("dev", ""), tmp_path)
    assert code != 0
    assert f"DATA_DIR={tmp_path}: No space left on device" in said
    assert "Traceback" not in said
