"""The shape of a picture's subject: a soft mask, cleaned of stray parts and pinholes, framed by its own bounds."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from workers.pipelines.base import EngineFailed
from workers.pipelines.trellis_generate.background import cut_out
from workers.pipelines.trellis_generate.picture import Picture

_FLOATER = 0.15
"""A part smaller than this share of the largest one is a floater."""
_SPECK = 1e-4
"""Parts and holes below this share of the subject's bounds are noise, whatever was asked."""
_FRAME = 512
"""`padding` counts pixels of a picture this large, which is what the diffusion model would see."""


@dataclass(frozen=True)
class Silhouette:
    """A subject cropped to its bounds with a margin around it."""

    color: Any
    """(height, width, 3) float32, sRGB 0..1."""
    mask: Any
    """(height, width) float32, 1 inside."""
    margin: int
    """Pixels on each side of the bounds."""
    found_by: str
    """`alpha`, `background-estimate`, `grab-cut` or `whole-picture`."""
    parts: int
    holes: int
    floaters_removed: int
    holes_filled: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the bounds in pixels, without the margin."""
        return self.mask.shape[1] - 2 * self.margin, self.mask.shape[0] - 2 * self.margin


def longest_side(padding: int) -> float:
    """The subject's longest side in metres: what `padding` leaves of a cube of one metre."""
    return 1 - 2 * padding / _FRAME


def find_silhouette(
    picture: Picture,
    *,
    remove_background: bool,
    grab_cut_iterations: int,
    padding: int,
    remove_floaters: bool,
    fill_holes_up_to: float,
) -> Silhouette:
    """Separate the subject from everything else.

    An alpha channel that hides something is believed; otherwise the background is estimated, or, when it is to
    stay, the whole picture is the shape. `fill_holes_up_to` is a perimeter in metres, 0 fills none.

    Raises:
        EngineFailed: `empty_silhouette`, when there is nothing left to build.
    """
    if picture.has_alpha:
        mask, found_by = picture.alpha, "alpha"
        if not (mask > 0.5).any():
            raise EngineFailed("The picture is transparent everywhere: there is no shape to build.", code=EMPTY)
    elif remove_background:
        cutout = cut_out(picture.color, iterations=grab_cut_iterations)
        mask, found_by = cutout.mask, cutout.method
    else:
        mask, found_by = np.ones(picture.alpha.shape, np.float32), "whole-picture"
    solid = (mask > 0.5).astype(np.uint8)
    if not solid.any():
        raise EngineFailed(
            "Nothing in the picture stands out from its background, so there is no shape to build; "
            "a subject on a plain background, or one with transparency around it, works best.",
            code=EMPTY,
        )
    left, top, width, height = cv2.boundingRect(solid)
    mask, parts, floaters = _keep_parts(mask, smallest=_FLOATER if remove_floaters else 0.0)
    scale = longest_side(padding) / max(width, height)
    mask, holes, filled = _fill_holes(mask, longest=fill_holes_up_to / scale)
    left, top, width, height = cv2.boundingRect((mask > 0.5).astype(np.uint8))
    if min(width, height) < 2:
        raise EngineFailed("What stands out in the picture is too thin to build a shape from.", code=EMPTY)
    margin = max(4, round(0.03 * max(width, height)))
    window = (left - margin, top - margin, width + 2 * margin, height + 2 * margin)
    return Silhouette(
        color=_crop(picture.color, window, edge=True),
        mask=_crop(mask, window, edge=False),
        margin=margin,
        found_by=found_by,
        parts=parts,
        holes=holes,
        floaters_removed=floaters,
        holes_filled=filled,
    )


EMPTY = "empty_silhouette"


def _keep_parts(mask: Any, *, smallest: float) -> tuple[Any, int, int]:
    """Drop the parts below `smallest` of the largest one; how many stay and how many went."""
    solid = (mask > 0.5).astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    area = facts[:, cv2.CC_STAT_AREA].astype(np.float64)
    area[0] = 0
    noise = area < max(4.0, _SPECK * area.max())
    drop = noise | (area < smallest * area.max())
    drop[0] = False
    dropped = drop[labels].astype(np.uint8)
    # The half-transparent fringe of a dropped part goes with it, that of its neighbours stays.
    kept = ((solid > 0) & (dropped == 0)).astype(np.uint8)
    fringe = cv2.dilate(dropped, np.ones((5, 5), np.uint8)) > cv2.dilate(kept, np.ones((3, 3), np.uint8))
    cleaned = np.where(fringe | (dropped > 0), 0, mask).astype(np.float32)
    return cleaned, int(count - 1 - drop.sum()), int((drop & ~noise).sum())


def _fill_holes(mask: Any, *, longest: float) -> tuple[Any, int, int]:
    """Close holes with a perimeter up to `longest` pixels; how many stay and how many were closed."""
    solid = (mask > 0.5).astype(np.uint8)
    contours, nesting = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = mask.copy()
    stay = closed = 0
    for contour, (_, _, _, parent) in zip(contours, nesting[0] if nesting is not None else (), strict=True):
        if parent < 0:
            continue
        noise = len(contour) <= 6
        # A hole's contour runs on the pixels around it; its own edge is about one pixel inside.
        if noise or cv2.arcLength(contour, closed=True) <= longest:
            cv2.drawContours(filled, [contour], -1, 1.0, thickness=cv2.FILLED)
            closed += not noise
        else:
            stay += 1
    return filled, stay, closed


def _crop(values: Any, window: tuple[int, int, int, int], *, edge: bool) -> Any:
    """A window that may reach past the picture, where its edge goes on or nothing is."""
    left, top, width, height = window
    full_height, full_width = values.shape[:2]
    inner = values[max(0, top) : top + height, max(0, left) : left + width]
    border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    return cv2.copyMakeBorder(
        inner,
        max(0, -top),
        max(0, top + height - full_height),
        max(0, -left),
        max(0, left + width - full_width),
        border,
        value=0,
    )
