"""`sortie schedules`: what fires when, add one, remove one."""

from __future__ import annotations

from typing import IO, Any

import click
import msgspec

from sortie_client.cli.context import Context, client_of, json_option
from sortie_client.cli.output import console, new_table, put_json, when
from sortie_client.cli.submitting import complete_task
from sortie_client.errors import BadInput, SortieError


def complete_schedule(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        return [each.id for each in client_of(context).schedules() if each.id.startswith(incomplete)]
    except SortieError:
        return []


@click.group(invoke_without_command=True)
@click.option("--owner", help="Somebody else's; for admins.")
@json_option
@click.pass_context
def schedules(context: click.Context, owner: str | None, as_json: bool) -> None:
    """List the schedules; add one, remove one."""
    if context.invoked_subcommand is not None:
        return
    listed = context.obj.client.schedules(owner)
    if as_json:
        for schedule in listed:
            put_json(schedule)
        return
    table = new_table("id", "cron", "zone", "next", "what")
    for schedule in listed:
        table.add_row(schedule.id, schedule.cron, schedule.timezone, when(schedule.next_run_at), schedule.task)
    console().print(table) if listed else click.echo("no schedules", err=True)


@schedules.command()
@click.argument("cron")
@click.argument("task", shell_complete=complete_task)
@click.option("-i", "--input", "task_input", type=click.File("rb"), help="The input as a file, or - for stdin.")
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE", help="Such as Europe/Berlin.")
@json_option
@click.pass_obj
def add(context: Context, cron: str, task: str, task_input: IO[bytes] | None, timezone: str, as_json: bool) -> None:
    """Submit TASK each time that CRON (five fields, in quotes) fires."""
    job: dict[str, Any] = {"task": task, "input": _input(task_input)}
    schedule = context.client.add_schedule(cron, job, timezone)
    put_json(schedule) if as_json else click.echo(f"{schedule.id} next {when(schedule.next_run_at)}")


@schedules.command("rm")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=complete_schedule)
@json_option
@click.pass_obj
def remove(context: Context, ids: tuple[str, ...], as_json: bool) -> None:
    """Remove schedules, and cancel the next job of each where it waits already. All others stay."""
    for schedule_id in ids:
        context.client.remove_schedule(schedule_id)
        put_json({"id": schedule_id, "removed": True}) if as_json else click.echo(schedule_id)


def _input(task_input: IO[bytes] | None) -> msgspec.Raw:
    raw = task_input.read().strip() if task_input else b"{}"
    try:
        msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise BadInput(f"the input is not JSON: {error}") from None
    return msgspec.Raw(b'{"array":' + raw + b"}" if raw.startswith(b"[") else raw)
