"""Uploads: a link to put a large input to."""

from typing import Annotated

import msgspec

from chalicelib.api.body import MISSING, decode_body
from chalicelib.api.fields import Time, render_time
from chalicelib.errors import FieldError, Invalid
from chalicelib.service.uploads import Upload

MISSING_BYTES = FieldError("bytes", MISSING)


class UploadRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`bytes`: how long the upload is. The link is signed for it and takes nothing else."""

    bytes: Annotated[int, msgspec.Meta(ge=1, le=300_000_000)]


class UploadAnswer(msgspec.Struct):
    id: str
    href: str
    headers: dict[str, str]
    expires_at: Time


def parse_upload(raw: bytes) -> UploadRequest:
    """Raises Malformed, Invalid."""
    try:
        return decode_body(raw or b"{}", UploadRequest)
    except Invalid as invalid:
        if invalid.errors == (MISSING_BYTES,):
            raise Invalid(FieldError("bytes", 'say how long the upload is, as {"bytes": 12345}')) from None
        raise


def render_upload(upload: Upload) -> UploadAnswer:
    link = upload.link
    return UploadAnswer(upload.id, link.href, dict(link.headers), render_time(link.expires_at))
