"""Errors as RFC 9457 problems: one table gives each class its HTTP status and title."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from chalicelib import errors
from chalicelib.errors import FieldError, SortieError, shorten

CONTENT_TYPE = "application/problem+json"
LONGEST_DETAIL = 4_000
"""Characters: an answer holds 6 MB."""
AWAY = "the service cannot reach its table, queue or bucket: try again"

TABLE: Mapping[type[SortieError], tuple[int, str]] = {
    errors.Malformed: (400, "The body is not JSON"),
    errors.Unauthorized: (401, "A token is needed"),
    errors.Forbidden: (403, "The role does not allow this"),
    errors.NotFound: (404, "Not found"),
    errors.WrongStatus: (409, "The job's status does not allow this"),
    errors.WindowTaken: (409, "Another job holds the window"),
    errors.TooLarge: (413, "The body is too large"),
    errors.MediaType: (415, "Only JSON is taken"),
    errors.Misdirected: (421, "Another host is meant"),
    errors.Invalid: (422, "A field is not valid"),
    errors.KeyReused: (422, "The Idempotency-Key was used for another request"),
    errors.WindowHeld: (429, "The object's window holds a job"),
    errors.LimitReached: (429, "The owner has as many as one may have"),
    errors.Contended: (429, "Too many requests for one object"),
    errors.Busy: (429, "Too many requests wait"),
    errors.Unavailable: (503, "AWS does not answer"),
    errors.ResourceMissing: (503, "A resource is missing"),
}


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


def to_problem(error: SortieError) -> Problem:
    status, title = TABLE[type(error)]
    detail = AWAY if type(error) is errors.Unavailable else shorten(str(error), LONGEST_DETAIL)
    problem = Problem(f"urn:sortie:{error.code}", title, status, detail)
    if isinstance(error, errors.Invalid):
        problem.errors = list(error.errors)
    return problem


def plain_problem(status: int, detail: str) -> Problem:
    """A problem that is only its HTTP status."""
    return Problem("about:blank", HTTPStatus(status).phrase, status, detail)


def problem_headers(error: SortieError) -> dict[str, str]:
    if isinstance(error, errors.LimitReached) and error.retry_after is None:
        return {}
    if isinstance(error, errors.WindowHeld | errors.LimitReached | errors.Contended | errors.Busy | errors.Unavailable):
        return {"Retry-After": str(error.retry_after)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.Unauthorized) else {}
