"""Where the inputs of new jobs lie. Where an input goes is said first; it goes there once the job may be made.

inline                                    in the row
inputs/<job>                              what does not fit the row
inputs/<owner>/<upload>/<day>-<ETag>      the copy of an upload, shared by all jobs that name it on that day: what was
                                          accepted must not change, and the upload's link still takes a PUT
kept/...                                  the same for jobs that wait for long
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from chalicelib.core.ids import is_id
from chalicelib.core.job import Inline, Millis, Payload, Stored
from chalicelib.errors import Contended, FieldError, Invalid
from chalicelib.ports import ObjectStat, Ports

DAY_MS: Millis = 86_400_000
"""A copy is shared for a day, so that it is as good as new for each of its jobs: the bucket removes it by its age."""


@dataclass(frozen=True, slots=True)
class PayloadPlan:
    """Where an input will lie, and what puts it there. Raises Contended where an upload has changed meanwhile."""

    payload: Payload
    fill: Callable[[], object]


class Inputs:
    """The inputs of one request: it looks at an upload once, and copies it once, however many jobs name it."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._seen: dict[str, ObjectStat] = {}
        self._filled: set[str] = set()

    def inline_or_put(self, data: bytes, key: str) -> PayloadPlan:
        if len(data) <= self._ports.settings.inline_limit:
            return PayloadPlan(Inline(data), lambda: None)
        return PayloadPlan(Stored(key, len(data)), partial(self._ports.payloads.put, key, data))

    def copy_of_job(self, kept: Stored, key: str) -> PayloadPlan:
        """The earlier job's own goes when its time has come."""
        return PayloadPlan(Stored(key, kept.size, raw=kept.raw), partial(self._ports.payloads.copy, kept.key, key))

    def copy_of_upload(self, owner: str, upload: str, folder: str, now: Millis) -> PayloadPlan:
        """Raises Invalid where there is no such upload, or one that is too large."""
        source = upload_key(owner, upload)
        stat = self._look(source, upload)
        tag = "".join(letter for letter in stat.etag if letter.isascii() and (letter.isalnum() or letter == "-"))
        target = f"{folder}/{owner}/{upload}/{now // DAY_MS}-{tag}"
        return PayloadPlan(Stored(target, stat.size, raw=True), partial(self._copy_once, source, target, stat.etag))

    def _look(self, source: str, upload: str) -> ObjectStat:
        stat = self._seen.get(source) or (self._ports.payloads.stat(source) if is_id(upload) else None)
        if stat is None:
            raise Invalid(
                FieldError("input.upload", "no such upload: POST /uploads, PUT the data to its href, then submit")
            )
        most = self._ports.settings.upload_limit
        if stat.size > most:
            raise Invalid(FieldError("input.upload", f"an upload holds at most {most:,} bytes"))
        self._seen[source] = stat
        return stat

    def _copy_once(self, source: str, target: str, etag: str) -> None:
        if target in self._filled:
            return
        payloads = self._ports.payloads
        if payloads.stat(target) is None and not payloads.copy(source, target, etag):
            raise Contended("the upload was replaced while its job was accepted: send the request again")
        self._filled.add(target)


def upload_key(owner: str, upload_id: str) -> str:
    return f"uploads/{owner}/{upload_id}"
