"""The client's image as a Picture on the asked canvas: orientation, palettes, CMYK, 16 bits, alpha, cover-crop."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from workers.pipelines.base import EngineFailed
from workers.pipelines.image_edit.picture import Picture

DEEP = {"I;16", "I;16B", "I;16L", "I", "F"}
"""Pillow's one-channel modes of more than 8 bits."""


def read_source(paths: Sequence[Path], *, width: int, height: int) -> Picture:
    """The source image, upright, scaled to cover the canvas and cropped to its middle.

    Raises:
        EngineFailed: `invalid_source_image`, when there is none or it cannot be read.
    """
    if not paths:
        raise EngineFailed("The source image is missing.", code="invalid_source_image")
    try:
        return picture_of(fitted(upright(paths[0]), width, height))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise EngineFailed("The source image could not be read.", code="invalid_source_image") from error


def upright(path: Path) -> Image.Image:
    """An image file as 8-bit RGB or RGBA in sRGB, turned as its EXIF says."""
    with Image.open(path) as opened:
        opened.seek(0)
        opened.load()
        image = ImageOps.exif_transpose(opened)
        profile = opened.info.get("icc_profile")
    if image.mode in DEEP:
        image = _eight_bits(image)
    see_through = image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
    if profile and image.mode in {"RGB", "CMYK"} and not see_through:
        image = _in_srgb(image, profile)
    if not see_through:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return image if np.asarray(image.getchannel("A")).min() < 255 else image.convert("RGB")


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scaled to cover, centre-cropped. Alpha is premultiplied meanwhile, so that hidden colours bleed nowhere."""
    if image.size == (width, height):
        return image
    if image.mode == "RGBA":
        return ImageOps.fit(image.convert("RGBa"), (width, height), Image.Resampling.LANCZOS).convert("RGBA")
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def picture_of(image: Image.Image) -> Picture:
    """An RGB or RGBA image as a Picture."""
    pixels = np.asarray(image)
    if image.mode == "RGBA":
        return Picture(np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3]))
    return Picture(np.ascontiguousarray(pixels))


def image_of(picture: Picture) -> Image.Image:
    """A Picture as an RGB or RGBA image."""
    if picture.alpha is None:
        return Image.fromarray(picture.rgb)
    return Image.fromarray(np.dstack([picture.rgb, picture.alpha]))


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    # A 16-bit file opens as I;16 or, from some formats, as I holding the same numbers; floats may be 0..1.
    top = 65535.0 if values.max(initial=0) > 255 else (255.0 if values.max(initial=0) > 1 else 1.0)
    return Image.fromarray((np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8))


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Through the image's own colour profile; a profile that cannot be used is as good as none."""
    import io

    try:
        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted if converted is not None else image
