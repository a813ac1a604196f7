"""Backgrounds: taken away, or replaced by a colour, a gradient, a composed scene or a reference; and new skies."""

import re

import numpy as np

from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.phrases import COLOR, color_of
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, Pixels, Plane, mixed
from workers.pipelines.image_edit.recolor import lab
from workers.pipelines.image_edit.regions import sky, subject
from workers.pipelines.image_edit.source import fitted, picture_of, upright
from workers.pipelines.image_generate.composing import composed

HORIZON = 0.6
"""About where the composer's open scenes have their horizon: a new sky is what it paints above."""


def remove(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The subject alone. Where the format has no alpha the end of the run lays it on white."""
    mask = subject(picture)
    bench.step()
    alpha = (mask * 255 + 0.5).astype(np.uint8)
    if picture.alpha is not None:
        alpha = np.minimum(alpha, picture.alpha)
    if bench.output_format == "jpg":
        bench.notes["background"] = "JPEG has no transparency: the removed background is white."
    return Picture(_clean_edge(picture.rgb, mask), alpha)


def replaced(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The subject before something else, with its edge cleaned and a part of the new light on it."""
    mask = subject(picture)
    bench.step()
    scene = edit.args.get("scene", "")
    if edit.args.get("reference"):
        if not bench.references:
            raise NotDone("No reference image was given to take the background from.")
        behind = picture_of(fitted(upright(bench.references[0]).convert("RGB"), picture.width, picture.height)).rgb
        natural = True
    else:
        behind, natural = _described(scene, picture, bench)
    bench.step()
    cut = _clean_edge(picture.rgb, mask)
    if natural:
        cut = _in_light(cut, mask, behind)
        behind = _contact(behind, mask, picture.unit)
    return mixed(Picture(behind), cut, mask)


def new_sky(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A painted sky where the old one was, and its colour in the light below."""
    mask = sky(picture)
    bench.step()
    lowest = int(np.flatnonzero(mask.mean(1) > 0.02)[-1]) + 1
    height = max(lowest, round(picture.height * 0.3))
    prompt = edit.args["scene"]
    prompt = prompt if re.search(r"\bsk(y|ies)\b", prompt) else f"{prompt} sky"
    view = composed(
        f"{prompt}, meadow", width=picture.width, height=round(height / HORIZON * 1.12), seed=bench.seed, bare=True
    )
    _say_scene(view.unknown, bench)
    behind = np.zeros_like(picture.rgb)
    painted = np.asarray(view.image)
    behind[: min(lowest + height // 8, len(painted))] = painted[: min(lowest + height // 8, picture.height)]
    old = lab(picture.rgb[::8, ::8])[mask[::8, ::8] > 0.5].mean(0)
    fresh = lab(painted[: round(height * 0.9) : 8, ::8]).reshape(-1, 3).mean(0)
    shift = (fresh - old) * np.array([0.3, 0.35, 0.35], np.float32)
    land = shifted(picture.rgb, shift)
    return mixed(Picture(land), behind, mask)


def _described(scene: str, picture: Picture, bench: Bench) -> tuple[Pixels, bool]:
    """Pixels for what was said, and whether they are a place with a light of its own."""
    colors = [color_of(" ".join(found.split())) for found in re.findall(COLOR, scene)]
    plain = re.sub(
        rf"{COLOR}|\b(?:gradient|solid|plain|pure|simple|from|to|and|a|color|colour|background|of|studio)\b", "", scene
    )
    if colors and not plain.strip():
        if scene.strip() in {"white", "pure white"}:
            colors = [(1.0, 1.0, 1.0)]
        elif scene.strip() in {"black", "pure black"}:
            colors = [(0.0, 0.0, 0.0)]
        if len(colors) == 1 and "gradient" in scene:
            colors.append((colors[0][0] * 0.35, colors[0][1] * 0.35, colors[0][2] * 0.35))
        return _filled(colors, picture), False
    if re.fullmatch(r"\s*(?:a\s+)?(?:gradient|studio)\s*", scene):
        return _filled([(0.9, 0.9, 0.92), (0.55, 0.57, 0.62)], picture), False
    view = composed(scene, width=picture.width, height=picture.height, seed=bench.seed)
    _say_scene(view.unknown, bench)
    if not view.understood:
        raise NotDone(f'Nothing in "{scene}" is a background that the scene composer can paint.')
    return np.asarray(view.image), True


def _say_scene(unknown: list[str], bench: Bench) -> None:
    if unknown:
        bench.notes["sceneNotUnderstood"] = list(unknown)


def _filled(colors: list[tuple[float, float, float]], picture: Picture) -> Pixels:
    """One colour, or colours in a vertical gradient."""
    rows = np.linspace(0, 1, picture.height, dtype=np.float32)
    at = np.linspace(0, 1, len(colors))
    ramp = np.stack([np.interp(rows, at, [color[channel] for color in colors]) for channel in range(3)], -1)
    out = np.empty_like(picture.rgb)
    out[:] = (ramp[:, None] * 255 + 0.5).astype(np.uint8)
    return out


def _clean_edge(pixels: Pixels, mask: Plane) -> Pixels:
    """The half-covered rim takes its colour from inside, so that no line of the old background comes along."""
    solid = (mask > 0.92).astype(np.float32)
    radius = 2.5
    norm = cv2.GaussianBlur(solid, (0, 0), radius)[..., None]
    inner = cv2.GaussianBlur(pixels.astype(np.float32) * solid[..., None], (0, 0), radius) / np.maximum(norm, 1e-4)
    rim = ((mask > 0.004) & (mask <= 0.92) & (norm[..., 0] > 0.01))[..., None]
    return np.where(rim, np.clip(inner, 0, 255), pixels).astype(np.uint8)


def _in_light(pixels: Pixels, mask: Plane, behind: Pixels) -> Pixels:
    """The subject moved a part of the way to the new place's light and colour."""
    own = lab(pixels[::6, ::6])[mask[::6, ::6] > 0.5]
    if not len(own):
        return pixels
    there = lab(behind[::6, ::6]).reshape(-1, 3).mean(0)
    shift = (there - own.mean(0)) * np.array([0.2, 0.24, 0.24], np.float32)
    return shifted(pixels, np.clip(shift, -16, 16))


def shifted(pixels: Pixels, shift: Plane) -> Pixels:
    out = np.empty_like(pixels)
    for start in range(0, len(pixels), 256):
        values = lab(pixels[start : start + 256])
        values[..., 0] *= 1 + shift[0] / 60
        values[..., 1:] += shift[1:] * np.clip(values[..., :1] / 50, 0, 1)
        values[..., 0] = np.clip(values[..., 0], 0, 100)
        out[start : start + 256] = np.clip(cv2.cvtColor(values, cv2.COLOR_LAB2RGB) * 255 + 0.5, 0, 255)
    return out


def _contact(behind: Pixels, mask: Plane, unit: float) -> Pixels:
    """A soft shadow under a subject that stands inside the picture; none when the rim cuts it."""
    rows = np.flatnonzero(mask.max(1) > 0.5)
    if not len(rows) or rows[-1] >= len(mask) - 3:
        return behind
    foot = int(rows[-1])
    tall = max(4, int((foot - rows[0]) * 0.12))
    columns = np.flatnonzero(mask[foot - tall : foot + 1].max(0) > 0.5)
    shade = np.zeros_like(mask)
    centre = (int(columns.mean()), foot - tall // 6)
    cv2.ellipse(shade, centre, (max(2, int(len(columns) * 0.56)), max(2, tall // 2)), 0, 0, 360, 0.55, -1)
    shade = cv2.GaussianBlur(shade, (0, 0), max(1.0, 7 * unit))
    return (behind * (1 - shade[..., None])).astype(np.uint8)


OPERATIONS: dict[str, Operation] = {
    "remove background": remove, "replace background": replaced, "replace sky": new_sky,
}  # fmt: skip
