"""The OpenAPI document of the service, as its clients see it."""

from typing import Any

from chalicelib import tasks
from chalicelib.api.spec import build_spec

SPEC: dict[str, Any] = build_spec(tasks.load())
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]


def names_of(schema: dict[str, Any]) -> set[str]:
    """The kinds of value that a schema allows; times by their format."""
    if "$ref" in schema:
        return names_of(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return set().union(*map(names_of, options))
    if "enum" in schema:
        return {"string"}
    kinds = schema.get("type", "object")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    return {"date-time" if kind == "string" and schema.get("format") == "date-time" else kind for kind in kinds}
