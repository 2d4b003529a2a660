"""Bearer tokens: who does this one belong to? Only digests are stored, so a stolen table opens nothing."""

from hashlib import sha256

from chalicelib.core.access import Principal, Role
from chalicelib.ports import Ports

LONGEST_CHARACTERS = 200


def hash_token(token: str) -> str:
    """Tokens are 256 random bits: a plain hash cannot be searched."""
    return sha256(token.encode()).hexdigest()


def authenticate(ports: Ports, header: str | None) -> Principal | None:
    """`header` is what Authorization holds: `Bearer <token>`. None: no such token, or one past its time."""
    kind, _, token = (header or "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or len(token) > LONGEST_CHARACTERS:
        return None
    record = ports.records.token(hash_token(token))
    if record is None or (record.expires_at is not None and record.expires_at * 1000 <= ports.clock.now()):
        return None
    return Principal(record.owner, Role[record.role.upper()])
