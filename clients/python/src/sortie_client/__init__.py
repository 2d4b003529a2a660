"""The Python client of Sortie, a background-job service.

client = Sortie()
job = client.submit("sort", array=[3, 1, 2])
job.result(timeout=60)  # [1, 2, 3]

Names are loaded when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sortie_client.version import VERSION as __version__

if TYPE_CHECKING:
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

__all__ = [
    "AsyncBatch", "AsyncJob", "AsyncSortie", "BadInput", "BadProfile", "Batch", "Board", "Forbidden", "Group",
    "Invalid", "Job", "JobCanceled", "JobError", "JobFailed", "JobState", "NotFound", "Refused", "Retries", "RunState",
    "Schedule", "Sortie", "SortieError", "Stats", "StillRunning", "Throttled", "Unauthorized", "Unavailable",
    "Unreachable", "WindowHeld", "WrongStatus", "__version__",
]  # fmt: skip
_HOMES = {
    "AsyncBatch": "async_client", "AsyncJob": "async_client", "AsyncSortie": "async_client", "Batch": "client",
    "Job": "client", "Sortie": "client", "Retries": "retries", "Board": "answers", "Group": "answers",
    "JobError": "answers", "JobState": "answers", "RunState": "answers", "Schedule": "answers", "Stats": "answers",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
