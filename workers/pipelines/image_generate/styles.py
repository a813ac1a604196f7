"""Art styles: each is a pass over the finished image, in its own technique. Grain and paper come last."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from workers.pipelines.image_generate.canvas import box_mean, fbm, resized, ridge, stream
from workers.pipelines.image_generate.palette import Colors, graded, luminance, saturated
from workers.pipelines.image_generate.strokes import brushed, dotted, faceted, glazed

FloatPixels = NDArray[np.floating[Any]]
ROWS = 256
INKED = (30, 26, 40)


@dataclass(frozen=True)
class Brush:
    """What a style works with."""

    seed: int
    unit: float
    """A thousandth of the mean side, in pixels."""
    octaves: int

    def rng(self, name: str) -> np.random.Generator:
        return stream(self.seed, "style " + name)


def apply_styles(image: Image.Image, styles: list[str], *, seed: int, octaves: int) -> Image.Image:
    """The prompt's styles in its order, at most two, then a breath of grain unless the style has its own surface."""
    brush = Brush(seed=seed, unit=float(np.sqrt(image.width * image.height)) / 1000, octaves=octaves)
    for style in styles[:2]:
        image = PASSES[style](image, brush)
    if not set(styles) & GRAINLESS:
        image = grained(image, brush, 0.02 if set(styles) & {"cinematic", "noir", "vintage"} else 0.009)
    return image


def grained(image: Image.Image, brush: Brush, amount: float) -> Image.Image:
    """Monochrome film grain, strongest in the middle tones."""
    tile = brush.rng("grain").normal(0, amount * 255, (ROWS, 512)).astype(np.float32)
    return _by_rows(
        image, lambda rows, _: rows + np.tile(tile, (1, image.width // 512 + 1))[: len(rows), : image.width, None]
    )


def _by_rows(image: Image.Image, change: Callable[[FloatPixels, int], FloatPixels]) -> Image.Image:
    """Float arithmetic in bands of rows; `change` gets the rows (0..255) and the first one's number."""
    source = np.asarray(image)
    out = np.empty_like(source)
    for start in range(0, len(source), ROWS):
        out[start : start + ROWS] = np.clip(change(source[start : start + ROWS].astype(np.float32), start), 0, 255)
    return Image.fromarray(out)


def _paper(image: Image.Image, brush: Brush, strength: float) -> FloatPixels:
    """A paper's tooth: a factor for each pixel, about 1."""
    fine = brush.rng("tooth").normal(0, 1, (512, 512)).astype(np.float32)
    fine = box_mean(fine, 1) * 1.6
    tiled = np.tile(fine, (image.height // 512 + 1, image.width // 512 + 1))[: image.height, : image.width]
    return 1 + strength * np.clip(tiled, -1.5, 1.5) * 0.5


def _times(image: Image.Image, factor: FloatPixels) -> Image.Image:
    return _by_rows(image, lambda rows, start: rows * factor[start : start + len(rows), :, None])


def _edges(image: Image.Image, radius: float) -> FloatPixels:
    """Where tones change: 0..1, from a difference of two blurs of the darkest channel."""
    grey = image.convert("L").filter(ImageFilter.GaussianBlur(max(0.4, radius * 0.6)))
    wide = grey.filter(ImageFilter.GaussianBlur(max(0.8, radius * 1.8)))
    return np.clip((np.asarray(wide, np.float32) - np.asarray(grey, np.float32)) / 26, 0, 1)


def _simplified(image: Image.Image) -> Image.Image:
    """Without small detail, edges kept: a median at half size, where it costs an eighth."""
    small = image.reduce(2).filter(ImageFilter.MedianFilter(3))
    return small.resize(image.size, Image.Resampling.BICUBIC)


def _posterised(image: Image.Image, colors: int) -> Image.Image:
    """Few flat colours; the palette is found on a small copy."""
    palette = image.resize((160, 160), Image.Resampling.BOX).quantize(colors, method=Image.Quantize.MEDIANCUT, kmeans=2)
    return image.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB").filter(ImageFilter.SMOOTH)


def watercolor(image: Image.Image, brush: Brush) -> Image.Image:
    """Washes with dark rims, granulation, bleeding edges and a white deckle."""
    unit = brush.unit
    soft = _displaced(ImageEnhance.Color(_simplified(image)).enhance(1.22), brush, 4.5 * unit)
    soft = _simplified(soft)
    soft = Image.blend(soft, soft.filter(ImageFilter.GaussianBlur(7 * unit)), 0.3)
    rims = _edges(soft, 3 * unit)
    wash = fbm(brush.rng("wash"), image.width, image.height, cells=(5, 5), octaves=brush.octaves + 2)
    spots = fbm(brush.rng("granules"), image.width, image.height, cells=(90, 90), octaves=2)
    # Darks are laid in several layers: less of the paper shows through them.
    dark = 1 - np.asarray(soft.convert("L"), np.float32) / 255
    paint = 0.86 + 0.1 * dark - (0.42 - 0.2 * dark) * (wash - 0.5) - (0.2 - 0.1 * dark) * (spots - 0.5) + 0.34 * rims
    across = np.minimum(np.linspace(0, 1, image.width), np.linspace(1, 0, image.width))[None] * image.width
    down = np.minimum(np.linspace(0, 1, image.height), np.linspace(1, 0, image.height))[:, None] * image.height
    ragged = (fbm(brush.rng("deckle"), image.width, image.height, cells=(14, 14), octaves=4) - 0.5) * 34 * unit
    inside = np.clip((np.minimum(across, down) + ragged - 20 * unit) / (10 * unit), 0, 1).astype(np.float32)
    paint = np.clip(paint, 0, 1.25) * inside
    tooth = _paper(image, brush, 0.05)
    ground = np.array([252, 249, 241], np.float32)

    def wash_over(rows: FloatPixels, start: int) -> FloatPixels:
        pigment = 1 - rows / 255
        covered = np.clip(1 - pigment * paint[start : start + len(rows), :, None], 0, 1)
        return covered * ground * tooth[start : start + len(rows), :, None]

    return _by_rows(soft, wash_over)


def _displaced(image: Image.Image, brush: Brush, reach: float) -> Image.Image:
    """Edges that wander like paint on wet paper."""
    source = np.asarray(image)
    dx = (fbm(brush.rng("bleed x"), image.width, image.height, cells=(28, 28), octaves=3) - 0.5) * 2 * reach
    dy = (fbm(brush.rng("bleed y"), image.width, image.height, cells=(28, 28), octaves=3) - 0.5) * 2 * reach
    rows = np.clip(np.arange(image.height)[:, None] + dy, 0, image.height - 1).astype(np.int32)
    columns = np.clip(np.arange(image.width)[None] + dx, 0, image.width - 1).astype(np.int32)
    return Image.fromarray(source[rows, columns])


def oil(image: Image.Image, brush: Brush) -> Image.Image:
    """Thick strokes with relief and rich colour."""
    rich = ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(1.25)).enhance(1.06)
    painted = brushed(rich, brush.rng("oil"), unit=brush.unit, fine=5.5 if brush.octaves < 4 else 4.6, jitter=9)
    return _relief(painted, brush, 0.5)


def impressionist(image: Image.Image, brush: Brush) -> Image.Image:
    """Swirling, broken colour."""
    rich = ImageEnhance.Color(image).enhance(1.45)
    painted = brushed(
        rich, brush.rng("impression"), unit=brush.unit, fine=6.5 if brush.octaves < 4 else 5.4, swirl=26, jitter=20
    )
    return _relief(painted, brush, 0.6)


def _relief(image: Image.Image, brush: Brush, amount: float) -> Image.Image:
    """Light across the ridges of paint."""
    grey = np.asarray(image.convert("L"), np.float32)
    shift = max(1, round(1.2 * brush.unit))
    slope = grey - np.roll(grey, (shift, shift), (0, 1))
    weave = _paper(image, brush, 0.035)
    return _times(image, np.clip(1 + np.clip(slope, -40, 40) / 255 * amount, 0.75, 1.25) * weave)


def pointillism(image: Image.Image, brush: Brush) -> Image.Image:
    """Dots of pure colour."""
    return dotted(image, brush.rng("dots"), unit=brush.unit * (1.0 if brush.octaves < 4 else 0.85))


def pencil(image: Image.Image, brush: Brush) -> Image.Image:
    """Graphite lines from a dodge, hatching in the darks, on cream paper."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    inverted = ImageOps.invert(grey).filter(ImageFilter.GaussianBlur(5 * brush.unit))
    tone, blur = np.asarray(grey, np.float32), np.asarray(inverted, np.float32)
    lines = np.clip(tone * 255 / (255.1 - blur), 0, 255) / 255
    rng, unit = brush.rng("hatch"), brush.unit
    wobble = (fbm(rng, image.width, image.height, cells=(4, 4), octaves=3) - 0.5) * 26 * unit
    y, x = np.arange(image.height, dtype=np.float32)[:, None], np.arange(image.width, dtype=np.float32)[None]
    dark = 1 - tone / 255
    hatch = np.ones_like(lines)
    for angle, above in ((0.75, 0.3), (-0.65, 0.55), (1.35, 0.75)):
        wave = 0.5 + 0.5 * np.sin((x * np.cos(angle) + y * np.sin(angle) + wobble) / (1.5 * unit + 0.35))
        hatch *= 1 - np.clip((dark - above) * 1.5, 0, 0.55) * wave
    page = np.clip(lines**1.5 * hatch * (1 - 0.16 * dark), 0, 1) * _paper(image, brush, 0.09)
    return ImageOps.colorize(
        Image.fromarray((np.clip(page, 0, 1) * 255).astype(np.uint8)), (38, 36, 42), (250, 246, 236)
    )


def charcoal(image: Image.Image, brush: Brush) -> Image.Image:
    """Broad soft darks smudged into rough paper."""
    grey = ImageOps.autocontrast(image.convert("L").filter(ImageFilter.GaussianBlur(2.2 * brush.unit)), cutoff=1)
    tooth = fbm(brush.rng("charcoal"), image.width, image.height, cells=(210, 210), octaves=2)
    smudge = fbm(brush.rng("smudge"), image.width, image.height, cells=(6, 26), octaves=4)
    tone = np.asarray(grey, np.float32) / 255
    rub = np.clip(0.1 + tone * 0.95 + (tooth - 0.5) * 0.5 * (1.15 - tone) + (smudge - 0.5) * 0.22, 0, 1)
    page = np.clip(rub - 0.8 * _edges(image, 2.2 * brush.unit), 0, 1)
    return ImageOps.colorize(Image.fromarray((page * 255).astype(np.uint8)), (26, 25, 27), (240, 235, 226))


def pixel(image: Image.Image, brush: Brush) -> Image.Image:
    """A small grid, a palette of 32 (48 in high detail), a light ordered dither."""
    short = 144 if brush.octaves < 4 else 176
    scale = short / min(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    small = ImageEnhance.Color(image.resize(size, Image.Resampling.BOX)).enhance(1.3)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.5
    tiled = np.tile(bayer, (size[1] // 4 + 1, size[0] // 4 + 1))[: size[1], : size[0], None]
    dithered = Image.fromarray(np.clip(np.asarray(small, np.float32) + tiled * 15, 0, 255).astype(np.uint8))
    palette = small.quantize(32 if brush.octaves < 4 else 48, method=Image.Quantize.MEDIANCUT, kmeans=2)
    flat = dithered.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    return flat.resize(image.size, Image.Resampling.NEAREST)


def noir(image: Image.Image, brush: Brush) -> Image.Image:
    """Silver and black, hard contrast, slats of light."""

    def tone(colors: Colors) -> Colors:
        grey = colors @ np.array([0.42, 0.42, 0.16], np.float32)
        curve = np.clip((grey - 0.03) * 1.34, 0, 1)
        curve = curve * curve * (3 - 2 * curve)
        return np.stack([curve * 0.99, curve, curve * 1.02], -1)

    y, x = np.arange(image.height, dtype=np.float32)[:, None], np.arange(image.width, dtype=np.float32)[None]
    slats = 0.5 + 0.5 * np.sin((y - 0.32 * x) / (26 * brush.unit))
    spread = np.exp(-((((x / image.width - 0.5) ** 2 + (y / image.height - 0.45) ** 2) / 0.2) ** 1.0))
    return _times(graded(image, tone), 0.82 + 0.5 * spread * (0.72 + 0.28 * np.clip(slats * 3 - 1, 0, 1)))


def pop(image: Image.Image, brush: Brush) -> Image.Image:
    """Few loud colours, halftone dots in the middle tones, ink outlines."""
    loud = ImageEnhance.Contrast(ImageEnhance.Color(_simplified(image)).enhance(1.9)).enhance(1.15)
    few = _posterised(loud, 14)
    step = 9.5 * brush.unit
    y, x = np.arange(image.height, dtype=np.float32)[:, None], np.arange(image.width, dtype=np.float32)[None]
    u, v = (x + y) / step, (x - y) / step
    dots = np.hypot(u - np.round(u), v - np.round(v))
    tone = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(3 * brush.unit)), np.float32) / 255
    mask = np.clip(((0.62 - tone * 0.75) - dots) * step * 0.7 + 0.5, 0, 1) * 0.3
    ink = np.clip(_edges(image, 2.2 * brush.unit) * 2.4 - 0.35, 0, 1)

    def print_over(rows: FloatPixels, start: int) -> FloatPixels:
        area = slice(start, start + len(rows))
        rows = rows * (1 - mask[area, :, None])
        return rows + (np.array(INKED, np.float32) - rows) * ink[area, :, None]

    return _by_rows(few, print_over)


def lowpoly(image: Image.Image, brush: Brush) -> Image.Image:
    """Flat facets that follow the edges."""
    rich = ImageEnhance.Color(image).enhance(1.2)
    return faceted(rich, brush.rng("facets"), across=50 if brush.octaves < 4 else 62)


def neon(image: Image.Image, brush: Brush) -> Image.Image:
    """Night colours pushed to cyan and magenta, edges that glow like tubes."""

    def night(colors: Colors) -> Colors:
        light = luminance(colors)
        low, high = np.array([0.1, 0.02, 0.3], np.float32), np.array([0.2, 0.85, 1.0], np.float32)
        split = low + (high - low) * light + np.array([0.75, 0.0, 0.3], np.float32) * np.clip(light - 0.42, 0, 1)
        return np.clip(saturated(colors, 1.35) * 0.55 + split * light * 0.62, 0, 1)

    dark = ImageEnhance.Brightness(graded(image, night)).enhance(1.12)
    edges = np.clip(_edges(image, 2.4 * brush.unit) * 1.9 - 0.1, 0, 1)
    sweep = (
        ridge(brush.rng("tubes"), image.width, cells=3, octaves=2)[None] * 0.5
        + np.linspace(0, 1, image.height, dtype=np.float32)[:, None]
    )
    pink, blue = np.array([255, 60, 190], np.float32), np.array([50, 225, 255], np.float32)
    tint = np.clip(sweep, 0, 1)[..., None]
    tubes = Image.fromarray((edges[..., None] * (pink * tint + blue * (1 - tint))).astype(np.uint8))
    size = (max(8, image.width // 4), max(8, image.height // 4))
    halo = (
        tubes.resize(size, Image.Resampling.BOX)
        .filter(ImageFilter.GaussianBlur(3.4 * brush.unit))
        .resize(image.size, Image.Resampling.BICUBIC)
    )
    halo = ImageEnhance.Brightness(halo).enhance(2.6)
    return ImageChops.screen(ImageChops.screen(dark, halo), ImageEnhance.Brightness(tubes).enhance(0.75))


def synthwave(image: Image.Image, brush: Brush) -> Image.Image:
    """Violet and orange with a scanline shimmer."""

    def wave(colors: Colors) -> Colors:
        light = luminance(colors)
        stops = np.array(
            [[0.05, 0.01, 0.16], [0.36, 0.06, 0.5], [0.95, 0.2, 0.6], [1.0, 0.62, 0.36], [1.0, 0.93, 0.7]], np.float32
        )
        ramp = np.stack([np.interp(light[..., 0], [0, 0.3, 0.55, 0.78, 1], stops[:, c]) for c in range(3)], -1)
        return saturated(colors, 1.2) * 0.32 + ramp * 0.68

    lines = 0.93 + 0.07 * np.sin(np.arange(image.height, dtype=np.float32) / (1.3 * brush.unit))
    return _times(graded(image, wave), np.repeat(lines[:, None], image.width, 1))


def vintage(image: Image.Image, brush: Brush) -> Image.Image:
    """Sepia, lifted blacks, uneven fading, scratches, a pale border."""

    def faded(colors: Colors) -> Colors:
        light = luminance(colors)
        light = 0.09 + 0.82 * light**0.92
        return 0.16 * saturated(colors, 0.6) + 0.84 * light * np.array([1.1, 0.9, 0.65], np.float32)

    unit = brush.unit
    stain = 0.86 + 0.26 * fbm(brush.rng("stain"), image.width, image.height, cells=(3, 3), octaves=5)
    photo = _times(graded(image, faded), stain)
    draw, rng = ImageDraw.Draw(photo, "RGBA"), brush.rng("scratches")
    for x, y, long, lean in rng.random((26, 4)).tolist():
        left, top = x * image.width, y * image.height
        end = (left + (lean - 0.5) * 30 * unit, top + long**2 * 320 * unit)
        draw.line((left, top, *end), fill=(255, 244, 220, 70), width=max(1, round(unit)))
    for x, y, size in rng.random((90, 3)).tolist():
        radius = (0.5 + 1.8 * size) * unit
        left, top = x * image.width, y * image.height
        draw.ellipse((left - radius, top - radius, left + radius, top + radius), fill=(255, 246, 226, 110))
    return ImageOps.expand(
        photo.crop((edge := round(22 * unit), edge, image.width - edge, image.height - edge)), edge, (240, 230, 207)
    )


def flat(image: Image.Image, brush: Brush) -> Image.Image:
    """A few calm, clean tones without texture."""
    return _posterised(_simplified(_simplified(image)).filter(ImageFilter.GaussianBlur(0.6 * brush.unit)), 20)


def cinematic(image: Image.Image, brush: Brush) -> Image.Image:
    """Teal shadows, amber lights, halation, a wide vignette and an anamorphic streak where it is brightest."""

    def grade(colors: Colors) -> Colors:
        light = luminance(colors)
        curve = colors + 0.22 * (colors - 0.45) * (1 - np.abs(2 * light - 0.9))
        shadow, shine = np.array([-0.045, 0.012, 0.055], np.float32), np.array([0.07, 0.018, -0.06], np.float32)
        return np.clip(saturated(curve, 1.06) + shadow * (1 - light) ** 1.6 + shine * light**1.1, 0, 1) * 0.97 + 0.012

    toned = graded(image, grade)
    size = (max(8, image.width // 8), max(8, image.height // 8))
    small = np.asarray(toned.resize(size, Image.Resampling.BOX), np.float32)
    hot = Image.fromarray((np.clip((small.min(-1) - 176) / 79, 0, 1) * 255).astype(np.uint8))
    streak_small, halo_small = (
        hot.filter(blur)
        for blur in (ImageFilter.BoxBlur((size[0] * 0.16, 0.6)), ImageFilter.GaussianBlur(size[0] * 0.03))
    )
    streak = resized(np.asarray(streak_small, np.float32) / 255, image.width, image.height)
    halo = resized(np.asarray(halo_small, np.float32) / 255, image.width, image.height)
    across = np.linspace(-1, 1, image.width, dtype=np.float32)[None]
    down = np.linspace(-1, 1, image.height, dtype=np.float32)[:, None]

    def project(rows: FloatPixels, start: int) -> FloatPixels:
        area = slice(start, start + len(rows))
        rows = rows * (1 - 0.3 * np.clip((across**2 * 0.8 + down[area] ** 2 - 0.35), 0, 1.4))[..., None]
        lit = np.clip(streak[area, :, None] * 0.4, 0, 1) * np.array([0.55, 0.8, 1.0], np.float32)
        lit = lit + np.clip(halo[area, :, None] * 0.3, 0, 1) * np.array([1.0, 0.62, 0.36], np.float32)
        return rows + (255 - rows) * np.clip(lit, 0, 1)

    return _by_rows(toned, project)


def stained_glass(image: Image.Image, brush: Brush) -> Image.Image:
    """Glowing cells between lead."""
    return glazed(image, brush.rng("glass"), across=30 if brush.octaves < 4 else 37, lead=2.6 * brush.unit)


def woodblock(image: Image.Image, brush: Brush) -> Image.Image:
    """A print: few muted inks, dark key lines, wood grain, aged paper."""
    few = graded(image, lambda colors: saturated(colors, 0.92) * np.array([0.98, 0.95, 0.86], np.float32))
    inks = _posterised(_simplified(few), 12)
    grain = 0.9 + 0.2 * fbm(brush.rng("wood"), image.width, image.height, cells=(4, 110), octaves=3)
    key = np.clip(_edges(image, 1.8 * brush.unit) * 2.2 - 0.3, 0, 1) * 0.85
    paper, line = np.array([246, 236, 212], np.float32), np.array([32, 40, 66], np.float32)

    def press(rows: FloatPixels, start: int) -> FloatPixels:
        area = slice(start, start + len(rows))
        ink = 1 - (1 - rows / 255) * grain[area, :, None]
        rows = ink * paper
        return rows + (line - rows) * key[area, :, None]

    return _by_rows(inks, press)


def dreamy(image: Image.Image, brush: Brush) -> Image.Image:
    """Pastels in a soft glow."""
    pale = graded(image, lambda colors: saturated(colors, 0.88) * 0.72 + np.array([0.27, 0.245, 0.275], np.float32))
    glow = pale.filter(ImageFilter.GaussianBlur(13 * brush.unit))
    return Image.blend(pale, ImageChops.screen(pale, ImageEnhance.Brightness(glow).enhance(0.55)), 0.6)


PASSES: dict[str, Callable[[Image.Image, Brush], Image.Image]] = {
    "watercolor": watercolor, "oil": oil, "impressionist": impressionist, "pointillism": pointillism, "pencil": pencil,
    "charcoal": charcoal, "pixel": pixel, "noir": noir, "pop": pop, "lowpoly": lowpoly, "neon": neon,
    "synthwave": synthwave, "vintage": vintage, "flat": flat, "cinematic": cinematic, "stainedglass": stained_glass,
    "woodblock": woodblock, "dreamy": dreamy,
}  # fmt: skip
GRAINLESS = {"pixel", "flat", "lowpoly", "pop", "stainedglass", "watercolor", "pencil", "woodblock"}
