"""The client as a stranger gets it: from its folder alone, quick to import, without what only the service needs."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from dev.settings import ROOT
from tests.support.running import RunningStack

FOLDER = ROOT / "clients/python"
LAZY = ("httpx2", "asyncio", "numpy", "ssl", "click", "rich", "tempfile")
TIMED = """
import json, sys, time
start = time.perf_counter(); import msgspec; between = time.perf_counter(); from sortie_client import Sortie
Sortie("http://127.0.0.1:1"); end = time.perf_counter()
print(json.dumps([between - start, end - between, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it but the client and its command."""
    folder = tmp_path_factory.mktemp("stranger")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{FOLDER}[cli]"], check=True, env=_outside(), timeout=300)
    return folder


def test_two_lines_sort_after_an_install(stranger: Path, stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("3\n1\n2.5\n")
    environ = _outside(SORTIE_URL=stack.url, HOME=str(tmp_path))
    command = [str(stranger / "bin/sortie"), "sort", "n.txt"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n2.5\n3\n", "")


def test_nothing_of_aws_comes_along(stranger: Path) -> None:
    listed = subprocess.run([stranger / "bin/python", "-m", "pip", "list", "--format=json"],
                            capture_output=True, check=True, env=_outside())  # fmt: skip
    names = {each["name"].lower() for each in json.loads(listed.stdout)}
    assert {"sortie-client", "httpx2", "msgspec", "click", "rich"} <= names
    assert not names & {"boto3", "botocore", "chalice", "numpy", "orjson"}


def test_an_import_costs_little_beside_msgspec_and_loads_nothing_that_is_not_used_yet(stranger: Path) -> None:
    runs = [json.loads(_ran(stranger, TIMED)) for _ in range(9)]
    assert not set(LAZY) & set(runs[0][2])
    # A ratio of one process, since the machine may be busy: 50 ms of msgspec leave 10 of the 60.
    assert statistics.median(own / base for base, own, _ in runs) < 0.4


def test_without_click_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['click'] = None\nfrom sortie_client.cli import main; main()"
    environ = _outside(PYTHONPATH=str(FOLDER / "src"))
    done = subprocess.run([sys.executable, "-c", blocked], env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "sortie: the command needs click: pip install 'sortie-client[cli]'\n"


def test_the_version_is_the_same_in_both_places() -> None:
    import tomllib

    import sortie_client

    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    assert project["version"] == sortie_client.__version__


def _ran(stranger: Path, code: str) -> str:
    done = subprocess.run([stranger / "bin/python", "-c", code], env=_outside(), capture_output=True, check=True)
    return done.stdout.decode()


def _outside(**more: str) -> dict[str, str]:
    """An environment that knows nothing of this checkout; its package index stays."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SORTIE", "VIRTUAL"))}
    return kept | more
