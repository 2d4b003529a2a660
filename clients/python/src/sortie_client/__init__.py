"""The Python client of Sortie, a background-job service.

client = Sortie()
job = client.submit("sort", array=[3, 1, 2])
job.result(timeout=60)  # [1, 2, 3]
"""

from sortie_client.answers import Board, Group, JobError, JobState, RunState, Schedule, Stats
from sortie_client.async_client import AsyncBatch, AsyncJob, AsyncSortie
from sortie_client.client import Batch, Job, Sortie
from sortie_client.errors import (
    BadInput,
    BadProfile,
    Forbidden,
    Invalid,
    JobCanceled,
    JobFailed,
    NotFound,
    Refused,
    SortieError,
    StillRunning,
    Throttled,
    Unauthorized,
    Unavailable,
    Unreachable,
    WindowHeld,
    WrongStatus,
)
from sortie_client.retries import Retries
from sortie_client.version import VERSION as __version__

__all__ = [
    "AsyncBatch", "AsyncJob", "AsyncSortie", "BadInput", "BadProfile", "Batch", "Board", "Forbidden", "Group",
    "Invalid", "Job", "JobCanceled", "JobError", "JobFailed", "JobState", "NotFound", "Refused", "Retries", "RunState",
    "Schedule", "Sortie", "SortieError", "Stats", "StillRunning", "Throttled", "Unauthorized", "Unavailable",
    "Unreachable", "WindowHeld", "WrongStatus", "__version__",
]  # fmt: skip
