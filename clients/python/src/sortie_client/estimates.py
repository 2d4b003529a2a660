"""A numpy array encoded while it is sent, its size told before: estimated from samples, and made up with spaces.

A link is signed for a size, and encoding ten million floats takes a second: too long to do it first only to count. JSON
may end in spaces, so a size that is a little too large does no harm. Where samples differ much, or the estimate turns
out too small on the way, the text is encoded into a file first and counted.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import msgspec

from sortie_client.arrays import array_pieces

WORTH_IT = 500_000
"""Numbers. Fewer are encoded at once."""
SAMPLES, SAMPLE = 64, 1_000
MOST_SPREAD = 1.02
"""How much longer the longest sample may be than all samples together."""
MARGIN = 1.002
SPACES = b" " * 65_536


class TooSmall(Exception):
    """The text is longer than was estimated."""


class EstimatedSource(msgspec.Struct, frozen=True):
    """`size` bytes: the text, and spaces behind it."""

    array: Any
    size: int
    before: bytes
    after: bytes

    def pieces(self) -> Generator[bytes, None, None]:
        """Raises TooSmall before the last of `size` bytes is out."""
        left = self.size - len(self.before) - len(self.after)
        yield self.before
        for piece in array_pieces(self.array):
            left -= len(piece)
            if left < 0:
                raise TooSmall
            yield piece
        yield self.after
        while left > 0:
            yield SPACES[:left]
            left -= len(SPACES)


def estimated(array: Any, before: bytes, after: bytes) -> EstimatedSource | None:
    """None where an estimate is not worth it, or not good enough."""
    count = len(array)
    if count < WORTH_IT:
        return None
    starts = [sample * (count - SAMPLE) // (SAMPLES - 1) for sample in range(SAMPLES)]
    sizes = [_size(array[start : start + SAMPLE]) for start in starts]
    if max(sizes) * SAMPLES > sum(sizes) * MOST_SPREAD:
        return None
    size = int(max(sizes) / SAMPLE * count * MARGIN) + len(before) + len(after) + 2
    return EstimatedSource(array, size, before, after)


def _size(sample: Any) -> int:
    """With a comma for each number."""
    return len(b"".join(array_pieces(sample))) - 1
