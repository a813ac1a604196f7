"""Tone: colour grades through a 3D table, and the two that look at the picture first (white balance, enhance)."""

from collections.abc import Callable

import numpy as np

from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, Operation, Picture, Plane, by_rows, luma
from workers.pipelines.image_edit.source import image_of, picture_of
from workers.pipelines.image_generate.palette import Colors, graded, luminance, saturated

Grade = Callable[[Colors, float], Colors]
"""Colours (n × 3, 0..1) and the amount to their graded selves."""


def _tone(*values: float) -> Colors:
    return np.array(values, np.float32)


def _curve(colors: Colors, strength: float) -> Colors:
    """An S about middle grey."""
    smooth = colors * colors * (3 - 2 * np.clip(colors, 0, 1))
    return colors + (smooth - colors) * strength


def _ramp(colors: Colors, stops: list[tuple[float, float, float]]) -> Colors:
    """Brightness mapped along evenly spaced colours."""
    table = np.array(stops, np.float32)
    light, at = luminance(colors)[..., 0], np.linspace(0, 1, len(table))
    return np.stack([np.interp(light, at, table[:, channel]) for channel in range(3)], -1)


def _grey(colors: Colors, _: float) -> Colors:
    return np.repeat(_curve(colors @ _tone(0.4, 0.46, 0.14)[:, None], 0.25), 3, -1)


def _noir(colors: Colors, amount: float) -> Colors:
    grey = np.clip((colors @ _tone(0.45, 0.43, 0.12) - 0.07) * (1.1 + 0.12 * amount), 0, 1)
    hard = _curve(_curve(grey, 1.0), 0.75 * min(amount, 1.3))
    return np.stack([hard * 0.985, hard * 0.995, hard * 1.015], -1)


def _sepia(colors: Colors, _: float) -> Colors:
    return _ramp(colors, [(0.07, 0.045, 0.025), (0.42, 0.29, 0.17), (0.76, 0.61, 0.43), (1.0, 0.93, 0.78)])


def _vintage(colors: Colors, _: float) -> Colors:
    light = luminance(colors)
    faded = saturated(_curve(colors, 0.15), 0.72) * 0.84 + 0.09
    return faded + _tone(0.055, 0.012, -0.06) * light + _tone(-0.012, 0.012, 0.045) * (1 - light) ** 2


def _teal_orange(colors: Colors, amount: float) -> Colors:
    light = luminance(colors)
    curve = _curve(saturated(colors, 1.08), 0.3)
    warmth = np.clip((colors[..., :1] - colors[..., 2:]) * 2.2, -1, 1)
    cold = _tone(-0.12, 0.03, 0.09) * np.clip(1.25 - light * 1.2 - warmth * 0.7, 0, 1)
    return curve + (cold + _tone(0.12, 0.03, -0.09) * np.clip(light * 1.3 - 0.25 + warmth * 0.5, 0, 1)) * amount


def _cinematic(colors: Colors, amount: float) -> Colors:
    return _teal_orange(_curve(colors, 0.3), 0.6 * amount) * 0.95 + 0.012


def _infrared(colors: Colors, _: float) -> Colors:
    red, green, blue = colors[..., 0], colors[..., 1], colors[..., 2]
    leaf = np.clip((green - np.maximum(red, blue)) * 5 + np.clip(red + green - 2.1 * blue, 0, 1) * 0.4, 0, 1)
    base = np.stack([blue * 0.25 + red * 0.75, green * 0.9, red * 0.25 + blue * 0.7], -1)
    return base + (_tone(1.0, 0.82, 0.87) * (0.45 + 0.75 * luminance(colors)) - base) * leaf[..., None]


def _cross(colors: Colors, _: float) -> Colors:
    red, green, blue = (colors[..., channel] for channel in range(3))
    return np.stack([_curve(red, 0.8), _curve(green, 0.5), blue * 0.68 + 0.16], -1)


def _shadows(colors: Colors, amount: float) -> Colors:
    light = luminance(colors)
    return colors * (1 + 0.85 * amount * np.clip(1 - light * 2.1, 0, 1) ** 1.2) + 0.02 * amount * (1 - light) ** 4


GRADES: dict[str, Grade] = {
    "warmer": lambda c, a: c * (1 + a * _tone(0.12, 0.015, -0.16)) + a * _tone(0.012, 0.003, -0.012),
    "cooler": lambda c, a: c * (1 + a * _tone(-0.15, -0.01, 0.12)) + a * _tone(-0.008, 0.002, 0.02),
    "brighter": lambda c, a: 1 - (1 - np.clip(c, 0, 1)) ** (1 + 0.42 * a),
    "darker": lambda c, a: np.clip(c, 0, 1) ** (1 + 0.32 * a) * (1 - 0.14 * min(a, 2)),
    "contrast": lambda c, a: _curve(c, 0.65 * a) if a <= 1.5 else _curve(_curve(c, 0.9), 0.5),
    "flatter": lambda c, a: 0.5 + (c - 0.5) * (1 - 0.34 * min(a, 2)) + 0.02,
    "vivid": lambda c, a: saturated(c, 1 + 0.5 * a),
    "muted": lambda c, a: saturated(c, max(0.0, 1 - 0.5 * a)),
    "black and white": _grey,
    "sepia": _sepia,
    "noir": _noir,
    "vintage": _vintage,
    "teal and orange": _teal_orange,
    "cinematic": _cinematic,
    "cross process": _cross,
    "bleach bypass": lambda c, a: _curve(saturated(c, 0.42), 0.85),
    "infrared": _infrared,
    "negative": lambda c, a: 1 - c,
    "pastel": lambda c, a: saturated(c, 0.8) * (1 - 0.34 * min(a, 2)) + _tone(0.33, 0.32, 0.35) * min(a, 2),
    "matte": lambda c, a: 0.11 * a + saturated(c, 0.86) * (1 - 0.16 * a),
    "cyanotype": lambda c, a: _ramp(c, [(0.02, 0.08, 0.2), (0.08, 0.3, 0.52), (0.55, 0.76, 0.87), (0.96, 0.98, 0.97)]),
    "thermal": lambda c, a: _ramp(
        c, [(0.02, 0.0, 0.12), (0.25, 0.0, 0.5), (0.75, 0.08, 0.45), (0.97, 0.4, 0.1), (1.0, 0.8, 0.1), (1.0, 1.0, 0.9)]
    ),
    "shadows up": _shadows,
    "shadows down": lambda c, a: c * (1 - 0.55 * min(a, 1.6) * np.clip(1 - luminance(c) * 2, 0, 1)),
    "highlights up": lambda c, a: c + 0.22 * a * np.clip(luminance(c) * 2 - 0.9, 0, 1) * (1.08 - c),
    "highlights down": lambda c, a: c - 0.22 * a * np.clip(luminance(c) * 2 - 0.8, 0, 1) * c,
}


def grade(picture: Picture, change: Callable[[Colors], Colors]) -> Picture:
    """A picture with each colour replaced through a table; alpha stays."""
    return picture.with_rgb(picture_of(graded(image_of(Picture(picture.rgb)), change)).rgb)


def _graded(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    return grade(picture, lambda colors: GRADES[edit.name](colors, edit.amount))


def tint(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """One hue over everything, brightness kept."""
    color = np.array(edit.args["color"], np.float32)
    share = min(0.62 * edit.amount, 0.95)

    def wash(colors: Colors) -> Colors:
        light = luminance(colors)
        toned = np.where(light < 0.5, color * light * 2, color + (1 - color) * (light * 2 - 1))
        toned = toned + (light - luminance(toned)) * 0.5
        return colors + (toned - colors) * share

    return grade(picture, wash)


def duotone(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Shadows in one colour, lights in another."""
    pair = edit.args.get("colors", [(0.12, 0.1, 0.36), (0.98, 0.76, 0.42)])
    dark, bright = sorted(pair, key=lambda color: float(luma(np.array(color))))
    deep = tuple(channel * 0.45 for channel in dark)
    pale = tuple(channel + (1 - channel) * 0.55 for channel in bright)
    return grade(picture, lambda colors: _ramp(_curve(colors, 0.4), [deep, dark, bright, pale]))


def white_balance(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The calmer half of the colours pulled to neutral (a shades-of-grey estimate with p = 6)."""
    small = cv2.resize(picture.rgb, (96, 96), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64) / 255
    spread = small.max(-1) - small.min(-1)
    # Strongly coloured things say nothing about the lamp: a blue sky must not turn the street yellow.
    calm = small[spread <= max(0.12, float(np.percentile(spread, 50)))]
    norm = (calm**6).mean(0) ** (1 / 6)
    gain = np.clip(norm.mean() / np.maximum(norm, 1e-3), 0.72, 1.4).astype(np.float32)
    return grade(picture, lambda colors: colors * (1 + (gain - 1) * min(edit.amount, 1.0)))


def stretched(picture: Picture, share: float) -> Picture:
    """Levels from the picture's own half-percent tails, and a breath of saturation and clarity."""
    small = luma(cv2.resize(picture.rgb, (128, 128), interpolation=cv2.INTER_AREA)) / 255
    low, middle, high = np.percentile(small, [0.5, 50, 99.5])
    span = max(float(high - low), 0.25)
    gamma = float(np.clip(np.log(0.46) / np.log(np.clip((middle - low) / span, 0.12, 0.88)), 0.75, 1.3))

    def levels(colors: Colors) -> Colors:
        even = np.clip((colors - low) / span, 0, 1) ** gamma
        return colors + (saturated(even, 1.12) - colors) * share

    return clarity(grade(picture, levels), 0.35 * share)


def enhance(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """What a lab's automatic correction does."""
    return stretched(picture, min(0.8 * edit.amount, 1.0))


def clarity(picture: Picture, amount: float) -> Picture:
    """Local contrast: the difference to a wide edge-keeping average, made larger."""
    grey = luma(picture.rgb) / 255
    base = edge_kept(grey, radius=max(2, round(18 * picture.unit)), eps=0.02)
    gain = (base + (grey - base) * (1 + 1.4 * amount) + 0.04) / (grey + 0.04)
    return by_rows(picture, lambda band, rows: band * gain[rows][..., None])


def hdr(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Tone mapping: the base layer compressed about its middle, the detail layer strengthened, colour kept up."""
    grey = np.log(luma(picture.rgb) / 255 + 0.02)
    base = edge_kept(grey, radius=max(2, round(24 * picture.unit)), eps=0.12)
    middle = float(np.median(base[::8, ::8]))
    mapped = middle + (base - middle) * 0.62 + (grey - base) * (1.35 + 0.35 * edit.amount) + 0.05
    gain = np.clip(np.exp(mapped - grey), 0.3, 3.2)
    return by_rows(picture, lambda band, rows: saturated(band * gain[rows][..., None], 1.22))


def edge_kept(plane: Plane, *, radius: int, eps: float) -> Plane:
    """A guided filter with the plane as its own guide (He et al. 2010), in 32-bit floats."""
    size = (2 * radius + 1, 2 * radius + 1)
    plane = np.asarray(plane, np.float32)
    mean = cv2.boxFilter(plane, -1, size)
    variance = cv2.boxFilter(plane * plane, -1, size) - mean * mean
    share = variance / (variance + eps)
    return cv2.boxFilter(share, -1, size) * plane + cv2.boxFilter(mean * (1 - share), -1, size)


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(GRADES, _graded),
    "tint": tint,
    "duotone": duotone,
    "white balance": white_balance,
    "enhance": enhance,
    "clarity": lambda picture, edit, bench: clarity(picture, 0.8 * edit.amount),
    "hdr": hdr,
}
