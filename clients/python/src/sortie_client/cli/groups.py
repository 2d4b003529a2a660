"""`sortie groups`: what there is, start one, look at its run."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sortie_client.cli import bars
from sortie_client.cli.context import Context, client_of, json_option, timeout_option
from sortie_client.cli.jobs import told, worst
from sortie_client.cli.output import console, new_table, put_jobs, put_json, visible
from sortie_client.client import Batch
from sortie_client.errors import SortieError


def complete_group(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        return [group.name for group in client_of(context).groups() if group.name.startswith(incomplete)]
    except SortieError:
        return []


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def groups(context: click.Context, as_json: bool) -> None:
    """List the groups; start one, look at a run of it."""
    if context.invoked_subcommand is not None:
        return
    listed = context.obj.client.groups()
    if as_json:
        for group in listed:
            put_json(group)
        return
    table = new_table("name", "jobs", "what")
    for group in listed:
        problems = "; ".join(
            ": ".join(filter(None, [f"{each.job}.{each.loc}".strip("."), each.msg])) for each in group.problems
        )
        table.add_row(group.name, visible(", ".join(group.jobs)), visible(problems) or "ready")
    console().print(table)


@groups.command("run")
@click.argument("name", shell_complete=complete_group)
@click.option("--wait", is_flag=True, help="Wait for the end of all of its jobs.")
@timeout_option
@json_option
@click.pass_obj
def start(context: Context, name: str, wait: bool, timeout: float | None, as_json: bool) -> int:
    """Start all jobs of a group, or none."""
    run = context.client.start_group(name)
    if not wait:
        put_json(run) if as_json else click.echo("\n".join(job.id for job in run.jobs))
        return 0
    codes: Sequence[int] = []
    with bars.many_jobs(len(run.jobs)) as advance:
        jobs = [context.client.job(each.id) for each in run.jobs]
        for job in Batch(context.client, jobs).as_completed(timeout):
            advance()
            codes = [*codes, told(job, as_json)]
    return worst(codes)


@groups.command("show")
@click.argument("name", shell_complete=complete_group)
@click.argument("run_id")
@json_option
@click.pass_obj
def show(context: Context, name: str, run_id: str, as_json: bool) -> None:
    """Show how far a run is."""
    run = context.client.group_run(name, run_id)
    if as_json:
        put_json(run)
        return
    counts = ", ".join(f"{count} {status}" for status, count in run.counts.items() if count)
    click.echo(f"{run.group} {run.run_id}: {run.progress:.0%}, {counts}")
    put_jobs(run.jobs)
