"""`sortie submit` and `sortie sort`: from a file or stdin to a job, and to its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, TypeVar

import click

from sortie_client.cli import bars
from sortie_client.cli.context import Context, client_of, json_option, timeout_option
from sortie_client.cli.output import put_json
from sortie_client.cli.results import finish, write_numbers
from sortie_client.client import Job, Sortie
from sortie_client.errors import BadInput, SortieError

F = TypeVar("F", bound=Callable[..., Any])
BUILT_IN = ("sort", "sleep", "log", "fail", "container")


def complete_task(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The tasks that come along, and those that were used lately."""
    try:
        used = {job.task for job in next(client_of(context).jobs().pages(100))}
    except SortieError:
        used = set()
    return [name for name in sorted({*BUILT_IN, *used}) if name.startswith(incomplete)]


def job_options(function: F) -> F:
    """The fields of a job request that stand beside its task and input."""
    options = [
        click.option("--object-id", help="What the job is about; digits alone are a number."),
        click.option("--window", type=int, metavar="SECONDS", help="Run the object at most once in this time."),
        click.option("--on-repeat", type=click.Choice(["delay", "reuse", "reject"]), help="What a repeat gets."),
        click.option("--run-in", metavar="SPAN", help="Later: 30s, 2m, 1h, 4d."),
        click.option("--run-at", metavar="TIME", help="Later: RFC 3339."),
        click.option("--job-timeout", type=float, metavar="SECONDS", help="What one attempt may take."),
        click.option("--max-attempts", type=int, metavar="N"),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def fields_of(
    object_id: str | None, window: int | None, on_repeat: str | None, run_in: str | None, run_at: str | None,
    job_timeout: float | None, max_attempts: int | None,
) -> dict[str, Any]:  # fmt: skip
    window_fields = {
        name: value for name, value in (("seconds", window), ("on_repeat", on_repeat)) if value is not None
    }
    number = object_id is not None and object_id.lstrip("-").isdigit()
    return {
        "object_id": int(object_id) if number and object_id else object_id, "window": window_fields or None,
        "run_in": run_in, "run_at": run_at, "timeout": job_timeout, "max_attempts": max_attempts,
    }  # fmt: skip


@click.command()
@click.argument("task", shell_complete=complete_task)
@click.option("-i", "--input", "task_input", type=click.File("rb"), help="The input as a file, or - for stdin.")
@click.option("--wait", is_flag=True, help="Wait for the end and print the output.")
@timeout_option
@job_options
@json_option
@click.pass_obj
def submit(
    context: Context, /, task: str, task_input: IO[bytes] | None, wait: bool, timeout: float | None, as_json: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Make a job and print its id.

    The input is the task's JSON; for sort also a JSON array, or text with one number a line.
    """
    job = _submitted(context.client, task, task_input, fields_of(**options))
    if wait:
        return finish(job, timeout, as_json=as_json)
    put_json(job.to_dict()) if as_json else click.echo(job.id)
    return 0


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("-o", "--output", "out", type=click.Path(dir_okay=False), help="Where the sorted numbers go.")
@click.option("--descending", is_flag=True)
@timeout_option
@job_options
@json_option
@click.pass_obj
def sort(
    context: Context, /, file: IO[bytes], out: str | None, descending: bool, timeout: float | None, as_json: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Sort the numbers of FILE (- for stdin), and write them as they came.

    FILE is a JSON array, text with one number a line, or numpy's .npy.
    """
    numbers = _numpy_array(file) if file.name.endswith(".npy") else file
    start = b"" if numbers is not file else _start(file)
    rest = {"descending": True} if descending else None
    job = _submitted(context.client, "sort", rest, fields_of(**options), array=numbers)
    if as_json:
        return finish(job, timeout, as_json=True)
    return write_numbers(job, timeout, out, "npy" if numbers is not file else "json" if start in b"[{" else "lines")


def _submitted(client: Sortie, task: str, task_input: Any, fields: dict[str, Any], array: Any = None) -> Job:
    with bars.transfer("upload") as on_progress:
        if hasattr(task_input, "read") and task == "sort":
            task_input, array = None, task_input
        return client.submit(task, task_input, array=array, on_progress=on_progress, **fields)


def _numpy_array(file: IO[bytes]) -> Any:
    try:
        import numpy as np  # only for files of its own
    except ImportError:
        raise BadInput("a .npy file needs numpy: pip install numpy") from None
    try:
        return np.load(file)
    except ValueError as error:
        raise BadInput(f"{file.name} is no array of numbers: {error}") from None


def _start(file: IO[bytes]) -> bytes:
    """The first byte that says something; a pipe tells it without losing it."""
    ahead = file.peek(64) if hasattr(file, "peek") else b""
    return ahead.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
