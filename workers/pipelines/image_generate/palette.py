"""Colour: the light of each hour, the ground of each setting, and grading by tables (moods, tints, references)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from workers.pipelines.image_generate import vocabulary as words
from workers.pipelines.image_generate.canvas import mix
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.scene import Rgb, Scene

Colors = NDArray[np.floating[Any]]
"""n × 3, 0..1."""
LUT_SIDE = 17
MAX_REFERENCE_SIDE = 96
REFERENCE_COLORS = 6


@dataclass(frozen=True)
class Light:
    """The hour: three sky tones, what the sun or moon casts, what everything else is multiplied by."""

    top: Rgb
    middle: Rgb
    low: Rgb
    key: Rgb
    ambient: Rgb
    haze: Rgb
    night: bool = False


HOURS = {
    "dawn": Light(rgb("#5f7fb8"), rgb("#e7a9b0"), rgb("#ffe0b8"), rgb("#ffd9a8"), (0.98, 0.9, 0.92), rgb("#f3cfc4")),
    "noon": Light(rgb("#2f7fd0"), rgb("#7dbcec"), rgb("#d8eff8"), rgb("#fff6df"), (1.0, 1.0, 1.0), rgb("#cfe6f2")),
    "sunset": Light(rgb("#3b3a78"), rgb("#d8617a"), rgb("#ffb45e"), rgb("#ffb56b"), (0.97, 0.8, 0.76), rgb("#f0a07a")),
    "night": Light(
        rgb("#080d24"), rgb("#152650"), rgb("#2f4a7c"), rgb("#b8cdf6"), (0.5, 0.56, 0.78), rgb("#2a4170"), True
    ),
}

GROUNDS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "meadow": (rgb("#86b765"), rgb("#5f9c46"), rgb("#3c7434")),
    "forest": (rgb("#5d8f6b"), rgb("#3f7046"), rgb("#24472c")),
    "mountains": (rgb("#7f93ad"), rgb("#6f9a5c"), rgb("#41703f")),
    "desert": (rgb("#e0b27c"), rgb("#dd9f5a"), rgb("#b5713a")),
    "beach": (rgb("#4fb5c4"), rgb("#f1dcaa"), rgb("#d9b57b")),
    "sea": (rgb("#4d97bd"), rgb("#2b77a8"), rgb("#123f6b")),
    "underwater": (rgb("#57c4cf"), rgb("#2a86a8"), rgb("#0b3358")),
    "city": (rgb("#8291a8"), rgb("#5b6478"), rgb("#3b4152")),
    "space": (rgb("#3a2a6a"), rgb("#141433"), rgb("#070716")),
    "planet": (rgb("#9c8fa8"), rgb("#837790"), rgb("#4b4258")),
    "sky": (rgb("#ffffff"), rgb("#e6eff8"), rgb("#bcd3ea")),
    "snow": (rgb("#c5d9ea"), rgb("#eef4fa"), rgb("#c7d9ec")),
    "room": (rgb("#e4d3bb"), rgb("#b98b5e"), rgb("#7d5836")),
    "studio": (rgb("#d9dfe2"), rgb("#c6ccd0"), rgb("#8f979d")),
    "abstract": (rgb("#9aa6c8"), rgb("#5e6fa6"), rgb("#2c3566")),
}


def light_of(scene: Scene, hour: str) -> Light:
    """The hour's light, changed by weather and by colours said of the sky."""
    light = HOURS[hour]
    grey: Rgb = (0.13, 0.15, 0.2) if light.night else (0.62, 0.66, 0.71)
    for weather, share in (("rain", 0.6), ("storm", 0.72), ("fog", 0.55), ("snowfall", 0.5), ("clouds", 0.3)):
        if weather in scene.weather:
            dim = 0.62 if weather == "storm" else 1.0
            tone: Rgb = (grey[0] * dim, grey[1] * dim, grey[2] * dim)
            ambient = mix(light.ambient, (0.8 * dim, 0.83 * dim, 0.9 * dim), 0.5 if not light.night else 0.2)
            light = replace(
                light, top=mix(light.top, tone, share), middle=mix(light.middle, tone, share), ambient=ambient,
                low=mix(light.low, mix(tone, (1, 1, 1), 0.25), share), haze=mix(light.haze, tone, share * 0.8),
            )  # fmt: skip
    for tint in ([scene.sky] if scene.sky else []) + scene.tints[:2]:
        color = rgb(words.COLORS[tint])
        light = replace(
            light, top=mix(light.top, mix(color, (0, 0, 0), 0.35), 0.55), middle=mix(light.middle, color, 0.6),
            low=mix(light.low, mix(color, (1, 1, 1), 0.45), 0.6), haze=mix(light.haze, color, 0.4),
        )  # fmt: skip
    return light


def lit(color: Rgb, light: Light, *, haze: float = 0.0) -> Rgb:
    """A surface under the hour's light, seen through `haze` of air."""
    shaded = (color[0] * light.ambient[0], color[1] * light.ambient[1], color[2] * light.ambient[2])
    return mix(shaded, light.haze, haze)


def graded(image: Image.Image, change: Callable[[Colors], Colors]) -> Image.Image:
    """An image with every colour replaced by `change(colour)`, through a small 3D table."""
    axis = np.linspace(0, 1, LUT_SIDE, dtype=np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    table = np.clip(change(np.stack([red.ravel(), green.ravel(), blue.ravel()], -1)), 0, 1).astype(np.float32)
    return image.filter(ImageFilter.Color3DLUT(LUT_SIDE, table.ravel().tolist()))


def luminance(colors: Colors) -> Colors:
    """Perceived brightness, kept as a column."""
    return (colors @ np.array([0.2126, 0.7152, 0.0722], np.float32))[..., None]


def saturated(colors: Colors, factor: float) -> Colors:
    """Colours moved from their own grey."""
    grey = luminance(colors)
    return grey + (colors - grey) * factor


def mood_grade(scene: Scene) -> Callable[[Colors], Colors] | None:
    """The change that moods and whole-picture colours ask for; None when there are none."""
    if not scene.moods and not scene.tints:
        return None

    def change(colors: Colors) -> Colors:
        for mood in scene.moods:
            match mood:
                case "warm":
                    colors = colors * np.array([1.07, 1.0, 0.88], np.float32)
                case "cold":
                    colors = colors * np.array([0.9, 0.99, 1.09], np.float32)
                case "dark":
                    colors = saturated(colors**1.12 * 0.94, 0.88)
                case "vivid":
                    colors = saturated(colors, 1.4)
                case "muted":
                    colors = saturated(colors * 0.92 + 0.05, 0.66)
        for tint in scene.tints[:2]:
            tone = np.array(rgb(words.COLORS[tint]), np.float32)
            colors = colors * 0.82 + 0.18 * (luminance(colors) * 0.7 + 0.3) * tone * 1.3
        return np.clip(colors, 0, 1)

    return change


def reference_colors(paths: Sequence[Path]) -> tuple[Colors, Colors]:
    """The dominant colours of the references and their shares, by median cut over all of them together."""
    tiles = []
    for path in paths:
        with Image.open(path) as opened:
            opened.thumbnail((MAX_REFERENCE_SIDE, MAX_REFERENCE_SIDE))
            tiles.append(np.asarray(opened.convert("RGB")).reshape(-1, 3))
    pixels = np.concatenate(tiles)
    strip = Image.fromarray(np.ascontiguousarray(pixels[None]))
    cut = strip.quantize(REFERENCE_COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = np.array(cut.getpalette(), np.float32).reshape(-1, 3) / 255
    counts = np.bincount(np.asarray(cut).ravel(), minlength=REFERENCE_COLORS)[:REFERENCE_COLORS].astype(np.float32)
    kept = np.flatnonzero(counts)
    order = kept[np.argsort(-counts[kept], kind="stable")]
    return palette[order], counts[order] / counts.sum()


def reference_grade(image: Image.Image, colors: Colors, shares: Colors) -> Image.Image:
    """Grade an image towards the references: their mean and spread of colour, then a pull to the nearest tones."""
    small = np.asarray(image.resize((64, 64), Image.Resampling.BOX), np.float32).reshape(-1, 3) / 255
    source, target = small @ OPPONENT.T, colors @ OPPONENT.T
    mean = (target * shares[:, None]).sum(0)
    spread = np.sqrt((((target - mean) ** 2) * shares[:, None]).sum(0))
    own_mean, own_spread = source.mean(0), source.std(0)
    gain = np.clip((spread + 0.03) / (own_spread + 0.03), [0.6, 0.5, 0.5], [1.2, 1.6, 1.6])
    strength = np.array([0.6, 0.88, 0.88], np.float32)

    def change(given: Colors) -> Colors:
        opponent = given @ OPPONENT.T
        moved = (opponent - own_mean) * gain + mean
        opponent = opponent + (moved - opponent) * strength
        distance = ((opponent[:, None, :] - target[None]) ** 2 * np.array([0.6, 1.6, 1.6])).sum(-1)
        weight = shares[None] ** 0.5 * np.exp(-distance / 0.05)
        pull = (weight[..., None] * target[None]).sum(1) / (weight.sum(1, keepdims=True) + 1e-6)
        near = np.clip(weight.sum(1, keepdims=True), 0, 1) * np.array([0.12, 0.4, 0.4])
        return ((opponent + (pull - opponent) * near) @ np.linalg.inv(OPPONENT).T).astype(np.float32)

    return graded(image, change)


OPPONENT = np.array([[0.299, 0.587, 0.114], [0.5, -0.5, 0.0], [-0.25, -0.25, 0.5]], np.float32)
"""Light, red against green, blue against yellow: axes in which a palette can be moved without mud."""
