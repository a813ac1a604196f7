"""The finished image as one file of the asked format."""

from pathlib import Path

from PIL import Image

MEDIA_TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg"}


def save(image: Image.Image, *, folder: Path, output_format: str) -> Path:
    """Write `output_0001.<ext>`; the same pixels always give the same bytes, and a failed write leaves no file."""
    path = folder / f"output_0001.{output_format}"
    try:
        match output_format:
            case "png":
                image.save(path, "PNG", compress_level=4)
            case "jpg":
                image.save(path, "JPEG", quality=93, subsampling=0, optimize=True)
            case _:
                image.save(path, "WEBP", quality=92, method=2)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
