"""Progress bars on stderr, where somebody looks at it; nothing at all where it is a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from sortie_client.answers import JobState


def _bar(*columns: object) -> Progress:
    console = Console(stderr=True)
    all_columns = [TextColumn("{task.description}"), BarColumn(), *columns, TimeElapsedColumn()]
    return Progress(*all_columns, console=console, disable=not sys.stderr.isatty(), transient=True)  # type: ignore[arg-type]


@contextmanager
def transfer(words: str) -> Iterator[Callable[[int, int], None]]:
    """Bytes on their way. The bar is there from the first of them on: what goes inline needs none."""
    with _bar(DownloadColumn(), TransferSpeedColumn()) as bar:
        task: TaskID | None = None

        def update(done: int, total: int) -> None:
            nonlocal task
            if task is None:
                task = bar.add_task(words, total=total)
            bar.update(task, completed=done)

        yield update


@contextmanager
def one_job(job_id: str) -> Iterator[Callable[[JobState], None]]:
    """A pulse until the job tells its progress."""
    with _bar(TextColumn("{task.fields[percent]}")) as bar:
        task = bar.add_task(f"{job_id} …", total=None, percent="")

        def update(state: JobState) -> None:
            known = state.progress is not None
            percent = f"{state.progress:.0%}" if known else ""
            words, total = f"{job_id} {state.status}", 1.0 if known else None
            bar.update(task, description=words, total=total, completed=state.progress or 0, percent=percent)

        yield update


@contextmanager
def many_jobs(total: int) -> Iterator[Callable[[], None]]:
    with _bar(TextColumn("{task.completed:.0f} of {task.total:.0f}")) as bar:
        task = bar.add_task("jobs ended", total=total)
        yield lambda: bar.advance(task)


def is_seen() -> bool:
    return sys.stderr.isatty()
