"""Objects added to a picture: the scene composer's figures, recoloured, lit as the picture is, with a shadow."""

from dataclasses import replace

import numpy as np

from workers.pipelines.image_edit.background import shifted
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, Plane, luma
from workers.pipelines.image_edit.recolor import lab
from workers.pipelines.image_edit.regions import subject
from workers.pipelines.image_generate.figures import figure_of, rasterise
from workers.pipelines.image_generate.lexicon import find
from workers.pipelines.image_generate.reading import read
from workers.pipelines.image_generate.scene import Thing

HEAVENLY = {"sun": "☀", "moon": "🌕", "rainbow": "🌈", "stars": "⭐"}
MAX_OBJECTS = 12
"""Of one order; more would be a pattern, not objects."""
AIRBORNE = {"air", "heaven"}


def add(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """ "Two birds in the sky and a kite on the left": each noun as often as said, at its place."""
    said = edit.args["what"]
    scene = read(said)
    things = list(scene.things)
    anchors = {thing.relation.target for thing in things if thing.relation}
    wanted = [thing for number, thing in enumerate(things) if number not in anchors]
    wanted += _heavenly(scene.heavens)
    if not wanted:
        raise NotDone(f'Nothing in "{said}" is an object that can be drawn.')
    if scene.unknown:
        bench.notes["objectWordsNotUnderstood"] = list(scene.unknown)
    rng = bench.rng("objects " + said)
    taken: list[tuple[float, float, float]] = []
    total = min(sum(thing.count for thing in wanted), MAX_OBJECTS)
    for thing in wanted:
        for number in range(min(thing.count, MAX_OBJECTS)):
            x, base, height = _place(picture, thing, number, total, taken, rng, anchored=bool(thing.relation))
            taken.append((x, base, height))
            figure = figure_of(thing, variant=int(rng.integers(30)))
            picture = _pasted(picture, rasterise(figure, max(8, round(height * picture.height))), x, base, thing)
            bench.step()
    bench.notes.setdefault("added", []).extend({"name": thing.label, "count": thing.count} for thing in wanted)
    return picture


def _heavenly(names: list[str]) -> list[Thing]:
    from workers.pipelines.image_generate.lexicon import glyph_code

    entries = [(name, find(glyph_code(HEAVENLY[name]))) for name in names]
    return [
        Thing(entry=replace(entry, habitat="heaven"), said=name, count=5 if name == "stars" else 1)
        for name, entry in entries
        if entry
    ]


def _place(
    picture: Picture, thing: Thing, number: int, total: int, taken: list[tuple[float, float, float]],
    rng: np.random.Generator, *, anchored: bool,
) -> tuple[float, float, float]:  # fmt: skip
    """Middle, foot and height of one object, as shares: where it was told to be, else where there is room."""
    height = {"heaven": 0.16, "air": 0.2}.get(thing.entry.habitat, 0.28) * thing.size
    height *= (0.72 if total > 2 else 1.0) * (0.6 if "far" in thing.places else 1.25 if "near" in thing.places else 1.0)
    height = float(np.clip(height, 0.05, 0.6))
    if anchored and thing.relation:
        placed = _beside_subject(picture, thing.relation.kind, height, number, total)
        if placed:
            return placed
    flies = _flies(thing)
    best, cost = (0.5, 0.6, height), float("inf")
    for _ in range(40):
        x = {"left": 0.2, "right": 0.8, "center": 0.5}.get(
            next(iter(thing.places & {"left", "right", "center"}), ""), -1.0
        )
        x = float(rng.uniform(0.12, 0.88)) if x < 0 else x + float(rng.normal(0, 0.03))
        base = float(rng.uniform(height + 0.03, max(height + 0.04, 0.48))) if flies else float(rng.uniform(0.82, 0.95))
        if "bottom" in thing.places:
            base = float(rng.uniform(0.9, 0.97))
        crowd = sum(
            1 for tx, tb, th in taken if abs(tx - x) < 0.6 * (th + height) / 2 and abs(tb - base) < (th + height) / 2
        )
        score = crowd * 3 + _busy(picture, x, base, height) + 0.3 * abs(x - 0.5)
        if score < cost:
            best, cost = (x, base, height), score
    return best


def _flies(thing: Thing) -> bool:
    return thing.entry.habitat in AIRBORNE or "top" in thing.places


def _busy(picture: Picture, x: float, base: float, height: float) -> float:
    """How much happens where an object would go: the spread of brightness there, 0..1."""
    half = height * picture.height / picture.width / 2
    rows = slice(max(0, round((base - height) * picture.height)), max(1, round(base * picture.height)))
    columns = slice(max(0, round((x - half) * picture.width)), max(1, round((x + half) * picture.width)))
    patch = picture.rgb[rows, columns][::8, ::8]
    return float(luma(patch).std()) / 90 if patch.size else 1.0


def _beside_subject(
    picture: Picture, kind: str, height: float, number: int, total: int
) -> tuple[float, float, float] | None:
    """A place given by a relation to what is in the picture already, taken as its subject."""
    try:
        mask = subject(picture) > 0.5
    except NotDone:
        return None
    rows, columns = np.flatnonzero(mask.mean(1) > 0.01), np.flatnonzero(mask.mean(0) > 0.01)
    if not len(rows) or not len(columns):
        return None
    top, foot = rows[0] / picture.height, rows[-1] / picture.height
    left, right = columns[0] / picture.width, columns[-1] / picture.width
    middle = (left + right) / 2
    half = height * picture.height / picture.width / 2
    spread = (number - (total - 1) / 2) * half * 2.1
    match kind:
        case "left_of":
            return max(half, left - half * 1.1 - abs(spread)), foot, height
        case "right_of" | "beside":
            return min(1 - half, right + half * 1.1 + abs(spread)), foot, height
        case "above":
            return middle + spread, max(height + 0.01, top - 0.03), height
        case "on" | "wearing":
            small = min(height, (right - left) * 0.55 * picture.width / picture.height)
            head = np.flatnonzero(mask[rows[0] : rows[0] + max(2, len(rows) // 10)].max(0))
            return float(head.mean()) / picture.width + spread, max(small + 0.005, top + small * 0.22), small
        case "below" | "before":
            return middle + spread, min(0.98, foot + height * 0.4), height
    return None


def _pasted(picture: Picture, rgba: Plane, x: float, base: float, thing: Thing) -> Picture:
    """A figure laid into the picture in the picture's own light, sharpness and shadow."""
    height, width = rgba.shape[:2]
    left, top = round(x * picture.width - width / 2), round(base * picture.height - height)
    alpha = rgba[..., 3]
    color = _lit(picture, rgba, left, top, thing)
    out, shade = picture.rgb.copy(), np.zeros((picture.height, picture.width), np.float32)
    if not _flies(thing):
        foot = left + width // 2, top + height - max(1, height // 40)
        cv2.ellipse(shade, foot, (max(2, int(width * 0.46)), max(2, height // 16)), 0, 0, 360, 0.5, -1)
        shade = cv2.GaussianBlur(shade, (0, 0), max(0.8, height / 45))
        out = (out * (1 - shade[..., None])).astype(np.uint8)
    y0, y1, x0, x1 = max(0, top), min(picture.height, top + height), max(0, left), min(picture.width, left + width)
    if y0 >= y1 or x0 >= x1:
        return picture
    part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    share = alpha[part][..., None]
    ground = out[y0:y1, x0:x1].astype(np.float32) / 255
    out[y0:y1, x0:x1] = ((ground + (color[part] - ground) * share) * 255 + 0.5).astype(np.uint8)
    if picture.alpha is None:
        return Picture(out)
    holes = picture.alpha.copy()
    holes[y0:y1, x0:x1] = np.maximum(holes[y0:y1, x0:x1], (share[..., 0] * 255 + 0.5).astype(np.uint8))
    return Picture(out, holes)


def _lit(picture: Picture, rgba: Plane, left: int, top: int, thing: Thing) -> Plane:
    """Volume, and the brightness and cast of the picture around."""
    height, width = rgba.shape[:2]
    around = picture.rgb[
        max(0, top - height // 2) : max(1, min(picture.height, top + height * 3 // 2)) : 6,
        max(0, left - width // 2) : max(1, min(picture.width, left + width * 3 // 2)) : 6,
    ]
    there = lab(around).reshape(-1, 3).mean(0) if around.size else np.array([55, 0, 0], np.float32)
    pixels = (np.clip(rgba[..., :3], 0, 1) * 255).astype(np.uint8)
    glows = thing.entry.glows or thing.entry.habitat == "heaven"
    pull = np.array(
        [0.0 if glows else np.clip((there[0] - 58) * 0.42, -26, 8), there[1] * 0.22, there[2] * 0.22], np.float32
    )
    color = shifted(pixels, pull).astype(np.float32) / 255
    alpha = rgba[..., 3]
    soft = cv2.GaussianBlur(alpha, (0, 0), max(0.8, 0.05 * min(height, width)))
    shift = max(1, round(0.045 * min(height, width)))
    core = np.clip(alpha - np.roll(soft, (-shift, -shift), (0, 1)), 0, 1)[..., None]
    rim = np.clip(alpha - np.roll(soft, (shift, shift), (0, 1)), 0, 1)[..., None]
    if not glows:
        color = color * (1 - 0.36 * core)
    return np.clip(color + (1 - color) * rim * 0.3, 0, 1)


OPERATIONS: dict[str, Operation] = {"add object": add}
