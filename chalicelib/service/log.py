"""One JSON line per transition: who moved, by which event, from where to where. Never a payload, never a token."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chalicelib.core.job import Event, Job, Millis

logger = logging.getLogger("sortie")
NAMESPACE, MAX_VALUES = "Sortie", 100


def transition(event: Event | str, job: Job, came_from: str | None, *, seconds: float | None = None) -> None:
    """`job` is the row after the move; `seconds`: how long its task ran, where a task has run."""
    line = {
        "event": str(event),
        "job": job.id,
        "attempt": job.attempts,
        "from": came_from,
        "to": str(job.status),
        "task": job.task,
        "request_id": job.request_id,
        "seconds": None if seconds is None else round(seconds, 6),
    }
    if job.traceparent is not None:
        line["traceparent"] = job.traceparent
    logger.info(msgspec.json.encode(line).decode())


def warning(event: str, **more: Any) -> None:
    """Something worth a line that is no transition."""
    logger.warning(msgspec.json.encode({"event": event} | more).decode())


def metrics_line(stage: str, now: Millis, counts: Mapping[str, int], times: Mapping[str, Sequence[float]]) -> None:
    """One line in CloudWatch's embedded metric format, from which CloudWatch makes metrics without a call.

    `times`: milliseconds, of which a line may hold a hundred for each metric.
    """
    units = dict.fromkeys(counts, "Count") | dict.fromkeys((name for name in times if times[name]), "Milliseconds")
    described = [{"Name": name.capitalize(), "Unit": unit} for name, unit in units.items()]
    about = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": described}
    values = {
        name.capitalize(): counts.get(name) or [round(each, 3) for each in times[name][:MAX_VALUES]] for name in units
    }
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [about]}, "Stage": stage} | values
    logger.info(msgspec.json.encode(line).decode())
