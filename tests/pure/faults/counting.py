"""How many histories were tried, by kind: printed at the end of the run."""

from collections import Counter

histories: Counter[str] = Counter()


def tried(kind: str) -> None:
    histories[kind] += 1
