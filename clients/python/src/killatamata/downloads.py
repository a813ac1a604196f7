"""A job's files, whole or not at all."""

from __future__ import annotations

import re
import secrets
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from killatamata.errors import DownloadFailed
from killatamata.models import Job, Output
from killatamata.transport import Retry, Transport

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def download(transport: Transport, job: Job, to: Path, *, into_folder: bool) -> list[Path]:
    """Write the job's files to `to`; where they now are.

    In a folder they are named after the job. Several files of one job are numbered from 1 before their suffix. A path
    without a suffix gets the file's own. What was there is replaced, at the moment the new file is whole.
    When one fails, those before it stay, and none after it is fetched.

    Raises:
        DownloadFailed: the job has no files to give, or one did not arrive whole.
        ApiError, TransportError: the files could not be fetched.
    """
    urls = _urls(job)
    outputs: list[Output | None] = list(job.output_files or [])
    outputs += [None] * (len(urls) - len(outputs))
    saved = []
    for number, (url, output) in enumerate(zip(urls, outputs, strict=False), start=1):
        target = _target(job, to, into_folder=into_folder, url=url, number=number if len(urls) > 1 else None)
        length = output.bytes if output else None
        transport.repeat(lambda: _fetch(transport, url, target, length), retry=Retry.REPEATABLE)  # noqa: B023
        saved.append(target)
    return saved


def _urls(job: Job) -> list[str]:
    if not job.completed:
        raise DownloadFailed(f"{job.id} is {job.status}; only a completed job has files.")
    if job.outputs_expired or not job.downloadable_output_urls:
        raise DownloadFailed(f"The files of {job.id} are no longer kept.")
    for url in job.downloadable_output_urls:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise DownloadFailed(f"{job.id} names a file at an address that is not http(s).")
    return job.downloadable_output_urls


def _target(job: Job, to: Path, *, into_folder: bool, url: str, number: int | None) -> Path:
    # Of what the server says only a plain suffix may shape a path on this machine.
    found = PurePosixPath(urlsplit(url).path).suffix
    suffix = found if _SUFFIX.fullmatch(found) else ""
    named = re.sub(r"[^A-Za-z0-9_-]", "_", job.id)
    target = to / f"{named}{suffix}" if into_folder else to if to.suffix else to.with_name(to.name + suffix)
    return target if number is None else target.with_name(f"{target.stem}_{number}{target.suffix}")


def _fetch(transport: Transport, url: str, target: Path, length: int | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file, transport.stream(url) as answer:
            for block in answer.iter_bytes():
                file.write(block)
            received = file.tell()
        if length is not None and received != length:
            raise DownloadFailed(f"{target.name}: {received} bytes came where {length} were announced.")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
