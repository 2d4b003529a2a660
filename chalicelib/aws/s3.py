"""Payloads in S3. The bucket's life cycle removes them by prefix: uploads/, inputs/, outputs/, and kept/ much later."""

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.calls import Client, code_of, translated
from chalicelib.core.job import Millis
from chalicelib.errors import PayloadMissing, TooLarge
from chalicelib.ports import ObjectStat, UploadLink

MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
CHANGED = MISSING | {"PreconditionFailed", "412"}
JSON = "application/json"


class S3Payloads:
    """ports.Payloads on one bucket."""

    def __init__(self, client: Client, bucket: str, link_seconds: int) -> None:
        self._client = client
        self._bucket = bucket
        self._link_seconds = link_seconds

    def put(self, key: str, data: bytes) -> None:
        with translated("store the payload"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=JSON)

    def get(self, key: str, most: int) -> bytes:
        with translated("fetch the payload"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) in MISSING:
                    raise PayloadMissing(key) from error
                raise
            if answer["ContentLength"] > most:
                answer["Body"].close()
                raise TooLarge(f"{answer['ContentLength']:,} bytes, and at most {most:,} are read")
            return bytes(answer["Body"].read())

    def copy(self, source: str, target: str, etag: str | None = None) -> bool:
        origin = {"Bucket": self._bucket, "Key": source}
        unchanged = {} if etag is None else {"CopySourceIfMatch": etag}
        with translated("keep the payload"):
            try:
                self._client.copy_object(Bucket=self._bucket, Key=target, CopySource=origin, **unchanged)
            except ClientError as error:
                if etag is None or code_of(error) not in CHANGED:
                    raise
                return False
        return True

    def stat(self, key: str) -> ObjectStat | None:
        with translated("look at the payload"):
            try:
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
                return ObjectStat(int(answer["ContentLength"]), str(answer["ETag"]))
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                raise

    def link(self, key: str) -> str:
        params = {"Bucket": self._bucket, "Key": key, "ResponseContentType": JSON}
        with translated("sign a link"):
            href = self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=self._link_seconds)
        return str(href)

    def upload_link(self, key: str, now: Millis, size: int) -> UploadLink:
        """What is signed as a header has to be sent with the PUT: `headers` says which. (A browser sets the length
        by itself.)"""
        params: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "ContentType": JSON, "ContentLength": size}
        headers = {"Content-Type": JSON}
        with translated("sign a link"):
            href = self._client.generate_presigned_url("put_object", Params=params, ExpiresIn=self._link_seconds)
        return UploadLink(str(href), headers, now + self._link_seconds * 1000)

    def check(self) -> None:
        with translated("look at the bucket"):
            self._client.head_bucket(Bucket=self._bucket)
