"""The picture on the bench, what an operation may use beside it, and how it says that it could not be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.pipelines.image_generate.canvas import stream

Pixels = NDArray[np.uint8]
Plane = NDArray[np.floating[Any]]
"""height × width, 0..1."""
Rgb = tuple[float, float, float]
ROWS = 256
"""Rows that float arithmetic takes at a time, so that a large picture needs no large temporaries."""


class NotDone(Exception):
    """An operation was understood and cannot be done on this picture; the message is for the client."""


@dataclass(frozen=True)
class Picture:
    """sRGB and, where the picture has holes, its straight alpha."""

    rgb: Pixels
    """height × width × 3."""
    alpha: Pixels | None = None
    """height × width."""

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def unit(self) -> float:
        """A thousandth of the mean side, in pixels: what radii and line widths are measured in."""
        return float(np.sqrt(self.width * self.height)) / 1000

    def with_rgb(self, rgb: Pixels) -> "Picture":
        return replace(self, rgb=np.ascontiguousarray(rgb, np.uint8))


@dataclass(kw_only=True)
class Bench:
    """What an operation may use."""

    seed: int
    width: int
    height: int
    """The finished canvas. An operation may leave another shape; the end of the run fits it."""
    output_format: str
    high_detail: bool = False
    references: Sequence[Path] = ()
    step: Callable[[], None] = lambda: None
    """Called inside longer operations; raises when the run is to stop."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What operations want to say in the result: a font, a scene's own words."""
    styled_after_references: bool = False

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of one operation's own."""
        return stream(self.seed, "edit " + name)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One operation the prompt asked for."""

    name: str
    said: str
    """The words that asked for it."""
    amount: float = 1.0
    """1 as usual, less for "slightly", more for "very"."""
    args: dict[str, Any] = field(default_factory=dict)


Operation = Callable[[Picture, Edit, Bench], Picture]


def by_rows(picture: Picture, change: Callable[[Plane, slice], Plane]) -> Picture:
    """Float arithmetic over the colours (0..1) in bands of rows; `change` gets the band and its place."""
    out = np.empty_like(picture.rgb)
    for start in range(0, picture.height, ROWS):
        rows = slice(start, min(start + ROWS, picture.height))
        band = change(picture.rgb[rows].astype(np.float32) / 255, rows)
        out[rows] = (np.clip(band, 0, 1) * 255 + 0.5).astype(np.uint8)
    return picture.with_rgb(out)


def mixed(below: Picture, above: Pixels, mask: Plane) -> Picture:
    """`above` over a picture where the mask is 1; where the mask is 0 no bit changes."""
    return by_rows(
        below, lambda band, rows: band + (above[rows].astype(np.float32) / 255 - band) * mask[rows][..., None]
    )


def luma(rgb: Plane | Pixels) -> Plane:
    """Perceived brightness in the colours' own range."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.asarray(rgb, np.float32) @ weights
