"""The float canvas and the noise fields that every painter uses. Noise has lattices, so size never changes a layout."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from workers.pipelines.image_generate.scene import Rgb

Plane = NDArray[np.floating[Any]]
BAND = 192
"""Rows worked on at a time, so that temporaries stay small on a large canvas."""


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one painter: a change in one never shifts another's."""
    return np.random.default_rng([seed & 0xFFFFFFFFFFFFFFFF, zlib.crc32(name.encode())])


def resized(plane: Plane, width: int, height: int) -> Plane:
    """A plane at another size, smoothly."""
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def blurred(plane: Plane, radius: float) -> Plane:
    """A plane under a Gaussian; 8 bits of precision are enough for masks."""
    image = Image.fromarray((np.clip(plane, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def box_mean(plane: Plane, radius: int) -> Plane:
    """The mean of the square around each value, in floats (Pillow's filters know 8 bits only)."""
    for axis in (0, 1):
        pad = [(radius + 1, radius) if number == axis else (0, 0) for number in (0, 1)]
        total = np.cumsum(np.pad(plane, pad, mode="edge"), axis=axis, dtype=np.float64)
        size = 2 * radius + 1
        high, low = (total[size:], total[:-size]) if axis == 0 else (total[:, size:], total[:, :-size])
        plane = ((high - low) / size).astype(np.float32)
    return plane


def fbm(rng: np.random.Generator, width: int, height: int, *, cells: tuple[float, float], octaves: int) -> Plane:
    """Fractal noise, 0..1, mean one half; `cells` are the first octave's cells across and down."""
    total = np.zeros((height, width), np.float32)
    amplitude, norm = 1.0, 0.0
    for octave in range(octaves):
        across, down = (max(2, round(count * 2**octave)) for count in cells)
        lattice = rng.random((down + 3, across + 3), dtype=np.float32)
        if across < width * 2 and down < height * 2:
            total += amplitude * resized(lattice, width, height)
        norm += amplitude
        amplitude *= 0.5
    total /= norm
    return np.clip((total - 0.5) * 1.6 + 0.5, 0, 1, out=total)


def ridge(rng: np.random.Generator, width: int, *, cells: float, octaves: int, roughness: float = 0.5) -> Plane:
    """A horizon line: fractal noise along x, -1..1."""
    line = np.zeros(width, np.float32)
    amplitude, norm = 1.0, 0.0
    for octave in range(octaves):
        count = max(2, round(cells * 2**octave)) + 3
        line += amplitude * resized(rng.random((1, count), dtype=np.float32) * 2 - 1, width, 1)[0]
        norm += amplitude
        amplitude *= roughness
    return line / norm


def smoothstep(low: float, high: float, value: Plane) -> Plane:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """A colour between two."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


class Canvas:
    """Linear-ish sRGB floats, changed in bands of rows."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.unit = float(np.sqrt(width * height)) / 1000
        """One thousandth of the mean side: what line widths and blur radii are measured in."""
        self.pixels = np.zeros((height, width, 3), np.float32)

    def gradient(self, stops: list[tuple[float, Rgb]], *, top: float = 0.0, bottom: float = 1.0) -> None:
        """Fill rows with a vertical gradient; stops and bounds are shares of the height."""
        first, last = round(top * self.height), round(bottom * self.height)
        rows = np.linspace(0, 1, max(last - first, 1), dtype=np.float32)
        at = [stop for stop, _ in stops]
        for channel in range(3):
            values = np.interp(rows, at, [color[channel] for _, color in stops]).astype(np.float32)
            self.pixels[first:last, :, channel] = values[:, None]

    def below(self, line: Plane, upper: Rgb, lower: Rgb, *, depth: float = 0.25, texture: Plane | None = None) -> None:
        """Paint everything under a ridge line (pixels from the top, one a column), fading downwards to `lower`."""
        top = max(0, int(np.floor(line.min())) - 1)
        high, low = np.array(upper, np.float32), np.array(lower, np.float32)
        for start in range(top, self.height, BAND):
            end = min(start + BAND, self.height)
            below = np.arange(start, end, dtype=np.float32)[:, None] - line[None]
            mask = np.clip(below + 0.5, 0, 1)[..., None]
            share = np.clip(below / (depth * self.height), 0, 1)[..., None]
            color = high + (low - high) * share
            if texture is not None:
                color = color * texture[start:end, :, None]
            self.pixels[start:end] += (color - self.pixels[start:end]) * mask

    def blend(self, mask: Plane, color: Rgb, *, x: int = 0, y: int = 0) -> None:
        """Mix a colour in under a mask whose corner is at (x, y); what lies outside is cut."""
        view, mask = self._window(mask, x, y)
        target = np.array(color, np.float32)
        for start in range(0, view.shape[0], BAND):
            rows = view[start : start + BAND]
            rows += (target - rows) * mask[start : start + BAND, :, None]

    def add(self, light: Plane, color: Rgb, *, x: int = 0, y: int = 0) -> None:
        """Screen a light in: bright, and never beyond white."""
        view, light = self._window(light, x, y)
        tone = np.array(color, np.float32)
        for start in range(0, view.shape[0], BAND):
            rows = view[start : start + BAND]
            rows += (1 - np.clip(rows, 0, 1)) * np.clip(light[start : start + BAND, :, None] * tone, 0, 1)

    def multiply(self, shade: Plane) -> None:
        """Darken or lighten each pixel by a factor."""
        for start in range(0, self.height, BAND):
            self.pixels[start : start + BAND] *= shade[start : start + BAND, :, None]

    def paste(self, rgba: Plane, *, x: int, y: int) -> None:
        """Lay a straight-alpha RGBA picture over the canvas."""
        view, rgba = self._window(rgba, x, y)
        view += (rgba[..., :3] - view) * rgba[..., 3:]

    def glow(self, x: float, y: float, radius: float, color: Rgb, strength: float = 1.0) -> None:
        """A soft round light at pixel (x, y), computed small and enlarged."""
        side = max(8, round(radius * 2))
        axis = np.linspace(-1, 1, 64, dtype=np.float32)
        distance = np.sqrt(axis[:, None] ** 2 + axis[None] ** 2)
        light = np.clip(1 - distance, 0, 1) ** 2.2 * strength
        self.add(np.clip(resized(light, side, side), 0, 1), color, x=round(x - side / 2), y=round(y - side / 2))

    def disc(self, x: float, y: float, radius: float, color: Rgb, opacity: float = 1.0) -> None:
        """A round with a smooth edge."""
        side = int(radius) + 2
        axis = np.arange(-side, side + 1, dtype=np.float32)
        mask = np.clip(radius - np.sqrt(axis[:, None] ** 2 + axis[None] ** 2) + 0.5, 0, 1) * opacity
        self.blend(mask, color, x=round(x) - side, y=round(y) - side)

    def light_field(self, scale: int = 4) -> tuple[int, int]:
        """The size of a plane for smooth light, a `scale`th of the canvas."""
        return max(8, self.width // scale), max(8, self.height // scale)

    def image(self) -> Image.Image:
        """The canvas in 8 bits, with a whisper of dither against banding."""
        out = np.empty((self.height, self.width, 3), np.uint8)
        dither = np.random.default_rng(7).random((BAND, 512, 1), dtype=np.float32) - 0.5
        tiled = np.tile(dither, (1, self.width // 512 + 1, 1))[:, : self.width]
        for start in range(0, self.height, BAND):
            rows = self.pixels[start : start + BAND]
            out[start : start + BAND] = np.clip(rows * 255 + 0.5 + tiled[: len(rows)], 0, 255).astype(np.uint8)
        return Image.fromarray(out)

    def _window(self, plane: Plane, x: int, y: int) -> tuple[Plane, Plane]:
        """The parts of canvas and plane that overlap."""
        height, width = plane.shape[:2]
        left, top = max(0, x), max(0, y)
        right, bottom = max(left, min(self.width, x + width)), max(top, min(self.height, y + height))
        return self.pixels[top:bottom, left:right], plane[
            max(0, top - y) : max(0, bottom - y), max(0, left - x) : max(0, right - x)
        ]
