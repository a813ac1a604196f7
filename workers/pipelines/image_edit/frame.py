"""Frame and geometry: turns, flips, zooms, crops, borders. What leaves another shape is set on a soft extension."""

import re

import numpy as np

from workers.pipelines.image_edit.focus import gaussian
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture
from workers.pipelines.image_edit.regions import region
from workers.pipelines.image_edit.source import fitted, image_of, picture_of
from workers.pipelines.image_edit.vocabulary import ASPECTS


def covering(picture: Picture, width: int, height: int) -> Picture:
    """Scaled to cover a canvas, centre-cropped."""
    return picture_of(fitted(image_of(picture), width, height))


def contained(picture: Picture, bench: Bench) -> Picture:
    """The whole picture inside the canvas, on an enlarged and blurred copy of itself."""
    width, height = bench.width, bench.height
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    inner = covering(picture, *size)
    behind = covering(Picture(picture.rgb), width, height)
    soft = (gaussian(behind.rgb, 24 * behind.unit).astype(np.float32) * 0.8).astype(np.uint8)
    return _laid(Picture(soft), inner)


def _laid(below: Picture, above: Picture) -> Picture:
    """One picture in the middle of another."""
    left, top = (below.width - above.width) // 2, (below.height - above.height) // 2
    rgb = below.rgb.copy()
    place = slice(top, top + above.height), slice(left, left + above.width)
    if above.alpha is None:
        rgb[place] = above.rgb
    else:
        share = above.alpha[..., None].astype(np.float32) / 255
        rgb[place] = (rgb[place] * (1 - share) + above.rgb * share + 0.5).astype(np.uint8)
    return Picture(rgb, below.alpha)


def _cut(picture: Picture, left: int, top: int, width: int, height: int) -> Picture:
    place = slice(top, top + height), slice(left, left + width)
    return Picture(
        np.ascontiguousarray(picture.rgb[place]),
        None if picture.alpha is None else np.ascontiguousarray(picture.alpha[place]),
    )


def _both(picture: Picture, change: "object") -> Picture:
    return Picture(
        np.ascontiguousarray(change(picture.rgb)),  # type: ignore[operator]
        None if picture.alpha is None else np.ascontiguousarray(change(picture.alpha)),  # type: ignore[operator]
    )


def mirror(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    return _both(picture, lambda plane: plane[:, ::-1])


def flip(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    return _both(picture, lambda plane: plane[::-1])


def rotate(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Clockwise. Quarter turns keep every pixel; other angles zoom in until no corner is empty."""
    degrees = int(edit.args["degrees"]) % 360
    if degrees % 90 == 0:
        turned = _both(picture, lambda plane: np.rot90(plane, -(degrees // 90)))
        return turned if degrees == 180 or picture.width == picture.height else contained(turned, bench)
    width, height = picture.width, picture.height
    turn = np.deg2rad(degrees)
    cos, sin = abs(np.cos(turn)), abs(np.sin(turn))
    scale = max((width * cos + height * sin) / width, (width * sin + height * cos) / height)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, float(scale))
    return _both(
        picture,
        lambda plane: cv2.warpAffine(
            plane, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        ),
    )


def zoom_in(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Closer to the middle, or to the region named."""
    factor = edit.args.get("factor", 1.5)
    x, y = 0.5, 0.5
    if said := edit.args.get("on"):
        left, top, right, bottom = _box(picture, said)
        x, y = (left + right) / 2 / picture.width, (top + bottom) / 2 / picture.height
    width, height = round(picture.width / factor), round(picture.height / factor)
    left_edge = round(np.clip(x * picture.width - width / 2, 0, picture.width - width))
    top_edge = round(np.clip(y * picture.height - height / 2, 0, picture.height - height))
    return covering(_cut(picture, left_edge, top_edge, width, height), picture.width, picture.height)


def zoom_out(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Smaller, on a mirrored and blurred continuation: what lies beyond the picture is not invented."""
    factor = edit.args.get("factor", 1.5)
    size = max(2, round(picture.width / factor)), max(2, round(picture.height / factor))
    inner = covering(picture, *size)
    across, down = picture.width - size[0], picture.height - size[1]
    pads = down // 2, down - down // 2, across // 2, across - across // 2
    wide = np.asarray(cv2.copyMakeBorder(inner.rgb, *pads, cv2.BORDER_REFLECT_101), np.uint8)
    bench.notes["zoomOut"] = "What lies beyond the picture was continued by mirroring and blur, not invented."
    return _laid(Picture(gaussian(wide, 14 * picture.unit)), inner)


def crop(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A shape, a part or a region. A shape other than the canvas's stands on a soft extension of itself."""
    what, width, height = edit.args["what"], picture.width, picture.height
    if what in ASPECTS:
        across, down = ASPECTS[what]
        size = min(width, height * across // down), min(height, width * down // across)
        cut = _cut(picture, (width - size[0]) // 2, (height - size[1]) // 2, *size)
        return contained(cut, bench)
    if part := re.fullmatch(
        r"(left|right|top|bottom|upper|lower|middle|center|central) (half|third|quarter|part)", what
    ):
        share = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "part": 1 / 2}[part[2]]
        side = {"upper": "top", "lower": "bottom"}.get(part[1], part[1])
        cut_width = round(width * share) if side in {"left", "right"} else width
        cut_height = round(height * share) if side in {"top", "bottom"} else height
        if side in {"middle", "center", "central"}:
            cut_width, cut_height = round(width * share), round(height * share)
        left = {"left": 0, "right": width - cut_width}.get(side, (width - cut_width) // 2)
        top = {"top": 0, "bottom": height - cut_height}.get(side, (height - cut_height) // 2)
        return covering(_cut(picture, left, top, cut_width, cut_height), bench.width, bench.height)
    if what == "center" or re.fullmatch(r"\d{1,2} ?%|center|centre|middle", what):
        share = max(0.1, int(re.sub(r"\D", "", what) or 75) / 100)
        cut_width, cut_height = round(width * share), round(height * share)
        cut = _cut(picture, (width - cut_width) // 2, (height - cut_height) // 2, cut_width, cut_height)
        return covering(cut, bench.width, bench.height)
    left, top, right, bottom = _box(picture, what)
    margin = round(0.08 * max(right - left, bottom - top))
    left, top = max(0, left - margin), max(0, top - margin)
    right, bottom = min(width, right + margin), min(height, bottom + margin)
    # Grown to the canvas's shape, so that nothing of the region is lost to the cover-crop.
    ratio = bench.width / bench.height
    wanted_width = min(width, max(right - left, round((bottom - top) * ratio)))
    wanted_height = min(height, max(bottom - top, round((right - left) / ratio)))
    left = min(max(0, (left + right - wanted_width) // 2), width - wanted_width)
    top = min(max(0, (top + bottom - wanted_height) // 2), height - wanted_height)
    return covering(_cut(picture, left, top, wanted_width, wanted_height), bench.width, bench.height)


def _box(picture: Picture, said: str) -> tuple[int, int, int, int]:
    mask = region(picture, said) > 0.5
    rows, columns = np.flatnonzero(mask.mean(1) > 0.01), np.flatnonzero(mask.mean(0) > 0.01)
    if not len(rows) or not len(columns):
        raise NotDone(f'"{said}" was not found in this picture.')
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def border(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A frame of one colour with a fine inner line; the picture is made smaller, not cut."""
    color = np.array(edit.args.get("color", (1.0, 1.0, 1.0)), np.float32)
    wide = max(2, round(36 * edit.args.get("width", 1.0) * picture.unit))
    wide = min(wide, min(picture.width, picture.height) // 3)
    rgb = np.empty_like(picture.rgb)
    rgb[:] = (color * 255 + 0.5).astype(np.uint8)
    line = max(1, wide // 14)
    inner = slice(wide - line, picture.height - wide + line), slice(wide - line, picture.width - wide + line)
    rgb[inner] = (np.where(color.mean() > 0.5, color * 0.72, color * 0.6 + 0.3) * 255).astype(np.uint8)
    return _laid(Picture(rgb), covering(picture, picture.width - 2 * wide, picture.height - 2 * wide))


def polaroid(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """An instant photo's white card, wide at the bottom."""
    side, foot = round(46 * picture.unit), round(150 * picture.unit)
    rgb = np.full_like(picture.rgb, 247)
    size = picture.width - 2 * side, picture.height - side - foot
    inner = covering(Picture(picture.rgb), max(2, size[0]), max(2, size[1]))
    rgb[side : side + inner.height, side : side + inner.width] = inner.rgb
    rgb[side - 1, side : side + inner.width] = 205
    return Picture(rgb)


def film_strip(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Black bars above and below, 2.39 to 1 between them (or a seventh each on pictures that are wide already)."""
    bar = max(round((picture.height - picture.width / 2.39) / 2), round(picture.height * 0.09))
    bar = min(bar, round(picture.height * 0.2))
    rgb = picture.rgb.copy()
    rgb[:bar] = rgb[-bar:] = 0
    alpha = None if picture.alpha is None else picture.alpha.copy()
    if alpha is not None:
        alpha[:bar] = alpha[-bar:] = 255
    return Picture(rgb, alpha)


def _holed(picture: Picture, mask: np.ndarray, bench: Bench) -> Picture:
    """Cut by a mask; formats without alpha get white at the end of the run."""
    alpha = (mask * 255 + 0.5).astype(np.uint8)
    return Picture(picture.rgb, alpha if picture.alpha is None else np.minimum(alpha, picture.alpha))


def rounded_corners(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    radius = 90 * edit.amount * picture.unit
    down = np.abs(np.arange(picture.height, dtype=np.float32) + 0.5 - picture.height / 2) - picture.height / 2 + radius
    across = np.abs(np.arange(picture.width, dtype=np.float32) + 0.5 - picture.width / 2) - picture.width / 2 + radius
    away = np.hypot(np.clip(across, 0, None)[None], np.clip(down, 0, None)[:, None])
    return _holed(picture, np.clip(radius - away + 0.5, 0, 1), bench)


def circle(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    radius = min(picture.width, picture.height) / 2
    down = np.arange(picture.height, dtype=np.float32)[:, None] + 0.5 - picture.height / 2
    across = np.arange(picture.width, dtype=np.float32)[None] + 0.5 - picture.width / 2
    return _holed(picture, np.clip(radius - np.hypot(across, down) + 0.5, 0, 1), bench)


OPERATIONS: dict[str, Operation] = {
    "mirror": mirror, "flip": flip, "rotate": rotate,
    "zoom in": zoom_in, "zoom out": zoom_out, "crop": crop, "border": border, "polaroid": polaroid,
    "film strip": film_strip, "rounded corners": rounded_corners, "circle": circle,
}  # fmt: skip
