"""How the overlap frames move, carried on beyond the last of them: the camera's part and what moves by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from workers.pipelines.video_generate.camera import Camera
from workers.pipelines.video_generate.flow import Motion, Similarity, camera_between
from workers.pipelines.video_generate.given_frames import Plane
from workers.pipelines.video_generate.world import Sway

CAMERA_SECONDS, THINGS_SECONDS = 0.9, 0.3
"""In what time a motion that we only know from the past dies away."""
_FASTEST = 0.35
"""Widths a second; a faster flow is a cut or an error."""
_LEAST, _SURE = 0.012, 0.035
"""Widths a second: up to the first the rest of the flow is noise, from the second on it is motion."""


@dataclass(frozen=True, kw_only=True)
class Momentum:
    """Speed at the last opening frame, a second's worth."""

    speed: Camera = field(default_factory=Camera)
    things: Sway | None = None

    def camera(self, seconds: float) -> Camera:
        """How far the camera has coasted: starting at the overlap's own speed, coming to rest."""
        return self.speed * (CAMERA_SECONDS * (1 - float(np.exp(-seconds / CAMERA_SECONDS))))


def momentum_of(motions: Sequence[Motion], *, sampled_fps: int, shape: float) -> Momentum:
    """The momentum of a run of frames, from the motions between its last few; none where they do not hang together."""
    similarities = [found for motion in motions[-3:] if (found := camera_between(motion)) is not None]
    if not similarities:
        return Momentum()
    speeds = [_as_camera(found) * sampled_fps for found in similarities]
    speed = sum(speeds, Camera()) * (1 / len(speeds))
    if max(abs(speed.turn), abs(speed.nod)) > _FASTEST or abs(speed.zoom) > 1 or abs(speed.roll) > 1:
        return Momentum()
    return Momentum(speed=speed, things=_things(motions[-1], similarities[-1], sampled_fps=sampled_fps, shape=shape))


def _as_camera(similarity: Similarity) -> Camera:
    """What a camera did whose picture moved so: it turns against the picture's motion."""
    size = float(np.hypot(similarity[0, 0], similarity[1, 0]))
    angle = float(np.arctan2(similarity[1, 0], similarity[0, 0]))
    return Camera(turn=-float(similarity[0, 2]), nod=-float(similarity[1, 2]), zoom=float(np.log(size)), roll=-angle)


def _things(motion: Motion, camera: Similarity, *, sampled_fps: int, shape: float) -> Sway | None:
    """What moves against the camera's motion goes on for a moment, as far as both flow directions agree on it."""
    rows, columns = motion.back.shape[:2]
    x = (np.arange(columns, dtype=np.float64) + 0.5) / columns - 0.5
    y = ((np.arange(rows, dtype=np.float64) + 0.5) / rows - 0.5) * shape
    across, along = np.meshgrid(x, y)
    before = np.linalg.inv(camera)
    expected_x = before[0, 0] * across + before[0, 1] * along + before[0, 2] - across
    expected_y = before[1, 0] * across + before[1, 1] * along + before[1, 2] - along
    trust = motion.back_trust
    own_x = (expected_x - motion.back[..., 0] / columns) * trust * sampled_fps
    own_y = (expected_y - motion.back[..., 1] / columns) * trust * sampled_fps
    size = (max(8, columns // 4), max(8, rows // 4))
    own = np.stack(
        [
            cv2.GaussianBlur(cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_AREA), (0, 0), 2.0)
            for part in (own_x, own_y)
        ],
        -1,
    )
    length = np.linalg.norm(own, axis=-1, keepdims=True)
    own *= np.clip(_FASTEST / np.maximum(length, 1e-6), 0, 1) * np.clip((length - _LEAST) / (_SURE - _LEAST), 0, 1)
    if float((length > _SURE).mean()) < 0.002:
        return None

    def shift(x: Plane, y: Plane, seconds: float) -> tuple[Plane, Plane]:
        at_x = ((x + 0.5) * size[0] - 0.5).astype(np.float32)
        at_y = ((y / shape + 0.5) * size[1] - 0.5).astype(np.float32)
        found = cv2.remap(own.astype(np.float32), at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        gone = np.float32(THINGS_SECONDS * (1 - np.exp(-seconds / THINGS_SECONDS)))
        return -found[..., 0] * gone, -found[..., 1] * gone

    return Sway(mask=np.ones((4, 4), np.float32), shift=shift, always=True)
