"""Reference images, in the two lists that the image tasks take."""

from typing import Annotated

from pydantic import Field

from workers.protocol.inputs.base import UrlText, Wire, fault_of
from workers.protocol.inputs.media import Given, ImageInput

MAX_REFERENCES = 5


class TakesReferences(Wire):
    """A task input with `referenceImages` and its older, URL-only name."""

    reference_image_urls: Annotated[list[UrlText], Field(max_length=MAX_REFERENCES, default_factory=list)]
    """The older, URL-only list; appended to `referenceImages`."""
    reference_images: Annotated[list[ImageInput], Field(max_length=MAX_REFERENCES, default_factory=list)]
    """Images whose colours or style to take up: URLs or inline, at most five in both lists together."""

    def check_references(self) -> None:
        """Five in both lists together.

        Raises:
            PydanticCustomError: naming both fields.
        """
        if len(self.reference_images) + len(self.reference_image_urls) > MAX_REFERENCES:
            raise fault_of(
                "referenceImages",
                "referenceImageUrls",
                reason=f"at most {MAX_REFERENCES} reference images in total",
            )

    def references(self) -> list[Given]:
        """Both lists merged in the order they are used: `referenceImages` first. Fields carry their index."""
        return [
            *(
                Given(field=f"referenceImages.{index}", media=image)
                for index, image in enumerate(self.reference_images)
            ),
            *(
                Given(field=f"referenceImageUrls.{index}", media=url)
                for index, url in enumerate(self.reference_image_urls)
            ),
        ]
