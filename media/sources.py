"""A request's media: where the bytes of each are to come from, and what they are. Nothing is written."""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from core import http, ids
from core.errors import ApiError, InvalidRequest
from media import buckets, keys
from media.catalog.task import Facts, MediaKind, Source
from media.media_types import contradicts
from media.probing import (
    DECODED_SECONDS,
    ByteSource,
    BytesSource,
    NotMedia,
    ProbeIncomplete,
    probe_audio,
    probe_image,
    probe_video,
)
from workers.protocol import containers

MAX_INLINE_BYTES = 25_000_000
MAX_INLINE_BYTES_TOGETHER = 60_000_000
PROBE_SECONDS = 12
PROBE_BYTES = 16_000_000
EXAMINE_SECONDS = 20
AT_ONCE = 4
_T = TypeVar("_T")
_R = TypeVar("_R")


class PayloadTooLarge(ApiError):
    """The request body is too large."""

    code = "payload_too_large"
    http_status = 413


@dataclass(frozen=True, kw_only=True)
class Inline:
    """Bytes that came in the request, decoded, sniffed and looked at."""

    body: bytes = field(repr=False)
    """As they are stored: a PNG as WebP where that is smaller and loses nothing, else as they came."""
    sha256: str
    media_type: str
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class ResolvedSource:
    """One media input and where its bytes are to come from: exactly one of inline, own_key and url."""

    source: Source
    inline: Inline | None = None
    own_key: str | None = None
    own_bytes: int | None = None
    own_media_type: str = ""
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What the whole of a file shows."""

    media_type: str
    facts: Facts
    webp: bytes | None = field(default=None, repr=False)
    """An image repacked, where that was asked for and is worth it."""


def resolve(account_id: UUID, sources: Sequence[Source]) -> list[ResolvedSource]:
    """Say where each medium's bytes are to come from: inline ones decoded and examined, our own files found.

    Raises:
        InvalidRequest: with the path of each that will not do.
        PayloadTooLarge: inline media pass their limits; none has been decoded.
        Unavailable: our own bucket does not answer.
    """
    _check_sizes(sources)
    outcomes = _at_once(partial(_resolve_one, account_id), sources)
    wrong = {path: reason for outcome in outcomes if isinstance(outcome, dict) for path, reason in outcome.items()}
    if wrong:
        raise InvalidRequest(wrong)
    return [outcome for outcome in outcomes if isinstance(outcome, ResolvedSource)]


def probe(sources: Sequence[ResolvedSource]) -> dict[str, Facts]:
    """The facts of those that ask for them, by their paths; of a URL no more than the head is read.

    Raises:
        InvalidRequest: with the path of each that will not do.
        Unavailable: our own bucket does not answer.
    """
    wanted = [resolved for resolved in sources if resolved.source.probe]
    outcomes = dict(zip([r.source.path for r in wanted], _at_once(_probe_one, wanted), strict=True))
    wrong = {path: outcome for path, outcome in outcomes.items() if isinstance(outcome, str)}
    if wrong:
        raise InvalidRequest(wrong)
    return {path: outcome for path, outcome in outcomes.items() if isinstance(outcome, Facts)}


def examine(source: ByteSource, kind: MediaKind, *, seconds: float, repack: bool = False) -> Examined:
    """Look at the whole of a file at hand: an image and a sound must decode, of a clip the headers are read.

    Raises:
        NotMedia: it is none of `kind` that we take; a sound also when it is silent.
    """
    if kind == "video":
        return Examined(media_type=_clip_type(source), facts=_video_facts(source, seconds=seconds))
    try:
        if kind == "audio":
            sound = probe_audio(source, timeout=seconds, decode_seconds=DECODED_SECONDS)
            return Examined(media_type=sound.media_type, facts=Facts(duration=sound.duration_seconds))
        image = probe_image(source, timeout=seconds, decode=True, repack=repack)
    except ProbeIncomplete as error:
        raise NotMedia(str(error)) from error
    return Examined(media_type=image.media_type, facts=Facts(width=image.width, height=image.height), webp=image.webp)


def _check_sizes(sources: Sequence[Source]) -> None:
    together = 0
    for source in sources:
        if source.data_base64 is None:
            continue
        text = source.data_base64
        start = text.find(",") + 1 if text.startswith("data:") else 0
        size = (len(text) - start) * 3 // 4 - text[-2:].count("=")
        if size > MAX_INLINE_BYTES:
            raise PayloadTooLarge(f"{source.path} passes {MAX_INLINE_BYTES // 1_000_000} MB.")
        together += size
    if together > MAX_INLINE_BYTES_TOGETHER:
        raise PayloadTooLarge(f"Inline media pass {MAX_INLINE_BYTES_TOGETHER // 1_000_000} MB together.")


def _at_once(act: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    if len(items) < 2:
        return [act(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(items))) as threads:
        return list(threads.map(act, items))


def _resolve_one(account_id: UUID, source: Source) -> ResolvedSource | dict[str, str]:
    try:
        if source.data_base64 is not None:
            return ResolvedSource(source=source, inline=_decode(source))
        return _resolve_url(account_id, source)
    except InvalidRequest as error:
        return error.fields


def _resolve_url(account_id: UUID, source: Source) -> ResolvedSource:
    url = source.url or ""
    if keys.is_own(url):
        own = keys.own_output(url)
        head = None
        if own is not None and own[0] == ids.encode(ids.ACCOUNT, account_id):
            head = buckets.head(bucket=settings.S3_PUBLIC_BUCKET, key=own[1])
        if own is None or head is None:
            raise InvalidRequest({source.path: "there is no such file, or it belongs to another account"})
        if not head.media_type.startswith(f"{source.kind}/"):
            raise InvalidRequest({source.path: f"the file is {head.media_type}, not {source.kind}"})
        return ResolvedSource(source=source, own_key=own[1], own_bytes=head.bytes, own_media_type=head.media_type)
    try:
        http.check_url(url)
    except http.HttpError as error:
        raise InvalidRequest({source.path: str(error)}) from None
    return ResolvedSource(source=source, url=url)


def _decode(source: Source) -> Inline:
    text, claims = source.data_base64 or "", [source.mime_type]
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise InvalidRequest({source.path: "the data URI must carry base64"})
        claims.append(head.removeprefix("data:").removesuffix(";base64"))
    try:
        body = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest({source.path: "dataBase64 is not base64"}) from None
    try:
        found = examine(BytesSource(body), source.kind, seconds=EXAMINE_SECONDS, repack=True)
    except NotMedia as error:
        raise InvalidRequest({source.path: str(error)}) from None
    for claim in claims:
        if claim is not None and contradicts(claim, found.media_type, kind=source.kind):
            raise InvalidRequest({source.path: f"mimeType says {claim[:80]}, the bytes are {found.media_type}"})
    return Inline(
        body=found.webp or body,
        sha256=hashlib.sha256(found.webp or body).hexdigest(),
        media_type="image/webp" if found.webp else found.media_type,
        facts=found.facts,
    )


def _probe_one(resolved: ResolvedSource) -> Facts | str:
    kind = resolved.source.kind
    if resolved.inline is not None:
        return resolved.inline.facts
    try:
        if resolved.own_key is not None:
            own = buckets.ObjectReader(
                bucket=settings.S3_PUBLIC_BUCKET, key=resolved.own_key, size=resolved.own_bytes or 0
            )
            return examine(own, kind, seconds=EXAMINE_SECONDS).facts
        with http.RangeReader(resolved.url or "", max_bytes=PROBE_BYTES, timeout_seconds=PROBE_SECONDS) as reader:
            return _head_facts(reader, kind)
    except http.TooLarge:
        return Facts()  # they lie beyond the bytes a probe may fetch; the media may still be good
    except http.ForbiddenUrl as error:
        return str(error)
    except http.HttpError as error:
        # An image that cannot be had now gets a default size, as product.md says; staging fetches it again.
        return Facts() if kind == "image" else str(error)
    except NotMedia as error:
        return str(error)


def _head_facts(source: ByteSource, kind: MediaKind) -> Facts:
    """What the first bytes tell; an empty Facts when they do not tell.

    Raises:
        NotMedia: the bytes are certainly none of `kind` that we take.
    """
    if kind == "video":
        return _video_facts(source, seconds=PROBE_SECONDS)
    try:
        if kind == "audio":
            return Facts(duration=probe_audio(source, timeout=PROBE_SECONDS).duration_seconds)
        image = probe_image(source, timeout=PROBE_SECONDS)
    except ProbeIncomplete:
        return Facts()
    return Facts(width=image.width, height=image.height)


def _video_facts(source: ByteSource, *, seconds: float) -> Facts:
    try:
        video = probe_video(source, timeout=seconds)
    except ProbeIncomplete:
        return Facts()
    return Facts(duration=video.duration_seconds, frame_rate=video.frame_rate, width=video.width, height=video.height)


def _clip_type(source: ByteSource) -> str:
    container = containers.sniff(source.read(0, containers.HEAD_BYTES))
    if container is None:
        raise NotMedia("This is not a video file we support.")
    return container.media_type
