"""Painting with marks: oriented brush strokes, dots, facets and glass cells laid over a finished image."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from workers.pipelines.image_generate.canvas import Plane, box_mean


def brushed(
    image: Image.Image, rng: np.random.Generator, *, unit: float, fine: float, swirl: float = 0.0, jitter: float = 10.0
) -> Image.Image:
    """Strokes along the image's own contours, broad ones first, finer ones where there is detail.

    `fine` is the smallest stroke's width in units; `swirl` turns flat areas into eddies; `jitter` varies the paint.
    """
    base = image.filter(ImageFilter.GaussianBlur(5 * unit))
    small, scale = _reduced(image, 512)
    angles, detail = _flow(small, rng, swirl)
    for size, keep in ((fine * 4, 0.0), (fine * 2, 0.16), (fine, 0.34)):
        base = _stroke_layer(base, image, rng, (angles, detail, scale), wide=size * unit, keep=keep, jitter=jitter)
    return base


def _reduced(image: Image.Image, side: int) -> tuple[Plane, float]:
    scale = min(1.0, side / max(image.size))
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    return np.asarray(image.convert("L").resize(size, Image.Resampling.BOX), np.float32), scale


def _flow(grey: Plane, rng: np.random.Generator, swirl: float) -> tuple[Plane, Plane]:
    """The direction along edges, smoothed by the structure tensor, and how much detail each place has (0..1)."""
    smooth = box_mean(grey, 1)
    down, across = (np.asarray(slope, np.float32) for slope in np.gradient(smooth))

    def spread(plane: Plane) -> Plane:
        return box_mean(box_mean(plane, 5), 5)

    xx, yy, xy = spread(across * across), spread(down * down), spread(across * down)
    if swirl:
        lattice = rng.random((7, 7), dtype=np.float32) * 6.283
        eddy = np.asarray(Image.fromarray(lattice).resize(grey.shape[::-1], Image.Resampling.BICUBIC), np.float32)
        xx, yy, xy = (
            xx + swirl * np.cos(eddy) ** 2,
            yy + swirl * np.sin(eddy) ** 2,
            xy + swirl * np.cos(eddy) * np.sin(eddy),
        )
    angles = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    contrast = np.sqrt(np.clip(across**2 + down**2, 0, None))
    near = box_mean(contrast.astype(np.float32), 2)
    return angles.astype(np.float32), np.clip(near / 9, 0, 1)


def _stroke_layer(
    base: Image.Image, source: Image.Image, rng: np.random.Generator,
    field: tuple[Plane, Plane, float], *, wide: float, keep: float, jitter: float,
) -> Image.Image:  # fmt: skip
    angles, detail, scale = field
    canvas = base.copy()
    draw = ImageDraw.Draw(canvas)
    colours = np.asarray(source.filter(ImageFilter.BoxBlur(max(1, round(wide * 0.3)))))
    step = wide * 0.62
    columns, rows = max(2, int(base.width / step)), max(2, int(base.height / step))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2).astype(np.float32)
    points = (grid + rng.random(grid.shape, dtype=np.float32)) * np.array(
        [base.width / columns, base.height / rows], np.float32
    )
    points = points[rng.permutation(len(points))]
    x, y = np.clip(points[:, 0].astype(int), 0, base.width - 1), np.clip(points[:, 1].astype(int), 0, base.height - 1)
    sx = np.clip((x * scale).astype(int), 0, angles.shape[1] - 1)
    sy = np.clip((y * scale).astype(int), 0, angles.shape[0] - 1)
    chosen = detail[sy, sx] >= keep
    x, y, sx, sy = x[chosen], y[chosen], sx[chosen], sy[chosen]
    turn = angles[sy, sx] + rng.normal(0, 0.18, len(x)).astype(np.float32)
    length = wide * (1.5 + 1.2 * rng.random(len(x))) * (1 - 0.5 * detail[sy, sx])
    paint = colours[y, x].astype(np.float32) + rng.normal(0, jitter, (len(x), 1)).astype(np.float32)
    paint = np.clip(paint, 0, 255).astype(int)
    across, down = np.cos(turn) * length / 2, np.sin(turn) * length / 2
    thick = max(1, round(wide * 0.55))
    ends = np.stack([x - across, y - down, x + across, y + down], -1).tolist()
    for line, color in zip(ends, paint.tolist(), strict=True):
        draw.line(line, fill=tuple(color), width=thick)
        if thick >= 4:
            radius = thick / 2
            draw.ellipse((line[0] - radius, line[1] - radius, line[0] + radius, line[1] + radius), fill=tuple(color))
            draw.ellipse((line[2] - radius, line[3] - radius, line[2] + radius, line[3] + radius), fill=tuple(color))
    return canvas


def dotted(image: Image.Image, rng: np.random.Generator, *, unit: float) -> Image.Image:
    """Pointillism: dots of pure, slightly varied paint on a cream ground."""
    canvas = Image.blend(
        image.filter(ImageFilter.GaussianBlur(8 * unit)), Image.new("RGB", image.size, (244, 236, 216)), 0.35
    )
    draw = ImageDraw.Draw(canvas)
    colours = np.asarray(image.filter(ImageFilter.BoxBlur(1)), np.float32)
    for radius in (5.6 * unit, 3.6 * unit):
        step = radius * 1.55
        columns, rows = int(image.width / step) + 1, int(image.height / step) + 1
        places = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2) * step
        places = places + rng.normal(0, step * 0.28, places.shape)
        x, y = (
            np.clip(places[:, 0].astype(int), 0, image.width - 1),
            np.clip(places[:, 1].astype(int), 0, image.height - 1),
        )
        paint = colours[y, x]
        grey = paint.mean(1, keepdims=True)
        paint = np.clip(grey + (paint - grey) * 1.35 + rng.normal(0, 17, paint.shape), 0, 255).astype(int)
        for (px, py), color in zip(places.tolist(), paint.tolist(), strict=True):
            draw.ellipse((px - radius, py - radius, px + radius, py + radius), fill=tuple(color))
    return canvas


def faceted(image: Image.Image, rng: np.random.Generator, *, across: int) -> Image.Image:
    """Low poly: triangles between points that moved to the strongest edge near them."""
    small, scale = _reduced(image, 420)
    down, right = np.gradient(small)
    edges = np.hypot(down, right)
    step = max(image.size) / across * scale
    columns, rows = int(small.shape[1] / step) + 2, int(small.shape[0] / step) + 2
    points = np.zeros((rows, columns, 2), np.float32)
    reach = max(1, int(step * 0.46))
    jitter = rng.normal(0, step * 0.16, points.shape)
    for row in range(rows):
        for column in range(columns):
            x, y = column * step + (step / 2 if row % 2 else 0) - step / 2, row * step - step / 2
            top, left = int(np.clip(y - reach, 0, small.shape[0] - 1)), int(np.clip(x - reach, 0, small.shape[1] - 1))
            window = edges[top : int(y) + reach + 1, left : int(x) + reach + 1]
            if window.size and window.max() > 7:
                best = np.unravel_index(int(window.argmax()), window.shape)
                points[row, column] = left + best[1], top + best[0]
            else:
                points[row, column] = (x, y) + jitter[row, column]
    canvas = image.filter(ImageFilter.GaussianBlur(4))
    draw = ImageDraw.Draw(canvas)
    size = (small.shape[1], small.shape[0])
    colours = np.asarray(image.resize(size, Image.Resampling.BOX).filter(ImageFilter.BoxBlur(1)), np.float32)
    a, b, c, d = (
        points[top : rows - 1 + top, left : columns - 1 + left].reshape(-1, 2) for top in (0, 1) for left in (0, 1)
    )
    falling = np.stack([np.stack([a, b, d], 1), np.stack([a, c, d], 1)], 1)
    rising = np.stack([np.stack([a, b, c], 1), np.stack([b, c, d], 1)], 1)
    unrest = [_tones(pair, colours).std(-2).sum((-1, -2)) for pair in (falling, rising)]
    triangles = np.where((unrest[0] <= unrest[1])[:, None, None, None], falling, rising).reshape(-1, 3, 2)
    edge, middle = triangles[:, 1] - triangles[:, 0], triangles.mean(1)
    light = 1 + 0.05 * np.sin(np.arctan2(edge[:, 1], edge[:, 0]) * 2 + middle[:, 0] * 0.7)
    tones = np.clip(np.median(_tones(triangles, colours), axis=-2) * light[:, None], 0, 255).astype(int)
    for corners, tone in zip((triangles / scale).tolist(), tones.tolist(), strict=True):
        draw.polygon([tuple(corner) for corner in corners], fill=tuple(tone))
    return canvas


def _tones(triangles: Plane, colours: Plane) -> Plane:
    """The colours at triangles' middles and well inside their corners: … × 3 × 2 places to … × 4 × 3 colours."""
    middle = triangles.mean(-2, keepdims=True)
    samples = np.concatenate([middle, triangles * 0.6 + middle * 0.4], -2)
    x = np.clip(samples[..., 0].astype(int), 0, colours.shape[1] - 1)
    y = np.clip(samples[..., 1].astype(int), 0, colours.shape[0] - 1)
    return colours[y, x]


def glazed(image: Image.Image, rng: np.random.Generator, *, across: int, lead: float) -> Image.Image:
    """Stained glass: cells of one glowing colour between dark lead lines."""
    scale = min(1.0, 560 / max(image.size))
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BOX)
    step = max(size) / across
    columns, rows = int(size[0] / step) + 1, int(size[1] / step) + 1
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).astype(np.float32)
    sites = (grid + 0.5 + rng.uniform(-0.42, 0.42, grid.shape)) * step
    yy, xx = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    row, column = (yy / step).astype(int), (xx / step).astype(int)
    tone = np.asarray(small.convert("L"), np.float32)
    first = np.full(size[::-1], np.inf, np.float32)
    second = first.copy()
    owner = np.zeros(size[::-1], np.int32)
    site_tone = tone[
        np.clip(sites[..., 1].astype(int), 0, size[1] - 1), np.clip(sites[..., 0].astype(int), 0, size[0] - 1)
    ]
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = np.clip(row + dy, 0, rows - 1), np.clip(column + dx, 0, columns - 1)
            distance = (
                np.hypot(sites[r, c, 0] - xx, sites[r, c, 1] - yy) + np.abs(site_tone[r, c] - tone) * step * 0.006
            )
            number = r * columns + c
            new = (distance < first) & (number != owner)
            second = np.where(new, first, np.where(number != owner, np.minimum(second, distance), second))
            owner, first = np.where(new, number, owner), np.where(new, distance, first)
    pixels = np.asarray(small, np.float32)
    count = np.maximum(np.bincount(owner.ravel(), minlength=rows * columns), 1)
    means = np.stack([np.bincount(owner.ravel(), pixels[..., c].ravel(), rows * columns) / count for c in range(3)], -1)
    grey = means.mean(1, keepdims=True)
    glass = np.clip(grey + (means - grey) * 1.55 + 8, 0, 255)[owner]
    shine = 0.86 + 0.28 * np.clip(1 - first / step, 0, 1)[..., None]
    big = Image.fromarray(np.clip(glass * shine, 0, 255).astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)
    gap = Image.fromarray(np.clip(second - first, 0, 50).astype(np.float32)).resize(
        image.size, Image.Resampling.BICUBIC
    )
    out = np.asarray(big).copy()
    dark = np.array([22, 20, 24], np.float32)
    for start in range(0, len(out), 256):
        band = slice(start, start + 256)
        width = np.asarray(gap, np.float32)[band] / scale
        line = np.clip((width - lead) / max(1.0, lead * 0.5), 0, 1)[..., None]
        out[band] = (dark + (out[band] - dark) * line).astype(np.uint8)
    return Image.fromarray(out)
