"""The walks of the README and the docs are executed as they stand: each `# -> text` is in what came before it."""

import re
import subprocess
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
    shown = blocks((ROOT / "README.md").read_text("utf-8"), "sh")
    walked = blocks((ROOT / "docs/client.md").read_text("utf-8"), "bash walk")[0]
    assert [block for block in shown if block == "".join(walked.splitlines(keepends=True)[:4])]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_walks_of_the_docs_do_what_they_say(page: Path, stack: RunningStack, tmp_path: Path) -> None:
    script = blocks(page.read_text("utf-8"), "bash walk")
    if script:
        walk(script, tmp_path, stack.url, stack.env)
