"""The engine that runs containers offline: found, or Podman's service started as a child; pure Python, no SDK.

DOCKER_HOST, then the usual sockets of Docker and Podman; where only the command `podman` is there, its service.
"""

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from dev import podman
from dev.process import Child, module

OFF = "Container jobs are off: neither Docker nor Podman answers. Install one and start again: see docs/containers.md."
NO_SDK = "Container jobs are off: the emulator needs Python's package docker for them: .venv/bin/pip install docker"
PING_SECONDS = 5.0
START_SECONDS = 10.0
# Podman's defaults ask for more than a machine without CAP_SYS_RESOURCE may give; crun cannot do with cgroups v1.
CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{folder}/images"
runroot = "{folder}/run"
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """`host`: what DOCKER_HOST is to say. `child`: the service, where it was started here."""

    host: str
    child: Child | None = None

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop(START_SECONDS)


def find(environ: Mapping[str, str], folder: Path) -> Engine | None:
    """None where no engine answers. `folder`: where a service of our own keeps its socket."""
    host = find_running(environ)
    if host is not None:
        return Engine(host)
    if environ.get("DOCKER_HOST") or not shutil.which("podman"):
        return None
    return start_podman(environ, folder)


def find_running(environ: Mapping[str, str]) -> str | None:
    """The address of one that answers."""
    return next((host for host in _hosts(environ) if answers(host)), None)


def start_podman(environ: Mapping[str, str], folder: Path, storage: Path | None = None) -> Engine | None:
    """`storage`: a folder for its images and containers, apart from those of other services."""
    folder.mkdir(parents=True, exist_ok=True)
    own = dict(environ) | {"CONTAINERS_CONF": str(_configure(folder))}
    if storage is not None:
        (folder / "storage.conf").write_text(STORAGE.format(driver=_driver(), folder=storage))
        own["CONTAINERS_STORAGE_CONF"] = str(folder / "storage.conf")
    address = f"unix://{_socket_in(folder)}"
    _socket_in(folder).unlink(missing_ok=True)
    child = Child("podman", module("dev.podman", address), own, quiet=True)
    engine = Engine(address, child)
    if wait(address, child.why_ended):
        return engine
    engine.stop()
    return None


def start_detached(environ: Mapping[str, str], folder: Path) -> tuple[str, int] | None:
    """Podman's service for an emulator that outlives this command: its address and process id."""
    if environ.get("DOCKER_HOST") or not shutil.which("podman"):
        return None
    own = dict(environ) | {"CONTAINERS_CONF": str(_configure(folder))}
    address = f"unix://{_socket_in(folder)}"
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            podman.command(address), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=own, start_new_session=True
        )
    if wait(address, lambda: None if process.poll() is None else "it has ended"):
        return address, process.pid
    process.kill()
    return None


def wait(address: str, ended: Callable[[], str | None]) -> bool:
    """Whether it answers before it ends, or a while is over."""
    for _ in range(round(START_SECONDS / 0.1)):
        if answers(address):
            return True
        if ended():
            return False
        time.sleep(0.1)
    return False


def has_sdk() -> bool:
    """The emulator speaks to the engine with it, and without it says that all runs, for ever."""
    return importlib.util.find_spec("docker") is not None


def answers(host: str) -> bool:
    """Whether an engine says OK there."""
    try:
        return _ask(host, "GET", "/_ping") == b"OK"
    except (OSError, http.client.HTTPException, ValueError):
        return False


def remove_containers(host: str, emulator_port: int) -> int:
    """Removes what an emulator has left behind that was killed; how many."""
    label = f"ministack.instance={socket.gethostname()}:{emulator_port}"
    query = urlencode({"all": "1", "filters": json.dumps({"label": [label]})})
    try:
        left = json.loads(_ask(host, "GET", f"/containers/json?{query}"))
        for each in left:
            _ask(host, "DELETE", f"/containers/{each['Id']}?force=1")
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    return len(left)


def _ask(host: str, method: str, path: str) -> bytes:
    kind, _, address = host.partition("://")
    with contextlib.closing(_connection(kind, address)) as connection:
        connection.request(method, path, headers={"Host": "engine"})
        return connection.getresponse().read()


def _hosts(environ: Mapping[str, str]) -> Iterator[str]:
    if environ.get("DOCKER_HOST"):
        yield environ["DOCKER_HOST"]
        return  # who names one means that one
    runtime = environ.get("XDG_RUNTIME_DIR")
    yield "unix:///var/run/docker.sock"
    yield f"unix://{Path.home()}/.docker/run/docker.sock"
    if runtime:
        yield f"unix://{runtime}/podman/podman.sock"
    yield "unix:///run/podman/podman.sock"


def _connection(kind: str, address: str) -> http.client.HTTPConnection:
    if kind == "tcp":
        return http.client.HTTPConnection(address.rstrip("/"), timeout=PING_SECONDS)
    if kind != "unix":
        raise ValueError(f"{kind}://{address}: unix:// and tcp:// are known here")
    return _OverSocket(address)


class _OverSocket(http.client.HTTPConnection):
    """HTTP over a socket that is a file."""

    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=PING_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PING_SECONDS)
        self.sock.connect(self._path)


def _configure(folder: Path) -> Path:
    file = folder / "containers.conf"
    runtime = 'runtime = "runc"\n' if shutil.which("runc") or os.path.exists("/usr/sbin/runc") else ""
    file.write_text(CONFIGURATION + runtime)
    return file


def _driver() -> str:
    return "overlay" if os.geteuid() == 0 else "vfs"


def _socket_in(folder: Path) -> Path:
    """A socket's path holds at most 108 characters."""
    path = folder / "podman.sock"
    return path if len(str(path)) < 100 else Path(f"/tmp/sortie-podman-{os.getpid()}.sock")
