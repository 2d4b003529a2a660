"""Which index lists answer a filter.

Every index has the job id as its sort key, so any filter is a merge of a few lists, newest first. A page reads `limit`
entries of each list and looks at the newest `limit` of their rows, however many jobs there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.core.job import ENDED, Job, Millis, Status, is_gone, status_at

OPEN = "open"


@dataclass(frozen=True, slots=True)
class Filter:
    """`quick_task`: some jobs of that task are quick. `since`, `until`: ids, from the one on and below the other."""

    owner: str
    statuses: frozenset[Status] = frozenset(Status)
    task: str | None = None
    object_id: str | int | None = None
    group: str | None = None
    schedule_id: str | None = None
    quick_task: bool = False
    since: str | None = None
    until: str | None = None


def id_range(chosen: Filter, before: str | None) -> tuple[str | None, str | None]:
    """The ids that a page may hold: from the first on, and below the second. Ids are times, so a span of time is one
    range of every list, and a page of it costs what any other does."""
    uppers = [id_ for id_ in (before, chosen.until) if id_ is not None]
    return chosen.since, min(uppers, default=None)


def keeps(chosen: Filter, job: Job, now: Millis) -> bool:
    """The row has the last word: an index may lag."""
    return (
        job.owner == chosen.owner
        and not is_gone(job, now)
        and status_at(job, now) in chosen.statuses
        and (chosen.task is None or job.task == chosen.task)
        and (chosen.object_id is None or job.object_id == chosen.object_id)
        and (chosen.group is None or job.group == chosen.group)
        and (chosen.schedule_id is None or job.schedule_id == chosen.schedule_id)
    )


def listed_status(status: Status, *, quick: bool) -> Status:
    """A quick job stays in the `pending` list while it runs, which saves index writes."""
    return Status.PENDING if quick and status is Status.RUNNING else status


def phase_of(status: Status) -> str:
    """What the lists of a task, an object, a group and a schedule tell apart: open, completed, failed, canceled."""
    return str(status) if status in ENDED else OPEN


def phases_of(statuses: frozenset[Status]) -> Sequence[str]:
    return list(dict.fromkeys(phase_of(status) for status in Status if status in statuses))


def wants_due(statuses: frozenset[Status]) -> bool:
    """Whether jobs that read `pending` must be looked for in the `scheduled` list as well: they stay there from their
    due time until a worker or the dispatcher takes them on."""
    return Status.PENDING in statuses and Status.SCHEDULED not in statuses
