"""How many parts each busy list is split into, since one key of a table or an index takes 1,000 write units a second.

The numbers may only grow: readers merge the parts from 0 to n - 1, and a row stays in the part that it was written to
until its next move. So whatever was written with fewer parts is found with more.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Shards:
    """`lists`: of an owner's jobs by status, and by task; one takes about 500 small jobs a second. `wake`: of what the
    dispatcher looks at, of all owners. `tallies`: rows of an owner's minute; one takes 10,000 small jobs a second."""

    lists: int = 2
    wake: int = 8
    tallies: int = 1


def find_shrunk(seen: Shards, now: Shards) -> list[str]:
    """Names of the numbers that are smaller than what has been seen: rows in the parts left out would be lost."""
    return [each.name for each in fields(Shards) if getattr(now, each.name) < getattr(seen, each.name)]


def grown(seen: Shards, now: Shards) -> Shards:
    """The larger of each."""
    return Shards(*(max(getattr(seen, each.name), getattr(now, each.name)) for each in fields(Shards)))
