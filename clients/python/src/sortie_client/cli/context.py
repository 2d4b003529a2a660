"""What every command needs: the client, ids from arguments or stdin, options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from sortie_client.client import Job, Sortie
from sortie_client.errors import SortieError

F = TypeVar("F", bound=Callable[..., Any])


class Context:
    """Makes the client when a command first needs it: `--help` and completion need none."""

    def __init__(self, url: str | None, profile: str | None) -> None:
        self.url = url
        self.profile = profile
        self._client: Sortie | None = None

    @property
    def client(self) -> Sortie:
        if self._client is None:
            self._client = Sortie(self.url, profile=self.profile)
        return self._client


def client_of(context: click.Context) -> Sortie:
    """The client for shell completion, which may come before the command itself has run."""
    settings = context.find_object(Context)
    root = context.find_root().params
    return settings.client if settings else Sortie(root.get("url"), profile=root.get("profile"))


def complete_id(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        page = next(client_of(context).jobs().pages(50))
    except SortieError:
        return []
    return [job.id for job in page if job.id.startswith(incomplete)]


def ids_argument(function: F) -> F:
    return click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete_id)(function)


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="JSON, one document a line.")(function)


def timeout_option(function: F) -> F:
    words = "Seconds to wait at most; the job goes on."
    return click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help=words)(function)


def ids_of(arguments: Sequence[str]) -> list[str]:
    """The ids as arguments, else from stdin: the first word of each line, or the `id` of a line of JSON."""
    if arguments and tuple(arguments) != ("-",):
        return list(arguments)
    if not arguments and sys.stdin.isatty():
        raise click.UsageError("give one id or more, as arguments or on stdin")
    ids = [_id_in(line) for line in sys.stdin if line.strip()]
    if not ids:
        raise click.UsageError("stdin held no ids")
    return ids


def jobs_of(client: Sortie, arguments: Sequence[str]) -> Iterable[Job]:
    return (client.job(job_id) for job_id in ids_of(arguments))


def _id_in(line: str) -> str:
    if not line.lstrip().startswith("{"):
        return line.split()[0]
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError):
        raise click.UsageError(f"a line of stdin is no JSON with an id: {line.strip():.60}") from None
