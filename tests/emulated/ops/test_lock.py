"""The locks: every package that is asked for, in the version asked for, with hashes, for each supported Python."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev.settings import ROOT, BadStart
from ops import deploy, vendor

NAMES = ("requirements", "requirements-run", "requirements-dev")
EACH = pytest.mark.parametrize("name", NAMES)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r", " "))]


def locked(name: str) -> list[Requirement]:
    return [Requirement(line.rstrip("\\ ")) for line in lines(ROOT / f"{name}.lock")]


def versions(name: str, python: str) -> dict[str, str]:
    """What this Python gets of a lock on Linux."""
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    fit = [each for each in locked(name) if each.marker is None or each.marker.evaluate(environment)]
    names = [canonicalize_name(each.name) for each in fit]
    assert len(names) == len(set(names))
    return {canonicalize_name(each.name): str(each.specifier) for each in fit}


@EACH
@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_gets_the_versions_that_are_asked_for(name: str, python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.1"}
    pins = [Requirement(line) for line in lines(ROOT / f"{name}.txt")]
    pinned = {
        canonicalize_name(p.name): str(p.specifier) for p in pins if not p.marker or p.marker.evaluate(environment)
    }
    assert pinned
    assert pinned.items() <= versions(name, python).items()


@pytest.mark.parametrize("python", PYTHONS)
def test_what_runs_and_what_is_deployed_is_what_is_tested(python: str) -> None:
    run, dev = versions("requirements-run", python), versions("requirements-dev", python)
    assert versions("requirements", python).items() <= run.items() <= dev.items()


@EACH
def test_every_package_has_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[a-zA-Z])", (ROOT / f"{name}.lock").read_text())[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(locked(name))


def test_the_package_is_made_of_locked_entries_alone() -> None:
    names = {re.split("[=; ]", entry, maxsplit=1)[0] for entry in vendor.locked()}
    assert names >= {"msgspec", "numpy", "orjson", "pysimdjson", "pyyaml", "cronsim", "tzdata"}
    assert not names & {"chalice", "boto3", "botocore", "pip"}
    assert all("--hash=" in entry for entry in vendor.locked())


def test_an_old_python_deploys_nothing_to_aws() -> None:
    deploy.refuse_old_python((3, 12))
    with pytest.raises(BadStart, match="Deploy with 3.12 or newer"):
        deploy.refuse_old_python((3, 11))
