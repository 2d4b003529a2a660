"""All commands in one, and how each run ends: 0 completed, 1 failed, 2 usage, 3 canceled, 124 time-out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from sortie_client import errors
from sortie_client.cli import groups, jobs, queries, profiles, schedules, submitting, top
from sortie_client.cli.context import Context
from sortie_client.cli.output import visible
from sortie_client.version import VERSION

FAILED, USAGE, CANCELED, INTERRUPTED, TIMED_OUT = 1, 2, 3, 130, 124


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--url", help="The service's address; else SORTIE_URL, else a profile.")
@click.option("--profile", help="A profile of the configuration.", shell_complete=profiles.complete_profile)
@click.version_option(VERSION, prog_name="sortie")
@click.pass_context
def cli(context: click.Context, url: str | None, profile: str | None) -> None:
    """Submit background jobs to a Sortie service, wait for them and look at them.

    Ends with 0 when what was waited for completed, 1 when it failed, 2 for wrong usage, 3 when it was canceled and 124
    when a time-out passed. Ids may be given as arguments or on stdin, one a line.
    """
    context.obj = Context(url, profile)


for command in (
    submitting.submit, submitting.sort, jobs.wait, queries.ls, queries.show, queries.log, jobs.cancel, jobs.retry,
    jobs.run_again, groups.groups, schedules.schedules, queries.stats, top.top, profiles.login, profiles.completion,
):  # fmt: skip
    cli.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code. An error is one line on stderr."""
    try:
        code = cli.main(arguments, prog_name="sortie", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return complain(error.format_message(), USAGE)
    except click.Abort:
        return INTERRUPTED
    except errors.SortieError as error:
        return complain(str(error), code_of(error))
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}" if error.filename else str(error), FAILED)


def complain(message: str, code: int) -> int:
    click.echo("sortie: " + visible(" ".join(message.split())), err=True)
    return code


def code_of(error: errors.SortieError) -> int:
    if isinstance(error, errors.BadInput | errors.BadProfile | errors.Invalid):
        return USAGE
    if isinstance(error, errors.StillRunning):
        return TIMED_OUT
    return CANCELED if isinstance(error, errors.JobCanceled) else FAILED
