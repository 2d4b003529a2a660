"""Commands on jobs by their ids: wait, cancel, retry, run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any

import click

from sortie_client.cli import bars
from sortie_client.cli.context import Context, ids_argument, ids_of, jobs_of, json_option, timeout_option
from sortie_client.cli.output import ended_line, put_json, visible
from sortie_client.cli.results import CODES, waited
from sortie_client.cli.submitting import fields_of, job_options
from sortie_client.client import Batch, Job
from sortie_client.errors import SortieError


@click.command()
@ids_argument
@timeout_option
@json_option
@click.pass_obj
def wait(context: Context, ids: Sequence[str], timeout: float | None, as_json: bool) -> int:
    """Wait until the jobs have ended, and print a line for each as it ends."""
    jobs = list(jobs_of(context.client, ids))
    if len(jobs) == 1:
        return told(waited(jobs[0], timeout), as_json)
    codes = []
    with bars.many_jobs(len(jobs)) as advance:
        for job in Batch(context.client, jobs).as_completed(timeout):
            advance()
            codes.append(told(job, as_json))
    return worst(codes)


@click.command()
@ids_argument
@json_option
@click.pass_obj
def cancel(context: Context, ids: Sequence[str], as_json: bool) -> int:
    """Call jobs off: waiting ones at once, running ones at their next checkpoint."""
    return each(ids, lambda job_id: context.client.job(job_id).cancel(), as_json)


@click.command()
@ids_argument
@json_option
@click.pass_obj
def retry(context: Context, ids: Sequence[str], as_json: bool) -> int:
    """Let failed or canceled jobs run again, under their own ids."""
    return each(ids, lambda job_id: context.client.job(job_id).retry(), as_json)


@click.command("run-again")
@ids_argument
@click.option("-i", "--input", "task_input", type=click.File("rb"), help="Another input, or - for stdin.")
@job_options
@json_option
@click.pass_obj
def run_again(
    context: Context, /, ids: Sequence[str], task_input: IO[bytes] | None, as_json: bool, **options: Any
) -> int:
    """Make new jobs from ended ones, with changed fields if given, and print their ids."""
    fields = fields_of(**options)
    if task_input is not None and task_input.name == "<stdin>" and not ids:
        raise click.UsageError("stdin is the input: give the ids as arguments")

    def again(job_id: str) -> Job:
        job = context.client.job(job_id)
        is_numbers = task_input is not None and job.task == "sort"
        return job.run_again(
            input=None if is_numbers else task_input, array=task_input if is_numbers else None, **fields
        )

    return each(ids, again, as_json, lambda job: job.id)


def each(ids: Sequence[str], act: Callable[[str], Job], as_json: bool, line: Callable[[Job], str] | None = None) -> int:
    """One job's refusal does not keep the others from it."""
    failed = 0
    for job_id in ids_of(ids):
        try:
            job = act(job_id)
        except SortieError as error:
            failed = 1
            click.echo(f"sortie: {job_id}: {visible(str(error))}", err=True)
            continue
        put_json(job.to_dict()) if as_json else click.echo(line(job) if line else ended_line(job.state))
    return failed


def told(job: Job, as_json: bool) -> int:
    if as_json:
        put_json((job if job.state.is_whole else job.refresh()).to_dict())
    else:
        click.echo(ended_line(job.state))
    return CODES[job.status]


def worst(codes: Sequence[int]) -> int:
    """Failed before canceled before completed."""
    return 1 if 1 in codes else max(codes, default=0)
