"""A client of the running stack, and the command in a home of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.settings import ROOT
from sortie_client import Sortie
from tests.support.running import RunningStack

Command = Callable[..., "subprocess.CompletedProcess[str]"]
MAIN = "from sortie_client.cli import main; main()"


@pytest.fixture(scope="session")
def client(stack: RunningStack) -> Iterator[Sortie]:
    with Sortie(stack.url) as client_:
        yield client_


@pytest.fixture
def environ(stack: RunningStack, tmp_path: Path) -> dict[str, str]:
    """Nothing of the one who runs the tests but the service's address."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "SORTIE_URL": stack.url, "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT / "clients/python/src"), "LANG": "C.UTF-8",
    }  # fmt: skip


@pytest.fixture
def sortie(environ: dict[str, str], tmp_path: Path) -> Command:
    """Runs `sortie` with its arguments; `stdin` is text."""

    def run(*arguments: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            input=stdin, cwd=tmp_path, env=environ | more, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    return run
