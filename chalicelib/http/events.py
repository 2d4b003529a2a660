"""What EventBridge sends to a handler: which events, and what is in them."""

from typing import Any


def container_events(stage: str) -> dict[str, Any]:
    """ECS's events of this stage's containers that run or have stopped."""
    started_by = [{"prefix": f"{stage}/"}]
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"lastStatus": ["RUNNING", "STOPPED"], "startedBy": started_by},
    }
