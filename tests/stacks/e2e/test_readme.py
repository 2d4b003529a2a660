"""The walks of the README and the docs are executed as they stand: each `# -> text` is in what came before it."""

import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.settings import ROOT
from tests.support.running import RunningStack

ADDRESS = "http://127.0.0.1:8000"
EXPECTED = re.compile(r"^# -> (.+)$")
MARK = "@@"


def readme_walk() -> list[str]:
    text = (ROOT / "README.md").read_text("utf-8")
    section = re.search(r"^## A walk$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, "the README has no section `A walk`"
    return blocks(section[1], "bash")


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def walk(script: list[str], folder: Path, url: str, environ: Mapping[str, str]) -> None:
    """One bash session; where a comment says what comes out, the output is held against it."""
    expected_texts, lines = [], []
    for line in "".join(script).replace(ADDRESS, url).splitlines():
        expected = EXPECTED.match(line)
        if expected:
            expected_texts.append(expected[1].strip())
            lines.append(f"printf '\\n{MARK}\\n'")
        else:
            lines.append(line)
    if folder != ROOT:
        (folder / "clients").symlink_to(ROOT / "clients")
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
        cwd=folder, env=dict(environ), capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    came = done.stdout.split(f"\n{MARK}\n")
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr
    assert expected_texts, "a walk without a single `# -> text` shows nothing"
    for text, output in zip(expected_texts, came, strict=False):
        assert text in output, f"expected {text!r} in:\n{output}"


def test_the_walk_of_the_readme_does_what_it_says(stack: RunningStack, tmp_path: Path) -> None:
    walk(readme_walk(), tmp_path, stack.url, stack.env)


def test_the_readme_shows_the_first_lines_of_the_clients_walk() -> None:
    printed = blocks((ROOT / "README.md").read_text("utf-8"), "sh")
    walked = blocks((ROOT / "docs/client.md").read_text("utf-8"), "bash walk")[0]
    assert [block for block in printed if block == "".join(walked.splitlines(keepends=True)[:4])]


def test_from_make_run_to_the_first_result_of_the_client_takes_less_than_a_minute(tmp_path: Path) -> None:
    """What `make run` starts, then the first block of the client's page: pip install and two commands. The minute is
    that of a machine with nothing else to do: under load it is as much longer as the load divides the processors."""
    began = time.monotonic()
    stack = RunningStack(tmp_path / "data")
    try:
        ready = time.monotonic() - began
        first = blocks((ROOT / "docs/client.md").read_text("utf-8"), "bash walk")[:1]
        environ = {name: value for name, value in stack.env.items() if name != "PYTHONDONTWRITEBYTECODE"}
        walk(first, tmp_path, stack.url, environ)
        took = time.monotonic() - began
    finally:
        stack.stop()
    load = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    print(f"ready after {ready:.1f} s, first result after {took:.1f} s, load {load:.1f}")  # noqa: T201
    assert took < 60 * load


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_walks_of_the_docs_do_what_they_say(page: Path, tmp_path: Path) -> None:
    """On a stack of its own: a walk that retries whatever has failed must not meet what other tests left."""
    script = blocks(page.read_text("utf-8"), "bash walk")
    if script:
        stack = RunningStack(tmp_path / "stack")
        try:
            walk(script, tmp_path, stack.url, stack.env)
        finally:
            stack.stop()
