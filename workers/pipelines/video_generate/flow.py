"""Motion between two pictures: dense flow (DIS, Kroeger 2016), its trustworthiness, and the camera's share in it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.video_generate.given_frames import Picture, Plane, grey

Similarity = NDArray[np.float64]
"""3×3: scale, rotation and shift."""

WORKING_SIDE, FINE_SIDE = 640, 960
_INLIERS = 24
_DISAGREEMENT = 0.012
"""Forward and backward flow that miss each other by this share of the width do not believe in each other."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """How one picture becomes the next, at a working size; lengths in pixels of that size."""

    forward: Plane
    """From each point of the first picture to its place in the second: (rows, columns, 2)."""
    back: Plane
    trust: Plane
    """0..1 where on the first picture both directions agree."""
    back_trust: Plane

    @property
    def reliability(self) -> float:
        """Share of the pictures in which both directions agree."""
        return float(min(self.trust.mean(), self.back_trust.mean()))


def motion_between(first: Picture, second: Picture, *, fine: bool) -> Motion:
    """Dense flow both ways. The same pictures give the same flow."""
    side = FINE_SIDE if fine else WORKING_SIDE
    small_first, small_second = (_reduced(grey(picture), side) for picture in (first, second))
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv2.DISOPTICAL_FLOW_PRESET_FAST
    forward, back = _dense(small_first, small_second, preset), _dense(small_second, small_first, preset)
    return Motion(forward=forward, back=back, trust=_agreement(forward, back), back_trust=_agreement(back, forward))


def _dense(first: NDArray[np.uint8], second: NDArray[np.uint8], preset: int) -> Plane:
    """One direction. An object of its own each time: it keeps state and attempts run side by side."""
    finder: Any = cv2.DISOpticalFlow.create(preset)
    return np.asarray(finder.calc(first, second, None), np.float32)


def _reduced(plane: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    scale = side / max(plane.shape)
    if scale >= 1:
        return plane
    size = (max(16, round(plane.shape[1] * scale)), max(16, round(plane.shape[0] * scale)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def _agreement(there: Plane, back_again: Plane) -> Plane:
    rows, columns = there.shape[:2]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    returned = cv2.remap(
        back_again, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    miss = np.linalg.norm(there + returned, axis=-1) / columns
    return np.asarray(np.exp(-((miss / _DISAGREEMENT) ** 2)), np.float32)


def enlarged(flow: Plane, *, width: int, height: int) -> Plane:
    """A flow at another size, its lengths along with it."""
    rows, columns = flow.shape[:2]
    if (columns, rows) == (width, height):
        return flow.copy()
    scaled = flow * np.array([width / columns, height / rows], np.float32)
    return np.asarray(cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def between(
    first: Picture,
    second: Picture,
    flows: tuple[Plane, Plane],
    share: float,
    *,
    interpolation: int,
    fade: float | None = None,
) -> Picture:
    """The picture at `share` (0..1) of the way: both carried along the flows, cross-faded; exact at 0 and 1.

    `flows` go from the first picture to the second and back, at any size. The flows at the moment between are the ones
    of Super SloMo (Jiang 2018, equation 4). `fade` is the second picture's weight where it is not `share`.
    """
    if share <= 0:
        return first
    if share >= 1:
        return second
    height, width = first.shape[:2]
    forward, back = flows
    to_first = enlarged(share * share * back - (1 - share) * share * forward, width=width, height=height)
    to_second = enlarged((1 - share) ** 2 * forward - share * (1 - share) * back, width=width, height=height)
    carried = [
        carried_along(picture, flow, interpolation) for picture, flow in ((first, to_first), (second, to_second))
    ]
    weight = share if fade is None else fade
    return np.asarray(cv2.addWeighted(carried[0], 1 - weight, carried[1], weight, 0), np.uint8)


def carried_along(picture: Picture, flow: Plane, interpolation: int) -> Picture:
    """The picture that shows at each pixel what `flow` points to from there. Changes `flow`, which has its size."""
    height, width = picture.shape[:2]
    flow[..., 0] += np.arange(width, dtype=np.float32)[None]
    flow[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    across, down = np.ascontiguousarray(flow[..., 0]), np.ascontiguousarray(flow[..., 1])
    return np.asarray(cv2.remap(picture, across, down, interpolation, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def camera_between(motion: Motion) -> Similarity | None:
    """The similarity most of the flow follows, in shares of the width about the middle; None when there is none."""
    rows, columns = motion.forward.shape[:2]
    step = max(4, columns // 48)
    y, x = np.mgrid[step // 2 : rows : step, step // 2 : columns : step]
    trusted = motion.trust[y, x] > 0.6
    if trusted.sum() < _INLIERS:
        return None
    points = np.stack([x[trusted], y[trusted]], -1).astype(np.float64)
    moved = points + motion.forward[y, x][trusted]
    middle = np.array([columns / 2, rows / 2])
    return _fitted((points - middle) / columns, (moved - middle) / columns, tolerance=1.5 / columns)


def registered(first: Picture, second: Picture) -> Similarity | None:
    """The similarity that takes the first picture to the second, from matched features; None when they do not match.

    In shares of the width about the middle. It finds moves that are far too large for dense flow.
    """
    side = WORKING_SIDE
    planes = [_reduced(grey(picture), side) for picture in (first, second)]
    finder = cv2.ORB.create(nfeatures=1500, fastThreshold=8)
    (points_a, marks_a), (points_b, marks_b) = (finder.detectAndCompute(plane, None) for plane in planes)
    if marks_a is None or marks_b is None:
        return None
    matches = sorted(
        cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks_a, marks_b), key=lambda match: match.distance
    )
    matches = [match for match in matches if match.distance < 56]
    if len(matches) < _INLIERS:
        return None
    rows, columns = planes[0].shape
    middle = np.array([columns / 2, rows / 2])
    a = (np.array([points_a[match.queryIdx].pt for match in matches]) - middle) / columns
    b = (np.array([points_b[match.trainIdx].pt for match in matches]) - middle) / columns
    return _fitted(a, b, tolerance=2.5 / columns)


def _fitted(a: NDArray[np.float64], b: NDArray[np.float64], *, tolerance: float) -> Similarity | None:
    found, inliers = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=tolerance)
    if found is None or int(inliers.sum()) < max(_INLIERS, 0.3 * len(a)):
        return None
    size = float(np.hypot(found[0, 0], found[1, 0]))
    if not 0.4 < size < 2.5 or np.abs(found[:, 2]).max() > 0.6:
        return None
    return np.vstack([found, [0, 0, 1]])


def powered(similarity: Similarity, share: float) -> Similarity:
    """A share of the way that a similarity goes: scale grows evenly, turns evenly, about one centre."""
    size = float(np.hypot(similarity[0, 0], similarity[1, 0]))
    angle = float(np.arctan2(similarity[1, 0], similarity[0, 0]))
    whole = complex(size * np.cos(angle), size * np.sin(angle))
    part = complex(size**share * np.cos(angle * share), size**share * np.sin(angle * share))
    shift = complex(similarity[0, 2], similarity[1, 2])
    moved = shift * share if abs(1 - whole) < 1e-6 else shift * (1 - part) / (1 - whole)
    return np.array([[part.real, -part.imag, moved.real], [part.imag, part.real, moved.imag], [0, 0, 1]])
