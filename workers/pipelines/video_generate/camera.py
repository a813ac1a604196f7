"""The camera: where it stands, how it moves over a clip, and which point of a picture each pixel then shows.

Lengths are shares of the picture's width, so that a move looks the same on every canvas. A point of the world has a
nearness d: 0 at infinity, 1 at the nearest foreground. What lies at nearness d moves by d times the camera's travel
and grows by 1 / (1 − forward · d): the pinhole camera, with d for inverse depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.video_generate.given_frames import Plane

PIVOT = 0.45
"""The nearness that an orbiting camera keeps in place."""
MARGIN = 0.1
"""How far, a share of the longer side, a still is continued beyond its edges for cameras that see past them."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera's pose against the one that took the picture; the default one shows it unchanged."""

    right: float = 0.0
    """Travel to the right: near things slide left more than far ones."""
    down: float = 0.0
    forward: float = 0.0
    """Travel into the picture: near things grow more than far ones."""
    turn: float = 0.0
    """Turned to the right: everything slides left alike."""
    nod: float = 0.0
    """Turned downwards."""
    zoom: float = 0.0
    """Natural logarithm of the focal length's growth."""
    roll: float = 0.0
    """Radians clockwise."""
    orbit: float = 0.0
    """Travel to the right while turning left, so that what lies at PIVOT stays."""

    def __add__(self, other: "Camera") -> "Camera":
        return Camera(**{name: getattr(self, name) + getattr(other, name) for name in _NAMES})

    def __mul__(self, share: float) -> "Camera":
        return Camera(**{name: getattr(self, name) * share for name in _NAMES})

    @property
    def is_still(self) -> bool:
        """Whether it shows the picture unchanged, to a thousandth of a pixel on the largest canvas."""
        return all(abs(getattr(self, name)) < 2e-7 for name in _NAMES)


_NAMES = tuple(entry.name for entry in fields(Camera))

POINTS: dict[str, Camera] = {
    "push-in": Camera(forward=0.22, zoom=0.06),
    "zoom-in": Camera(zoom=0.24),
    "pull-out": Camera(forward=-0.1, zoom=-0.075),
    "zoom-out": Camera(zoom=-0.14),
    "pan-left": Camera(turn=-0.075),
    "pan-right": Camera(turn=0.075),
    "tilt-up": Camera(nod=-0.065),
    "tilt-down": Camera(nod=0.065),
    "truck-left": Camera(right=-0.1),
    "truck-right": Camera(right=0.1),
    "crane-up": Camera(down=-0.085),
    "crane-down": Camera(down=0.085),
    "orbit-left": Camera(orbit=-0.13, zoom=0.05),
    "orbit-right": Camera(orbit=0.13, zoom=0.05),
    "roll": Camera(roll=0.1, zoom=0.12),
    "dolly-zoom": Camera(forward=0.34, zoom=-0.155),
}
"""Where each move has got to after a clip of five seconds at an unhurried pace."""
UNASKED = Camera(forward=0.15, zoom=0.035, right=0.018)
"""What a camera does that was told nothing: it comes a little nearer."""
PACES = {"slow": 0.6, "normal": 1.0, "fast": 1.65}


def destination(moves: Sequence[str], *, pace: str, seconds: float) -> Camera:
    """Where the moves, together, have brought the camera at the end of the clip."""
    reach = PACES[pace] * float(np.clip((seconds / 5) ** 0.6, 0.3, 1.5))
    if not moves:
        return UNASKED * reach
    total = Camera()
    for move in moves:
        total = total + POINTS.get(move, Camera())
    return total * (reach / max(1, len(moves)) ** 0.35)


def eased(share: float, *, at_start: float, at_end: float) -> float:
    """Progress of a move that takes `at_start` of its time to get going and `at_end` to come to rest; both 0 to 0.5.

    Constant speed between, with the speed rising and falling along half a cosine.
    """
    x = min(max(share, 0.0), 1.0)
    full = 1 - (at_start + at_end) / 2
    if x < at_start:
        done = (x - at_start / np.pi * np.sin(np.pi * x / at_start)) / 2
    elif x <= 1 - at_end:
        done = x - at_start / 2
    else:
        left = 1 - x
        done = full - (left - at_end / np.pi * np.sin(np.pi * left / at_end)) / 2 if at_end else full
    return float(done / full)


def shake(seconds: float, phases: Sequence[float], *, strength: float = 1.0) -> Camera:
    """A hand's unrest: slow sway with a little tremor. Zero-mean sums of sines, so that it never drifts away."""
    ways = []
    for number in range(3):
        a, b, c = phases[3 * number : 3 * number + 3]
        ways.append(
            np.sin(2 * np.pi * (0.37 * seconds + a))
            + 0.55 * np.sin(2 * np.pi * (0.83 * seconds + b))
            + 0.22 * np.sin(2 * np.pi * (1.9 * seconds + c))
        )
    return Camera(turn=0.0055 * ways[0], nod=0.0045 * ways[1], roll=0.0042 * ways[2]) * strength


def covering(camera: Camera, *, shape: float) -> Camera:
    """The same camera, with its zoom raised until turns, travel and roll no longer show what lies past the edges.

    `shape` is height over width. A camera that pulls out or backs off is left to see past them by that alone.
    """
    sideways = abs(camera.turn) + abs(camera.right) * 0.85 + abs(camera.orbit) * max(PIVOT, 0.85 - PIVOT)
    downwards = abs(camera.nod) + abs(camera.down) * 0.85
    rolled = abs(np.sin(camera.roll))
    across, along = 1 + 2 * sideways + rolled * shape, 1 + (2 * downwards + rolled) / shape
    needed = float(np.log(max(across, along)))
    return replace(camera, zoom=needed + camera.zoom if camera.zoom < 0 else max(camera.zoom, needed))


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How a picture lies under the camera: its pixels to a share of the width, and the pixel on the optical axis."""

    unit: float
    x: float
    y: float


class Lens:
    """Which point of a picture each pixel of a canvas shows, for any pose of the camera."""

    def __init__(self, *, width: int, height: int) -> None:
        self.width, self.height, self.shape = width, height, height / width
        self._across = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
        self._along = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5) * self.shape

    def backward(self, camera: Camera, nearness: float, framing: Framing) -> NDArray[np.float64]:
        """The affine map, 3×3 in pixels, from canvas to picture for everything at one nearness."""
        matrix, offset = _directions(camera)
        grow = 1 - camera.forward * nearness
        shares = np.eye(3)
        shares[:2, :2] = matrix * grow
        shares[:2, 2] = offset * grow + np.array([camera.right + camera.orbit, camera.down]) * nearness
        size = 1 / self.width
        canvas = np.array([[size, 0, size / 2 - 0.5], [0, size, size / 2 - 0.5 * self.shape], [0, 0, 1]])
        picture = np.array([[framing.unit, 0, framing.x], [0, framing.unit, framing.y], [0, 0, 1]])
        return np.asarray(picture @ shares @ canvas)

    def looked_at(self, camera: Camera, nearness: Plane, framing: Framing) -> tuple[Plane, Plane]:
        """The picture's pixel, x and y, that each pixel of the canvas shows.

        `nearness` is a small smooth plane over the frame proper; parallax is found at its size and enlarged.
        """
        matrix, offset = _directions(camera)
        far_x = (matrix[0, 0] * self._across + offset[0])[None] + (matrix[0, 1] * self._along)[:, None]
        far_y = (matrix[1, 0] * self._across + offset[1])[None] + (matrix[1, 1] * self._along)[:, None]
        right, down, forward = camera.right + camera.orbit, camera.down, camera.forward
        if right or down or forward:
            rows, columns = nearness.shape
            small_x, small_y = (
                cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA) for plane in (far_x, far_y)
            )
            aside_x, aside_y = np.zeros_like(nearness), np.zeros_like(nearness)
            for _ in range(3):  # where the point lies depends on its nearness, and that on where it lies
                d = self._nearness_at(nearness, small_x + aside_x, small_y + aside_y)
                aside_x, aside_y = d * (right - forward * small_x), d * (down - forward * small_y)
            far_x += cv2.resize(aside_x, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
            far_y += cv2.resize(aside_y, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        far_x *= framing.unit
        far_x += framing.x
        far_y *= framing.unit
        far_y += framing.y
        return far_x, far_y

    def _nearness_at(self, plane: Plane, x: Plane, y: Plane) -> Plane:
        rows, columns = plane.shape
        at_x, at_y = (x + 0.5) * columns - 0.5, (y / self.shape + 0.5) * rows - 0.5
        return np.asarray(cv2.remap(plane, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _directions(camera: Camera) -> tuple[Plane, Plane]:
    """Rotation, zoom and turns, as a map of directions: matrix and offset."""
    c, s = np.cos(camera.roll), np.sin(camera.roll)
    matrix = np.exp(-camera.zoom) * np.array([[c, -s], [s, c]])
    return matrix.astype(np.float32), np.array([camera.turn - camera.orbit * PIVOT, camera.nod], np.float32)
