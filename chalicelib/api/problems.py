"""Errors as RFC 9457 problems: one table gives each class its HTTP status and title."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from chalicelib import errors
from chalicelib.errors import SortieError

CONTENT_TYPE = "application/problem+json"
LONGEST_DETAIL, LONGEST_PART = 4_000, 500
"""Characters. What is wrong may be a name of five million letters, and an answer holds 6 MB."""

TABLE: Mapping[type[SortieError], tuple[int, str]] = {
    errors.Malformed: (400, "The body is not JSON"),
    errors.Unauthorized: (401, "A token is needed"),
    errors.Forbidden: (403, "The role does not allow this"),
    errors.NotFound: (404, "Not found"),
    errors.WrongStatus: (409, "The job's status does not allow this"),
    errors.TooLarge: (413, "The body is too large"),
    errors.MediaType: (415, "Only JSON is taken"),
    errors.Invalid: (422, "A field is not valid"),
    errors.KeyReused: (422, "The Idempotency-Key was used for another request"),
    errors.WindowHeld: (429, "The object's window holds a job"),
    errors.Contended: (429, "Too many requests for one object"),
    errors.Unavailable: (503, "AWS does not answer"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def of(error: SortieError) -> Problem:
    status, title = TABLE[type(error)]
    body: dict[str, Any] = {
        "type": f"urn:sortie:{error.code}",
        "title": title,
        "status": status,
        "detail": _short(str(error), LONGEST_DETAIL)
        if status != 503
        else "the service cannot reach its table, queue or bucket: try again",
    }
    if isinstance(error, errors.Invalid):
        body["errors"] = [
            {"loc": _short(field_error.loc, LONGEST_PART), "msg": _short(field_error.msg, LONGEST_PART)}
            for field_error in error.errors
        ]
    return Problem(status, body, _headers(error))


def plain(status: int, detail: str) -> Problem:
    """A problem that is only its HTTP status."""
    title = HTTPStatus(status).phrase
    return Problem(status, {"type": "about:blank", "title": title, "status": status, "detail": detail})


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _headers(error: SortieError) -> Mapping[str, str]:
    if isinstance(error, errors.WindowHeld | errors.Contended | errors.Unavailable):
        return {"Retry-After": str(error.retry_after)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.Unauthorized) else {}
