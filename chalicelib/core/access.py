"""Who asks, and what the role lets them do."""

import re
from dataclasses import dataclass
from enum import IntEnum

OWNER_PATTERN = "[a-z0-9-]{1,64}"
_OWNER = re.compile(OWNER_PATTERN)


class Role(IntEnum):
    """Each role may do what the one before it may."""

    READ = 1
    SUBMIT = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Principal:
    owner: str
    role: Role

    @property
    def sees(self) -> str | None:
        """The owner whose jobs this principal may name; None means everybody's."""
        return None if self.role is Role.ADMIN else self.owner


def is_owner(name: str) -> bool:
    """Whether a token may have this owner. No `#`: keys of the table are put together with it."""
    return _OWNER.fullmatch(name) is not None


def may_name(sees: str | None, owner: str) -> bool:
    """Whether somebody who sees this owner's things (None: everybody's) may name one of `owner`."""
    return sees is None or sees == owner


LOCAL = Principal("local", Role.ADMIN)
