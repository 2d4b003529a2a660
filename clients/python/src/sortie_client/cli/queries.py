"""Commands that look: ls, show, log, stats."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice

import click

from sortie_client.answers import STATUSES, Percentiles, Stats
from sortie_client.cli.context import Context, complete_id, ids_argument, jobs_of, json_option
from sortie_client.cli.output import console, duration, json_out, new_table, put_job, put_jobs, put_json, visible_line
from sortie_client.cli.schedules import complete_schedule


@click.command()
@click.option("--status", type=click.Choice(STATUSES))
@click.option("--task")
@click.option("--object-id", help="Digits alone are a number.")
@click.option("--group")
@click.option("--schedule", metavar="ID", shell_complete=complete_schedule, help="The jobs that a schedule has made.")
@click.option("--since", metavar="TIME", help="How long ago (1h, 2d) or RFC 3339.")
@click.option("--until", metavar="TIME", help="How long ago (1h, 2d) or RFC 3339.")
@click.option("--owner", help="Somebody else's jobs; for admins.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many jobs.")
@click.option("-q", "--ids", "only_ids", is_flag=True, help="Ids alone, for the next command.")
@json_option
@click.pass_obj
def ls(
    context: Context, status: str | None, task: str | None, object_id: str | None, group: str | None,
    schedule: str | None, since: str | None, until: str | None, owner: str | None, limit: int, only_ids: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """List jobs, newest first."""
    number = int(object_id) if object_id and object_id.lstrip("-").isdigit() else object_id
    pages = context.client.jobs(
        status=status, task=task, object_id=number, group=group, schedule_id=schedule, since=since, until=until,
        owner=owner,
    )  # fmt: skip
    jobs = islice(pages, limit)
    if as_json:
        for job in jobs:
            put_json(job.to_dict())
    elif only_ids:
        for job in jobs:
            click.echo(job.id)
    else:
        put_jobs(job.state for job in jobs)


@click.command()
@ids_argument
@click.option("--output", "only_output", is_flag=True, help="The output alone, whole, however large.")
@json_option
@click.pass_obj
def show(context: Context, ids: Sequence[str], only_output: bool, as_json: bool) -> None:
    """Show jobs, field by field."""
    for index, job in enumerate(jobs_of(context.client, ids)):
        if only_output:
            job.save(json_out())
            sys.stdout.buffer.write(b"\n")
        elif as_json:
            put_json(job.to_dict())
        else:
            click.echo() if index else None
            put_job(job.state)


@click.command()
@click.argument("job_id", metavar="ID", shell_complete=complete_id)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="N", help="The newest, when it is left out.")
@json_option
@click.pass_obj
def log(context: Context, job_id: str, follow: bool, attempt: int | None, as_json: bool) -> None:
    """Print what a job's container has written."""
    for line in context.client.job(job_id).log(attempt=attempt, follow=follow):
        if as_json:
            put_json({"line": line})
        else:
            click.echo(visible_line(line) if sys.stdout.isatty() else line)


@click.command()
@click.option("--span", type=click.Choice(["hour", "day"]), default="hour", show_default=True)
@click.option("--owner", help="Somebody else's; for admins.")
@json_option
@click.pass_obj
def stats(context: Context, span: str, owner: str | None, as_json: bool) -> None:
    """Say what is open now, and what has ended in the last hour or day."""
    answer = context.client.stats(span, owner)
    if as_json:
        put_json(answer)
        return
    counts = new_table(*answer.counts)
    counts.add_row(*map(str, answer.counts.values()))
    console().print(counts)
    click.echo()
    for name, words in figures(answer):
        click.echo(f"{name:<10} {words}")


def figures(stats: Stats) -> list[tuple[str, str]]:
    queue = stats.queue
    held = f"{queue.waiting} waiting, {queue.in_flight} being worked on, {queue.delayed} delayed, {queue.dead} dead"
    oldest = f"; the oldest pending job waits for {duration(stats.oldest_pending_seconds)}"
    return [
        ("queue", held + (oldest if stats.oldest_pending_seconds else "")),
        ("runs for", percentiles(stats.duration_ms)),
        ("waits for", percentiles(stats.wait_ms)),
    ]


def percentiles(of: Percentiles | None) -> str:
    """Half of the jobs, 95 and 99 of a hundred, within this time."""
    parts = (("p50", of.p50), ("p95", of.p95), ("p99", of.p99)) if of else ()
    return ", ".join(f"{name} {duration(value / 1000)}" for name, value in parts if value is not None) or "nothing ran"
