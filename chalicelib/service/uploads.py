"""A place for an input that is too large for a request: a presigned PUT into the owner's own folder."""

from dataclasses import dataclass

from chalicelib.ports import Ports, UploadLink
from chalicelib.service.new_job import upload_key


@dataclass(frozen=True, slots=True)
class Upload:
    id: str
    link: UploadLink


def create(ports: Ports, owner: str, size: int | None) -> Upload:
    """`size` in bytes, when given, is part of what the link is signed for."""
    now = ports.clock.now()
    upload_id = ports.random.new_id(now)
    return Upload(upload_id, ports.payloads.upload_link(upload_key(owner, upload_id), now, size))
