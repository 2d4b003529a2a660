"""Every recipe of the Makefile parses: a recipe that runs once, on a bare machine, breaks where nobody looks."""

import re
import subprocess

import pytest

from dev.settings import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+|\$\([A-Z]+\)):", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
def test_the_shell_can_read_each_recipe(target: str) -> None:
    variable = re.fullmatch(r"\$\((\w+)\)", target)
    name = re.search(rf"^{variable[1]} := (.+)$", MAKEFILE, re.MULTILINE)[1] if variable else target  # type: ignore[index]
    parsed = subprocess.run(  # `-n` reads the recipes and carries out none
        ["make", "-s", "-B", ".SHELLFLAGS=-n -c", name], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (parsed.returncode, parsed.stderr) == (0, "")
