"""From a request to an order: validated, its media resolved and probed, normalised and priced. Nothing is written."""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.conf import settings
from pydantic import ValidationError

from billing.price_versions import PriceVersion, current_price_version
from core import http, ids
from core.errors import ApiError, InvalidRequest
from media import buckets, gemini, keys
from media.catalog.task import Facts, Normalised, Source, Task
from media.probing import ByteSource, BytesSource, NotMedia, ProbeIncomplete, probe_image, probe_video
from media.run_times import Estimate, estimate
from workers.protocol.inputs.base import FIELDS_TOGETHER

MAX_INLINE_BYTES = 25_000_000
MAX_INLINE_BYTES_TOGETHER = 60_000_000
PROBE_SECONDS = 12
PROBE_BYTES = 16_000_000
_IMAGE_TYPES = {"webp": "image/webp", "png": "image/png", "jpeg": "image/jpeg"}


class PayloadTooLarge(ApiError):
    """The request body is too large."""

    code = "payload_too_large"
    http_status = 413


@dataclass(frozen=True, kw_only=True)
class Inline:
    """Bytes that came in the request, decoded and sniffed."""

    body: bytes = field(repr=False)
    sha256: str
    media_type: str


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
class Order:
    """Everything a job is made of, before any money or row."""

    account_id: UUID
    task: Task
    canonical_input: Any
    """The input exactly as the client sent it, for fingerprints."""
    sources: list[ResolvedSource]
    facts: Mapping[str, Facts]
    normalised: Normalised
    pool: str
    """Which pool will run it."""
    price_version: PriceVersion
    price_micros: int
    estimate: Estimate

    @property
    def staged_input_count(self) -> int:
        """How many inline inputs we store for the client."""
        return sum(1 for resolved in self.sources if resolved.inline is not None)

    @property
    def fetches_inputs(self) -> bool:
        """Whether something must be fetched before it can run."""
        return any(resolved.url is not None for resolved in self.sources)

    @property
    def pricing_meta(self) -> dict[str, Any]:
        """How the price came about, for the client."""
        return {
            "formula": self.price_version.formula,
            "priceVersion": str(self.price_version.id),
            "coefficients": dict(self.price_version.coefficients),
            "units": dict(self.normalised.units),
        }


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a quote fixed: facts and price version are taken from it instead of being looked up again."""

    facts: Mapping[str, Facts]
    price_version: PriceVersion
    effective_hash: str


def prepare_order(
    *, account_id: UUID, task: Task, raw_input: Any, now: datetime, binding: Binding | None = None
) -> Order:
    """Turn a raw input into an order, reading at most the heads of its media.

    Raises:
        InvalidRequest: with the path of each wrong field.
        PayloadTooLarge: inline media pass their limits.
        Unavailable: our own bucket, or a service that the price needs, does not answer.
    """
    validated = _validate(task, raw_input)
    sources = _resolve(account_id, task.sources(validated))
    facts = dict(binding.facts) if binding is not None else {**_counted(task, validated), **_probe(sources)}
    normalised = task.normalise(validated, facts)
    pool = task.pool_of(normalised.params)
    version = binding.price_version if binding is not None else current_price_version(task=task.name, now=now)
    return Order(
        account_id=account_id,
        task=task,
        canonical_input=raw_input,
        sources=sources,
        facts=facts,
        normalised=normalised,
        pool=pool,
        price_version=version,
        price_micros=task.prices[version.formula](normalised.units, version.coefficients),
        estimate=estimate(task=task.name, pool=pool, formula_seconds=task.estimate_seconds(normalised.units)),
    )


def _counted(task: Task, validated: Any) -> dict[str, Facts]:
    counted = task.counted_text(validated) if task.counted_text is not None else None
    return {counted.path: Facts(tokens=gemini.count_tokens(counted))} if counted is not None else {}


def _validate(task: Task, raw_input: Any) -> Any:
    if not isinstance(raw_input, dict):
        raise InvalidRequest({"input": "must be an object"})
    unstorable = dict(_unstorable(raw_input, "input"))
    if unstorable:
        raise InvalidRequest(unstorable)
    try:
        return task.input_model.model_validate(raw_input, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidRequest(_fields(error)) from None


def _unstorable(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts that JSON may carry and PostgreSQL cannot keep."""
    match value:
        case str():
            if "\0" in value:
                yield path, "must not contain the character U+0000"
            elif not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
                yield path, "must not contain half of a surrogate pair"
        case dict():
            for name, member in value.items():
                yield from _unstorable(name, path)
                yield from _unstorable(member, f"{path}.{name}")
        case list():
            for index, member in enumerate(value):
                yield from _unstorable(member, f"{path}.{index}")


def _fields(error: ValidationError) -> dict[str, str]:
    fields: dict[str, str] = {}
    for entry in error.errors(include_url=False, include_input=False):
        path = ".".join(["input", *(str(step) for step in entry["loc"] if not str(step).startswith("<"))])
        reason = entry["msg"].removeprefix("Value error, ")
        if entry["type"] == "extra_forbidden":
            reason = "is not a field of this task"
        together = entry["ctx"]["fields"] if entry["type"] == FIELDS_TOGETHER else ()
        for named in [f"{path}.{name}" for name in together] or [path]:
            fields.setdefault(named, reason)
    return fields


def _resolve(account_id: UUID, sources: list[Source]) -> list[ResolvedSource]:
    resolved: list[ResolvedSource] = []
    wrong: dict[str, str] = {}
    inline_bytes = 0
    for source in sources:
        try:
            if source.data_base64 is not None:
                inline = _decode(source)
                inline_bytes += len(inline.body)
                if inline_bytes > MAX_INLINE_BYTES_TOGETHER:
                    raise PayloadTooLarge(f"Inline media pass {MAX_INLINE_BYTES_TOGETHER // 1_000_000} MB together.")
                resolved.append(ResolvedSource(source=source, inline=inline))
            else:
                resolved.append(_resolve_url(account_id, source))
        except InvalidRequest as error:
            wrong.update(error.fields)
    if wrong:
        raise InvalidRequest(wrong)
    return resolved


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
    text = source.data_base64 or ""
    declared = source.mime_type
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise InvalidRequest({source.path: "the data URI must carry base64"})
        declared = declared or head.removeprefix("data:").removesuffix(";base64").partition(";")[0] or None
    if len(text) > MAX_INLINE_BYTES * 4 // 3 + 8:  # before anything is decoded
        raise PayloadTooLarge(f"{source.path} passes {MAX_INLINE_BYTES // 1_000_000} MB.")
    try:
        body = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest({source.path: "dataBase64 is not base64"}) from None
    if len(body) > MAX_INLINE_BYTES:
        raise PayloadTooLarge(f"{source.path} passes {MAX_INLINE_BYTES // 1_000_000} MB.")
    try:
        found = image_media_type(BytesSource(body))
    except NotMedia as error:
        raise InvalidRequest({source.path: str(error)}) from None
    if declared is not None and declared.replace("image/jpg", "image/jpeg") != found:
        raise InvalidRequest({source.path: f"mimeType says {declared}, the bytes are {found}"})
    return Inline(body=body, sha256=hashlib.sha256(body).hexdigest(), media_type=found)


def _probe(sources: list[ResolvedSource]) -> dict[str, Facts]:
    wanted = [resolved for resolved in sources if resolved.source.probe]
    if not wanted:
        return {}
    with ThreadPoolExecutor(max_workers=min(4, len(wanted))) as threads:
        outcomes = list(threads.map(_probe_one, wanted))
    wrong = {r.source.path: outcome for r, outcome in zip(wanted, outcomes, strict=True) if isinstance(outcome, str)}
    if wrong:
        raise InvalidRequest(wrong)
    return {r.source.path: outcome for r, outcome in zip(wanted, outcomes, strict=True) if isinstance(outcome, Facts)}


def _probe_one(resolved: ResolvedSource) -> Facts | str:
    try:
        if resolved.own_key is not None:
            size = resolved.own_bytes or 0
            return video_facts(buckets.ObjectReader(bucket=settings.S3_PUBLIC_BUCKET, key=resolved.own_key, size=size))
        with http.RangeReader(resolved.url or "", max_bytes=PROBE_BYTES, timeout_seconds=PROBE_SECONDS) as reader:
            return video_facts(reader)
    except http.TooLarge:
        return Facts()  # they lie beyond the bytes a probe may fetch; the clip may still be good
    except (http.HttpError, NotMedia) as error:
        return str(error)


def image_media_type(source: ByteSource) -> str:
    """The media type of an image we take, told by its bytes.

    Raises:
        NotMedia: it is not a decodable WebP, PNG or JPEG.
    """
    try:
        image = probe_image(source, timeout=PROBE_SECONDS)
    except ProbeIncomplete as error:
        raise NotMedia(str(error)) from error
    media_type = _IMAGE_TYPES.get(image.format.lower())
    if media_type is None:
        raise NotMedia(f"it is {image.format}; WebP, PNG and JPEG are taken")
    return media_type


def video_facts(source: ByteSource) -> Facts:
    """What a clip's head tells; an empty Facts when the head does not tell.

    Raises:
        NotMedia: the bytes are not a video we take.
    """
    try:
        video = probe_video(source, timeout=PROBE_SECONDS)
    except ProbeIncomplete:
        return Facts()
    return Facts(duration=video.duration_seconds, frame_rate=video.frame_rate, width=video.width, height=video.height)


def pack_facts(facts: Mapping[str, Facts]) -> dict[str, list[str | int | None]]:
    """Facts as JSON, exactly."""
    return {
        path: [
            str(fact.duration) if fact.duration is not None else None,
            str(fact.frame_rate) if fact.frame_rate is not None else None,
            fact.width,
            fact.height,
            fact.tokens,
        ]
        for path, fact in facts.items()
    }


def unpack_facts(packed: Mapping[str, list[Any]]) -> dict[str, Facts]:
    """The inverse of `pack_facts`."""
    return {
        path: Facts(
            duration=Fraction(entry[0]) if entry[0] is not None else None,
            frame_rate=Fraction(entry[1]) if entry[1] is not None else None,
            width=entry[2],
            height=entry[3],
            tokens=entry[4],
        )
        for path, entry in packed.items()
    }
