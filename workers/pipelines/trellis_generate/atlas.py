"""The texture: where front and back lie in it, and what is painted there."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

_BACK_SCALE = 0.5
"""The back shows no more than soft colours, so it gets half the front's pixels a side."""
_GUTTER = 4
"""Texels around each chart, at a texture of 512; filtering and mipmaps read across a chart's edge."""
FRONT, BACK = 0, 1


@dataclass(frozen=True)
class Chart:
    """A rectangle of the texture in texels, onto which the silhouette's bounds are laid."""

    left: float
    top: float
    scale: float
    """Texels a pixel of the silhouette."""


def lay_out(width: float, height: float, texture_size: int) -> tuple[Chart, Chart]:
    """Place front and back beside or above each other, whichever lets both be larger. Sizes in pixels."""
    gutter = _GUTTER * texture_size / 512
    room = texture_size - 2 * gutter
    beside = min((room - 2 * gutter) / (width * (1 + _BACK_SCALE)), room / height)
    above = min(room / width, (room - 2 * gutter) / (height * (1 + _BACK_SCALE)))
    scale = max(beside, above)
    front = Chart(left=gutter, top=gutter, scale=scale)
    if beside >= above:
        back = Chart(left=3 * gutter + width * scale, top=gutter, scale=scale * _BACK_SCALE)
    else:
        back = Chart(left=gutter, top=3 * gutter + height * scale, scale=scale * _BACK_SCALE)
    return front, back


def texture_coordinates(points: Any, chart_of: Any, charts: tuple[Chart, Chart], texture_size: int) -> Any:
    """u, v (v upward, as trimesh has it) of points in pixels from the bounds' top left corner."""
    left = np.array([chart.left for chart in charts])[chart_of]
    top = np.array([chart.top for chart in charts])[chart_of]
    scale = np.array([chart.scale for chart in charts])[chart_of]
    u = (left + points[:, 0] * scale) / texture_size
    v = 1 - (top + points[:, 1] * scale) / texture_size
    return np.clip(np.column_stack([u, v]), 0, 1)


def continued(color: Any, mask: Any, *, sure: float) -> Any:
    """The subject's colours carried outward over everything that is not surely the subject.

    Push and pull over a pyramid (Gortler et al. 1996): the nearest known colours, ever softer with distance.
    """
    weight = np.clip((mask - sure) / (1 - sure), 0, 1).astype(np.float32)
    levels = [(color * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        size = tuple((side + 1) // 2 for side in reversed(levels[-1][1].shape))
        levels.append(tuple(cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in levels[-1]))
    summed, weights = levels[-1]
    filled = summed / np.maximum(weights, 1e-6)[..., None]
    for summed, weights in reversed(levels[:-1]):
        filled = cv2.resize(filled, weights.shape[::-1], interpolation=cv2.INTER_LINEAR)
        # Full trust where a quarter of the cell is known: further in, the finer level says it better.
        trust = np.clip(weights * 4, 0, 1)[..., None]
        filled = summed / np.maximum(weights, 1e-6)[..., None] * trust + filled * (1 - trust)
    return filled


def body_color(color: Any, *, passes: int) -> Any:
    """The picture without its drawing: lines, eyes and writing give way to the colours around them.

    A median takes out whatever is thinner than it, `passes` rounds of smoothing soften what is left.
    """
    height, width = color.shape[:2]
    scale = min(1.0, 224 / max(height, width))
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = (np.clip(cv2.resize(color, size, interpolation=cv2.INTER_AREA), 0, 1) * 255).round().astype(np.uint8)
    reach = max(3, round(0.085 * max(size)) | 1)
    small = _without_dark_lines(small, reach=max(3, round(0.04 * max(size)) | 1))
    for _ in range(2):
        small = cv2.medianBlur(small, min(reach, 255))
    soft = small.astype(np.float32) / 255
    for _ in range(passes):
        soft = cv2.GaussianBlur(soft, (0, 0), 0.9)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)


def _without_dark_lines(pixels: Any, *, reach: int) -> Any:
    """Close dark strokes thinner than `reach` by their surroundings, in colour and not channel by channel."""
    light = pixels.astype(np.int32) @ np.array([299, 587, 114], np.int32)
    closed = cv2.morphologyEx((light // 1000).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    stroke = (closed.astype(np.int32) - light // 1000) > 28
    stroke = cv2.dilate(stroke.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if stroke.mean() > 0.9:
        return pixels
    return np.clip(continued(pixels / np.float32(255), (~stroke).astype(np.float32), sure=0.5) * 255, 0, 255).astype(
        np.uint8
    )


def paint(
    picture: Any, body: Any, facing: Any, charts: tuple[Chart, Chart], *, margin: float, texture_size: int
) -> Any:
    """The texture, (size, size, 3) uint8: the picture on the front, the body's colours on sides and back.

    `facing` is 1 where the surface faces the viewer; where it turns away the picture's last pixels would be drawn
    out into streaks, so the body's colours take over.
    """
    front = picture * facing[..., None] + body * (1 - facing[..., None])
    texture = np.empty((texture_size, texture_size, 3), np.float32)
    first, second = charts
    rows, columns = np.arange(texture_size), np.arange(texture_size)
    beside = second.left > first.left
    border = (second.left if beside else second.top) - _GUTTER * texture_size / 512
    cut = int(np.clip(round(border), 0, texture_size))
    areas = (
        (first, front, (rows, columns[:cut]) if beside else (rows[:cut], columns)),
        (second, body, (rows, columns[cut:]) if beside else (rows[cut:], columns)),
    )
    for chart, source, (down, across) in areas:
        if not len(down) or not len(across):
            continue
        sampled = source
        if chart.scale < 1:
            # As large as it will be seen, or fine detail would alias.
            size = (max(1, round(source.shape[1] * chart.scale)), max(1, round(source.shape[0] * chart.scale)))
            sampled = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        fit_x, fit_y = sampled.shape[1] / source.shape[1], sampled.shape[0] / source.shape[0]
        x = (((across + 0.5 - chart.left) / chart.scale + margin) * fit_x - 0.5).astype(np.float32)
        y = (((down + 0.5 - chart.top) / chart.scale + margin) * fit_y - 0.5).astype(np.float32)
        map_x, map_y = np.meshgrid(x, y)
        texture[np.ix_(down, across)] = cv2.remap(
            sampled,
            map_x,
            map_y,
            interpolation=cv2.INTER_LINEAR if chart.scale < 1 else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return (np.clip(texture, 0, 1) * 255 + 0.5).astype(np.uint8)
