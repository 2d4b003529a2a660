"""What `make run` takes from the environment, and the environment it gives to its child processes."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib import config

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
# Every other stage asks for a token.
STAGE = "local"


class BadStart(Exception):
    """A command cannot start or go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class DevSettings:
    """`endpoint`: a running emulator to use; None starts one. `schedule_every`: replaces the period of every rate().
    `hosts`: values of the header Host that are answered beside this machine's own, for ports that are forwarded.
    `root`: the folder of app.py, resources.yaml and .chalice.
    """

    port: int = 8000
    endpoint: str | None = None
    emulator: str = "ministack"
    workers: int = 2
    data: Path = ROOT / ".data"
    schedule_every: float | None = None
    hosts: tuple[str, ...] = ()
    start_limit: float = 60.0
    verbose: bool = False
    root: Path = ROOT


def load(environ: Mapping[str, str]) -> DevSettings:
    """Raises BadStart or config.BadSetting with the name of the variable that cannot be used."""
    config.load(environ)  # what the service itself would complain of, before anything is started
    every = environ.get("SCHEDULE_EVERY")
    emulator = environ.get("EMULATOR", "ministack")
    if emulator not in ("ministack", "moto"):
        raise BadStart(f"EMULATOR={emulator!r}: give ministack or moto, or leave it out.")
    return DevSettings(
        port=int(number(environ, "PORT", 8000, 1, 65535)),
        endpoint=address(environ, "AWS_ENDPOINT_URL"),
        emulator=emulator,
        workers=int(number(environ, "WORKERS", 2, 1, 64)),
        data=Path(environ.get("DATA_DIR") or ROOT / ".data").resolve(),
        schedule_every=number(environ, "SCHEDULE_EVERY", 60, 0.1, 86_400) if every else None,
        hosts=tuple(filter(None, environ.get("HOSTS", "").split(","))),
        start_limit=number(environ, "START_LIMIT", 60, 1, 3600),
        verbose=environ.get("VERBOSE", "") not in ("", "0"),
    )


def address(environ: Mapping[str, str], name: str) -> str | None:
    """An emulator's, from a variable. Raises BadStart."""
    text = environ.get(name) or None
    if text is not None and not (urlsplit(text).scheme in ("http", "https") and urlsplit(text).hostname):
        raise BadStart(f"{name}={text!r}: give an address such as http://localhost:4566, or leave it out.")
    return text


def private_folder(path: Path, name: str) -> Path:
    """Made, with those above it, for its owner alone. Raises BadStart, which says that `name` chooses another."""
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        for folder in (path, ROOT / ".data") if path.is_relative_to(ROOT / ".data") else (path,):
            folder.chmod(stat.S_IRWXU)
    except OSError as error:
        raise BadStart(f"{name}={path}: {error.strerror}. Name a folder that can be written.") from None
    return path


def use_emulator(environ: Mapping[str, str]) -> None:
    """boto3 reads its credentials here, in this process, from the same variables as the children."""
    os.environ.update({key: value for key, value in environ.items() if key.startswith("AWS_")})


def child_environ(environ: Mapping[str, str], settings: DevSettings, endpoint: str) -> dict[str, str]:
    """No profile of the developer's own account may reach the children: they talk to `endpoint` alone."""
    kept = {k: v for k, v in environ.items() if k not in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")}
    if settings.endpoint is None:
        kept = {k: v for k, v in kept.items() if not k.startswith("AWS_")}
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        **({"BATCH_UPDATES": "off"} if settings.emulator == "moto" else {}),
        **kept,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SORTIE_STAGE": STAGE,
        "HOSTS": ",".join((*_own_hosts(settings.port), *settings.hosts)),
        "VERBOSE": "1" if settings.verbose else "",
        # Everything under chalicelib/ is zipped for Lambda, so no process may leave byte code there.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")])),
    }


def _own_hosts(port: int) -> list[str]:
    """A browser leaves port 80 out."""
    names = ("localhost", HOST, "[::1]")
    return [f"{name}:{port}" for name in names] + [name for name in names if port == 80]


def number(environ: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise BadStart(f"{name}={text!r}: give a number from {low:g} to {high:g}, or leave it out.")
    return value
