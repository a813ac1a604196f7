"""What moves in the air in front of the picture: rain, snow, dust, sparks, petals, fog, light leaks, lightning.

Every particle's way is a function of time, so any frame can be drawn without the ones before it.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.image_generate.canvas import fbm, stream
from workers.pipelines.video_generate.given_frames import Picture, Plane
from workers.pipelines.video_generate.swarms import SWARMS, Swarm

_SHIFT = 4
"""Sub-pixel bits of OpenCV's drawing: particles glide, they do not hop from pixel to pixel."""


IN_THE_AIR = (*SWARMS, "fog", "storm", "light-leaks")
"""The effects drawn here; the others change the picture itself."""


class Air:
    """Everything that is drawn over the frames of one clip. Safe to draw several frames at once."""

    def __init__(self, effects: Sequence[str], *, width: int, height: int, seed: int) -> None:
        self.effects = [effect for effect in effects if effect in IN_THE_AIR]
        self._width, self._height = width, height
        self._side = float(np.sqrt(width * height))
        self._ways = {
            (effect, number): stream(seed, f"air {effect} {number}").random((self._number(swarm), 8))
            for effect in self.effects
            for number, swarm in enumerate(SWARMS.get(effect, ()))
        }
        self._veil = self._fog(seed) if "fog" in self.effects else None
        self._flash_phase = float(stream(seed, "air storm").random())
        self._leak = stream(seed, "air leaks").random(6)

    def _number(self, swarm: Swarm) -> int:
        """As many as keep the air equally full on a wide and on a tall canvas."""
        return round(swarm.count * max(1.0, self._width / self._height, self._height / self._width) ** 0.3)

    def draw(self, frame: Picture, seconds: float, strength: float) -> None:
        """Draw over `frame`. `strength` 0..1 lets everything come and go."""
        if strength < 0.004:
            return
        if self._veil is not None:
            self._draw_fog(frame, self._veil, seconds, strength)
        if "storm" in self.effects:
            self._draw_flash(frame, seconds, strength)
        for (effect, number), ways in self._ways.items():
            self._draw_swarm(frame, SWARMS[effect][number], ways, seconds, strength)
        if "light-leaks" in self.effects:
            self._draw_leak(frame, seconds, strength)

    def _draw_swarm(
        self, frame: Picture, swarm: Swarm, ways: NDArray[np.float64], seconds: float, strength: float
    ) -> None:
        """Draw at half size where the particles are soft, at full size where they are fine."""
        coarse = 2 if swarm.soft * self._side >= 1.5 else 1
        size = (self._height // coarse, self._width // coarse)
        unit = self._side / coarse
        margin = 0.06
        mask = np.zeros((*size, 3), np.uint8)
        cover = None if swarm.light else np.zeros(size, np.uint8)
        across, down = size[1] / unit + 2 * margin, size[0] / unit + 2 * margin
        for index, way in enumerate(ways):
            fall = swarm.fall[0] + (swarm.fall[1] - swarm.fall[0]) * way[2]
            drift = swarm.drift[0] + (swarm.drift[1] - swarm.drift[0]) * way[3]
            swing = swarm.waver * np.sin(2 * np.pi * ((0.18 + 0.3 * way[4]) * seconds + way[5]))
            x = ((way[0] * across + drift * seconds + swing) % across - margin) * unit
            y = ((way[1] * down + fall * seconds + 0.6 * swing) % down - margin) * unit
            size_here = (swarm.size[0] + (swarm.size[1] - swarm.size[0]) * way[6] ** 2) * unit
            shine = swarm.opacity[0] + (swarm.opacity[1] - swarm.opacity[0]) * way[7]
            if swarm.twinkle:
                shine *= 0.5 + 0.5 * np.sin(2 * np.pi * (swarm.twinkle * (0.6 + 0.8 * way[4]) * seconds + way[6]))
            alpha = float(shine * strength)
            if alpha < 0.01:
                continue
            color = swarm.colors[index % len(swarm.colors)]
            shade = tuple(channel * alpha for channel in color)
            for plane, tone in ((mask, shade), (cover, (255 * alpha,))):
                if plane is not None:
                    _particle(plane, swarm.shape, x, y, size_here, (drift * unit, fall * unit), seconds, way, tone)
        _blend(frame, mask, cover, blur=swarm.soft * unit)

    def _fog(self, seed: int) -> Plane:
        """A banner of noise that can be scrolled for ever: its right end runs into its left."""
        noise = fbm(stream(seed, "air fog"), 512, 128, cells=(7, 3.2), octaves=4)
        ramp = np.linspace(0, 1, 512, dtype=np.float32)[None]
        turned = np.roll(noise, 256, axis=1)
        weight = np.abs(2 * ramp - 1) ** 2
        return np.asarray(noise * (1 - weight) + turned * weight, np.float32)

    def _draw_fog(self, frame: Picture, veil: Plane, seconds: float, strength: float) -> None:
        columns = np.arange(128)
        layers = []
        for speed, offset in ((9.0, 0), (-5.5, 200)):
            place = (columns * 2 + offset + speed * seconds) % 512
            low = np.floor(place).astype(int)
            part = (place - low).astype(np.float32)
            layers.append(veil[:, low % 512] * (1 - part) + veil[:, (low + 1) % 512] * part)
        density = np.clip((0.5 * layers[0] + 0.5 * layers[1] - 0.34) * 1.9, 0, 1)
        band = 0.34 + 0.5 * np.exp(-(((np.linspace(0, 1, 128, dtype=np.float32) - 0.68) / 0.26) ** 2))
        alpha = cv2.resize(density * band[:, None] * np.float32(strength * 0.82), (self._width, self._height))
        frame[:] = cv2.blendLinear(
            frame, np.full_like(frame, (214, 220, 226)), (1 - alpha).astype(np.float32), alpha.astype(np.float32)
        )

    def _draw_flash(self, frame: Picture, seconds: float, strength: float) -> None:
        """Sheet lightning every few seconds: two quick flares, the second one weaker."""
        since = (seconds + self._flash_phase * 2.6) % 3.1
        light = np.exp(-since / 0.09) + 0.6 * np.exp(-max(0.0, since - 0.22) / 0.12) * (since >= 0.22)
        if light > 0.02:
            frame[:] = cv2.convertScaleAbs(frame, alpha=1 + 0.5 * light * strength, beta=34 * light * strength)

    def _draw_leak(self, frame: Picture, seconds: float, strength: float) -> None:
        """Warm light that wanders along an edge of the film."""
        a, b, c, d, e, _ = self._leak
        x = np.linspace(0, 1, 64, dtype=np.float32)[None]
        y = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
        light = np.zeros((64, 64, 3), np.float32)
        for side, phase, tone in ((0.0, a, (255, 120, 40)), (1.0, b, (255, 190, 90)), (0.6, c, (255, 90, 70))):
            middle = side + 0.18 * np.sin(2 * np.pi * (0.11 * seconds + phase))
            height = 0.5 + 0.4 * np.sin(2 * np.pi * (0.07 * seconds + d + side))
            gain = 0.5 + 0.5 * np.sin(2 * np.pi * (0.19 * seconds + e + phase))
            glow = np.exp(-(((x - middle) / 0.2) ** 2) - ((y - height) / 0.6) ** 2) * (0.6 if side in {0, 1} else 0.22)
            light += glow[..., None] * gain * np.array(tone, np.float32)
        added = np.clip(light * strength * 0.62, 0, 255)
        large = cv2.resize(added, (self._width, self._height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        _screen(frame, large)


def _particle(
    plane: Picture, shape: str, x: float, y: float, size: float, speed: tuple[float, float], seconds: float,
    way: NDArray[np.float64], tone: Sequence[float],
) -> None:  # fmt: skip
    scale = 1 << _SHIFT
    centre = (round(x * scale), round(y * scale))
    match shape:
        case "streak" | "trail":
            lasting = 1 / 48 if shape == "streak" else 1 / 30
            tail = (round((x - speed[0] * lasting) * scale), round((y - speed[1] * lasting) * scale))
            cv2.line(plane, tail, centre, tone, max(1, round(size * 1.6)), cv2.LINE_AA, _SHIFT)
        case "ring":
            radius = max(1.0, size)
            cv2.circle(plane, centre, round(radius * scale), tone, max(1, round(size * 0.22)), cv2.LINE_AA, _SHIFT)
            glint = (round((x - 0.4 * radius) * scale), round((y - 0.4 * radius) * scale))
            cv2.circle(plane, glint, max(scale // 2, round(0.2 * radius * scale)), tone, -1, cv2.LINE_AA, _SHIFT)
        case "petal":
            turn = 360 * (way[4] + (0.15 + 0.35 * way[5]) * seconds)
            flat = 0.35 + 0.6 * abs(np.sin(2 * np.pi * ((0.2 + 0.4 * way[6]) * seconds + way[7])))
            axes = (round(size * scale), max(scale // 2, round(size * 0.55 * flat * scale)))
            cv2.ellipse(plane, centre, axes, turn, 0, 360, tone, -1, cv2.LINE_AA, _SHIFT)
        case _:
            if size < 0.75:  # smaller than a pixel: as much fainter, or it would hop
                tone = tuple(value * (size / 0.75) ** 2 for value in tone)
            cv2.circle(plane, centre, round(max(0.75, size) * scale), tone, -1, cv2.LINE_AA, _SHIFT)


def _blend(frame: Picture, mask: Any, cover: Any, *, blur: float) -> None:
    if blur > 0.4:
        mask = cv2.GaussianBlur(mask, (0, 0), blur)
        cover = None if cover is None else cv2.GaussianBlur(cover, (0, 0), blur)
    if mask.shape[:2] != frame.shape[:2]:
        size = frame.shape[1::-1]
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
        cover = None if cover is None else cv2.resize(cover, size, interpolation=cv2.INTER_LINEAR)
    if cover is None:
        _screen(frame, mask)
        return
    passes = cv2.cvtColor(cv2.bitwise_not(cover), cv2.COLOR_GRAY2RGB)
    frame[:] = cv2.add(cv2.multiply(frame, passes, scale=1 / 255), mask)


def _screen(frame: Picture, light: Picture) -> None:
    """Add light without ever clipping: 1 − (1 − frame)(1 − light)."""
    frame[:] = cv2.add(frame, cv2.multiply(cv2.bitwise_not(frame), light, scale=1 / 255))
