"""Bearer tokens: who does this one belong to? Only digests are stored, so a stolen table opens nothing."""

from hashlib import sha256

from chalicelib.core.access import Principal, Role
from chalicelib.ports import Ports

LONGEST = 200


def digest_of(token: str) -> str:
    """Tokens are 256 random bits: a plain hash cannot be searched."""
    return sha256(token.encode()).hexdigest()


def principal_of(ports: Ports, header: str | None) -> Principal | None:
    """`header` is what Authorization holds: `Bearer <token>`. None: no such token, or one past its time."""
    kind, _, token = (header or "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or len(token) > LONGEST:
        return None
    found = ports.records.token(digest_of(token))
    if found is None or (found.expires_at is not None and found.expires_at * 1000 <= ports.clock.now()):
        return None
    return Principal(found.owner, Role[found.role.upper()])
