"""image.generate: a prompt becomes an image."""

from pydantic import model_validator

from workers.protocol.inputs.base import Omissible, Wire
from workers.protocol.inputs.media import AspectRatio, ImageFormat, OutputFormat, Prompt, Side
from workers.protocol.inputs.references import TakesReferences
from workers.protocol.inputs.sizes import check_size


class ImageGenerateInput(TakesReferences):
    """What a client sends."""

    prompt: Prompt
    """What the image shows."""
    aspect_ratio: Omissible[AspectRatio] = None
    """The canvas's shape; 1:1 where nothing else is said."""
    output_format: OutputFormat = "webp"
    """The file's format, with or without a dot."""
    high_detail: bool = False
    """Draws finer, for half as much again."""
    upscale: bool = False
    """The finished file is 1.5 times as wide and as high as the canvas."""
    width: Omissible[Side] = None
    """The canvas's width in pixels; with `height`, at most 4 194 304 pixels together."""
    height: Omissible[Side] = None
    """The canvas's height in pixels."""

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
