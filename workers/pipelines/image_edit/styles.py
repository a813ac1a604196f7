"""Art styles over a photograph: image.generate's passes, the drawing machines of this room, and the networks'."""

import numpy as np
from PIL import Image

from workers.pipelines.image_edit import neural
from workers.pipelines.image_edit.focus import gaussian
from workers.pipelines.image_edit.frame import border
from workers.pipelines.image_edit.light import vignette
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.phrases import spoken
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, Pixels, Plane, by_rows, luma
from workers.pipelines.image_edit.source import picture_of, upright
from workers.pipelines.image_edit.tone import GRADES, edge_kept, grade
from workers.pipelines.image_edit.vocabulary import STYLE_PHRASES
from workers.pipelines.image_generate.canvas import smoothstep
from workers.pipelines.image_generate.palette import reference_colors, reference_grade, saturated
from workers.pipelines.image_generate.styles import PASSES, Brush


def _brush(picture: Picture, bench: Bench) -> Brush:
    return Brush(seed=bench.seed, unit=picture.unit, octaves=4 if bench.high_detail else 3)


def _pass(picture: Picture, name: str, bench: Bench) -> Picture:
    return picture.with_rgb(
        np.asarray(PASSES[name](Image.fromarray(picture.rgb), _brush(picture, bench)).convert("RGB"))
    )


def shared(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A pass of image.generate."""
    name = edit.name.removeprefix("style ")
    return _pass(picture, {"storybook": "dreamy"}.get(name, name), bench)


def flattened(pixels: Pixels, unit: float, rounds: int = 2) -> Pixels:
    """Small detail gone, edges kept: a bilateral filter at half size."""
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (max(8, width // 2), max(8, height // 2)), interpolation=cv2.INTER_AREA)
    for _ in range(rounds):
        small = cv2.bilateralFilter(small, 7, 38, max(2.0, 3.2 * unit))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def ink_lines(pixels: Pixels, unit: float, *, thick: float = 1.0, tau: float = 0.98) -> Plane:
    """Ink where tones change, 0..1: an extended difference of Gaussians (Winnemöller et al. 2012)."""
    grey = luma(pixels) / 255
    sigma = max(0.7, 1.15 * unit * thick)
    near, far = cv2.GaussianBlur(grey, (0, 0), sigma), cv2.GaussianBlur(grey, (0, 0), sigma * 1.6)
    edge = near - tau * far
    return np.asarray(np.clip(-np.tanh(26 * (edge - 0.004)), 0, 1), np.float32)


def _stepped(pixels: Pixels, levels: int, softness: float) -> Pixels:
    """Brightness in soft steps, hue kept."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.float32)
    value = hsv[..., 2] / 255 * levels
    base = np.floor(value)
    hsv[..., 2] = (base + smoothstep(0.5 - softness, 0.5 + softness, value - base)) / levels * 255
    return np.asarray(cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def _inked(picture: Picture, ink: Plane, color: tuple[float, float, float] = (0.07, 0.06, 0.1)) -> Picture:
    tone = np.array(color, np.float32)
    return by_rows(picture, lambda band, rows: band + (tone - band) * ink[rows][..., None])


def comic(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Flat loud colour, halftone in the shade, black ink."""
    flat = _stepped(flattened(picture.rgb, picture.unit), 4, 0.16)
    loud = grade(picture.with_rgb(flat), lambda c: saturated(GRADES["contrast"](c, 0.7), 1.55))
    bench.step()
    step = max(3.0, 7.5 * picture.unit)
    tone = cv2.GaussianBlur(luma(picture.rgb) / 255, (0, 0), 2.5 * picture.unit + 0.5)
    dots = _dots(picture, step, tone, reach=0.55) * 0.34
    shaded = by_rows(loud, lambda band, rows: band * (1 - dots[rows][..., None]))
    solid = smoothstep(0.13, 0.07, tone)
    return _inked(
        shaded, np.maximum(ink_lines(flattened(picture.rgb, picture.unit, 1), picture.unit, thick=1.2), solid)
    )


def _dots(picture: Picture, step: float, tone: Plane, *, reach: float, angle: float = np.pi / 4) -> Plane:
    """Halftone dots at an angle, larger where it is darker."""
    y, x = np.arange(picture.height, dtype=np.float32)[:, None], np.arange(picture.width, dtype=np.float32)[None]
    u = (x * np.cos(angle) + y * np.sin(angle)) / step
    v = (y * np.cos(angle) - x * np.sin(angle)) / step
    away = np.hypot(u - np.round(u), v - np.round(v))
    size = np.sqrt(np.clip(reach - tone, 0, 1)) * 0.72
    return np.asarray(np.clip((size - away) * step + 0.5, 0, 1) * (size > 0.02), np.float32)


def anime(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Cel colour: smooth areas in few steps, clean thin lines, high clear light."""
    flat = _stepped(flattened(picture.rgb, picture.unit, 3), 6, 0.2)
    clear = grade(picture.with_rgb(flat), lambda c: saturated(GRADES["brighter"](c, 0.42), 1.38))
    ink = ink_lines(flattened(picture.rgb, picture.unit, 2), picture.unit, thick=0.85) * 0.85
    glow = gaussian(clear.rgb, 10 * picture.unit)
    lit = by_rows(clear, lambda band, rows: 1 - (1 - band) * (1 - 0.16 * glow[rows].astype(np.float32) / 255))
    return _inked(lit, ink, (0.16, 0.1, 0.16))


def engraving(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Swelling lines that follow the form, as on a banknote, in two directions where it is dark."""
    grey = GRADES["contrast"](luma(flattened(picture.rgb, picture.unit, 1))[..., None] / 255, 0.6)[..., 0]
    pitch = max(2.6, 4.4 * picture.unit) * (0.78 if bench.high_detail else 1)
    bend = cv2.GaussianBlur(grey, (0, 0), 9 * picture.unit + 1) * 26 * picture.unit
    y, x = np.arange(picture.height, dtype=np.float32)[:, None], np.arange(picture.width, dtype=np.float32)[None]
    page = np.ones_like(grey)
    for angle, above in ((0.5, 0.0), (-0.62, 0.45), (1.45, 0.72)):
        wave = ((x * np.sin(angle) + y * np.cos(angle) + bend) / pitch) % 1
        thick = np.clip((1 - grey - above) / (1 - above), 0, 1) * 0.86
        line = np.clip((thick / 2 - np.abs(wave - 0.5)) * pitch + 0.5, 0, 1) * (thick > 0.03)
        page = page * (1 - line)
    page = page * (1 - ink_lines(picture.rgb, picture.unit) * 0.8)
    paper, ink = np.array([0.96, 0.94, 0.87], np.float32), np.array([0.1, 0.13, 0.16], np.float32)
    return by_rows(picture, lambda band, rows: ink + (paper - ink) * page[rows][..., None])


def line_art(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Black lines on white."""
    ink = ink_lines(flattened(picture.rgb, picture.unit, 1), picture.unit, thick=1.5, tau=0.995)
    return by_rows(picture, lambda band, rows: np.repeat(1 - 0.95 * ink[rows][..., None], 3, -1))


def color_pencil(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Coloured strokes in one direction over paper that shows through."""
    rng, unit = bench.rng("pencil"), picture.unit
    noise = rng.random((picture.height, picture.width), dtype=np.float32)
    reach = max(5, round(22 * unit)) | 1
    kernel = np.zeros((reach, reach), np.float32)
    cv2.line(kernel, (0, reach - 1), (reach - 1, 0), 1.0, 1)
    strokes = cv2.filter2D(noise, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    strokes = np.clip((strokes - strokes.mean()) / (strokes.std() * 3) + 0.5, 0, 1)
    tooth = cv2.GaussianBlur(
        rng.random((picture.height, picture.width), dtype=np.float32), (0, 0), max(0.6, 0.6 * unit)
    )
    tooth = np.clip((tooth - tooth.mean()) / (tooth.std() * 3) + 0.5, 0, 1)
    ink = ink_lines(picture.rgb, unit) * 0.6
    soft = flattened(picture.rgb, unit, 1).astype(np.float32) / 255
    paper = np.array([0.985, 0.975, 0.95], np.float32)

    def drawn(band: Plane, rows: slice) -> Plane:
        rich = saturated(soft[rows], 1.45)
        dark = 1 - luma(band)
        cover = np.clip(0.28 + dark * 0.95 - (1 - strokes[rows]) * 0.62 - (1 - tooth[rows]) * 0.22, 0.04, 0.96)[
            ..., None
        ]
        laid = paper + (rich * 0.92 - paper) * cover
        return laid * (1 - ink[rows][..., None] * 0.7)

    return by_rows(picture, drawn)


def mosaic(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Small stones in rows, each of one colour and tilted to the light, with grout between."""
    side = max(4, round((15 if not bench.high_detail else 11) * picture.unit))
    rows, columns = -(-picture.height // side), -(-picture.width // side)
    padded = cv2.copyMakeBorder(
        picture.rgb, 0, rows * side - picture.height, 0, columns * side - picture.width, cv2.BORDER_REFLECT
    )
    stones = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    rng = bench.rng("stones")
    stones = np.clip(saturated(stones, 1.3) + rng.normal(0, 0.035, (rows, columns, 1)), 0, 1).astype(np.float32)
    large = np.repeat(np.repeat(stones, side, 0), side, 1)[: picture.height, : picture.width]
    inner = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    shape = np.maximum(np.abs(inner[:, None]), np.abs(inner[None]))
    gap = smoothstep(0.98, 0.82, shape)
    slope = 1 - 0.13 * inner[:, None] - 0.08 * inner[None]
    tile = np.tile(gap, (rows, columns))[: picture.height, : picture.width]
    relief = np.tile(slope, (rows, columns))[: picture.height, : picture.width]
    grout = np.array([0.24, 0.22, 0.21], np.float32)
    return by_rows(
        picture,
        lambda band, at: grout + (large[at] * relief[at][..., None] - grout) * tile[at][..., None],
    )


def halftone(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A newspaper's black dots."""
    tone = GRADES["contrast"](luma(picture.rgb)[..., None] / 255, 0.6)[..., 0]
    dots = _dots(picture, max(3.0, 6.5 * picture.unit), tone, reach=1.0)
    paper, ink = np.array([0.95, 0.93, 0.87], np.float32), np.array([0.1, 0.1, 0.11], np.float32)
    return by_rows(picture, lambda band, rows: paper + (ink - paper) * dots[rows][..., None])


def pop_art(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Four prints of the same picture in loud inks."""
    half = cv2.resize(picture.rgb, (-(-picture.width // 2), -(-picture.height // 2)), interpolation=cv2.INTER_AREA)
    tone = GRADES["contrast"](luma(flattened(half, picture.unit / 2))[..., None] / 255, 0.8)[..., 0]
    low, high = np.percentile(tone[::4, ::4], [4, 96])
    tone = np.clip((tone - low) / max(float(high - low), 0.2), 0, 1)
    inks = [
        ("#1b1a4b", "#e8267a", "#ffd23f", "#fff7c2"), ("#3a0f45", "#0fa3b1", "#f7a072", "#ffe7d1"),
        ("#0b3d2e", "#f4442e", "#7ae582", "#e9ffdb"), ("#301014", "#6a3cc9", "#ff8fc7", "#ffe3f3"),
    ]  # fmt: skip
    prints = []
    for row in inks:
        table = np.array([[int(ink[at : at + 2], 16) for at in (1, 3, 5)] for ink in row], np.float32)
        step = np.clip(tone * 4, 0, 3.999)
        base = np.floor(step)
        share = smoothstep(0.94, 1.0, step - base)[..., None]
        low_ink, high_ink = table[base.astype(int)], table[np.minimum(base.astype(int) + 1, 3)]
        prints.append((low_ink + (high_ink - low_ink) * share).astype(np.uint8))
    sheet = np.concatenate([np.concatenate(prints[:2], 1), np.concatenate(prints[2:], 1)])
    return Picture(np.ascontiguousarray(sheet[: picture.height, : picture.width]))


def poster(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A screen print: four inks from deep blue over red to cream by brightness, with hard edges."""
    tone = luma(flattened(picture.rgb, picture.unit, 3)) / 255
    low, high = np.percentile(tone[::6, ::6], [3, 97])
    tone = np.clip((tone - low) / max(float(high - low), 0.2), 0, 1)
    tone = cv2.GaussianBlur(tone, (0, 0), max(0.8, 1.3 * picture.unit))
    inks = np.array([[0.0, 0.2, 0.3], [0.84, 0.16, 0.16], [0.44, 0.6, 0.65], [0.99, 0.89, 0.66]], np.float32)
    cuts = (0.26, 0.5, 0.74)
    sharp = 0.012

    def printed(band: Plane, rows: slice) -> Plane:
        out = np.broadcast_to(inks[0], band.shape).copy()
        for cut, ink in zip(cuts, inks[1:], strict=True):
            out += (ink - out) * smoothstep(cut - sharp, cut + sharp, tone[rows])[..., None]
        return out

    return by_rows(picture, printed)


def noir_poster(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A film noir's one-sheet: hard blacks, slatted light, one red, a thin frame."""
    dark = grade(picture, lambda c: GRADES["noir"](c, 1.2))
    y, x = np.arange(picture.height, dtype=np.float32)[:, None], np.arange(picture.width, dtype=np.float32)[None]
    slats = smoothstep(-0.2, 0.35, np.sin((y - 0.3 * x) / (15 * picture.unit)))
    fade = 0.5 * np.exp(-((((x / picture.width - 0.4) / 0.45) ** 2) + ((y / picture.height - 0.4) / 0.5) ** 2))
    hue = (picture.rgb[..., 0].astype(np.int16) - np.maximum(picture.rgb[..., 1], picture.rgb[..., 2])) / 255
    red = smoothstep(0.22, 0.42, hue.astype(np.float32))
    tone = np.array([0.78, 0.06, 0.08], np.float32)

    def lit(band: Plane, rows: slice) -> Plane:
        shadowed = band * (1 - fade[rows][..., None] * (1 - slats[rows][..., None]))
        return shadowed + (tone * (0.3 + 0.9 * luma(band)[..., None]) - shadowed) * red[rows][..., None] * 0.85

    shaded = vignette(by_rows(dark, lit), edit, bench)
    return border(shaded, Edit(name="border", said="", args={"color": (0.05, 0.05, 0.06), "width": 0.8}), bench)


def movie_poster(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Cinema's colours and a dark foot for the title; a title itself is asked for in quotes."""
    toned = grade(picture, lambda c: GRADES["cinematic"](c, 1.2))
    down = np.linspace(0, 1, picture.height, dtype=np.float32)
    foot = 1 - 0.82 * smoothstep(0.55, 1.0, down)
    return vignette(by_rows(toned, lambda band, rows: band * foot[rows][:, None, None]), edit, bench)


def cyberpunk(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Night in magenta and cyan, tubes along the edges, a glow in the wet air."""
    return _pass(picture, "neon", bench)


def learnt(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """One of the networks' own painted styles, its strokes on the picture's brightness structure."""
    painted = neural.learnt(picture.rgb, neural.LEARNT[edit.name], side=_inner(picture, bench))
    return _structured(picture, painted, 0.35)


def _inner(picture: Picture, bench: Bench) -> int:
    """The side that a network paints at: its strokes have a size in pixels, so more of them are finer strokes."""
    longer = max(picture.width, picture.height)
    return min(960, round(longer * 1.4)) if bench.high_detail else min(640, longer)


def _structured(picture: Picture, painted: Pixels, share: float) -> Picture:
    """A painted picture with a share of the original's own light and dark, so that faces and edges stay readable."""
    own, new = luma(picture.rgb) / 255, luma(painted) / 255
    radius = max(2, round(10 * picture.unit))
    detail = edge_kept(own, radius=radius, eps=0.004) - edge_kept(new, radius=radius, eps=0.004)
    return by_rows(picture.with_rgb(painted), lambda band, rows: band + detail[rows][..., None] * share)


def reference_style(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The references' style, their vectors averaged: arbitrary style transfer (Ghiasi et al. 2017)."""
    if not bench.references:
        raise NotDone("No reference image was given to take the style from.")
    vectors = [neural.style_vector(picture_of(upright(path).convert("RGB")).rgb) for path in bench.references]
    bench.step()
    vector = np.mean(vectors, axis=0)
    if edit.amount < 1:
        vector = vector * edit.amount + neural.style_vector(picture.rgb) * (1 - edit.amount)
    painted = neural.arbitrary(picture.rgb, vector, side=_inner(picture, bench))
    bench.styled_after_references = True
    return _structured(picture, painted, 0.3)


def reference_palette(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The references' colours, the picture's own drawing."""
    if not bench.references:
        raise NotDone("No reference image was given to take the colours from.")
    colors, shares = reference_colors(bench.references)
    bench.styled_after_references = True
    return picture.with_rgb(np.asarray(reference_grade(Image.fromarray(picture.rgb), colors, shares)))


OPERATIONS: dict[str, Operation] = {
    **{f"style {name}": shared for name in set(spoken(STYLE_PHRASES).values())},
    **dict.fromkeys(neural.LEARNT, learnt),
    "comic": comic, "anime": anime, "engraving": engraving, "line art": line_art, "color pencil": color_pencil,
    "mosaic": mosaic, "halftone": halftone, "pop art": pop_art, "poster": poster, "noir poster": noir_poster,
    "movie poster": movie_poster, "cyberpunk": cyberpunk, "reference style": reference_style,
    "reference palette": reference_palette,
}  # fmt: skip
