"""What makes a still picture live: water that shimmers, clouds that drift, leaves in the wind, lights that flicker."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.image_generate.canvas import stream
from workers.pipelines.video_generate.given_frames import Picture, Plane, grey
from workers.pipelines.video_generate.world import Glow, Sway

MASK_SIDE = 240
LEAST_SHARE = 0.02
"""A mask that covers less of the picture than this is not worth a motion."""
ON_THE_PICTURE = ("water", "clouds", "wind", "flicker", "twinkle", "pulse")
"""The effects made here."""


def sways_of(picture: Picture, effects: Sequence[str], *, seed: int, submerged: bool = False) -> dict[str, Sway]:
    """The motions that the picture has room for, by effect: an asked one is missing where nothing is to be moved."""
    small = _small(picture)
    phases = stream(seed, "sways").random(8)
    found: dict[str, Sway] = {}
    for effect in effects:
        match effect:
            case "water" if submerged:
                mask = np.full(small.shape[:2], 0.7, np.float32)
            case "water":
                mask = _watery(small)
            case "clouds":
                mask = _airy(small)
            case "wind":
                mask = _leafy(small)
            case _:
                continue
        if float(mask.mean()) < LEAST_SHARE:
            continue
        found[effect] = Sway(mask=mask, shift=_shift_of(effect, phases))
    return found


def _shift_of(effect: str, phases: NDArray[np.float64]) -> Callable[[Plane, Plane, float], tuple[Plane, Plane]]:
    a, b, c, d = (2 * np.pi * float(phase) for phase in phases[:4])

    def waves(x: Plane, y: Plane, seconds: float) -> tuple[Plane, Plane]:
        long = np.sin(95 * y + 14 * x - 3.1 * seconds + a) + 0.6 * np.sin(170 * y - 31 * x - 4.7 * seconds + b)
        short = np.sin(60 * x + 120 * y + 3.9 * seconds + c)
        return np.float32(0.0014) * (long + 0.4 * short), np.float32(0.0007) * (short + 0.5 * long)

    def drift(x: Plane, y: Plane, seconds: float) -> tuple[Plane, Plane]:
        return np.full_like(x, -0.007 * seconds), np.float32(0.001) * np.sin(7 * x + 0.4 * seconds + d)

    def gusts(x: Plane, y: Plane, seconds: float) -> tuple[Plane, Plane]:
        gust = 0.6 + 0.4 * np.sin(0.9 * seconds + 5 * x + a)
        flutter = np.sin(26 * x + 19 * y - 3.4 * seconds + b) + 0.5 * np.sin(61 * x - 47 * y + 5.2 * seconds + c)
        return np.float32(0.0016) * gust * flutter, np.float32(0.0005) * flutter

    return {"water": waves, "clouds": drift, "wind": gusts}[effect]


def glows_of(picture: Picture, effects: Sequence[str], *, seed: int) -> dict[str, Glow]:
    """The lights of the picture that come and go, by effect."""
    phases = stream(seed, "glows").random(12)
    found: dict[str, Glow] = {}
    light = grey(picture)
    for effect in effects:
        match effect:
            case "flicker":
                warm = cv2.subtract(picture[..., 0], picture[..., 2])
                mask = _ramp(light, 135, 215) * (0.35 + 0.65 * _ramp(warm, 10, 80))
                gain = _flicker(phases)
            case "pulse":
                mask = _ramp(light, 120, 220)
                gain = _slow(0.45, 0.22, float(phases[0]))
            case "twinkle":
                for group, glow in enumerate(_twinkles(picture, light, phases, seed)):
                    found[f"twinkle {group}"] = glow
                continue
            case _:
                continue
        if float(mask.mean()) < 0.001:
            continue
        soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, picture.shape[1] / 220))
        found[effect] = Glow(light=(picture * soft[..., None]).astype(np.uint8), gain=gain)
    return found


def breath(picture: Picture, *, seed: int) -> Glow:
    """The faintest rise and fall of the light, for a picture in which nothing else moves."""
    phase = float(stream(seed, "breath").random())
    return Glow(light=picture, gain=lambda seconds: 0.035 * np.sin(2 * np.pi * (0.28 * seconds + phase)))


def _flicker(phases: NDArray[np.float64]) -> Callable[[float], float]:
    def gain(seconds: float) -> float:
        parts = zip((1.7, 3.1, 5.3, 8.1), (0.5, 0.3, 0.22, 0.14), phases[:4], strict=True)
        return 0.34 * sum(weight * float(np.sin(2 * np.pi * (rate * seconds + at))) for rate, weight, at in parts)

    return gain


def _slow(rate: float, strength: float, phase: float) -> Callable[[float], float]:
    return lambda seconds: strength * float(np.sin(2 * np.pi * (rate * seconds + phase)))


def _twinkles(picture: Picture, light: NDArray[np.uint8], phases: NDArray[np.float64], seed: int) -> list[Glow]:
    """Star-like points, dealt to three groups that shine in turn."""
    round_about = cv2.GaussianBlur(light, (0, 0), max(2.0, picture.shape[1] / 300))
    points = _ramp(cv2.subtract(light, round_about), 18, 60) * (1 - _ramp(round_about, 70, 130))
    if float((points > 0.3).mean()) < 1e-5:
        return []
    rows, columns = light.shape
    deal = stream(seed, "twinkle").random((max(2, rows // 24), max(2, columns // 24))).astype(np.float32)
    dealt = cv2.resize(deal, (columns, rows), interpolation=cv2.INTER_NEAREST)
    spread = cv2.GaussianBlur(points, (0, 0), 1.2)
    glows = []
    for group in range(3):
        chosen = spread * ((dealt >= group / 3) & (dealt < (group + 1) / 3))
        tinted = (picture * chosen[..., None] * 1.6).clip(0, 255).astype(np.uint8)
        glows.append(Glow(light=tinted, gain=_slow(0.5 + 0.23 * group, 0.75, float(phases[4 + group]))))
    return glows


def _ramp(plane: NDArray[Any], low: float, high: float) -> Plane:
    return np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1)


def _small(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = MASK_SIDE / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _soft(mask: NDArray[np.bool_] | Plane, rows: Plane) -> Plane:
    spread = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), MASK_SIDE / 60)
    return np.asarray(np.clip(spread * 1.3 - 0.15, 0, 1) * rows[:, None], np.float32)


def _watery(small: Picture) -> Plane:
    """Blue or green-blue, or a mirror of the sky, in the lower part; stronger the nearer."""
    red, green, blue = (small[..., channel].astype(np.float32) for channel in range(3))
    cool = (blue > red * 1.08) & (blue > green * 0.82)
    y = np.linspace(0, 1, len(small), dtype=np.float32)
    below_the_sky = 1 - np.clip(_airy(small, whole=True) * 3, 0, 1)
    return _soft(cool * below_the_sky, np.clip((y - 0.42) / 0.16, 0, 1) * (0.4 + 0.6 * y))


def _airy(small: Picture, *, whole: bool = False) -> Plane:
    """The sky above whatever stands against it: each column down to its first lasting fall of brightness.

    Kept well clear of it, unless the `whole` sky is wanted.
    """
    light = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), 1.2).astype(np.float32)
    height, width = light.shape
    above = np.cumsum(light, axis=0) / np.arange(1, height + 1, dtype=np.float32)[:, None]
    darker = light < np.minimum(above * 0.78, above - 8)
    lasting = cv2.erode(darker.astype(np.uint8), np.ones((5, 1), np.uint8), anchor=(0, 0)) > 0
    lasting[-1] = True
    limit = np.argmax(lasting, axis=0).astype(np.float32) / height
    if whole:
        return np.asarray(np.linspace(0, 1, height, dtype=np.float32)[:, None] < limit[None], np.float32)
    limit = cv2.erode(limit[None], np.ones((1, max(3, width // 14) | 1), np.uint8))
    limit = cv2.GaussianBlur(limit, (0, 0), width / 30)[0]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    return np.asarray(np.clip((np.minimum(limit, 0.6)[None] * 0.92 - y) / 0.16, 0, 1), np.float32)


def _leafy(small: Picture) -> Plane:
    red, green, blue = (small[..., channel].astype(np.float32) for channel in range(3))
    leafy = (green > blue * 1.12) & (green > red * 0.94) & (green > 35)
    return _soft(leafy, np.ones(len(small), np.float32))
