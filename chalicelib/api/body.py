"""A request's body becomes a model; whatever is wrong with it becomes a field error with its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from chalicelib.config import Settings
from chalicelib.core import decoding
from chalicelib.core.job import Millis
from chalicelib.core.task import Task, field_error_of
from chalicelib.errors import FieldError, Invalid, Malformed

T = TypeVar("T")
MISSING = "required, but missing"
TRACE_FORM = r"(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
KEY_FORM = r"^[\x21-\x7e]{1,255}$"

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What a request is checked against."""

    tasks: Mapping[str, Task]
    settings: Settings
    now: Millis
    owner: str
    request_id: str | None = None
    traceparent: str | None = None


class NoFields(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of a route that takes none: nothing, or an object without fields."""


def decode_body(raw: bytes, model: type[T]) -> T:
    """Raises Malformed for what is no JSON, Invalid naming the field for JSON that does not fit."""
    try:
        if not raw.isascii():
            raw.decode()  # what is kept as it came, unread, is text as well
        return decoding.decode(raw, model)
    except msgspec.ValidationError as error:
        raise Invalid(explain(field_error_of(error))) from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        nan = decoding.find_nan_path(raw)
        if nan is not None:
            raise Invalid(FieldError(nan[0], f"{nan[1]}, not a number")) from None
        raise Malformed(f"the body is not valid JSON: {error}") from None


def refuse_body(raw: bytes) -> None:
    """For a route that takes no body. Raises Malformed, Invalid."""
    if raw:
        decode_body(raw, NoFields)


def parse_idempotency_key(header: str | None) -> str | None:
    if header is not None and not re.fullmatch(KEY_FORM, header):
        raise Invalid(FieldError("Idempotency-Key", "1 to 255 visible ASCII characters"))
    return header


def parse_traceparent(header: str | None) -> str | None:
    """W3C Trace Context: what is not well formed is as if it were not there."""
    is_sound = header is not None and re.fullmatch(TRACE_FORM, header) and not re.search(r"-0+-|-0{16}-", header)
    return header if is_sound else None


def move_inside(name: str, invalid: Invalid) -> Invalid:
    """The same errors, each in its place within the field `name`."""
    errors = map(explain, invalid.errors)
    return Invalid(*(replace(error, loc=f"{name}.{error.loc}".rstrip(".")) for error in errors))


def explain(error: FieldError) -> FieldError:
    """The place of an unknown or missing field is the field itself."""
    for form, words in ((_UNKNOWN, "unknown field: leave it out"), (_MISSING, MISSING)):
        match = form.fullmatch(error.msg)
        if match:
            return FieldError(f"{error.loc}.{match[1]}".lstrip("."), words)
    return error
