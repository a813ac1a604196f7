"""image.generate: a prompt becomes an image."""

from pydantic import model_validator

from workers.protocol.inputs.base import Omissible, Wire
from workers.protocol.inputs.media import AspectRatio, ImageFormat, OutputFormat, Prompt, Side
from workers.protocol.inputs.references import TakesReferences
from workers.protocol.inputs.sizes import check_size


class ImageGenerateInput(TakesReferences):
    """What a client sends."""

    prompt: Prompt
    aspect_ratio: Omissible[AspectRatio] = None
    output_format: OutputFormat = "webp"
    high_detail: bool = False
    upscale: bool = False
    width: Omissible[Side] = None
    height: Omissible[Side] = None

    @model_validator(mode="after")
    def _canvas_and_references(self) -> "ImageGenerateInput":
        check_size(self.width, self.height)
        self.check_references()
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
