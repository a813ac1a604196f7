"""Media given as a URL or inline, and the fields that several tasks spell the same way."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, fault_of

AspectRatio = Literal["1:1", "16:9", "9:16", "9:7", "7:9"]
ImageFormat = Literal["webp", "png", "jpg"]
OpusQuality = Literal["96k", "128k", "192k"]
English = Annotated[Literal["en"], WithJsonSchema({"type": "string", "enum": ["en"]})]
"""A list of one language, published as a list."""

MAX_PIXELS = 4_194_304
"""4 MP, counted before upscale."""


def _without_dot(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and value in {".webp", ".png", ".jpg"} else value


OutputFormat = Annotated[ImageFormat, BeforeValidator(_without_dot)]
Side = Annotated[int, Field(ge=32, multiple_of=32)]
Prompt = Annotated[str, Field(min_length=1, max_length=4000)]
Seed = Annotated[int, Field(ge=1, le=2_147_483_647)]

ImageMimeType = Literal["image/webp", "image/png", "image/jpeg", "image/jpg"]
AudioMimeType = Literal[
    "audio/ogg",
    "audio/opus",
    "audio/wav",
    "audio/x-wav",
    "audio/wave",
    "audio/mpeg",
    "audio/mp3",
    "audio/flac",
    "audio/x-flac",
    "audio/aac",
    "audio/mp4",
    "audio/webm",
]
Base64Text = Annotated[str, StringConstraints(min_length=1)]

EITHER_SOURCE = {"oneOf": [{"required": ["url"]}, {"required": ["dataBase64"]}]}
"""Beside an inline medium's properties, as the contract has it."""


class InlineMedia(Wire):
    """Exactly one of `url` and `dataBase64` (raw base64 or a data URI)."""

    url: Omissible[UrlText] = None
    """Where it is."""
    data_base64: Omissible[Base64Text] = None
    """Its bytes in base64, or a data URI; 25 MB at most."""

    @model_validator(mode="after")
    def _one_source(self) -> "InlineMedia":
        if (self.url is None) == (self.data_base64 is None):
            raise ValueError("give exactly one of url and dataBase64")
        return self


class InlineImage(InlineMedia, json_schema_extra=EITHER_SOURCE):
    """An image."""

    mime_type: Omissible[ImageMimeType] = None
    """What the bytes are; told by the bytes where it is left out."""


class InlineAudio(InlineMedia, json_schema_extra=EITHER_SOURCE):
    """A sound."""

    mime_type: Omissible[AudioMimeType] = None
    """What the bytes are; told by the bytes where it is left out."""


class InlineAudioOfAnyType(InlineMedia):
    """A sound whose media type may be any text, as audio.speak's may."""

    mime_type: Omissible[str] = None
    """What the bytes are, in any words; told by the bytes where it is left out."""


def _form(value: Any) -> str:
    return "<url>" if isinstance(value, str) else "<object>"


ImageInput = Annotated[Annotated[UrlText, Tag("<url>")] | Annotated[InlineImage, Tag("<object>")], Discriminator(_form)]
"""A URL text or an inline object; the tags in angle brackets never reach an error's path."""
AudioInput = Annotated[Annotated[UrlText, Tag("<url>")] | Annotated[InlineAudio, Tag("<object>")], Discriminator(_form)]
"""A URL text or an inline object."""
AudioInputOfAnyType = Annotated[
    Annotated[UrlText, Tag("<url>")] | Annotated[InlineAudioOfAnyType, Tag("<object>")], Discriminator(_form)
]
"""A URL text or an inline object with a free media type."""

AnyMedia = str | InlineImage | InlineAudio | InlineAudioOfAnyType


@dataclass(frozen=True, kw_only=True)
class Given:
    """One medium and the field it was given in, by its name on the wire."""

    field: str
    media: AnyMedia


def one_of(**fields: AnyMedia | None) -> Given | None:
    """The medium that several fields of one meaning give, by wire name; the first given one names it.

    Raises:
        PydanticCustomError: two of them give different media.
    """
    given = [Given(field=name, media=media) for name, media in fields.items() if media is not None]
    if len({_identity(one.media) for one in given}) > 1:
        names = [one.field for one in given]
        raise fault_of(*names, reason=f"{' and '.join(names)} mean the same and differ; give one of them")
    return given[0] if given else None


def _identity(media: AnyMedia) -> tuple[str, str]:
    if isinstance(media, str):
        return "url", media
    return ("url", media.url) if media.url is not None else ("inline", media.data_base64 or "")
