"""How thick the shape is at each point of its silhouette.

The outline is blown up like a membrane: ∇²u = −4 inside with u = 0 on the outline, and the height is √u, which
makes of a disc exactly a hemisphere and of a long strip a round bar. (Repoussé inflation, Joshi and Carr 2008.)
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

FULLNESS = 0.78
"""Of the round shape's depth; a whole sphere looks bloated from the side."""
_DEEPEST = 0.62
"""The thickness is at most about this share of the longest side."""
_RELIEF = 0.24
_OVER_RELAXATION = 1.75
_CLOSEST = 0.12
"""Of a cell: an outline nearer to a node than this counts as this far, or one link would outweigh all others."""


def inflate(field: Any, *, sweeps: int, step: Callable[[], None]) -> Any:
    """Height in cells (0 outside) for `field`, the signed nearness to the outline on a grid: > 0 is inside.

    Solved coarse to fine; `sweeps` are the relaxation sweeps on each grid.
    """
    pyramid = [field]
    while min(pyramid[-1].shape) > 24:
        previous = pyramid[-1]
        size = ((previous.shape[1] + 1) // 2, (previous.shape[0] + 1) // 2)
        pyramid.append(cv2.resize(previous, size, interpolation=cv2.INTER_AREA))
    solution = np.zeros(pyramid[-1].shape, np.float32)
    for level, coarse in enumerate(reversed(pyramid)):
        if level:
            # A cell is half as long as on the grid before, and u goes with its square.
            solution = cv2.resize(solution, coarse.shape[::-1], interpolation=cv2.INTER_LINEAR) * 4
        solution = _relax(solution, coarse, sweeps=sweeps if level else 160)
        step()
    return np.sqrt(np.maximum(solution, 0))


def _relax(solution: Any, field: Any, *, sweeps: int) -> Any:
    """Red-black over-relaxation of the five-point Laplacian, with the outline where it really crosses a link."""
    inside = field > 0
    padded = np.pad(field, 1, constant_values=-1.0)
    before, middle, after = slice(0, -2), slice(1, -1), slice(2, None)
    shifts = ((before, middle), (after, middle), (middle, before), (middle, after))
    weights = []
    for rows, columns in shifts:
        neighbour = padded[rows, columns]
        crossing = field / np.maximum(field - neighbour, 1e-6)
        # Links to a node outside end on the outline, at u = 0: a shorter link pulls harder.
        weights.append(np.where(neighbour > 0, 1.0, 1 / np.clip(crossing, _CLOSEST, 1)).astype(np.float32))
    total = weights[0] + weights[1] + weights[2] + weights[3]
    ys, xs = np.indices(field.shape, sparse=True)
    colors = [inside & ((ys + xs) % 2 == parity) for parity in (0, 1)]
    factors = [(np.float32(_OVER_RELAXATION) * color).astype(np.float32) / total for color in colors]
    work = np.pad(np.where(inside, solution, 0).astype(np.float32), 1)
    inner = work[1:-1, 1:-1]
    for sweep in range(sweeps):
        # The last sweeps are plain, which leaves no red-black checkering behind.
        damp = np.float32(1 if sweep < sweeps - 2 else 1 / _OVER_RELAXATION)
        for factor in factors:
            pull = np.float32(4) - total * inner
            for (rows, columns), weight in zip(shifts, weights, strict=True):
                pull += weight * work[rows, columns]
            pull *= factor
            pull *= damp
            inner += pull
    return inner.copy()


def settle_depth(height: Any, *, longest: float) -> Any:
    """Heights as they are built: a little flatter than round, and softly capped. `longest` side in the same unit."""
    cap = _DEEPEST / 2 * longest
    flat = FULLNESS * height
    deepest = float(flat.max())
    if deepest <= 0.6 * cap:
        return flat
    # Above 0.6 of the cap the curve bends towards it, with slope 1 where it starts.
    knee = 0.6 * cap
    room = cap - knee
    return np.where(flat > knee, knee + room * (1 - np.exp(-(flat - knee) / room)), flat)


def plate(field: Any, *, thickness: float, rounding: float) -> Any:
    """The heights of a flat plate with rounded edges, from a field in cells of distance to its edge."""
    solid = (field > 0).astype(np.uint8)
    distance = cv2.distanceTransform(np.pad(solid, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inward = np.clip(distance / rounding, 0, 1)
    return (thickness * np.sqrt(np.maximum(1 - (1 - inward) ** 2, 0))).astype(np.float32)


def relief(color: Any, mask: Any, *, reach: float) -> Any:
    """How far the front stands out or lies back at each pixel, about −0.5..0.5, from the picture's own edges.

    A screened Poisson equation (∇² − 1/λ² − edges) v = −1/λ²: v is 1 in the middle of an evenly coloured part and
    falls towards 0 along the lines between parts, so each part becomes a cushion of its own. λ is `reach` pixels.
    """
    lab = cv2.cvtColor(np.ascontiguousarray(color), cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), max(0.6, 0.06 * reach))
    edges = np.hypot(
        np.linalg.norm(cv2.Sobel(lab, cv2.CV_32F, 1, 0, ksize=3, scale=0.25), axis=2),
        np.linalg.norm(cv2.Sobel(lab, cv2.CV_32F, 0, 1, ksize=3, scale=0.25), axis=2),
    )
    edges[cv2.erode((mask > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0] = 0
    strength = np.clip((edges - 2.5) / 14, 0, 1) ** 1.5
    screen = np.float32(1 / reach**2)
    sink = (strength * 0.6).astype(np.float32)
    solution = np.ones(mask.shape, np.float32)
    # Plain Jacobi: the equation is local, 2 λ sweeps carry each edge as far as it reaches.
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    denominator = 4 + screen + sink
    for _ in range(max(12, round(1.6 * reach))):
        summed = cv2.filter2D(solution, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
        solution = (summed + screen) / denominator
    inside = mask > 0.5
    return solution - float(solution[inside].mean()) if inside.any() else solution * 0


def emboss(height: Any, cushions: Any, *, amount: float = _RELIEF) -> Any:
    """The front's height: it keeps its outline and never falls through the middle plane."""
    return height * np.clip(1 + amount * 2 * cushions, 0.55, 1.45)
