"""How long a failed attempt waits before the next: exponential, capped, with full jitter."""

BASE_SECONDS = 2.0
CAP_SECONDS = 600.0
_CAPPED_FROM = 10
"""From this attempt on the span is the cap; two to the power of a thousand is no float."""


def backoff_seconds(attempt: int, jitter: float) -> float:
    """Seconds after attempt number `attempt` (from 1) has failed; `jitter` in [0, 1) picks from the whole span."""
    return jitter * min(CAP_SECONDS, BASE_SECONDS * 2.0 ** (min(attempt, _CAPPED_FROM) - 1))
