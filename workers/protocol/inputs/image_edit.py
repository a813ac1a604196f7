"""image.edit: an image is changed as a prompt says."""

from pydantic import model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, at_least_one, fault_of
from workers.protocol.inputs.media import Given, ImageFormat, ImageInput, OutputFormat, Prompt, one_of
from workers.protocol.inputs.references import TakesReferences


class ImageEditInput(TakesReferences, json_schema_extra=at_least_one("sourceImageUrl", "sourceImage")):
    """What a client sends."""

    prompt: Prompt
    """What to change."""
    source_image_url: Omissible[UrlText] = None
    """The image to change, by URL."""
    source_image: Omissible[ImageInput] = None
    """The image to change, by URL or inline."""
    output_format: OutputFormat = "webp"
    """The file's format, with or without a dot."""
    high_detail: bool = False
    """Works finer, for half as much again."""

    @model_validator(mode="after")
    def _source_and_references(self) -> "ImageEditInput":
        if self.source() is None:
            raise fault_of("sourceImage", "sourceImageUrl", reason="give sourceImage or sourceImageUrl")
        self.check_references()
        return self

    def source(self) -> Given | None:
        """The image to change; never None once validated."""
        return one_of(sourceImage=self.source_image, sourceImageUrl=self.source_image_url)


class ImageEditParams(Wire):
    """What the worker gets beside the files of the fields `sourceImage` (one) and `referenceImages`."""

    prompt: str
    width: int
    height: int
    """The finished canvas: the source's own size rounded to 32 and scaled into 4 MP."""
    output_format: ImageFormat
    high_detail: bool
