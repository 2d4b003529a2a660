"""How answers look: lines and tables for people, JSON for programs."""

from __future__ import annotations

import re
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from unicodedata import category

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sortie_client.answers import JobState
from sortie_client.reading import plain

COLOURS = {
    "completed": "green", "failed": "red", "canceled": "yellow", "running": "cyan", "pending": "blue",
    "scheduled": "magenta",
}  # fmt: skip


COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
NOT_PLAIN = re.compile(r"[^ -~\n\t]")


def console(width: int | None = None) -> Console:
    """Plain and as wide as the content where nobody looks at a terminal. What is printed is text, no markup."""
    if not sys.stdout.isatty():
        return Console(highlight=False, markup=False, emoji=False, width=width or 200, no_color=True)
    return Console(highlight=False, markup=False, emoji=False, width=width)


def visible(text: str) -> str:
    """What controls a terminal, or the order of its letters, as an escape that can be read. A job's text is
    somebody's: no line of it may write to the clipboard, or over what stands there."""
    return "".join(c if c in "\n\t" or category(c) not in ("Cc", "Cf") else repr(c)[1:-1] for c in text)


def visible_line(line: str) -> str:
    """As `visible`; the colours of a log are left."""
    return "".join(part if at % 2 else visible(part) for at, part in enumerate(COLOUR.split(line)))


class JsonTerminal:
    """A binary file for JSON that a terminal shows: the same values, with the escapes of JSON for what would steer it.
    Outside of a string only a carriage return can stand, as white space."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._decode = getincrementaldecoder("utf-8")("replace").decode  # a piece may end within a letter

    def seekable(self) -> bool:
        return False

    def write(self, piece: bytes) -> None:
        self._file.write(NOT_PLAIN.sub(_escaped, self._decode(piece)).encode())


def _escaped(match: re.Match[str]) -> str:
    letter = match[0]
    if letter == "\r" or category(letter) not in ("Cc", "Cf"):
        return " " if letter == "\r" else letter
    units = letter.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def json_out() -> Any:
    """Where JSON goes: to a pipe or a file as it is."""
    return JsonTerminal(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


def put_json(value: Any) -> None:
    """One document on one line. Raw parts are printed as they came, to the last digit."""
    json_out().write(msgspec.json.encode(plain(value)) + b"\n")
    sys.stdout.buffer.flush()


def put_jobs(states: Iterable[JobState]) -> None:
    table = new_table("id", "task", "status", "created", "took", "what")
    for state in states:
        table.add_row(state.id, state.task, status_text(state), when(state.created_at), took(state), what(state))
    if table.row_count:
        console().print(table)
    else:
        click.echo("no jobs", err=True)


def new_table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name != "what", overflow="fold" if name == "id" else "ellipsis")
    return table


def put_job(state: JobState) -> None:
    """A job, field by field; what it does not have is left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in state.to_dict().items():
        if value not in (None, [], False) and name not in ("window_ends_at", "attempt_log"):
            table.add_row(name, status_text(state) if name == "status" else visible(shortened(value)))
    for attempt in state.attempt_log:
        why = f": {attempt.error.message}" if attempt.error else ""
        table.add_row(f"attempt {attempt.attempt}", visible(f"{attempt.outcome}{why} ({when(attempt.ended_at)})"))
    console().print(table)


def ended_line(state: JobState) -> str:
    """`id status what`: the id first, for the next command."""
    return " ".join(filter(None, [state.id, state.status, took(state), what(state)]))


def status_text(state: JobState) -> Text:
    percent = f" {state.progress:.0%}" if state.status == "running" and state.progress is not None else ""
    if state.phase == "starting" and not percent:
        percent = " (starting)"
    asked = " (canceling)" if state.cancel_requested and not state.has_ended else ""
    return Text(state.status + percent + asked, style=COLOURS.get(state.status, ""))


def what(state: JobState) -> str:
    """Why it failed, or whose and what for it is."""
    if state.error:
        return visible(" ".join(f"{state.error.type}: {state.error.message}".split()))
    parts = [f"object {state.object_id}" if state.object_id is not None else "", state.group or "", state.label or ""]
    if state.status == "scheduled" and state.run_at:
        parts.append(f"due {when(state.next_attempt_at or state.run_at)}")
    return visible(" ".join(filter(None, parts)))


def took(state: JobState) -> str:
    return "" if state.duration_ms is None else duration(state.duration_ms / 1000)


def duration(seconds: float) -> str:
    """Three digits that matter: 0.04 ms, 1.25 s, 3 min 20 s, 5 h 2 min."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def when(at: datetime | None) -> str:
    """Today's times without their date, in the zone of the one who looks."""
    if at is None:
        return ""
    local, today = at.astimezone(), datetime.now(UTC).astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def shortened(value: Any, longest: int = 400) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"
