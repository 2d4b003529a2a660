"""One request, sent until it is answered: retries, and problems raised as errors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from sortie_client import errors
from sortie_client.answers import Problem
from sortie_client.plans import NOT_DONE, Ask, Broken, Fetch, Pause, Plan, Put, Response, Step
from sortie_client.reading import Answer, read
from sortie_client.retries import Retries, pause_before_next, retry_after

T = TypeVar("T", bound=Answer)
BY_STATUS: Mapping[int, type[errors.Refused]] = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.WrongStatus,
    413: errors.Invalid,
    415: errors.Invalid,
    422: errors.Invalid,
    429: errors.Throttled,
}
ACCEPT = {"Accept": "application/json"}
JSON = {"Content-Type": "application/json"}


def get(policy: Retries, path: str, query: Mapping[str, str] | None = None, *, wait: int = 0) -> Plan[Response]:
    query = dict(query or {}) | ({"wait": str(wait)} if wait else {})
    return answered(policy, Ask(method="GET", path=path, query=query, headers=ACCEPT, wait=wait))


def post(policy: Retries, path: str, body: bytes | None, key: str | None = None) -> Plan[Response]:
    """Under an Idempotency-Key, so that sending it again makes nothing twice."""
    headers = ACCEPT | {"Idempotency-Key": key or new_key()} | (JSON if body is not None else {})
    return answered(policy, Ask(method="POST", path=path, body=body, headers=headers))


def delete(policy: Retries, path: str) -> Plan[Response]:
    return answered(policy, Ask(method="DELETE", path=path, headers=ACCEPT))


def put(policy: Retries, step: Put) -> Plan[None]:
    yield from _sent(policy, step)


def fetch(step: Fetch) -> Plan[None]:
    """One try, since the sink is spoilt by half an answer. Raises Broken, Refused."""
    response = yield step
    if response.status >= NOT_DONE:
        raise refusal(response)


def answered(policy: Retries, ask: Ask) -> Plan[Response]:
    """Raises Unreachable, Refused."""
    return (yield from _sent(policy, ask))


def _sent(policy: Retries, step: Step) -> Plan[Response]:
    tried, paused = 0, 0.0
    while True:
        tried += 1
        came: Response | Broken
        try:
            came = yield step
        except Broken as broken:
            came = broken
        pause = pause_before_next(policy, tried, came, chance=chance(), paused=paused)
        if pause is None:
            return final(came, tried)
        paused += pause
        yield Pause(pause)


def final(came: Response | Broken, tried: int) -> Response:
    if isinstance(came, Broken):
        tries = f" ({tried} tries)" if tried > 1 else ""
        raise errors.Unreachable(f"{came}{tries}") from None
    if came.status >= NOT_DONE:
        raise refusal(came, tried)
    return came


def refusal(response: Response, tries: int = 1) -> errors.Refused:
    problem = problem_of(response)
    kind = BY_STATUS.get(problem.status, errors.Unavailable if problem.status >= 500 else errors.Refused)
    if problem.type == "urn:sortie:window-held":
        kind = errors.WindowHeld
    request_id = response.headers.get("x-request-id")
    return kind(problem, request_id=request_id, retry_after=retry_after(response), tries=tries)


def problem_of(response: Response) -> Problem:
    if response.status < 400:
        return _redirect(response)
    try:
        problem = read(Problem, response.body)
    except msgspec.DecodeError:  # a gateway or a store in between has forms of its own
        text = response.body[:200].decode("utf-8", "replace").strip()
        return Problem(status=response.status, title=f"HTTP {response.status}", detail=f"HTTP {response.status} {text}")
    problem.status = response.status
    return problem


def _redirect(response: Response) -> Problem:
    """Where to, without what signs a link. Of nothing else below 400 is there a way on either."""
    title, target = f"HTTP {response.status}", response.headers.get("location", "").partition("?")[0]
    detail = f"{title}: redirected to {target}, which is not followed" if target else f"{title} instead of an answer"
    return Problem(status=response.status, title=title, detail=detail)


def answer(kind: type[T], response: Response) -> T:
    """Raises Unreachable for what this service cannot have said."""
    try:
        return read(kind, response.body)
    except msgspec.DecodeError as error:
        start = response.body[:80].decode("utf-8", "replace")
        raise errors.Unreachable(f"what answers there is no Sortie service ({error}): {start!r}") from None


def new_key() -> str:
    return os.urandom(16).hex()


def chance() -> float:
    """0 to 1."""
    return int.from_bytes(os.urandom(4)) / 2**32


def quoted(text: str) -> str:
    """Part of a path."""
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode())
