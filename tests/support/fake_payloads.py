"""Objects in memory: ports.Payloads, and a record of what was copied."""

from hashlib import sha256

from chalicelib.core.job import Millis
from chalicelib.errors import PayloadMissing, TooLarge
from chalicelib.ports import ObjectStat, UploadLink


class MemoryPayloads:
    """ports.Payloads"""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.copies: list[str] = []

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, key: str, most: int) -> bytes:
        if key not in self.objects:
            raise PayloadMissing(key)
        if len(self.objects[key]) > most:
            raise TooLarge(f"{len(self.objects[key]):,} bytes")
        return self.objects[key]

    def copy(self, source: str, target: str, etag: str | None = None) -> bool:
        stat = self.stat(source)
        if etag is not None and (stat is None or stat.etag != etag):
            return False
        self.copies.append(target)
        self.objects[target] = self.objects[source]
        return True

    def stat(self, key: str) -> ObjectStat | None:
        if key not in self.objects:
            return None
        return ObjectStat(len(self.objects[key]), f'"{sha256(self.objects[key]).hexdigest()}"')

    def link(self, key: str) -> str:
        return f"memory:///{key}"

    def upload_link(self, key: str, now: Millis, size: int) -> UploadLink:
        return UploadLink(f"memory:///{key}", {"Content-Type": "application/json"}, now + 900_000)

    def check(self) -> None:
        return None
