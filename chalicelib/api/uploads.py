"""Uploads: a link to put a large input to."""

from typing import Annotated

import msgspec

from chalicelib.api.body import decode_body
from chalicelib.api.fields import Time, render_time
from chalicelib.service.uploads import Upload


class UploadRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`bytes`, when given, becomes part of what the link is signed for."""

    bytes: Annotated[int, msgspec.Meta(ge=1, le=300_000_000)] | None = None


class UploadAnswer(msgspec.Struct):
    id: str
    href: str
    headers: dict[str, str]
    expires_at: Time


def parse_upload(raw: bytes) -> UploadRequest:
    return decode_body(raw, UploadRequest) if raw else UploadRequest()


def render_upload(upload: Upload) -> UploadAnswer:
    link = upload.link
    return UploadAnswer(upload.id, link.href, dict(link.headers), render_time(link.expires_at))
