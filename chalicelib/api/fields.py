"""Types of fields that several models share. Times become RFC 3339 here."""

from typing import Annotated

import msgspec

from chalicelib.core.job import Millis
from chalicelib.core.times import from_millis, to_rfc3339

Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
AnyJson = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={})]


def render_time(at: Millis) -> str:
    return to_rfc3339(from_millis(at))


def render_optional_time(at: Millis | None) -> str | None:
    return None if at is None else render_time(at)
