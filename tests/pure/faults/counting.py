"""Histories by their seeds, and how many were tried, by kind: printed at the end of the run."""

import random
from collections import Counter
from collections.abc import Callable

histories: Counter[str] = Counter()


def tried(kind: str) -> None:
    histories[kind] += 1


def try_seeds(kind: str, history: Callable[[int], None], count: int) -> None:
    """So many in a row from anywhere. What breaks carries its seed."""
    first = random.SystemRandom().randrange(1 << 40)
    for seed in range(first, first + count):
        try:
            history(seed)
        except BaseException as error:
            error.add_note(f"{history.__module__}.{history.__name__}({seed})")
            raise
        tried(kind)
