"""An engine of the tests' own: Podman's service with images and containers apart from everybody else's, and tiny images
made without a registry."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev import engine

BUSYBOX = "docker.io/library/busybox:1.36"
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
    archive = subprocess.run(["tar", "-C", str(root), "-c", "."], capture_output=True, check=True).stdout
    podman(folder, "import", "--change", "ENV PATH=/bin", "-", BUSYBOX, data=archive)
