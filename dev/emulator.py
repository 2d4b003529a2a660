"""The one launcher of an AWS emulator, for the development stack, deployments, measurements and tests.

MiniStack, or moto's server; always on loopback alone.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.client import NoAnswer, fetch
from dev.process import Child, module
from dev.settings import HOST, ROOT, BadStart

GUARDED = ROOT / "dev" / "guarded_ministack.py"
NAMES = ("ministack", "moto")
# MiniStack writes its state to disk while it stops.
STOP_LIMIT = 15.0
START_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """`state`: a folder that it keeps its data in; None forgets them when it stops. `auth`: every call is held
    against the policy of its caller's role, as on AWS. `services`: those that are started; empty: all. `page_port`:
    where a page of ours is served that may call it.
    """

    port: int
    name: str = "ministack"
    state: Path | None = None
    auth: bool = False
    verbose: bool = False
    services: str = ""
    page_port: int | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def argv(self) -> tuple[str, ...]:
        """The module to run and its arguments."""
        return ("dev.serial_moto", str(self.port)) if self.name == "moto" else ("dev.guarded_ministack",)

    def environ(self, outer: Mapping[str, str]) -> dict[str, str]:
        """The functions that it starts inherit this, so nothing of the developer's own account may be in it."""
        kept = {key: value for key, value in outer.items() if not key.startswith(("AWS_", "SORTIE_", "PYTHON"))}
        own = {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "LOG_LEVEL": "INFO" if self.verbose else "WARNING",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"AUTH": "true"} if self.auth else {}),
            **({"SERVICES": self.services} if self.services else {}),
            **({"PAGE_PORTS": str(self.page_port)} if self.page_port else {}),
        }
        if self.state is None:
            return kept | own | {"PERSIST_STATE": "0", "S3_PERSIST": "0"}
        folders = {"STATE_DIR": str(self.state / "state"), "S3_DATA_DIR": str(self.state / "s3")}
        return kept | own | folders | {"PERSIST_STATE": "1", "S3_PERSIST": "1"}


def is_taken(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return True
    return False


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def start(emulator: Emulator, environ: Mapping[str, str]) -> Child:
    """As a child that ends with this process."""
    return Child(emulator.name, module(*emulator.argv), emulator.environ(environ), quiet=not emulator.verbose)


def wait(endpoint: str, ended: Callable[[], str | None], limit: float) -> None:
    """Return when something answers HTTP at `endpoint`. `ended`: why there will be no answer, None while there may.

    Raises BadStart.
    """
    give_up = time.monotonic() + limit
    while not answers(endpoint):
        if why := ended():
            raise BadStart(f"The emulator did not start. {why}")
        if time.monotonic() > give_up:
            raise BadStart(f"Nothing answers at {endpoint}. Start an emulator there, or unset AWS_ENDPOINT_URL.")
        time.sleep(0.05)


def demand(endpoint: str) -> str:
    """`endpoint`, which somebody else has started. Raises BadStart."""
    if not answers(endpoint):
        raise BadStart(f"Nothing answers at {endpoint}. Start an emulator there, or name another address.")
    return endpoint


def answers(endpoint: str) -> bool:
    try:
        fetch("GET", endpoint, timeout=1.5)
    except NoAnswer:
        return False
    return True


@contextmanager
def running(name: str = "ministack", state: Path | None = None) -> Iterator[str]:
    """The endpoint of an emulator of one's own, which ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(free_port(), name, state)
        child = start(emulator, {**os.environ, "TMPDIR": folder})
        try:
            wait(emulator.endpoint, child.why_ended, START_LIMIT)
            yield emulator.endpoint
        finally:
            child.stop(STOP_LIMIT)
