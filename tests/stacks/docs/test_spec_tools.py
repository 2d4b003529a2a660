"""Tools of the JavaScript world read the spec without a word against it: Redocly's linter and openapi-typescript.

They come through npm, pinned in package.json. A laptop without npm skips; CI fails.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dev.settings import ROOT

SPEC = ROOT / "docs/openapi.json"
TOOLS = ROOT / "node_modules/.bin"
INSTALL = ["npm", "ci", "--loglevel=error", "--ignore-scripts", "--no-audit", "--no-fund"]
SILENT = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder of the pinned tools, installed if they are not there."""
    if not shutil.which("npm"):
        _missing("npm is missing: Node.js 20 or newer brings it")
    if not (TOOLS / "redocly").exists():
        install = subprocess.run(INSTALL, cwd=ROOT, capture_output=True, text=True, timeout=300)
        if install.returncode:
            _missing(f"npm ci failed: {install.stderr[-500:]}")
    return TOOLS


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, env=os.environ | SILENT, capture_output=True, text=True, timeout=120)


def lint(tools: Path, spec: Path) -> dict[str, int]:
    done = run(str(tools / "redocly"), "lint", "--extends=recommended", "--format=json", str(spec))
    totals: dict[str, int] = json.loads(done.stdout)["totals"]
    return totals


def test_redocly_has_nothing_to_say_of_the_spec(tools: Path) -> None:
    assert lint(tools, SPEC) == {"errors": 0, "warnings": 0, "ignored": 0}


def test_redocly_would_say_so(tools: Path, tmp_path: Path) -> None:
    document = json.loads(SPEC.read_text("utf-8"))
    del document["info"]["license"]
    document["paths"]["/jobs"]["post"].pop("operationId")
    worse = tmp_path / "openapi.json"
    worse.write_text(json.dumps(document))
    assert lint(tools, worse)["warnings"] >= 2


def test_openapi_typescript_makes_types_of_every_part_without_a_warning(tools: Path, tmp_path: Path) -> None:
    types = tmp_path / "api.d.ts"
    done = run(str(tools / "openapi-typescript"), str(SPEC), "-o", str(types))
    said = done.stdout + done.stderr
    assert (done.returncode, "⚠" in said, "warn" in said.lower()) == (0, False, False), said
    text = types.read_text("utf-8")
    document = json.loads(SPEC.read_text("utf-8"))
    assert [path for path in document["paths"] if f'"{path}": {{' not in text] == []
    assert [name for name in document["components"]["schemas"] if f" {name}: " not in text] == []
