"""What Lambda hands an event handler, and what a queue's event source is answered."""

from collections.abc import Callable, Sequence
from typing import Any


def seconds_left_of(event: Any) -> Callable[[], float]:
    """How long the function may still run."""
    return lambda: float(event.context.get_remaining_time_in_millis()) / 1000


def render_failures(message_ids: Sequence[str]) -> dict[str, Any]:
    """The messages that stay in the queue; the others are deleted."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}
