"""The picture a shape is made from: read, turned upright, reduced to a size worth working at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from workers.pipelines.base import EngineFailed

_TRANSPARENT = 8
"""Alpha below this (of 255) is nothing to see; many pictures carry an alpha channel that is full everywhere."""
_FLAT_EDGE = 64
"""Smaller pictures are enlarged to this, so that an outline has something to run through."""


@dataclass(frozen=True)
class Picture:
    """An upright picture: `color` (height, width, 3) and `alpha` (height, width), float32 in 0..1, sRGB as it came."""

    color: Any
    alpha: Any
    width: int
    """Of the file, in pixels."""
    height: int

    @property
    def has_alpha(self) -> bool:
        """Whether the picture itself says what is not there."""
        return bool((self.alpha < _TRANSPARENT / 255).mean() > 0.002)


def read_picture(path: Path, *, longest: int) -> Picture:
    """Read an image file, at most `longest` pixels a side.

    Raises:
        EngineFailed: `invalid_source_image`, when it cannot be decoded.
    """
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            rgba = upright.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise EngineFailed("The source image could not be read.", code="invalid_source_image") from error
    width, height = rgba.size
    largest = max(width, height)
    scale = min(1.0, longest / largest) if largest >= _FLAT_EDGE else _FLAT_EDGE / largest
    if scale != 1.0:
        size = (max(8, round(width * scale)), max(8, round(height * scale)))
        # Premultiplied, so that what is transparent lends no colour to its neighbours.
        rgba = rgba.convert("RGBa").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA")
    pixels = np.asarray(rgba, dtype=np.float32) / 255
    return Picture(color=np.ascontiguousarray(pixels[..., :3]), alpha=pixels[..., 3].copy(), width=width, height=height)
