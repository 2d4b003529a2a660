"""Who asks, and what the role lets them do."""

from dataclasses import dataclass
from enum import IntEnum


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


LOCAL = Principal("local", Role.ADMIN)
