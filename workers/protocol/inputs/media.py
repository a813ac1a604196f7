"""Media given as a URL or inline, as several tasks take them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from workers.protocol.inputs.base import UrlText, Wire

ImageMimeType = Literal["image/webp", "image/png", "image/jpeg", "image/jpg"]
Base64Text = Annotated[str, StringConstraints(min_length=1)]


class InlineImage(Wire):
    """Exactly one of `url` and `dataBase64` (raw base64 or a data URI)."""

    url: UrlText | None = None
    data_base64: Base64Text | None = None
    mime_type: ImageMimeType | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "InlineImage":
        if (self.url is None) == (self.data_base64 is None):
            raise ValueError("give exactly one of url and dataBase64")
        return self


ImageInput = Annotated[UrlText | InlineImage, Field(union_mode="smart")]
