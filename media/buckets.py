"""Our two buckets: outputs anybody with the key may read, and what only presigned URLs open."""

import base64
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
import httpcore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from core.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OK, NOT_FOUND = 200, 404
UPLOAD_SECONDS = 900
DOWNLOAD_SECONDS = 3600


class StorageUnavailable(Unavailable):
    """The bucket cannot be reached right now; try again shortly."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """What the bucket says of an object."""

    bytes: int
    sha256: str | None
    media_type: str


def client() -> "S3Client":
    """The bucket as this process reaches it."""
    return _client(settings.S3_ENDPOINT_URL)


def public_url(key: str) -> str:
    """Where a client downloads an output: stable, and readable by anybody who knows it."""
    return f"{settings.CDN_BASE_URL}/{key}"


def presign_put(*, bucket: str, key: str, media_type: str, length: int, sha256: str) -> tuple[str, dict[str, str]]:
    """A URL that takes exactly these bytes under exactly these headers: the bucket refuses any other body."""
    checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
    url = _client(settings.S3_PUBLIC_ENDPOINT_URL).generate_presigned_url(
        "put_object",
        Params={
            "Bucket": bucket,
            "Key": key,
            "ContentType": media_type,
            "ContentLength": length,
            "ChecksumSHA256": checksum,
        },
        ExpiresIn=UPLOAD_SECONDS,
    )
    return url, {"Content-Type": media_type, "x-amz-checksum-sha256": checksum}


def presign_get(*, bucket: str, key: str) -> str:
    """A URL that reads one object for an hour."""
    return _client(settings.S3_PUBLIC_ENDPOINT_URL).generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=DOWNLOAD_SECONDS
    )


def head(*, bucket: str, key: str) -> Head | None:
    """Length, hash and type of an object, or None when there is none.

    Raises:
        StorageUnavailable: the bucket does not answer.
    """
    # Every completion asks this for every output: boto3's own call takes four times the processor time.
    url = client().generate_presigned_url(
        "head_object", Params={"Bucket": bucket, "Key": key, "ChecksumMode": "ENABLED"}, ExpiresIn=60
    )
    try:
        answer = _plain().request(
            "HEAD",
            url,
            headers={"x-amz-checksum-mode": "ENABLED"},
            extensions={"timeout": {"connect": 3.0, "read": 20.0, "write": 20.0, "pool": 20.0}},
        )
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise StorageUnavailable from error
    if answer.status == NOT_FOUND:
        return None
    if answer.status != OK:
        raise StorageUnavailable(f"The bucket answered {answer.status}.")
    headers = {name.lower(): value.decode() for name, value in answer.headers}
    checksum = headers.get(b"x-amz-checksum-sha256")
    return Head(
        bytes=int(headers[b"content-length"]),
        sha256=base64.b64decode(checksum).hex() if checksum else None,
        media_type=headers.get(b"content-type", ""),
    )


def put(*, bucket: str, key: str, body: bytes | BinaryIO, media_type: str, sha256: str) -> None:
    """Store bytes whose hash the bucket verifies.

    Raises:
        StorageUnavailable: the bucket does not answer or refused.
    """
    try:
        client().put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=media_type,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
        )
    except (ClientError, BotoCoreError) as error:
        raise StorageUnavailable from error


def get(*, bucket: str, key: str, max_bytes: int) -> bytes | None:
    """The object's bytes, or None when there is none or it is larger than `max_bytes`.

    Raises:
        StorageUnavailable: the bucket does not answer.
    """
    try:
        answer = client().get_object(Bucket=bucket, Key=key)
        body = answer["Body"].read(max_bytes + 1)
    except ClientError as error:
        if _status(error) == 404:
            return None
        raise StorageUnavailable from error
    except BotoCoreError as error:
        raise StorageUnavailable from error
    return body if len(body) <= max_bytes else None


class ObjectReader:
    """Ranges of one of our own objects, for probing; the same shape as core.http.RangeReader."""

    def __init__(self, *, bucket: str, key: str, size: int) -> None:
        self.size: int | None = size
        self._bucket, self._key = bucket, key

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end.

        Raises:
            StorageUnavailable: the bucket does not answer.
        """
        size = self.size or 0
        if offset >= size or length <= 0:
            return b""
        last = min(offset + length, size) - 1
        try:
            answer = client().get_object(Bucket=self._bucket, Key=self._key, Range=f"bytes={offset}-{last}")
            return answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailable from error


def delete_prefix(*, bucket: str, prefix: str) -> int:
    """Delete every object under `prefix`; how many.

    Raises:
        StorageUnavailable: the bucket does not answer.
    """
    deleted = 0
    try:
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            keys: list[Any] = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                answer = client().delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                if answer.get("Errors"):
                    raise StorageUnavailable("The bucket did not delete everything.")
                deleted += len(keys)
    except (ClientError, BotoCoreError) as error:
        raise StorageUnavailable from error
    return deleted


@cache
def _plain() -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(max_connections=64, max_keepalive_connections=64, retries=1)


@cache
def _client(endpoint: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.S3_REGION,
        aws_access_key_id=settings.S3_ACCESS_KEY,
        aws_secret_access_key=settings.S3_SECRET_KEY,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=3,
            read_timeout=20,
            retries={"max_attempts": 2, "mode": "standard"},
            max_pool_connections=64,
            # Else boto3 adds checksums of its own to presigned PUTs, which then match no declared header.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
