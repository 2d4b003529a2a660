"""What the handlers log, for a person: a short line for each move of a job. VERBOSE=1 shows the JSON as it is."""

import json
from datetime import datetime
from typing import Any

ID_END = 6
WORDS = {
    "claim": "running",
    "complete": "completed",
    "complete_unclaimed": "completed",
    "back_off": "failed, to be tried again",
    "fail": "failed",
    "stop": "canceled while it ran",
    "cancel": "canceled",
    "give_up": "failed, given up",
    "retry": "pending again, retried by hand",
}
"""By event; any other is told by the status that it leads to."""


def readable(line: str) -> str | None:
    """`line` as a person reads it; None for metrics, which only CloudWatch reads."""
    record = _record(line)
    if record is None or not {"event", "_aws"} & record.keys():
        return line
    if "_aws" in record:
        return None
    now = f"{datetime.now().astimezone():%H:%M:%S}"
    if {"job", "task", "to"} <= record.keys():
        return f"{now}  {record['task']:<9} {record['job'][-ID_END:]}  {_what(record)}"
    return " ".join([f"{now}  {record.pop('event')}", *(f"{name}={value}" for name, value in record.items())])


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _what(record: dict[str, Any]) -> str:
    what = WORDS.get(record["event"], str(record["to"]))
    attempt, seconds = record.get("attempt") or 0, record.get("seconds")
    which = f", attempt {attempt}" if attempt > 1 else ""
    return what + which + (f", {_duration(seconds)}" if seconds is not None else "")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
