"""A job request as a user writes it, made ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sortie_client.errors import BadInput
from sortie_client.inputs import INLINE_LIMIT
from sortie_client.submitting import Prepared, prepared

NOT_FIELDS = frozenset({"task", "input", "array"})


def prepared_request(request: Mapping[str, Any], inline_limit: int = INLINE_LIMIT) -> Prepared:
    """Raises BadInput."""
    task = request.get("task") or "sort"
    if task == "sort" and request.get("input") is None and request.get("array") is None:
        raise BadInput("give the numbers to sort: array=[3, 1, 2], a numpy array, a path or a file")
    fields = {name: timed(value) for name, value in request.items() if name not in NOT_FIELDS and value is not None}
    return prepared(task, request.get("input"), request.get("array"), fields, inline_limit)


def timed(value: Any) -> Any:
    """A datetime becomes RFC 3339; without a zone nobody knows when it is."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise BadInput(f"{value} has no time zone: use datetime.now(UTC), or .astimezone()")
    return value.isoformat(timespec="milliseconds")
