"""Every error the client raises on purpose.

SortieError
├── BadProfile        no address, or a configuration that cannot be read
├── BadInput          an input that cannot become exact JSON; nothing was sent
├── Unreachable       no answer came, and the tries are used up
├── Refused           the service answered with a problem (RFC 9457)
│   ├── Unauthorized    401: no token, or one that is not valid
│   ├── Forbidden       403: the token's role does not allow this
│   ├── NotFound        404: no such thing, or somebody else's
│   ├── WrongStatus     409: the job's status does not allow this
│   ├── Invalid         400, 413, 415, 422: `errors` names each field
│   ├── WindowHeld      429: the object's window holds a job; `retry_after` seconds are left
│   ├── Throttled       429: too many requests, and the tries are used up
│   └── Unavailable     5xx, and the tries are used up
├── JobFailed         the job ended as failed; `error` says why
├── JobCanceled       the job ended as canceled
└── StillRunning      a TimeoutError: the time-out passed, and the job goes on
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sortie_client.answers import JobError, JobState, Problem


class SortieError(Exception):
    """The root of the tree."""


class BadProfile(SortieError, ValueError):
    pass


class BadInput(SortieError, ValueError):
    pass


class Unreachable(SortieError, ConnectionError):
    pass


class Refused(SortieError):
    """The service said no. `status` is HTTP's, `problem` the answer's body, `request_id` what its log knows it by,
    `retry_after` the seconds it asked for, `tries` how often it was asked.
    """

    def __init__(
        self, problem: Problem, *, request_id: str | None = None, retry_after: float | None = None, tries: int = 1
    ) -> None:
        lines = [f"{fault.loc}: {fault.msg}" if fault.loc else fault.msg for fault in problem.errors]
        super().__init__("; ".join(lines) or problem.detail or problem.title)
        self.problem = problem
        self.status = problem.status
        self.errors = problem.errors
        self.request_id = request_id
        self.retry_after = retry_after
        self.tries = tries


class Unauthorized(Refused):
    pass


class Forbidden(Refused):
    pass


class NotFound(Refused):
    pass


class WrongStatus(Refused):
    pass


class Invalid(Refused):
    pass


class WindowHeld(Refused):
    pass


class Throttled(Refused):
    pass


class Unavailable(Refused):
    pass


class JobFailed(SortieError):
    def __init__(self, state: JobState) -> None:
        super().__init__(f"job {state.id} failed: {_reason(state.error)}")
        self.state = state
        self.error = state.error


class JobCanceled(SortieError):
    def __init__(self, state: JobState) -> None:
        super().__init__(f"job {state.id} was canceled")
        self.state = state
        self.error = state.error


class StillRunning(SortieError, TimeoutError):
    def __init__(self, what: str, timeout: float) -> None:
        super().__init__(f"{what} after {timeout:g} s; the work goes on")


def _reason(error: JobError | None) -> str:
    return f"{error.type}: {error.message}" if error else "no reason was given"
