"""Things taken out of a picture: the hole filled with the picture's own texture, coarse to fine.

Patch-based completion after Wexler et al. (2007): each 7 × 7 patch over the hole looks for its nearest patch outside
(by its low frequencies, in a k-d tree), all of them vote for the pixels, and again at the next size. At full size the
found places are copied, with the small picture's smooth colours, so that texture stays sharp and seams stay soft.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.phrases import region_of
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, Pixels, Plane, mixed
from workers.pipelines.image_edit.regions import closed, region

PATCH = 7
SIDES = (48, 96, 192)
"""Longer sides of the pyramid."""
ROUNDS = (6, 4, 2)
LARGEST = 0.4
"""A larger share of the picture than this leaves too little to fill from."""


def erase(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The region named, filled. What it was standing on is continued, not known."""
    what = edit.args["what"]
    if region_of(what) in {"sky", "ground", "background"}:
        raise NotDone(f'"{what}" cannot be removed: there would be nothing to fill it from.')
    mask = region(picture, what)
    bench.step()
    share = float(mask.mean())
    if share > LARGEST:
        raise NotDone(f'"{what}" covers too much of the picture to be filled from the rest.')
    grown = _generous(mask, picture.unit)
    if region_of(what) == "subject":
        bench.notes.setdefault("takenAsSubject", [])
        if what not in bench.notes["takenAsSubject"]:
            bench.notes["takenAsSubject"].append(what)
    filled = completed(picture.rgb, grown.astype(bool), bench.step)
    soft = np.clip(cv2.GaussianBlur(grown.astype(np.float32), (0, 0), max(0.7, 1.6 * picture.unit)) * 1.6, 0, 1)
    out = mixed(picture, filled, soft)
    if picture.alpha is None:
        return out
    return Picture(out.rgb, np.where(grown > 0, 255, picture.alpha).astype(np.uint8))


def _generous(mask: Plane, unit: float) -> np.ndarray:
    """The hole to fill: more rather than less, since a rest of the thing's outline shows worse than lost ground."""
    scale = 256 / max(mask.shape)
    size = max(8, round(mask.shape[1] * scale)), max(8, round(mask.shape[0] * scale))
    small = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0.1).astype(np.uint8)
    whole = cv2.resize(closed(small, 0.45), mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    grown = cv2.dilate(whole, np.ones((3, 3), np.uint8), iterations=max(2, round(9 * unit)))
    return _with_shadow(np.asarray(grown > 0, np.uint8))


def _with_shadow(mask: np.ndarray) -> np.ndarray:
    """The hole grown a little downwards, where a thing's contact shadow lies."""
    rows = np.flatnonzero(mask.max(1))
    reach = max(1, round((rows[-1] - rows[0]) * 0.06))
    lower = mask.copy()
    lower[: rows[0] + (rows[-1] - rows[0]) * 3 // 4] = 0
    moved = np.zeros_like(mask)
    moved[reach:] = lower[:-reach]
    wide = cv2.dilate(moved, np.ones((1, 2 * reach + 1), np.uint8))
    return np.maximum(mask, wide)


def completed(pixels: Pixels, hole: np.ndarray, step: Callable[[], None] = lambda: None) -> Pixels:
    """A picture with its hole filled."""
    height, width = hole.shape
    source = np.zeros((0, 2), np.int32)
    small_hole, current = hole, np.zeros((0, 0, 3), np.float32)
    for side, rounds in zip(SIDES, ROUNDS, strict=True):
        scale = min(1.0, side / max(height, width))
        size = (max(PATCH + 4, round(width * scale)), max(PATCH + 4, round(height * scale)))
        shrunk = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.02
        small_hole = shrunk
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if not current.size:
            first = cv2.inpaint(small.astype(np.uint8), shrunk.astype(np.uint8), 4, cv2.INPAINT_TELEA)
            current = np.where(shrunk[..., None], first.astype(np.float32), small)
        else:
            current = np.where(shrunk[..., None], cv2.resize(current, size, interpolation=cv2.INTER_LINEAR), small)
        for _ in range(rounds):
            current, source = _voted(current, small_hole)
            step()
    return _brought_up(pixels, hole, small_hole, source, current)


@cache
def _basis() -> Plane:
    """What a patch is compared by: the six lowest cosine waves of its brightness and the means of two colour axes."""
    at = (np.arange(PATCH) + 0.5) * np.pi / PATCH
    waves = []
    for down, across in ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0)):
        wave = np.cos(at * down)[:, None] * np.cos(at * across)[None]
        waves.append(wave[..., None] * np.array([0.3, 0.59, 0.11]) / np.linalg.norm(wave))
    even = np.full((PATCH, PATCH, 1), 1 / PATCH)
    waves += [even * np.array([0.5, -0.5, 0.0]), even * np.array([-0.25, -0.25, 0.5])]
    return np.stack([np.moveaxis(wave, -1, 0).ravel() for wave in waves], 1).astype(np.float32)


def _voted(image: Plane, hole: np.ndarray) -> tuple[Plane, np.ndarray]:
    """One round: the hole's pixels as the mean of what their patches' nearest neighbours say.

    Also the source place (row, column) that each pixel of the hole came from.
    """
    half = PATCH // 2
    height, width = hole.shape
    padded = cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_REFLECT_101)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PATCH, PATCH), axis=(0, 1))
    near_hole = cv2.dilate(hole.astype(np.uint8), np.ones((PATCH, PATCH), np.uint8)) > 0
    inside = np.zeros_like(hole)
    inside[half : height - half, half : width - half] = True
    known = np.argwhere(~near_hole & inside)
    wanted = np.argwhere(near_hole)
    if len(known) < 30:
        return image, np.zeros((0, 2), np.int32)
    if len(known) > 16000:
        known = known[:: len(known) // 16000 + 1]

    def patches(at: np.ndarray) -> np.ndarray:
        return windows[at[:, 0], at[:, 1]].reshape(len(at), -1)

    library, queries = patches(known), patches(wanted)
    basis = _basis()
    # Height in the picture counts a little: ground is filled from ground, sky from sky.
    weight = 260.0 / height
    described = np.column_stack([library @ basis, known[:, 0] * weight])
    asked = np.column_stack([queries @ basis, wanted[:, 0] * weight])
    distance, nearest = cKDTree(described).query(asked, k=1, eps=0.6)
    matched = known[nearest]
    total, norm = np.zeros_like(image), np.full((height, width, 1), 1e-6, np.float32)
    sigma = float(np.percentile(distance, 60)) + 1e-3
    trust = np.exp(-((distance / sigma) ** 2) / 2).astype(np.float32)[:, None] + 1e-3
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            row, column = wanted[:, 0] + dy, wanted[:, 1] + dx
            valid = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            values = image[matched[valid, 0] + dy, matched[valid, 1] + dx]
            total[row[valid], column[valid]] += values * trust[valid]  # no place twice within one offset
            norm[row[valid], column[valid]] += trust[valid]
    places = np.zeros((height, width, 2), np.int32)
    places[wanted[:, 0], wanted[:, 1]] = matched
    return np.where(hole[..., None], total / norm, image), places


def _brought_up(pixels: Pixels, hole: np.ndarray, small_hole: np.ndarray, places: np.ndarray, small: Plane) -> Pixels:
    """The small completion at full size: texture copied from the found places, smooth colours from the small one."""
    height, width = hole.shape
    rows, columns = small_hole.shape
    smooth = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    if places.ndim != 3:
        return np.where(hole[..., None], np.clip(smooth, 0, 255), pixels).astype(np.uint8)
    scale_y, scale_x = height / rows, width / columns
    at = np.argwhere(hole)
    low = (
        np.minimum((at[:, 0] / scale_y).astype(int), rows - 1),
        np.minimum((at[:, 1] / scale_x).astype(int), columns - 1),
    )
    grid = np.moveaxis(np.mgrid[0:rows, 0:columns], 0, -1)
    # Neighbours that come from different places would copy a pixel each: the median makes whole patches of them.
    moves = [cv2.medianBlur((places - grid)[..., axis].astype(np.int16), 5)[low] for axis in (0, 1)]
    from_y = np.clip(at[:, 0] + (moves[0] * scale_y).astype(int), 0, height - 1)
    from_x = np.clip(at[:, 1] + (moves[1] * scale_x).astype(int), 0, width - 1)
    detail = pixels.astype(np.float32) - cv2.resize(
        cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    ).astype(np.float32)
    out = pixels.copy()
    values = smooth[hole] + np.where(hole[from_y, from_x][:, None], 0, detail[from_y, from_x])
    out[hole] = np.clip(values, 0, 255).astype(np.uint8)
    return out


OPERATIONS: dict[str, Operation] = {"remove object": erase}
