"""A place for an input that is too large for a request: a presigned PUT into the owner's own folder."""

from dataclasses import dataclass

from chalicelib.core.job import Millis
from chalicelib.core.records import OpenUploads
from chalicelib.errors import Contended, LimitReached
from chalicelib.ports import Ports, UploadLink
from chalicelib.service import keys
from chalicelib.service.inputs import upload_key

MOST_OPEN = 100
"""Uploads of one owner whose links still take a PUT: each may bring a whole upload into the bucket."""
TRIES = 80
"""Every lost race means that another request of the owner has won one."""


@dataclass(frozen=True, slots=True)
class Upload:
    id: str
    link: UploadLink


def create(ports: Ports, owner: str, size: int, *, key: str | None = None, body: bytes = b"") -> Upload:
    """`size` in bytes is part of what the link is signed for. `key` and `body`: the Idempotency-Key, and the request's
    bytes by which a repeat is known again; it gets a new link to the same place. Raises KeyReused, LimitReached."""
    now = ports.clock.now()
    upload_id = ports.random.new_id(now)
    if key is not None:
        upload_id = keys.reserve(ports, owner, key, b"upload\n" + body, upload_id, now)
    link = ports.payloads.upload_link(upload_key(owner, upload_id), now, size)
    _note(ports, owner, upload_id, link.expires_at)
    return Upload(upload_id, link)


def _note(ports: Ports, owner: str, upload_id: str, until: Millis) -> None:
    """Count the upload among those that are open, before its link is given away."""
    for attempt in range(TRIES):
        seen, now = ports.records.open_uploads(owner), ports.clock.now()
        still = {id_: end for id_, end in (seen.until if seen else {}).items() if end > now}
        if upload_id not in still and len(still) >= MOST_OPEN:
            wait = max(1, -((now - min(still.values())) // 1000))
            raise LimitReached(
                f"an owner has at most {MOST_OPEN} uploads whose links are still good: use them, or wait for the "
                "seconds of Retry-After",
                retry_after=wait,
            )
        version = seen.version + 1 if seen else 1
        if ports.records.put_open_uploads(OpenUploads(owner, still | {upload_id: until}, version), seen):
            return
        ports.clock.pause(ports.random.uniform() * min(0.2, 0.005 * 2**attempt))
    raise Contended("too many uploads are asked for at once: send the request again in a second")
