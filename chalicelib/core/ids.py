"""Job ids: ULIDs in lower case, which are 48 bits of milliseconds and 80 random ones as 26 characters of Crockford's
base 32. Text order is time order."""

import re
import zlib
from hashlib import sha256

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_FORM = re.compile(f"[0-7][{_ALPHABET}]{{25}}")
RANDOM_BITS = 80


def make_id(millis: int, random_bits: int) -> str:
    """`random_bits`: an integer of up to 80 bits."""
    number = millis << RANDOM_BITS | random_bits
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))


def slot_id(name: str, millis: int) -> str:
    """The one id that belongs to this name at this time: whoever computes it gets the same."""
    digest = sha256(f"{name}\n{millis}".encode()).digest()
    return make_id(millis, int.from_bytes(digest[: RANDOM_BITS // 8], "big"))


def first_id(millis: int) -> str:
    """The lowest id of this time: no job made at it or later has a lower one."""
    return make_id(min(max(millis, 0), (1 << 48) - 1), 0)


def id_below(id_: str) -> str:
    """The highest id below this one; the lowest of all has none, and is its own."""
    return make_id(0, max(0, _number_of(id_) - 1))


def millis_of(id_: str) -> int:
    """When it was made."""
    return _number_of(id_) >> RANDOM_BITS


def is_id(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def _number_of(id_: str) -> int:
    number = 0
    for character in id_:
        number = number << 5 | _ALPHABET.index(character)
    return number


def shard_of(id_: str, shards: int) -> int:
    """Which of `shards` index partitions this id lies in."""
    return zlib.crc32(id_.encode()) % shards
