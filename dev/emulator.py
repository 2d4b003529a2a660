"""The embedded AWS emulator: MiniStack, or moto's server with EMULATOR=moto."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

from dev.process import Child, module
from dev.settings import HOST, BadStart, DevSettings

# MiniStack writes its state to disk while it stops.
STOP_LIMIT = 15.0


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def start(settings: DevSettings, environ: Mapping[str, str], port: int) -> Child:
    """A child that will answer on `port`; environ: the caller's, with nothing of the emulator's own."""
    if settings.emulator == "moto":
        argv = module("moto.server", "-H", HOST, "-p", str(port))
        return Child("moto", argv, environ, quiet=not settings.verbose)
    own = {**environ, **_ministack(settings, port)}
    return Child("ministack", module("ministack"), own, quiet=not settings.verbose)


def wait(endpoint: str, child: Child | None, limit: float) -> None:
    """Return when something answers HTTP at `endpoint`; BadStart when the child dies or the time is up."""
    give_up = time.monotonic() + limit
    while not _answers(endpoint):
        if child is not None and child.code is not None:
            raise BadStart(f"The emulator did not start. {child.tail()}")
        if time.monotonic() > give_up:
            raise BadStart(f"Nothing answers at {endpoint}. Start an emulator there, or unset AWS_ENDPOINT_URL.")
        time.sleep(0.05)


def _ministack(settings: DevSettings, port: int) -> dict[str, str]:
    home = settings.data / "ministack"
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "LOG_LEVEL": "INFO" if settings.verbose else "WARNING",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
