"""Query parameters. The JSON Schema of each is the one place that says what it takes: it is read here and published."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.core import times
from chalicelib.core.access import OWNER_PATTERN, Principal, is_owner, may_name
from chalicelib.core.job import Millis, Status
from chalicelib.errors import FieldError, Forbidden, Invalid


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    schema: Mapping[str, Any]


OWNER = Parameter("owner", {"type": "string", "pattern": f"^{OWNER_PATTERN}$"})
STATUS = Parameter("status", {"enum": [str(status) for status in Status], "type": "string"})
# A name is part of an index key, which DynamoDB refuses beyond 2 KB.
TASK = Parameter("task", {"type": "string", "maxLength": 128})
GROUP = Parameter("group", {"type": "string", "maxLength": 128})
SCHEDULE_ID = Parameter("schedule_id", {"type": "string", "maxLength": 128})
SINCE = Parameter("since", {"type": "string", "maxLength": 64, "format": "moment"})
UNTIL = Parameter("until", {"type": "string", "maxLength": 64, "format": "moment"})
OBJECT_ID = Parameter("object_id", {"type": "string", "minLength": 1, "maxLength": 128})
LIMIT = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20})
CURSOR = Parameter("cursor", {"type": "string", "pattern": "^[0-7][0-9a-hjkmnp-tv-z]{25}$"})
WAIT = Parameter("wait", {"type": "integer", "minimum": 1, "maximum": 25})
ATTEMPT = Parameter("attempt", {"type": "integer", "minimum": 1, "maximum": 1_000_000})
AFTER = Parameter("after", {"type": "string", "pattern": "^[A-Za-z0-9/+=_.:-]{1,300}$"})
SPAN = Parameter("span", {"type": "string", "enum": ["hour", "day"], "default": "hour"})


def refuse_unknown_query(query: Mapping[str, str], known: Sequence[Parameter]) -> None:
    """Refuse query parameters that nothing reads."""
    names = [parameter.name for parameter in known]
    for name in query:
        if name not in names:
            takes = f"this route takes {', '.join(names)}" if names else "this route takes none"
            raise Invalid(FieldError(name, f"unknown query parameter: {takes}"))


def query_int(query: Mapping[str, str], parameter: Parameter) -> int:
    """The schema's default where the query does not say, 0 where that has none."""
    text, low, high = query.get(parameter.name), parameter.schema["minimum"], parameter.schema["maximum"]
    if text is None:
        return int(parameter.schema.get("default", 0))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise Invalid(FieldError(parameter.name, f"a whole number from {low} to {high}"))
    return int(text)


def query_choice(query: Mapping[str, str], parameter: Parameter) -> str:
    """The schema's default where the query does not say, "" where that has none."""
    text = query.get(parameter.name)
    if text is None:
        return str(parameter.schema.get("default", ""))
    if text not in parameter.schema["enum"]:
        raise Invalid(FieldError(parameter.name, f"one of {', '.join(parameter.schema['enum'])}"))
    return text


def query_text(query: Mapping[str, str], parameter: Parameter) -> str | None:
    """What fits the pattern of the schema."""
    text = query.get(parameter.name)
    if text is not None and not re.fullmatch(parameter.schema["pattern"], text):
        raise Invalid(FieldError(parameter.name, "no place in a log: take it from the header Log-After"))
    return text


def query_name(query: Mapping[str, str], parameter: Parameter) -> str | None:
    text, longest = query.get(parameter.name), parameter.schema["maxLength"]
    if text is not None and len(text) > longest:
        raise Invalid(FieldError(parameter.name, f"at most {longest} characters"))
    return text


def query_moment(query: Mapping[str, str], parameter: Parameter, now: Millis) -> Millis | None:
    text = query.get(parameter.name)
    if text is None:
        return None
    try:
        return times.to_millis(times.parse_moment(text, times.from_millis(now)))
    except ValueError as error:
        raise Invalid(FieldError(parameter.name, str(error))) from None


def query_object_id(query: Mapping[str, str]) -> str | int | None:
    """In a query `7` means the integer; write `"7"`, with the quotes, for the text."""
    text = query.get(OBJECT_ID.name)
    if text is None:
        return None
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,15})", text):
        return int(text)
    if len(text) > 2 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    if not 1 <= len(text) <= OBJECT_ID.schema["maxLength"]:
        raise Invalid(FieldError(OBJECT_ID.name, "1 to 128 characters, or an integer"))
    return text


def query_cursor(query: Mapping[str, str]) -> str | None:
    """A page goes on below the last job of the page before: its id is the cursor."""
    cursor = query.get(CURSOR.name)
    if cursor is not None and not re.fullmatch(CURSOR.schema["pattern"], cursor):
        raise Invalid(FieldError(CURSOR.name, "not a cursor of this service: use the `next` of the page before"))
    return cursor


def query_owner(query: Mapping[str, str], principal: Principal) -> str:
    """Whose things are asked for: one's own, or for an admin those of `?owner=`. Raises Invalid, Forbidden."""
    owner = query.get(OWNER.name, principal.owner)
    if not is_owner(owner):
        raise Invalid(FieldError(OWNER.name, "1 to 64 of a-z, 0-9 and -"))
    if not may_name(principal.sees, owner):
        raise Forbidden("only an admin may look at what another owner has")
    return owner
