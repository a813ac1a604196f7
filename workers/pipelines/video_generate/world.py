"""What the camera looks at: a picture with a nearness to every point, and things standing in front of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.video_generate.camera import MARGIN, Camera, Framing, Lens
from workers.pipelines.video_generate.given_frames import Picture, Plane


@dataclass(frozen=True, kw_only=True)
class Pose:
    """How a thing stands against its place at rest. Lengths are shares of the frame's width."""

    right: float = 0.0
    down: float = 0.0
    wide: float = 1.0
    tall: float = 1.0
    lean: float = 0.0
    """Radians clockwise about the pivot."""
    skew: float = 0.0
    """How far the top leans over, per unit of height."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A thing in front of the picture: `paint` is added to what shines through by `passes`, colour by colour."""

    paint: Picture
    passes: Picture
    x: int
    y: int
    """Where its corner lies on the world's picture, in pixels."""
    pivot: tuple[float, float]
    """The point on the world's picture that it stands, hangs or turns on."""
    nearness: float
    pose: Callable[[float], Pose] = field(default=lambda seconds: Pose())


@dataclass(frozen=True, kw_only=True)
class Glow:
    """Light that comes and goes: `light` is added to the world's picture, `gain(seconds)` times."""

    light: Picture
    gain: Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Sway:
    """A part of the picture that is never quite at rest: water, haze, drifting clouds."""

    mask: Plane
    """Small, over the frame proper: how strongly each part takes part."""
    shift: Callable[[Plane, Plane, float], tuple[Plane, Plane]]
    """From places (shares of the width) and seconds to shifts (shares of the width) at full strength."""
    always: bool = False
    """Not calmed by `liveliness`: it starts from rest by itself."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A picture to move a camera in."""

    picture: Picture
    nearness: Plane
    framing: Framing
    layers: Sequence[Layer] = ()
    glows: Sequence[Glow] = ()
    sways: Sequence[Sway] = ()
    inset: float = 0.0
    """The zoom (natural logarithm) that keeps a painted border out of view."""

    def seen(
        self, camera: Camera, seconds: float, lens: Lens, *, interpolation: int, liveliness: float = 1.0
    ) -> Picture:
        """One frame. `liveliness` 0 holds sways and glows still."""
        map_x, map_y = lens.looked_at(camera, self.nearness, self.framing)
        for sway in self.sways:
            strength = 1.0 if sway.always else liveliness
            if strength:
                self._swayed(sway, map_x, map_y, seconds, lens, strength)
        picture = self.picture
        for glow in self.glows:
            gain = glow.gain(seconds) * liveliness
            if abs(gain) > 0.004:
                picture = np.asarray(cv2.addWeighted(picture, 1.0, glow.light, gain, 0), np.uint8)
        frame = np.asarray(cv2.remap(picture, map_x, map_y, interpolation, borderMode=cv2.BORDER_REFLECT_101), np.uint8)
        for layer in self.layers:
            self._laid_over(frame, layer, camera, seconds, lens)
        return frame

    def _swayed(self, sway: Sway, map_x: Plane, map_y: Plane, seconds: float, lens: Lens, liveliness: float) -> None:
        """Add a sway to the maps: found on a quarter of the pixels, where its waves are still fine enough."""
        size = (lens.width // 2, lens.height // 2)
        x, y = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (map_x, map_y))
        x, y = (x - self.framing.x) / self.framing.unit, (y - self.framing.y) / self.framing.unit
        rows, columns = sway.mask.shape
        strength = cv2.remap(
            sway.mask, (x + 0.5) * columns - 0.5, (y / lens.shape + 0.5) * rows - 0.5, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        for plane, shift in zip((map_x, map_y), sway.shift(x, y, seconds), strict=True):
            moved = shift * strength * np.float32(self.framing.unit * liveliness)
            np.add(plane, cv2.resize(moved, (lens.width, lens.height), interpolation=cv2.INTER_LINEAR), out=plane)

    def _laid_over(self, frame: Picture, layer: Layer, camera: Camera, seconds: float, lens: Lens) -> None:
        to_world = lens.backward(camera, layer.nearness, self.framing)
        to_layer = _shift(-layer.x, -layer.y) @ self._unposed(layer, seconds) @ to_world
        rows, columns = layer.paint.shape[:2]
        corners = np.array([[-1, -1, 1], [columns, -1, 1], [-1, rows, 1], [columns, rows, 1]], float).T
        on_canvas = (np.linalg.inv(to_layer) @ corners)[:2]
        left, top = (max(0, int(np.floor(value))) for value in on_canvas.min(1))
        right, bottom = (int(np.ceil(value)) + 1 for value in on_canvas.max(1))
        right, bottom = min(right, lens.width), min(bottom, lens.height)
        if right <= left or bottom <= top:
            return
        matrix = (to_layer @ _shift(left, top))[:2]
        size, flags = (right - left, bottom - top), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        paint = cv2.warpAffine(layer.paint, matrix, size, flags=flags, borderValue=(0, 0, 0))
        passes = cv2.warpAffine(layer.passes, matrix, size, flags=flags, borderValue=(255, 255, 255))
        below = frame[top:bottom, left:right]
        below[:] = cv2.add(cv2.multiply(below, passes, scale=1 / 255), paint)

    def _unposed(self, layer: Layer, seconds: float) -> NDArray[np.float64]:
        """From where a posed layer's point is to where it is at rest, on the world's picture."""
        pose = layer.pose(seconds)
        c, s = np.cos(pose.lean), np.sin(pose.lean)
        turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        skewed = np.array([[1, -pose.skew, 0], [0, 1, 0], [0, 0, 1]])
        shaped = turned @ skewed @ np.diag([pose.wide, pose.tall, 1.0])
        x, y = layer.pivot
        unit = self.framing.unit
        posed = _shift(x + pose.right * unit, y + pose.down * unit) @ shaped @ _shift(-x, -y)
        return np.linalg.inv(posed)


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def still_world(picture: Picture, nearness: Plane, *, glows: Sequence[Glow] = (), sways: Sequence[Sway] = ()) -> World:
    """A given picture as a world: continued a little beyond its edges."""
    height, width = picture.shape[:2]
    margin = round(MARGIN * max(width, height))
    return World(
        picture=continued(picture, margin),
        nearness=nearness,
        framing=Framing(unit=width, x=margin + width / 2 - 0.5, y=margin + height / 2 - 0.5),
        glows=[Glow(light=continued(glow.light, margin), gain=glow.gain) for glow in glows],
        sways=sways,
    )


def continued(picture: Picture, margin: int) -> Picture:
    """The picture with its mirrored surroundings, blurred the more the farther out, so that no edge shows."""
    height, width = picture.shape[:2]
    large = cv2.copyMakeBorder(picture, margin, margin, margin, margin, cv2.BORDER_REFLECT_101)
    reduced = cv2.resize(large, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.resize(cv2.GaussianBlur(reduced, (0, 0), max(1.0, margin / 22)), large.shape[1::-1])
    out_x = np.abs(np.arange(width + 2 * margin, dtype=np.float32) - margin - (width - 1) / 2) - (width - 1) / 2
    out_y = np.abs(np.arange(height + 2 * margin, dtype=np.float32) - margin - (height - 1) / 2) - (height - 1) / 2
    outside = np.clip(np.maximum(out_x[None], out_y[:, None]) / (0.7 * margin), 0, 1)
    blended = cv2.blendLinear(large, soft, (1 - outside).astype(np.float32), outside.astype(np.float32))
    return np.asarray(blended, np.uint8)
