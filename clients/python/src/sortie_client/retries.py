"""When to send a request again, and how long to pause before. Pure: the tries so far and the answer in, seconds out.

It is safe for each request of this client: what makes something carries an Idempotency-Key, the rest may be repeated.
"""

from __future__ import annotations

import msgspec

from sortie_client.plans import Broken, Response

AGAIN = frozenset({429, 500, 502, 503, 504})
WINDOW_HELD = b"urn:sortie:window-held"


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """`tries` in all. Pauses start at `first` seconds, double, end at `longest`; chance takes up to half of each off.

    A connection that cannot be made at all is tried `unmet` times only: most likely nothing listens there.
    `most` seconds may pass in pauses, those that a Retry-After asks for included.
    """

    tries: int = 6
    unmet: int = 3
    first: float = 0.2
    longest: float = 8.0
    most: float = 60.0


def pause_before_next(
    policy: Retries, tried: int, came: Response | Broken, *, chance: float, paused: float
) -> float | None:
    """Seconds, or None when what came is final. `tried` counts from 1; `chance` is 0 to 1."""
    if isinstance(came, Response) and not _is_passing(came):
        return None
    if tried >= (policy.tries if isinstance(came, Response) or came.met else min(policy.unmet, policy.tries)):
        return None
    pause = min(policy.longest, policy.first * 2 ** (tried - 1)) * (1 - chance / 2)
    asked = retry_after(came) if isinstance(came, Response) else None
    if asked is not None:
        pause += asked  # never before the time the service gave, and not all at once after it
    return pause if paused + pause <= policy.most else None


def retry_after(came: Response) -> float | None:
    """Seconds; the form with a date is not used by this service."""
    text = came.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _is_passing(came: Response) -> bool:
    """A window that holds a job is an answer, and may hold it for a day."""
    return came.status in AGAIN and not (came.status == 429 and WINDOW_HELD in came.body)
