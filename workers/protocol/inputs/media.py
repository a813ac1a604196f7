"""Media given as a URL or inline, as several tasks take them."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, StringConstraints, Tag, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire

ImageMimeType = Literal["image/webp", "image/png", "image/jpeg", "image/jpg"]
Base64Text = Annotated[str, StringConstraints(min_length=1)]


class InlineImage(Wire):
    """Exactly one of `url` and `dataBase64` (raw base64 or a data URI)."""

    url: Omissible[UrlText] = None
    data_base64: Omissible[Base64Text] = None
    mime_type: Omissible[ImageMimeType] = None

    @model_validator(mode="after")
    def _one_source(self) -> "InlineImage":
        if (self.url is None) == (self.data_base64 is None):
            raise ValueError("give exactly one of url and dataBase64")
        return self


def _form(value: Any) -> str:
    return "<url>" if isinstance(value, str) else "<object>"


ImageInput = Annotated[Annotated[UrlText, Tag("<url>")] | Annotated[InlineImage, Tag("<object>")], Discriminator(_form)]
"""A URL text or an inline object; the tags in angle brackets never reach an error's path."""
