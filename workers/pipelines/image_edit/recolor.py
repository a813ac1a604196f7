"""New colours for a part of a picture: its shading stays, its hue and about its brightness become the asked ones."""

import re

import numpy as np

from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.phrases import COLOR, color_of, region_of
from workers.pipelines.image_edit.picture import ROWS, Bench, Edit, Operation, Picture, Plane, Rgb, luma, mixed
from workers.pipelines.image_edit.regions import colored, region
from workers.pipelines.image_generate.canvas import smoothstep


def lab(pixels: np.ndarray) -> Plane:
    """L 0..100, a and b about -110..110, of uint8 or 0..1 sRGB."""
    values = pixels.astype(np.float32) / 255 if pixels.dtype == np.uint8 else np.asarray(pixels, np.float32)
    return np.asarray(cv2.cvtColor(values, cv2.COLOR_RGB2LAB), np.float32)


def recolored(picture: Picture, mask: Plane, color: Rgb) -> Picture:
    """The masked part in another colour: lightness moved by the difference of means, chroma scaled from its own."""
    goal = lab(np.array([[color]], np.float32))[0, 0]
    step = max(1, min(picture.width, picture.height) // 200)
    sample, weight = lab(picture.rgb[::step, ::step]), mask[::step, ::step]
    total = max(float(weight.sum()), 1e-6)
    own_light = float((sample[..., 0] * weight).sum() / total)
    chroma = np.hypot(sample[..., 1], sample[..., 2])
    own_chroma = float((chroma * weight).sum() / total)
    shift = (float(goal[0]) - own_light) * 0.72
    out = picture.rgb.copy()
    for start in range(0, picture.height, ROWS):
        rows = slice(start, start + ROWS)
        if not mask[rows].any():
            continue
        values = lab(picture.rgb[rows])
        light = values[..., 0]
        # Highlights and blacks move less, so that gloss stays gloss.
        room = np.clip(np.minimum(light, 100 - light) / 30, 0.15, 1)
        scale = np.clip(np.hypot(values[..., 1], values[..., 2]) / own_chroma, 0, 1.35) if own_chroma > 12 else room
        fresh = np.stack([np.clip(light + shift * room, 0, 100), goal[1] * scale, goal[2] * scale], -1)
        rgb = np.clip(cv2.cvtColor(fresh.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)
        base = picture.rgb[rows].astype(np.float32) / 255
        out[rows] = ((base + (rgb - base) * mask[rows][..., None]) * 255 + 0.5).astype(np.uint8)
    return picture.with_rgb(out)


def own_color(picture: Picture, mask: Plane) -> Plane:
    """The part of a mask that has the region's leading hue: a car's paint without its tyres and windows.

    The whole mask where the region has no leading hue.
    """
    values = lab(picture.rgb)
    hue = np.arctan2(values[..., 2], values[..., 1])
    chroma = np.hypot(values[..., 1], values[..., 2])
    weight = mask * np.clip(chroma - 14, 0, 60)
    if float((weight > 0).mean()) < 0.35 * float(mask.mean()):
        return mask
    counts, _ = np.histogram(hue, bins=48, range=(-np.pi, np.pi), weights=weight)
    counts = counts + 0.6 * (np.roll(counts, 1) + np.roll(counts, -1))
    lead = -np.pi + (int(np.argmax(counts)) + 0.5) * 2 * np.pi / 48
    distance = np.abs((hue - lead + np.pi) % (2 * np.pi) - np.pi)
    like = smoothstep(0.62, 0.36, distance) * smoothstep(6, 16, chroma)
    return np.asarray(
        cv2.GaussianBlur((mask * like).astype(np.float32), (0, 0), max(0.6, 0.8 * picture.unit)) * (mask > 0.02),
        np.float32,
    )


def recolor(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """ "Make the car red": the region found, and of it the paint."""
    what = edit.args["what"]
    mask = region(picture, what)
    bench.step()
    if region_of(what) == "subject" and not re.search(COLOR, what):
        mask = own_color(picture, mask)
    _named_as_subject(what, bench)
    return recolored(picture, mask, edit.args["color"])


def swap(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Every place of one hue in another."""
    return recolored(picture, colored(picture, edit.args["old"]), edit.args["new"])


def splash(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Colour kept in one region, the rest in greys."""
    what = edit.args["what"]
    mask = colored(picture, color_of(what)) if re.fullmatch(COLOR, what) else region(picture, what)
    _named_as_subject(what, bench)
    grey = luma(picture.rgb)
    return mixed(picture, np.repeat(grey[..., None], 3, -1).astype(np.uint8), 1 - mask)


def _named_as_subject(what: str, bench: Bench) -> None:
    """A noun without a method of its own was taken as the main subject; the client should know."""
    if region_of(what) == "subject" and what not in {"subject", "foreground", "main subject"}:
        bench.notes.setdefault("takenAsSubject", [])
        if what not in bench.notes["takenAsSubject"]:
            bench.notes["takenAsSubject"].append(what)


OPERATIONS: dict[str, Operation] = {"recolor": recolor, "swap color": swap, "color splash": splash}
