"""An engine of the tests' own: Podman's service with images and containers apart from everybody else's, and tiny images
made without a registry."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev import engine

BUSYBOX = "docker.io/library/busybox:1.36"
PYTHON = "localhost/python:3"
STARTS_WITH = ("collections", "encodings", "importlib", "json", "re")
"""Packages of the standard library that an interpreter starts with, or that a small script wants."""
COMMANDS = ("sh", "echo", "sleep", "seq", "head", "tail", "env", "id", "cat", "kill", "true", "false", "touch")


@contextmanager
def own_engine() -> Iterator[str]:
    """What DOCKER_HOST is to say. Skips where there is no Podman; in CI that is a failure."""
    if missing := [name for name in ("podman", "busybox") if not shutil.which(name)]:
        if os.environ.get("CI"):
            pytest.fail(f"{' and '.join(missing)} missing: CI runs all tests")
        pytest.skip(f"no {' and no '.join(missing)}: containers are not tried here")
    with tempfile.TemporaryDirectory(prefix="sortie-engine-") as name:
        folder = Path(name)
        started = engine.start_podman(os.environ, folder, folder / "storage")
        if started is None:
            pytest.fail("podman is there, and its service does not answer")
        try:
            import_busybox(folder)
            import_python(folder)
            yield started.host
        finally:
            podman(folder, "rm", "--all", "--force", "--time", "0")
            started.stop()
            podman(folder, "system", "reset", "--force")


def podman(folder: Path, *words: str, data: bytes | None = None) -> str:
    """The command, on the same storage as the service."""
    own = {"CONTAINERS_CONF": str(folder / "containers.conf"), "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf")}
    done = subprocess.run(["podman", *words], env=os.environ | own, input=data, capture_output=True, timeout=60)
    return done.stdout.decode()


def import_busybox(folder: Path) -> None:
    root = folder / "busybox"
    for name in ("bin", "tmp", "proc", "dev", "etc"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    shutil.copy2(str(shutil.which("busybox")), root / "bin" / "busybox")
    for command in COMMANDS:
        (root / "bin" / command).symlink_to("busybox")
    _import(folder, root, BUSYBOX, "ENV PATH=/bin")


def import_python(folder: Path) -> None:
    """The interpreter of these tests, with the libraries that it is linked to and no more of the standard one than it
    starts with."""
    root, binary = folder / "python", Path(sys.executable).resolve()
    library = Path(sysconfig.get_paths()["stdlib"])
    home = root / "usr/lib" / library.name
    for name in ("bin", "tmp", "proc", "dev", "etc"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    shutil.copy2(binary, root / "bin/python")
    for linked in _linked(binary):
        (root / linked.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(linked, root / linked.relative_to("/"))
    for name in STARTS_WITH:
        shutil.copytree(library / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "lib-dynload").mkdir()
    for file in library.glob("*.py"):
        shutil.copy2(file, home)
    _import(folder, root, PYTHON, "ENV PATH=/bin", "ENV PYTHONHOME=/usr")


def _linked(binary: Path) -> list[Path]:
    """The shared libraries that a program is loaded with, and its loader."""
    told = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=True).stdout
    return [Path(word) for line in told.splitlines() for word in line.split() if word.startswith("/")]


def _import(folder: Path, root: Path, name: str, *changes: str) -> None:
    archive = subprocess.run(["tar", "-C", str(root), "-c", "."], capture_output=True, check=True).stdout
    told = [word for change in changes for word in ("--change", change)]
    podman(folder, "import", *told, "-", name, data=archive)
