"""`sortie top`: a live board of what runs, what is due and what has ended."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sortie_client.answers import JobState, Minute, Stats
from sortie_client.cli.context import Context, json_option
from sortie_client.cli.output import COLOURS, console, put_json, status_text, took, visible, what, when
from sortie_client.cli.queries import percentiles
from sortie_client.client import Sortie
from sortie_client.errors import Unavailable, Unreachable

BARS = " ▁▂▃▄▅▆▇█"
FIXED_LINES = 13
"""What the board needs beside the rows of its tables."""


@click.command()
@click.option("--every", type=click.FloatRange(min=0.5), default=2.0, show_default=True, metavar="SECONDS")
@click.option("--once", is_flag=True, help="Print the board once; so it does where stdout is no terminal.")
@click.option("--owner", help="Somebody else's; for admins.")
@json_option
@click.pass_obj
def top(context: Context, every: float, once: bool, owner: str | None, as_json: bool) -> None:
    """Watch the board; q leaves it."""
    client = context.client
    if as_json:
        put_json({"board": client.board(owner), "stats": client.stats("hour", owner)})
    elif once or not sys.stdout.isatty():
        console(None if sys.stdout.isatty() else 120).print(board_of(client, owner, 60))
    else:
        watch(client, owner, every)


def watch(client: Sortie, owner: str | None, every: float) -> None:
    screen = console()
    with keys() as pressed, Live(console=screen, screen=True, auto_refresh=False) as live:
        while True:
            try:
                board = board_of(client, owner, screen.height)
            except (Unreachable, Unavailable) as error:
                board = Group(header(client), Text(f"\n{error}\n\ntrying again …", style="red"))
            live.update(board, refresh=True)
            if pressed(every):
                return


def board_of(client: Sortie, owner: str | None, height: int) -> Group:
    board, stats = client.board(owner), client.stats("hour", owner)
    third = max(2, (height - FIXED_LINES) // 3)
    ended = sorted(board.history.values(), key=lambda state: state.finished_at or _EPOCH, reverse=True)
    due = sorted(board.scheduled.values(), key=lambda state: state.next_attempt_at or state.run_at or _EPOCH)
    return Group(
        header(client),
        summary(stats),
        section("running and pending", running(list(board.running.values()), third)),
        section("due next", scheduled(due, third)),
        section("ended", history(ended, third)),
    )


_EPOCH = datetime.fromtimestamp(0, UTC)


def header(client: Sortie) -> Text:
    clock = datetime.now(UTC).astimezone().strftime("%H:%M:%S")
    return Text.assemble(("sortie ", "bold"), client.address.url, "  ", (clock, "dim"), ("  q leaves", "dim"))


def summary(stats: Stats) -> Text:
    counts = [(f"{count} {name}  ", COLOURS.get(name, "")) for name, count in stats.counts.items()]
    queue = stats.queue
    held = f"queue {queue.waiting} waiting, {queue.delayed} delayed" + (f", {queue.dead} dead" if queue.dead else "")
    pace: list[str | tuple[str, str]] = [
        ("last hour ", "dim"),
        (sparkline(stats.per_minute), "green"),
        f"  runs for {percentiles(stats.duration_ms)}",
    ]
    return Text.assemble("\n", *counts, (held, "dim"), "\n", *pace, "\n")


def sparkline(minutes: Sequence[Minute]) -> str:
    """How many jobs ended, a letter a minute; one alone is seen beside many."""
    ended = [minute.completed + minute.failed + minute.canceled for minute in minutes]
    most = max(ended, default=0) or 1
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] for count in ended)


def section(title: str, table: Table) -> Group:
    return Group(Text(title, style="bold"), table if table.row_count else Text("  none", style="dim"), Text(""))


def running(states: Sequence[JobState], rows: int) -> Table:
    table = _table()
    for state in states[:rows]:
        bar = ProgressBar(total=1.0, completed=state.progress, width=20) if state.progress is not None else ""
        table.add_row(state.id, state.task, status_text(state), bar, since(state))
    return _told_rest(table, len(states) - rows)


def scheduled(states: Sequence[JobState], rows: int) -> Table:
    table = _table()
    for state in states[:rows]:
        again = f"attempt {state.attempts + 1}" if state.attempts else ""
        table.add_row(
            state.id,
            state.task,
            when(state.next_attempt_at or state.run_at),
            again,
            visible(f"object {state.object_id}") if state.object_id is not None else "",
        )
    return _told_rest(table, len(states) - rows)


def history(states: Sequence[JobState], rows: int) -> Table:
    table = _table()
    for state in states[:rows]:
        table.add_row(
            state.id, state.task, status_text(state), f"{took(state)} at {when(state.finished_at)}", what(state)
        )
    return _told_rest(table, len(states) - rows)


def since(state: JobState) -> str:
    start = state.started_at or state.created_at
    return "" if start is None else f"since {when(start)}"


def _table() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, expand=True)
    for ratio in (None, None, None, None, 1):
        table.add_column(no_wrap=True, ratio=ratio, overflow="ellipsis")
    return table


def _told_rest(table: Table, more: int) -> Table:
    if more > 0:
        table.add_row(Text(f"and {more} more", style="dim"))
    return table


def slept(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@contextmanager
def keys() -> Iterator[Callable[[float], bool]]:
    """Gives a function that waits for some seconds and says whether q was pressed."""
    if not sys.stdin.isatty():
        yield slept
        return
    import termios  # not there on every system; top works without it
    import tty

    before = termios.tcgetattr(sys.stdin)

    def pressed(seconds: float) -> bool:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return bool(ready) and sys.stdin.read(1).lower() == "q"

    try:
        tty.setcbreak(sys.stdin)
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
