"""The frames a client gave: read, brought to the canvas, and put on the sampled frames they belong to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from workers.pipelines.base import EngineFailed

Picture = NDArray[np.uint8]
"""RGB, of shape (height, width, 3)."""
Plane = NDArray[np.floating[Any]]
"""One number a pixel, float32."""


@dataclass(frozen=True, kw_only=True)
class Anchors:
    """Which sampled frames are given, and what is on them."""

    opening: Sequence[Picture]
    """The sampled frames 0, 1, …: the start frame and the overlap frames after it. May be empty."""
    final: Picture | None
    """The last sampled frame."""
    kinds: Mapping[int, str] = field(default_factory=dict)
    """Sampled frame → start, overlap or final."""


def read_anchors(
    files: Mapping[str, Sequence[Path]], *, width: int, height: int, frames: int, step: Callable[[], None]
) -> Anchors:
    """Read every given frame onto the canvas, with a `step` before each.

    Raises:
        EngineFailed: a picture cannot be read, or the clip has too few sampled frames for all of them.
    """
    start = list(files.get("startFrameImage", ()))
    overlap = list(files.get("overlapFrameImages", ()))
    final = list(files.get("finalFrameImage", ()))
    opening = [("start", path) for path in start] + [("overlap", path) for path in overlap]
    if len(opening) + len(final) > frames:
        raise EngineFailed(
            f"{len(opening) + len(final)} frames were given for a clip of {frames} sampled frames.",
            code="too_many_frames",
        )
    kinds = {place: kind for place, (kind, _) in enumerate(opening)}
    if final:
        kinds[frames - 1] = "final"
    read = []
    for kind, path in opening + [("final", path) for path in final]:
        step()
        read.append(read_frame(path, kind, width=width, height=height))
    return Anchors(opening=read[: len(opening)], final=read[-1] if final else None, kinds=kinds)


def read_frame(path: Path, kind: str, *, width: int, height: int) -> Picture:
    """A picture scaled to cover the canvas and centre-cropped; transparency lies on white.

    Raises:
        EngineFailed: it cannot be read.
    """
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.has_transparency_data:
                rgba = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
            picture = np.asarray(upright.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EngineFailed(f"The {kind} frame could not be read as an image.", code="invalid_frame_image") from error
    return covered(picture, width=width, height=height)


def covered(picture: Picture, *, width: int, height: int) -> Picture:
    """Scaled to cover width × height, its middle kept. A picture of that size already comes back untouched."""
    if picture.shape[:2] == (height, width):
        return np.ascontiguousarray(picture)
    return np.asarray(ImageOps.fit(Image.fromarray(picture), (width, height), Image.Resampling.LANCZOS))


def grey(picture: Picture) -> NDArray[np.uint8]:
    """Its brightness, which flow and features are found on."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
