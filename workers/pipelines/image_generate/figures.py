"""Drawn objects as SVG: a glyph recoloured, dressed, seated on a body, its outline tinted; and their rasters."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from workers.pipelines.image_generate.lexicon import glyph_paths
from workers.pipelines.image_generate.reading import wearables
from workers.pipelines.image_generate.scene import Rgb, Thing

GLYPH_SIDE = 72
"""OpenMoji's grid."""
INK = "#332739"
INK_WIDTH = 1.1
ASTRONAUT = "1F9D1-200D-1F680"
UPRIGHT = {"1F916": None, "1F47D": None, "1F479": None, "1F47A": None, "1F920": "#8a5a36", "1F921": "#3f7fd0"}
"""Faces with a standing body (robot, alien, ogre, goblin, cowboy, clown), and its cloth if not of their own colour."""
SKINS = ("#fadcbc", "#debb90", "#c19a65", "#a57939", "#6a462f")
CLOTHES = ("#c8493f", "#2f6fb0", "#3d8f6a", "#8a5aa8", "#d98a34", "#31506e")
YELLOW_SKIN, YELLOW_SHADE = "#fcea2b", "#f1b31c"
WATER = "#92d3f5"
STROKE = re.compile(r'stroke-width="([0-9.]+)"')
HEX = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b")

FloatImage = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Figure:
    """SVG markup and the box of it that is painted."""

    markup: str
    box: tuple[float, float, float, float]

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.box[2] / self.box[3]


def figure_of(thing: Thing, *, variant: int) -> Figure:
    """The drawing of one instance of a thing; `variant` picks skins and clothes."""
    entry = thing.entry
    if thing.costume and thing.costume.whole:
        markup = _costumed(thing, thing.costume.whole, variant)
    elif entry.face and (thing.worn or not entry.whole):
        markup = _seated(_glyph(entry.face, thing.color, variant), entry.face, thing.color)
    else:
        markup = _glyph(entry.whole or entry.face or "", thing.color, variant)
    if thing.worn:
        markup += _worn(thing, markup)
    return framed(markup, waterline(entry.whole) if entry.whole and entry.habitat == "surface" else None)


def glyph_figure(code: str, color: Rgb | None = None) -> Figure:
    """A single glyph, for scenery."""
    return framed(_glyph(code, color, 0))


@lru_cache(maxsize=512)
def framed(markup: str, floor: float | None = None) -> Figure:
    """The figure with its box measured on a small raster that has room for seated bodies; cut below `floor`."""
    side, left, top = 144, -12.0, -24.0
    alpha = _raster(markup, (left, top, side, side), side)[..., 3]
    rows, columns = np.flatnonzero(alpha.max(1) > 0.05), np.flatnonzero(alpha.max(0) > 0.05)
    if not len(rows):
        return Figure(markup, (0, 0, GLYPH_SIDE, GLYPH_SIDE))
    x0, y0, x1, y1 = columns[0] + left - 0.5, rows[0] + top - 0.5, columns[-1] + left + 1.5, rows[-1] + top + 1.5
    bottom = y1 if floor is None else min(y1, floor)
    if floor is not None:
        columns = np.flatnonzero(alpha[: int(floor - top)].max(0) > 0.05)
        x0, x1 = columns[0] + left - 0.5, columns[-1] + left + 1.5
    return Figure(markup, (float(x0), float(y0), float(x1 - x0), float(bottom - y0)))


@lru_cache(maxsize=64)
def waterline(code: str) -> float | None:
    """Where a boat's own drawn water starts, so that it can float in the picture's instead; None without any."""
    raster = _raster(_source(code).partition('<g id="line"')[0], (0, 0, GLYPH_SIDE, GLYPH_SIDE), GLYPH_SIDE)
    water = (np.abs(raster[..., :3] - np.array(_rgb(WATER), np.float32)).sum(-1) < 0.06) & (raster[..., 3] > 0.9)
    rows = np.flatnonzero(water.sum(1) > 0.55 * GLYPH_SIDE)
    return float(rows[0]) if len(rows) else None


def rasterise(figure: Figure, height: int) -> FloatImage:
    """RGBA, 0..1, straight alpha, exactly `height` pixels high."""
    return _raster(figure.markup, figure.box, max(height, 4))


def _raster(markup: str, box: tuple[float, float, float, float], height: int) -> FloatImage:
    x, y, box_width, box_height = box
    width = max(4, round(height * box_width / box_height))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'viewBox="{x} {y} {box_width} {box_height}">{markup}</svg>'
    )
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, width=width, height=height))
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGBA"), np.float32) / 255


@lru_cache(maxsize=256)
def _source(code: str) -> str:
    text = glyph_paths()[code].read_text(encoding="utf-8")
    return text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]


def _glyph(code: str, color: Rgb | None, variant: int, *, skin: str | None = None) -> str:
    """A glyph's inner markup with thin tinted outlines, natural skins (or the fur given), and the asked colour."""
    colours, mark, lines = _source(code).partition('<g id="line"')
    people = YELLOW_SKIN in colours.partition('<g id="skin"')[2].lower()
    if people:
        colours = _dressed_in_skin(colours, color, variant, fur=skin)
    elif color:
        colours = HEX.sub(_recolourer(code, color), colours)
    ink = re.sub(r'"#(000000|000)"', f'"{INK}"', mark + lines)
    return colours + STROKE.sub(lambda found: f'stroke-width="{float(found[1]) * INK_WIDTH / 2:.3f}"', ink)


def _dressed_in_skin(colours: str, color: Rgb | None, variant: int, *, fur: str | None = None) -> str:
    """People: a natural skin for yellow; a figure that is all skin gets clothes; a colour goes to the clothes."""
    before, _, skin = colours.partition('<g id="skin"')
    figure_only = not HEX.search(before)
    tone = CLOTHES[variant % len(CLOTHES)] if figure_only else SKINS[variant % len(SKINS)]
    if fur:
        tone = fur
    elif color and figure_only:
        tone = _hex(color)
    elif color:
        before = HEX.sub(lambda found: _hex(_shade_like(found[0], "#9b9b9a", color)), before)
    darker = _hex(tuple(channel * 0.82 for channel in _rgb(tone)))  # type: ignore[arg-type]
    skin = re.sub(YELLOW_SKIN, tone, skin, flags=re.IGNORECASE)
    return before + '<g id="skin"' + re.sub(YELLOW_SHADE, darker, skin, flags=re.IGNORECASE)


@lru_cache(maxsize=256)
def dominant(code: str) -> str:
    """The fill that covers most of a glyph."""
    colours = _source(code).partition('<g id="line"')[0]
    fills = sorted({_hex(_rgb(found)) for found in HEX.findall(colours)})
    if not fills:
        return "#9b9b9a"
    raster = _raster(colours, (0, 0, GLYPH_SIDE, GLYPH_SIDE), 48)
    raster = raster[: int((waterline(code) or GLYPH_SIDE) / GLYPH_SIDE * 48)]
    pixels = raster[raster[..., 3] > 0.9][:, :3]
    table = np.array([_rgb(fill) for fill in fills], np.float32)
    nearest = np.argmin(((pixels[:, None] - table[None]) ** 2).sum(-1), axis=1)
    return fills[int(np.argmax(np.bincount(nearest, minlength=len(fills))))]


def _recolourer(code: str, color: Rgb) -> Callable[[re.Match[str]], str]:
    """Moves the glyph's main hue (with its shadows) to the asked colour and leaves leaves and wheels alone."""
    main = dominant(code)
    main_hue, main_saturation = _hue(_rgb(main))

    def replace(found: re.Match[str]) -> str:
        hue, saturation = _hue(_rgb(found[0]))
        distance = abs((hue - main_hue + 0.5) % 1 - 0.5)
        belongs = (saturation < 0.2) if main_saturation < 0.2 else (saturation >= 0.2 and distance < 0.12)
        return _hex(_shade_like(found[0], main, color)) if belongs else found[0]

    return replace


def _shade_like(original: str, main: str, color: Rgb) -> Rgb:
    ratio = (sum(_rgb(original)) + 0.15) / (sum(_rgb(main)) + 0.15)
    ratio = float(np.clip(ratio, 0.55, 1.5))
    if ratio <= 1:
        return (color[0] * ratio, color[1] * ratio, color[2] * ratio)
    lift = min(0.6, (ratio - 1) * 0.8)
    return (color[0] + (1 - color[0]) * lift, color[1] + (1 - color[1]) * lift, color[2] + (1 - color[2]) * lift)


def _seated(head: str, code: str, color: Rgb | None) -> str:
    """A face on a small sitting body in its own fur."""
    main = color or _rgb(UPRIGHT.get(code) or dominant(code))
    fur, shade = _hex(main), _hex((main[0] * 0.82, main[1] * 0.8, main[2] * 0.82))
    belly = _hex((main[0] * 0.35 + 0.63, main[1] * 0.35 + 0.62, main[2] * 0.35 + 0.58))
    line = f'stroke="{INK}" stroke-width="{INK_WIDTH}" stroke-linecap="round" stroke-linejoin="round"'
    if code in UPRIGHT:
        return (
            _upright(fur, shade, line) + f'<svg x="12" y="-4" width="48" height="48" viewBox="0 0 72 72">{head}</svg>'
        )
    body = (
        f'<path fill="{shade}" {line} d="M50 88C66 92 74 78 66 64C64 58 60 60 60 64C61 74 55 78 49 79Z"/>'
        f'<path fill="{fur}" {line} d="M36 40C22 44 16 66 16 82C16 95 24 98 36 98'
        'C48 98 56 95 56 82C56 66 50 44 36 40Z"/>'
        f'<ellipse fill="{belly}" cx="36" cy="72" rx="10.5" ry="18"/>'
        f'<path fill="{shade}" opacity=".55" d="M49 60C55 70 56 84 53 92C49 97 44 97 42 96C50 88 51 74 49 60Z"/>'
        f'<path fill="{fur}" {line} d="M27 68C26 80 26 88 27 92M45 68C46 80 46 88 45 92"/>'
        f'<ellipse fill="{fur}" {line} cx="27" cy="95" rx="7" ry="4"/>'
        f'<ellipse fill="{fur}" {line} cx="45" cy="95" rx="7" ry="4"/>'
    )
    return body + f'<svg x="8" y="-4" width="56" height="56" viewBox="0 0 72 72">{head}</svg>'


def _upright(fill: str, shade: str, line: str) -> str:
    """Torso, arms and legs under a head that is nobody's pet."""
    return (
        f'<path fill="{shade}" {line} d="M26 70L25 96H33L35 74ZM46 70L47 96H39L37 74Z"/>'
        f'<path fill="{shade}" {line} d="M21 47C13 50 12 62 13 72H18C18 64 20 58 23 55Z'
        'M51 47C59 50 60 62 59 72H54C54 64 52 58 49 55Z"/>'
        f'<path fill="{fill}" {line} d="M24 42H48C52 42 53 46 52 50L49 76H23L20 50C19 46 20 42 24 42Z"/>'
        f'<path fill="{shade}" opacity=".6" d="M43 43H48C52 43 53 46 52 50L49 75H42Z"/>'
        f'<circle fill="#fff" fill-opacity=".75" {line} cx="36" cy="57" r="4.5"/>'
    )


@lru_cache(maxsize=64)
def _face_region(code: str) -> tuple[float, float, float]:
    """Centre and breadth of a bust's face: where its glyph is skin yellow."""
    raster = _raster(_source(code).partition('<g id="line"')[0], (0, 0, GLYPH_SIDE, GLYPH_SIDE), GLYPH_SIDE)
    near = (np.abs(raster[..., :3] - np.array(_rgb(YELLOW_SKIN), np.float32)).sum(-1) < 0.1) & (raster[..., 3] > 0.9)
    near[46:] = False
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if not len(rows):
        return 36.0, 28.0, 22.0
    breadth = min(24.0, max(18.0, float(columns[-1] - columns[0])))
    return float(columns[0] + columns[-1] + 1) / 2, float(rows[0] + rows[-1] + 1) / 2, breadth


def _costumed(thing: Thing, costume: str, variant: int) -> str:
    """An animal's face in a trade's clothes."""
    x, y, breadth = _face_region(costume)
    code = thing.entry.face or thing.entry.whole or ""
    side = breadth * (1.5 if thing.entry.face else 1.75)
    face = _glyph(code, thing.color, variant)
    nested = (
        f'<svg x="{x - side / 2}" y="{y - side * 0.5}" width="{side}" height="{side}" viewBox="0 0 72 72">{face}</svg>'
    )
    under = "#39435c" if costume == ASTRONAUT else _hex(thing.color or _rgb(dominant(code)))
    dressed = _glyph(costume, None, variant, skin=under) + nested
    if costume == ASTRONAUT:
        dressed += (
            '<circle cx="36" cy="27.6" r="17" fill="#bfe4ff" fill-opacity=".14" stroke="#eaf6ff" stroke-opacity=".75" '
            'stroke-width="1.3"/><path d="M24 21C26 16 30 13.400 34 12.800" fill="none" stroke="#fff" '
            'stroke-opacity=".85" stroke-width="2" stroke-linecap="round"/>'
        )
    return dressed


def _worn(thing: Thing, markup: str) -> str:
    """Accessories at the head: of the face, of the bust, or at the highest point of a whole animal."""
    seated = thing.entry.face is not None and not thing.costume
    if seated:
        head_x, head_top, head_height, breadth = 36.0, 2.0, 46.0, 42.0
    elif thing.entry.habitat == "bust" or thing.costume:
        x, y, breadth = _face_region((thing.costume or thing.entry).whole or "")
        head_x, head_top, head_height = x, y - breadth * 0.65, breadth * 1.25
    else:
        left, top, width, height = framed(markup).box
        alpha = _raster(markup, (left, top, width, height), 96)[..., 3]
        crown = np.flatnonzero(alpha[3:9].max(0) > 0.5)
        head_x = left + width * float(crown.mean() if len(crown) else alpha.shape[1] / 2) / alpha.shape[1]
        head_top, head_height, breadth = top, height * 0.4, width * 0.34
    parts = []
    for entry in thing.worn:
        part = wearables()[entry.name]
        share, middle = {"hat": (0.78, 0.0), "eyes": (0.86, 0.47), "neck": (0.6, 1.12), "ears": (1.1, 0.42)}[part]
        accessory = framed(_glyph(entry.whole or "", None, 0))
        x, y, width, height = accessory.box
        side = breadth * share * GLYPH_SIDE / width
        wide, high = breadth * share, breadth * share * height / width
        centre = head_top + head_height * middle + (head_height * 0.2 - high / 2 if part == "hat" else 0)
        scale = side / GLYPH_SIDE
        parts.append(
            f'<g transform="translate({head_x - wide / 2 - x * scale:.3f} {centre - high / 2 - y * scale:.3f}) '
            f'scale({scale:.4f})">{accessory.markup}</g>'
        )
    return "".join(parts)


def _rgb(value: str) -> Rgb:
    digits = value.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return (int(digits[:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:], 16) / 255)


def _hex(color: Rgb) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, channel)) * 255):02x}" for channel in color)


def _hue(color: Rgb) -> tuple[float, float]:
    """Hue 0..1 and saturation 0..1."""
    high, low = max(color), min(color)
    if high - low < 1e-6:
        return 0.0, 0.0
    red, green, blue = color
    if high == red:
        sixth = ((green - blue) / (high - low)) % 6
    elif high == green:
        sixth = (blue - red) / (high - low) + 2
    else:
        sixth = (red - green) / (high - low) + 4
    return sixth / 6, (high - low) / high
