"""Figures onto the canvas: volume, ambient light, haze, shadows, reflections, glow; scenery; weather in front."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from workers.pipelines.image_generate.canvas import BAND, Plane, blurred, fbm, mix, resized, smoothstep
from workers.pipelines.image_generate.figures import glyph_figure, rasterise
from workers.pipelines.image_generate.layout import Sprite
from workers.pipelines.image_generate.lexicon import glyph_code
from workers.pipelines.image_generate.palette import lit
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.stage import Stage

SCENERY: dict[str, tuple[tuple[str, float], ...]] = {
    "meadow": (("🌳", 0.2), ("🌲", 0.18)), "mountains": (("🌲", 0.16),),
    "forest": (("🌲", 0.34), ("🌳", 0.28), ("🍄", 0.05)),
    "desert": (("🌵", 0.14), ("🪨", 0.05)), "beach": (("🌴", 0.36), ("🐚", 0.035)), "snow": (("🌲", 0.2),),
    "underwater": (("🪸", 0.1), ("🐠", 0.05), ("🐟", 0.05)), "room": (("🪴", 0.17),), "city": (("🌳", 0.12),),
}  # fmt: skip
"""Glyphs that furnish a setting, and their height as a share of the mean side."""
FLAT = {"flat", "lowpoly"}


def draw_scenery(stage: Stage) -> list[str]:
    """A few of the setting's own glyphs at the sides, farther than the figures; answers what was drawn."""
    plan, rng = stage.plan, stage.rng("scenery")
    choices = SCENERY.get(plan.setting, ())
    named = {sprite.figure.markup for sprite in plan.sprites}
    drawn = []
    if not choices:
        return []
    count = 5 if plan.setting in {"forest", "meadow", "snow", "underwater"} else 3
    for number, draws in enumerate(sorted(rng.random((count, 4)).tolist(), key=lambda row: -row[0])):
        glyph, height = choices[number % len(choices)]
        figure = glyph_figure(glyph_code(glyph))
        if figure.markup in named:
            continue
        depth = 0.3 + 0.6 * draws[0]
        side = 0.05 + 0.2 * draws[1]
        base = (
            0.9 + (plan.horizon + 0.05 - 0.9) * depth
            if plan.setting != "beach"
            else plan.horizon + 0.3 + 0.25 * (1 - depth)
        )
        if glyph in "🐠🐟":
            base = 0.2 + 0.5 * draws[1]
        if plan.setting == "city":
            base = plan.horizon + 0.02
        sprite = Sprite(
            label=glyph, thing=-1, figure=figure, x=side if draws[2] < 0.5 else 1 - side, base=base,
            height=height * (1.1 - 0.5 * depth) * (0.8 + 0.4 * draws[3]), depth=min(0.9, depth), flipped=draws[3] < 0.5,
            stands="air" if glyph in "🐠🐟" else "ground",
        )  # fmt: skip
        draw_sprite(stage, sprite)
        drawn.append(glyph)
    return sorted(set(drawn))


def turn_leaves(stage: Stage) -> None:
    """Autumn: the greens of the backdrop become amber and rust, before any figure is drawn."""
    for start in range(0, stage.canvas.height, BAND):
        rows = stage.canvas.pixels[start : start + BAND]
        red, green, blue = rows[..., 0], rows[..., 1], rows[..., 2]
        leafy = np.clip((green - np.maximum(red, blue * 0.98)) * 9 + 0.25, 0, 1) * (green > blue)
        turned = np.stack([green * 1.22 + 0.06, green * 0.42 + red * 0.32, blue * 0.34], -1)
        rows += (turned - rows) * leafy[..., None]


def draw_figures(stage: Stage, step: Callable[[float], None]) -> None:
    """The prompt's own figures, far ones first."""
    sprites = stage.plan.sprites
    for number, sprite in enumerate(sprites):
        draw_sprite(stage, sprite)
        step((number + 1) / len(sprites))


def draw_sprite(stage: Stage, sprite: Sprite) -> None:
    """One figure with everything that ties it to its place."""
    canvas, light = stage.canvas, stage.light
    side = float(np.sqrt(canvas.width * canvas.height))
    height = max(6, round(sprite.height * side))
    rgba = rasterise(sprite.figure, height)
    if sprite.flipped:
        rgba = np.ascontiguousarray(rgba[:, ::-1])
    width = rgba.shape[1]
    x, y = round(sprite.x * canvas.width - width / 2), round(sprite.base * canvas.height - height)
    glowing = sprite.glows and (light.night or stage.plan.setting in {"space", "room", "studio"})
    if glowing:
        tone = rgb("#ffd27a")
        canvas.glow(x + width / 2, y + height / 2, max(width, height) * 1.5, tone, 0.75)
    if sprite.stands == "islet":
        _islet(stage, x + width // 2, y + height, width)
    if sprite.stands in {"ground", "islet"} and sprite.base < 1.0:
        _ground_shadow(stage, rgba, x, y, sprite)
    haze = 0.55 * sprite.depth**1.3 * (1.5 if "fog" in stage.scene.weather else 1.0)
    shaded = _shaded(stage, rgba, sprite, glowing=glowing, haze=min(0.85, haze))
    if sprite.stands == "water":
        _waterborne(stage, shaded, x, y)
    else:
        canvas.paste(shaded, x=x, y=y)
    if glowing:
        canvas.glow(x + width / 2, y + height / 2, max(width, height) * 0.75, rgb("#ffe3a0"), 0.3)


def _shaded(stage: Stage, rgba: Plane, sprite: Sprite, *, glowing: bool, haze: float) -> Plane:
    """Volume from the figure's own outline, the hour's light, the air between."""
    light, alpha = stage.light, rgba[..., 3]
    color = rgba[..., :3].copy()
    height, width = alpha.shape
    if not set(stage.scene.styles) & FLAT:
        radius = max(1.0, 0.045 * min(height, width))
        soft = blurred(np.pad(alpha, 8), radius)
        away = 1 if stage.plan.light_x > sprite.x else -1
        shift = max(1, round(radius * 0.9))
        lit_side = np.roll(soft, (shift, -shift * away), (0, 1))[8:-8, 8:-8]
        dark_side = np.roll(soft, (-shift, shift * away), (0, 1))[8:-8, 8:-8]
        rim = np.clip(alpha - lit_side, 0, 1)[..., None]
        core = np.clip(alpha - dark_side, 0, 1)[..., None]
        fall = np.linspace(1.06, 0.88, height, dtype=np.float32)[:, None, None]
        color *= fall * (1 - 0.42 * core)
        color += (np.array(light.key, np.float32) - color) * rim * (0.42 if not light.night else 0.6)
    ambient = np.array((1, 1, 1) if glowing else light.ambient, np.float32)
    if sprite.thing < 0:
        ambient = ambient * (0.68 if light.night else 0.94)
    if light.night and not glowing:
        ambient = ambient * 0.6 + 0.4
    if stage.plan.setting in {"space", "planet"}:
        ambient = np.array((0.9, 0.93, 1.0), np.float32)
    if stage.plan.setting == "underwater":
        ambient = ambient * np.array((0.72, 0.95, 1.0), np.float32)
        haze = min(0.7, haze + 0.16)
    air = np.array(light.haze if stage.plan.setting != "underwater" else rgb("#2f8fb4"), np.float32)
    if stage.plan.setting == "space":
        haze *= 0.2
    color = color * ambient
    color += (air - color) * haze
    return np.concatenate([np.clip(color, 0, 1), alpha[..., None]], -1)


def _ground_shadow(stage: Stage, rgba: Plane, x: int, y: int, sprite: Sprite) -> None:
    """A dark touch under the feet and a slanted soft silhouette away from the light."""
    canvas, light = stage.canvas, stage.light
    height, width = rgba.shape[:2]
    feet = np.flatnonzero(rgba[int(height * 0.86) :, :, 3].max(0) > 0.3)
    left, right = (int(feet[0]), int(feet[-1]) + 1) if len(feet) else (0, width)
    wide, high = max(8, round((right - left) * 1.3)), max(4, round(0.09 * (right - left) + 0.02 * height))
    across = np.linspace(-1, 1, wide, dtype=np.float32)[None]
    down = np.linspace(-1, 1, high * 2, dtype=np.float32)[:, None]
    touch = np.clip(1 - np.sqrt(across**2 + down**2), 0, 1) ** 0.8 * 0.62
    dark = mix(light.top if not light.night else (0.0, 0.0, 0.05), (0.03, 0.03, 0.07), 0.8)
    if stage.plan.setting in {
        "city",
        "meadow",
        "forest",
        "mountains",
        "desert",
        "beach",
        "snow",
        "planet",
        "room",
        "studio",
    }:
        squash = max(3, round(height * 0.2))
        slant = round((sprite.x - stage.plan.light_x) * height * 0.55)
        pad = abs(slant) + 12
        flat = np.pad(resized(rgba[..., 3], width, squash)[::-1], ((8, 8), (pad, pad)))
        flat = np.stack([np.roll(row, round(slant * number / max(1, len(flat)))) for number, row in enumerate(flat)])
        cast = blurred(np.clip(flat, 0, 1), max(1.5, 0.014 * height))
        fade = np.linspace(0.42, 0.1, len(cast), dtype=np.float32)[:, None]
        strength = 0.4 if light.night or set(stage.scene.weather) & {"rain", "fog", "storm"} else 1.0
        canvas.blend(cast * fade * strength, dark, x=x - pad, y=y + height - 8 - max(1, squash // 12))
    canvas.blend(touch, dark, x=x + (left + right) // 2 - wide // 2, y=y + height - high)


def _waterborne(stage: Stage, rgba: Plane, x: int, y: int) -> None:
    """The figure dipped a little, with its broken mirror image below."""
    canvas = stage.canvas
    height = len(rgba)
    dip = max(1, round(height * 0.07))
    mirror = rgba[: height - dip][::-1][: round(height * 0.8) : 2].copy()
    rows = np.arange(len(mirror), dtype=np.float32)
    sway = np.sin(rows / (3.2 * canvas.unit + 1)) * (1.5 + rows / len(rows) * 7) * canvas.unit
    mirror = np.stack([np.roll(row, round(float(amount)), 0) for row, amount in zip(mirror, sway, strict=True)])
    mirror[..., 3] *= np.linspace(0.5, 0.04, len(mirror), dtype=np.float32)[:, None]
    canvas.paste(mirror, x=x, y=y + height - dip)
    hull = rgba.copy()
    hull[-dip:, :, 3] *= np.linspace(1, 0, dip, dtype=np.float32)[:, None]
    canvas.paste(hull, x=x, y=y)
    foam = np.exp(-(np.linspace(-2.2, 2.2, max(4, round(9 * canvas.unit)), dtype=np.float32)[:, None] ** 2))
    shape = np.clip(rgba[-dip * 2 :, :, 3].max(0), 0, 1)[None]
    canvas.blend(foam * shape * 0.45, mix(stage.light.low, (1, 1, 1), 0.5), x=x, y=y + height - dip)


def _islet(stage: Stage, x: int, y: int, breadth: int) -> None:
    """A little green island with a sandy rim, for what cannot swim."""
    canvas, light = stage.canvas, stage.light
    wide = max(6, round(breadth * 0.78))
    high = max(3, round(wide * 0.2))
    across = np.linspace(-1, 1, 2 * wide, dtype=np.float32)[None]
    down = np.linspace(-1, 1, 2 * high, dtype=np.float32)[:, None]
    wobble = fbm(stage.rng("islet"), 2 * wide, 2 * high, cells=(6, 3), octaves=3) * 0.24
    inside = np.sqrt(across**2 + down**2) + wobble
    top = y - round(high * 1.05)
    foam, sand, turf = (np.clip((limit - inside) * wide * 0.25, 0, 1) for limit in (1.0, 0.95, 0.8))
    canvas.blend(foam * 0.6, mix(light.low, (1, 1, 1), 0.5), x=x - wide, y=top)
    canvas.blend(sand, lit(rgb("#e2c893"), light), x=x - wide, y=top)
    canvas.blend(turf * (0.8 + 0.2 * down), lit(rgb("#6fa552"), light), x=x - wide, y=top)


def draw_weather(stage: Stage) -> None:
    """Rain, snow, mist and lightning, over everything."""
    if stage.plan.setting in {"space", "planet", "underwater", "room", "studio"}:
        return
    for weather in stage.scene.weather:
        match weather:
            case "rain":
                _rain(stage, 520)
            case "storm":
                _lightning(stage)
                _rain(stage, 700)
            case "snowfall":
                _snow(stage)
            case "fog":
                _mist(stage)


def _rain(stage: Stage, count: int) -> None:
    canvas, rng = stage.canvas, stage.rng("rain")
    for x, y, near, bright in rng.random((round(count * canvas.width / canvas.height), 4)):
        length = round((18 + 55 * near) * canvas.unit) + 3
        thick = max(1, round((0.8 + 1.5 * near) * canvas.unit))
        slope = round(length * 0.16)
        mask = np.zeros((length, slope + thick + 2), np.float32)
        rows = np.arange(length)
        for offset in range(thick):
            mask[rows, (slope * (1 - rows / length)).astype(int) + offset] = 0.12 + 0.3 * bright * near
        mask *= np.linspace(0.1, 1, length, dtype=np.float32)[:, None]
        canvas.blend(
            mask,
            mix(stage.light.haze, (1, 1, 1), 0.55),
            x=round(x * canvas.width),
            y=round((y * 1.1 - 0.1) * canvas.height),
        )


def _snow(stage: Stage) -> None:
    canvas, rng = stage.canvas, stage.rng("flakes")
    for x, y, near, soft in rng.random((round(420 * canvas.width / canvas.height), 4)):
        radius = (1.3 + 6.5 * near**4) * canvas.unit
        canvas.disc(
            x * canvas.width, y * canvas.height, max(radius, 0.8), (1, 1, 1), 0.45 + 0.45 * soft * (1 - 0.5 * near)
        )


def _mist(stage: Stage) -> None:
    canvas = stage.canvas
    width, height = canvas.light_field()
    noise = fbm(stage.rng("mist"), width, height, cells=(2.5, 6), octaves=4)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    band = np.exp(-(((down - stage.plan.horizon) / 0.24) ** 2)) * 0.75 + 0.16
    veil = np.clip(band * smoothstep(0.2, 0.8, noise) * 1.1, 0, 0.86)
    canvas.blend(np.clip(resized(veil, canvas.width, canvas.height), 0, 1), mix(stage.light.haze, (1, 1, 1), 0.12))


def _lightning(stage: Stage) -> None:
    """One forked bolt: a midpoint-displaced line with its glow."""
    canvas, rng = stage.canvas, stage.rng("bolt")
    x, row = (1 - stage.plan.light_x) * canvas.width, 0.0
    goal = min(stage.plan.horizon, 0.9) * canvas.height
    canvas.glow(x, goal * 0.2, 640 * canvas.unit, rgb("#cfd8ff"), 0.5)
    thick = 4.2 * canvas.unit
    while row < goal:
        length = goal / 14
        lean = float(rng.normal(0, 0.5)) * length
        steps = max(2, round(length / max(1.0, thick * 0.5)))
        for part in range(steps):
            canvas.disc(x + lean * part / steps, row + length * part / steps, max(0.8, thick * 0.5), rgb("#f4f6ff"))
        canvas.glow(x + lean, row + length, 60 * canvas.unit, rgb("#aebcff"), 0.35)
        x, row = x + lean, row + length
        thick *= 0.95


def finish_light(stage: Stage) -> Image.Image:
    """Bloom from the bright parts, a vignette, then eight bits."""
    canvas = stage.canvas
    width, height = canvas.light_field(8)
    small = canvas.image().resize((width, height), Image.Resampling.BOX)
    bright = np.clip((np.asarray(small, np.float32) / 255 - 0.68) / 0.32, 0, 1)
    strength = 0.34 if stage.light.night else 0.2
    halo = np.stack([blurred(bright[..., c], max(1.5, 0.022 * width)) for c in range(3)], -1) * strength
    for channel in range(3):
        wide = np.clip(resized(halo[..., channel], canvas.width, canvas.height), 0, 1)
        plane = canvas.pixels[..., channel]
        plane += (1 - np.clip(plane, 0, 1)) * wide
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    amount = 0.12 if set(stage.scene.styles) & FLAT else 0.26
    edge = 1 - amount * smoothstep(0.55, 1.5, np.sqrt(across**2 + down**2))
    canvas.multiply(resized(edge, canvas.width, canvas.height))
    return canvas.image()
