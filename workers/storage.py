"""Inputs from the bucket, outputs into it: presigned URLs only, hashes checked both ways."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workers.http import OK, Http, NoAnswer
from workers.protocol.claim import StagedFile
from workers.protocol.result import Upload

_CHUNK = 1 << 20
_TRIES = 5
_http = Http(read_seconds=60.0)


class StorageFailed(Exception):
    """The bucket did not answer, or not with the right bytes, after several tries."""


def download(file: StagedFile, path: Path) -> None:
    """Fetch a staged input to `path` and check its length and hash when they were told.

    Raises:
        StorageFailed: after several tries.
    """
    _retry(lambda: _download_once(file, path), f"download of {file.field}[{file.index}]")


def upload(path: Path, grant: Upload) -> None:
    """Put a file where its grant says. Putting it again is harmless: the grant takes only these bytes.

    Raises:
        StorageFailed: after several tries.
    """
    _retry(lambda: _put(grant, _chunks(path), path.stat().st_size), f"upload of {grant.name}")


def upload_bytes(body: bytes, grant: Upload) -> None:
    """`upload` for bytes in memory."""
    _retry(lambda: _put(grant, body, len(body)), f"upload of {grant.name}")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download_once(file: StagedFile, path: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with _http.stream(file.url) as (status, chunks), path.open("wb") as out:
        if status != OK:
            raise StorageFailed(f"the bucket answered {status}")
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
    if file.bytes is not None and size != file.bytes:
        raise StorageFailed(f"{size} bytes came instead of {file.bytes}")
    if file.sha256 is not None and digest.hexdigest() != file.sha256:
        raise StorageFailed("the bytes do not have the announced hash")


def _put(grant: Upload, content: bytes | Iterator[bytes], length: int) -> None:
    headers = grant.headers if isinstance(content, bytes) else {**grant.headers, "Content-Length": str(length)}
    answer = _http.request("PUT", grant.url, headers=headers, content=content)
    if not answer.is_success:
        raise StorageFailed(f"the bucket answered {answer.status}")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _retry(action: Callable[[], None], what: str) -> None:
    for number in range(_TRIES):
        try:
            return action()
        except (NoAnswer, StorageFailed) as error:
            if number == _TRIES - 1:
                raise StorageFailed(f"{what}: {error or type(error).__name__}") from error
            time.sleep(0.3 * 2**number)
    return None
