"""What the sync and the async job have in common: the state that was seen last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from sortie_client.answers import JobError, JobState


class JobView:
    """Fields of a newer service are attributes too. `state` is the answer that was seen last."""

    def __init__(self, state: JobState, dtype: Any = None) -> None:
        self.state = state
        self.dtype = dtype

    @property
    def id(self) -> str:
        return self.state.id

    @property
    def task(self) -> str:
        return self.state.task

    @property
    def status(self) -> str:
        return self.state.status

    @property
    def progress(self) -> float | None:
        return self.state.progress

    @property
    def error(self) -> JobError | None:
        return self.state.error

    @property
    def attempts(self) -> int:
        return self.state.attempts

    @property
    def created_at(self) -> datetime | None:
        return self.state.created_at

    @property
    def finished_at(self) -> datetime | None:
        return self.state.finished_at

    @property
    def has_ended(self) -> bool:
        return self.state.has_ended

    def to_dict(self) -> dict[str, Any]:
        """The job as the service said it, ready for JSON."""
        return self.state.to_dict()

    def __getattr__(self, name: str) -> Any:
        if name in ("state", "dtype"):  # asked for by copy and pickle, before there is a state
            raise AttributeError(name)
        if name in self.state.__struct_fields__ and name != "extra":
            value = getattr(self.state, name)
            return value if name not in ("input", "output") else decoded(value)
        try:
            return self.state.extra[name]
        except KeyError:
            raise AttributeError(f"a job has no field {name!r}") from None

    def __repr__(self) -> str:
        at = f" {self.progress:.0%}" if self.status == "running" and self.progress is not None else ""
        why = f" ({self.error.type}: {self.error.message:.60})" if self.error else ""
        return f"<{type(self).__name__} {self.id} {self.task} {self.status}{at}{why}>".replace("\n", " ")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobView) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


def decoded(raw: msgspec.Raw | msgspec.UnsetType) -> Any:
    """None where the answer left it out, as lists do; a payload that did not fit reads {"href", "bytes"}."""
    return None if raw is msgspec.UNSET else msgspec.json.decode(raw)
