"""Which index partitions answer a filtered list, and how pages go on.

Every index has the job id as its sort key, so any filter is a merge of a few partitions, newest first. The cost of
a page depends on how many partitions the filter needs, never on how many jobs there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.core.job import Job, Millis, Status, is_gone, status_at

SHARDS = 2
"""Partitions per list key: one takes about 500 small jobs a second."""
MOST_LOOKED_AT = 5
"""A page looks at no more than this many times `limit` jobs; what it did not reach comes with the next cursor."""


@dataclass(frozen=True, slots=True)
class Filter:
    owner: str
    statuses: frozenset[Status] = frozenset(Status)
    task: str | None = None
    object_id: str | int | None = None
    group: str | None = None
    quick_task: bool = False


def keeps(chosen: Filter, job: Job, now: Millis) -> bool:
    """The row has the last word: an index may lag."""
    return (
        job.owner == chosen.owner
        and not is_gone(job, now)
        and status_at(job, now) in chosen.statuses
        and (chosen.task is None or job.task == chosen.task)
        and (chosen.object_id is None or job.object_id == chosen.object_id)
        and (chosen.group is None or job.group == chosen.group)
    )


def lists_of(statuses: frozenset[Status]) -> Sequence[Status]:
    """The status lists that may hold such jobs: a scheduled job stays in its list when it falls due."""
    more = {Status.SCHEDULED} if Status.PENDING in statuses else set()
    return sorted(statuses | more)
