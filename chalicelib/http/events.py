"""What Lambda and EventBridge hand an event handler, and what a queue's event source is answered."""

from collections.abc import Callable, Sequence
from typing import Any


def seconds_left_of(event: Any) -> Callable[[], float]:
    """How long the function may still run."""
    return lambda: float(event.context.get_remaining_time_in_millis()) / 1000


def render_failures(message_ids: Sequence[str]) -> dict[str, Any]:
    """The messages that stay in the queue; the others are deleted."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def container_events(stage: str) -> dict[str, Any]:
    """ECS's events of this stage's containers that run or have stopped."""
    started_by = [{"prefix": f"{stage}/"}]
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"lastStatus": ["RUNNING", "STOPPED"], "startedBy": started_by},
    }
