"""What the bucket refuses: the platform's upload grants rely on each of these."""

import base64
import hashlib
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from deploy.embedded import EmbeddedServers

BODY = b"the true bytes of an output"
OTHER = b"THE TRUE BYTES OF AN OUTPUT"


@pytest.fixture(scope="module")
def addresses(embedded_servers: EmbeddedServers) -> dict[str, str]:
    return embedded_servers.environment()


@pytest.fixture(scope="module")
def bucket(addresses: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=addresses["S3_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=addresses["S3_ACCESS_KEY"],
        aws_secret_access_key=addresses["S3_SECRET_KEY"],
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def grant(bucket: Any, addresses: dict[str, str], key: str) -> tuple[str, dict[str, str]]:
    """A PUT URL bound to BODY's length, hash and type, and the headers that go with it."""
    parameters = {
        "Bucket": addresses["S3_PUBLIC_BUCKET"],
        "Key": key,
        "ContentType": "image/webp",
        "ContentLength": len(BODY),
        "ChecksumSHA256": checksum(BODY),
    }
    headers = {"Content-Type": "image/webp", "x-amz-checksum-sha256": checksum(BODY)}
    return bucket.generate_presigned_url("put_object", Params=parameters, ExpiresIn=60), headers


def stored(bucket: Any, addresses: dict[str, str], key: str) -> bool:
    found = bucket.list_objects_v2(Bucket=addresses["S3_PUBLIC_BUCKET"], Prefix=key)
    return bool(found["KeyCount"])


def test_a_bound_upload_is_stored_with_its_hash(bucket: Any, addresses: dict[str, str]) -> None:
    url, headers = grant(bucket, addresses, "users/a/right")
    assert httpx.put(url, content=BODY, headers=headers).status_code == 200
    head = bucket.head_object(Bucket=addresses["S3_PUBLIC_BUCKET"], Key="users/a/right", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ContentType"]) == (len(BODY), "image/webp")
    assert head["ChecksumSHA256"] == checksum(BODY)


@pytest.mark.parametrize(
    ("body", "changed", "status"),
    [
        (OTHER, {}, 400),
        (BODY + b"x", {}, 403),
        (BODY[:-1], {}, 403),
        (OTHER, {"x-amz-checksum-sha256": checksum(OTHER)}, 403),
        (BODY, {"x-amz-checksum-sha256": None}, 403),
        (BODY, {"Content-Type": "text/html"}, 403),
        (BODY, {"x-amz-meta-extra": "1"}, 403),
    ],
    ids=["other bytes", "longer", "shorter", "other hash", "no hash", "other type", "extra header"],
)
def test_anything_else_than_what_was_granted_is_refused(
    bucket: Any, addresses: dict[str, str], body: bytes, changed: dict[str, str | None], status: int
) -> None:
    url, headers = grant(bucket, addresses, "users/a/wrong")
    sent = {name: value for name, value in {**headers, **changed}.items() if value is not None}
    assert httpx.put(url, content=body, headers=sent).status_code == status
    assert not stored(bucket, addresses, "users/a/wrong")


def test_strangers_may_read_a_known_public_object_and_nothing_else(bucket: Any, addresses: dict[str, str]) -> None:
    public, private = addresses["S3_PUBLIC_BUCKET"], addresses["S3_PRIVATE_BUCKET"]
    bucket.put_object(Bucket=public, Key="users/b/known", Body=BODY)
    bucket.put_object(Bucket=private, Key="staging/secret", Body=BODY)
    with httpx.Client(base_url=addresses["S3_ENDPOINT_URL"]) as stranger:
        assert stranger.get(f"/{public}/users/b/known").content == BODY
        for path in (f"/{public}", f"/{public}?list-type=2", f"/{public}?versions", "/", f"/{private}/staging/secret"):
            assert stranger.get(path).status_code == 403, path
        assert stranger.put(f"/{public}/users/b/known", content=OTHER).status_code == 403
        assert stranger.delete(f"/{public}/users/b/known").status_code == 403
        copy = {"x-amz-copy-source": f"/{private}/staging/secret"}
        assert stranger.put(f"/{public}/users/b/copy", headers=copy).status_code == 403
        assert stranger.get(f"/{public}/users/b/known").content == BODY


def test_a_presigned_read_serves_ranges_and_nothing_else(bucket: Any, addresses: dict[str, str]) -> None:
    place = {"Bucket": addresses["S3_PRIVATE_BUCKET"], "Key": "staging/ranged"}
    bucket.put_object(**place, Body=BODY)
    url = bucket.generate_presigned_url("get_object", Params=place, ExpiresIn=60)
    part = httpx.get(url, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, BODY[4:8])
    assert httpx.delete(url).status_code == 403
    assert httpx.get(url.replace("ranged", "secret")).status_code == 403


def test_pages_of_other_origins_may_read_public_objects(bucket: Any, addresses: dict[str, str]) -> None:
    public = addresses["S3_PUBLIC_BUCKET"]
    bucket.put_object(Bucket=public, Key="users/c/cors", Body=BODY)
    answer = httpx.get(f"{addresses['S3_ENDPOINT_URL']}/{public}/users/c/cors", headers={"Origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] in {"*", "https://a.example"}


def test_the_lifecycle_net_is_in_place(bucket: Any, addresses: dict[str, str]) -> None:
    def net(bucket_name: str) -> list[tuple[str, int]]:
        rules = bucket.get_bucket_lifecycle_configuration(Bucket=bucket_name)["Rules"]
        return [(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules]

    assert net(addresses["S3_PUBLIC_BUCKET"]) == [("users/", 4)]
    assert net(addresses["S3_PRIVATE_BUCKET"]) == [("", 4)]
