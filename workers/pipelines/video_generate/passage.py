"""From a picture to the final frame: a morph where both show the same thing, else a travelling dissolve."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.video_generate.camera import MARGIN, Camera, Framing, Lens
from workers.pipelines.video_generate.flow import Similarity, motion_between, powered, registered
from workers.pipelines.video_generate.given_frames import Picture, Plane
from workers.pipelines.video_generate.world import World, continued

RELIABLE = 0.55
"""From this share of pixels on whose motion both directions agree, two pictures count as the same scene."""
_FADE_FROM, _FADE_TO = 0.28, 0.74
_BAND = 192


@dataclass(frozen=True, kw_only=True)
class Passage:
    """The way to the final frame."""

    world: World
    """The final frame as a world of its own."""
    morph: "Morph | None" = None
    """Where both pictures show the same thing."""

    def fade(self, share: float) -> float:
        """The final frame's weight in a dissolve."""
        level = min(1.0, max(0.0, (share - _FADE_FROM) / (_FADE_TO - _FADE_FROM)))
        return level * level * (3 - 2 * level)


@dataclass(frozen=True, kw_only=True)
class Morph:
    """Two pictures of one scene: the move of the camera between them and what else moved."""

    first: Picture
    """With its surroundings, as `second`."""
    second: Picture
    margin: int
    similarity: Similarity
    """From the first picture's points to the second's, in shares of the width about the middle."""
    forward: Plane
    """What the similarity leaves over, on the second picture's points; lengths in its own pixels."""
    back: Plane
    lens: Lens
    interpolation: int

    def at(self, share: float, view: Camera) -> Picture:
        """Both pictures carried to the moment between, mixed by how near it is and by what each of them holds.

        Made in bands of rows: on a large canvas the maps would outweigh the pictures.
        """
        lens, unit = self.lens, self.lens.width
        axis = Framing(unit=unit, x=unit / 2 - 0.5, y=lens.height / 2 - 0.5)
        to_pixels = np.array([[unit, 0, axis.x], [0, unit, axis.y], [0, 0, 1]])
        to_shares = np.linalg.inv(to_pixels)
        there = to_pixels @ powered(self.similarity, 1 - share) @ to_shares @ lens.backward(view, 0.4, axis)
        undo = to_pixels @ np.linalg.inv(self.similarity) @ to_shares
        flows = (
            share * share * self.back - (1 - share) * share * self.forward,
            (1 - share) ** 2 * self.forward - share * (1 - share) * self.back,
        )
        made = np.empty((lens.height, lens.width, 3), np.uint8)
        for top in range(0, lens.height, _BAND):
            rows = np.arange(top, min(top + _BAND, lens.height), dtype=np.float32)[:, None]
            columns = np.arange(lens.width, dtype=np.float32)[None]
            made[top : top + _BAND] = self._band(share, _mapped(there, columns, rows), flows, undo)
        return made

    def _band(
        self, share: float, place: tuple[Plane, Plane], flows: tuple[Plane, Plane], undo: NDArray[np.float64]
    ) -> Picture:
        """The rows whose points, on the second picture but for the flows, are `place`."""
        width, height = self.lens.width, self.lens.height
        rows, columns = self.forward.shape[:2]
        x, y = place
        at_x, at_y = (x + 0.5) * np.float32(columns / width) - 0.5, (y + 0.5) * np.float32(rows / height) - 0.5
        scale = np.float32(width / columns)
        sources = []
        for flow in flows:
            moved = cv2.remap(flow, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            sources.append((x + scale * moved[..., 0], y + scale * moved[..., 1]))
        sources[0] = _mapped(undo, *sources[0])
        holds = [_inside(across, along, width, height) for across, along in sources]
        weights = (1 - share) * holds[0] + 1e-4, share * holds[1] + 1e-4
        mix = (weights[1] / (weights[0] + weights[1])).astype(np.float32)
        margin = np.float32(self.margin)
        seen = [
            cv2.remap(picture, px + margin, py + margin, self.interpolation, borderMode=cv2.BORDER_REFLECT_101)
            for picture, (px, py) in zip((self.first, self.second), sources, strict=True)
        ]
        return np.asarray(cv2.blendLinear(seen[0], seen[1], 1 - mix, mix), np.uint8)


def morph_between(first: Picture, second: Picture, *, lens: Lens, fine: bool, interpolation: int) -> Morph | None:
    """The morph from one picture to the other; None where they have too little in common."""
    height, width = first.shape[:2]
    found = registered(first, second)
    similarity = np.eye(3) if found is None else found
    middle = np.array([[1.0, 0, width / 2 - 0.5], [0, 1, height / 2 - 0.5], [0, 0, 1]])
    scale = np.diag([width, width, 1.0])
    matrix = (middle @ scale) @ similarity @ np.linalg.inv(middle @ scale)
    aligned = np.asarray(
        cv2.warpAffine(first, matrix[:2], (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
        np.uint8,
    )
    motion = motion_between(aligned, second, fine=fine)
    if motion.reliability < (RELIABLE if found is None else 0.3) or not _alike(aligned, second, motion.forward):
        return None
    margin = round(MARGIN * max(width, height))
    believed = [
        cv2.GaussianBlur(flow * cv2.GaussianBlur(trust, (0, 0), 4)[..., None], (0, 0), 1.5)
        for flow, trust in ((motion.forward, motion.trust), (motion.back, motion.back_trust))
    ]
    return Morph(
        first=continued(first, margin), second=continued(second, margin), margin=margin, similarity=similarity,
        forward=np.asarray(believed[0], np.float32), back=np.asarray(believed[1], np.float32), lens=lens,
        interpolation=interpolation,
    )  # fmt: skip


def _alike(first: Picture, second: Picture, forward: Plane) -> bool:
    """Whether the second picture, brought back along the flow, looks like the first."""
    rows, columns = forward.shape[:2]
    small = [cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA) for picture in (first, second)]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    returned = cv2.remap(small[1], x + forward[..., 0], y + forward[..., 1], cv2.INTER_LINEAR)
    planes = [
        cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
        for picture in (small[0], returned)
    ]
    spread = float(np.std(planes[0]) * np.std(planes[1]))
    if spread < 1:
        return True
    return float(np.mean((planes[0] - planes[0].mean()) * (planes[1] - planes[1].mean())) / spread) > 0.6


def _mapped(matrix: NDArray[np.float64], x: Plane, y: Plane) -> tuple[Plane, Plane]:
    m = matrix.astype(np.float32)
    return m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]


def _inside(x: Plane, y: Plane, width: int, height: int) -> Plane:
    """1 well inside a picture, 0 beyond its edge."""
    soft = 0.02 * width
    edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    return np.clip(edge / soft + 1, 0, 1)
