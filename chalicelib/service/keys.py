"""Idempotency keys: what a request made once, it makes under its key no second time.

The key row comes first and what it stands for second, both conditional: a crash in between leaves a key whose repeat
makes the very thing that is missing. The key expires before a job's row could.
"""

from hashlib import sha256

from chalicelib.core.job import Millis
from chalicelib.core.records import KeyRecord
from chalicelib.errors import KeyReused
from chalicelib.ports import Ports


def reserve(ports: Ports, owner: str, key: str, request: bytes, id_: str, now: Millis) -> str:
    """The id this key stands for: `id_` unless the key was taken before. `request`: the bytes that a repeat has too.
    Raises KeyReused."""
    fingerprint = _take_fingerprint(request)
    mine = KeyRecord(owner, key, id_, fingerprint, round(now / 1000 + ports.settings.retention))
    record = ports.records.reserve_key(mine, now)
    if record.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key was sent with another request before: use a new key for a new one")
    return record.job_id


def find(ports: Ports, owner: str, key: str, request: bytes) -> str | None:
    """The id that this very request was given before."""
    record = ports.records.key(owner, key)
    expired = record is not None and record.expires_at <= ports.clock.now() // 1000
    if record is None or expired or record.fingerprint != _take_fingerprint(request):
        return None
    return record.job_id


def _take_fingerprint(request: bytes) -> str:
    return sha256(request).hexdigest()[:32]
