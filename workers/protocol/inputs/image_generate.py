"""image.generate: a prompt becomes an image."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, fault_of
from workers.protocol.inputs.media import ImageInput

AspectRatio = Literal["1:1", "16:9", "9:16", "9:7", "7:9"]
ImageFormat = Literal["webp", "png", "jpg"]

MAX_PIXELS = 4_194_304
"""4 MP, counted before upscale."""


def _without_dot(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and value in {".webp", ".png", ".jpg"} else value


OutputFormat = Annotated[ImageFormat, BeforeValidator(_without_dot)]
Side = Annotated[int, Field(ge=32, multiple_of=32)]
Prompt = Annotated[str, Field(min_length=1, max_length=4000)]


class ImageGenerateInput(Wire):
    """What a client sends."""

    prompt: Prompt
    aspect_ratio: Omissible[AspectRatio] = None
    output_format: OutputFormat = "webp"
    high_detail: bool = False
    upscale: bool = False
    width: Omissible[Side] = None
    height: Omissible[Side] = None
    reference_image_urls: Annotated[list[UrlText], Field(max_length=5, default_factory=list)]
    reference_images: Annotated[list[ImageInput], Field(max_length=5, default_factory=list)]

    @model_validator(mode="after")
    def _canvas_and_references(self) -> "ImageGenerateInput":
        if (self.width is None) != (self.height is None):
            raise fault_of("width", "height", reason="width and height must be given together")
        if self.width and self.height and self.width * self.height > MAX_PIXELS:
            raise fault_of("width", "height", reason=f"width × height must not pass {MAX_PIXELS} pixels (4 MP)")
        if len(self.reference_images) + len(self.reference_image_urls) > 5:
            raise fault_of("referenceImages", "referenceImageUrls", reason="at most 5 reference images in total")
        return self


class ImageGenerateParams(Wire):
    """What the worker gets beside the reference images, which arrive as files of the field `referenceImages`."""

    prompt: str
    width: int
    height: int
    """The canvas before upscale; with `upscale` the file is 1.5 times as wide and as high."""
    output_format: ImageFormat
    high_detail: bool
    upscale: bool
