"""Every error Sortie raises on purpose. HTTP status codes are given to them at the edge, in api/problems.py. One more
never gets there: ports.ChangeRefused, by which a store says no to a use case.

SortieError
├── Malformed          the body is not JSON at all
├── MediaType          the body is said to be something else than JSON
├── Unauthorized       no token, or one that is not valid (any more)
├── Forbidden          the token's role, or on the local stage the page that asks, does not allow this
├── Misdirected        the request is for another host; the local stage answers to its own names alone
├── Invalid            a field of the request is wrong; `errors` names each place
├── NotFound           no such thing, or not yours: the two look the same from outside
├── WrongStatus        the job is in a status that does not allow this
├── KeyReused          an Idempotency-Key came back with another body
├── WindowHeld         the object's window already holds a job, and the request said `reject`
├── WindowTaken        another job has the window in which this one was to run
├── LimitReached       the owner has as many of these as one may have
├── Contended          too many clients decide the same window at once; try again
├── Busy               as many requests wait in this process as may
├── TooLarge           the body is over the limit; use an upload
├── PayloadMissing     an input or output that the row names is not there
└── Unavailable        AWS throttled, timed out or refused; nothing is known about the effect
    └── ResourceMissing    AWS answers, but the table, queue or bucket does not exist
"""

from dataclasses import dataclass

LONGEST_PART = 500
"""Characters that are kept of a place and of a message: either may repeat a name of five million letters."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `loc` like `array[2]` (empty for the whole body), `msg` says what to do."""

    loc: str
    msg: str

    def __post_init__(self) -> None:
        for name, text in (("loc", self.loc), ("msg", self.msg)):
            object.__setattr__(self, name, shorten(text, LONGEST_PART))


def shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


class SortieError(Exception):
    code = "error"


class Malformed(SortieError):
    code = "malformed"


class MediaType(SortieError):
    code = "media-type"


class Unauthorized(SortieError):
    code = "unauthorized"


class Forbidden(SortieError):
    code = "forbidden"


class Misdirected(SortieError):
    code = "misdirected"


class Invalid(SortieError):
    code = "invalid"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(
            "; ".join(
                f"{field_error.loc}: {field_error.msg}" if field_error.loc else field_error.msg
                for field_error in errors
            )
        )
        self.errors = errors


class NotFound(SortieError):
    code = "not-found"


class WrongStatus(SortieError):
    code = "wrong-status"


class KeyReused(SortieError):
    code = "key-reused"


class WindowHeld(SortieError):
    code = "window-held"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class WindowTaken(SortieError):
    code = "window-taken"


class LimitReached(SortieError):
    code = "limit-reached"

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Contended(SortieError):
    code = "contended"
    retry_after = 1


class Busy(SortieError):
    code = "busy"
    retry_after = 1


class TooLarge(SortieError):
    code = "too-large"


class PayloadMissing(SortieError):
    code = "payload-missing"


class Unavailable(SortieError):
    code = "unavailable"
    retry_after = 2


class ResourceMissing(Unavailable):
    """The message names what is missing and says which command makes it."""

    code = "resource-missing"
