"""Indoors: a room with a window, and the studio sweep for still lifes."""

import numpy as np
from PIL import Image, ImageDraw

from workers.pipelines.image_generate.canvas import fbm, mix, resized, smoothstep
from workers.pipelines.image_generate.palette import lit
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.scene import Rgb
from workers.pipelines.image_generate.stage import Stage

WALLS = ("#d9c7b0", "#b9c4b4", "#c6b2a6", "#aebfca", "#d8bfa8")
SWEEPS = ("#dfe4e6", "#e9dccb", "#c9d8d6", "#e6cfc8", "#cfd0e2", "#d8dfc6")


def paint_room(stage: Stage) -> None:
    """A wall, a planked floor in perspective, a window whose light falls across both."""
    canvas, light, rng = stage.canvas, stage.light, stage.rng("room")
    wall = lit(rgb(WALLS[int(rng.integers(len(WALLS)))]), light)
    canvas.gradient([(0, mix(wall, (0, 0, 0), 0.22)), (1, wall)], bottom=stage.plan.horizon)
    plaster = 0.96 + 0.08 * fbm(rng, canvas.width, canvas.height, cells=(30, 30), octaves=stage.octaves)
    _floor(stage)
    canvas.multiply(plaster)
    skirting = max(3, round(20 * canvas.unit))
    canvas.pixels[stage.horizon - skirting : stage.horizon] = mix(wall, lit((1, 1, 1), light), 0.55)
    canvas.pixels[stage.horizon - skirting : stage.horizon - skirting + max(1, skirting // 8)] *= 0.8
    _window(stage)
    _occlusion(stage)


def paint_studio(stage: Stage) -> None:
    """A seamless backdrop with a pool of light; its tone steps aside for the object's colour."""
    canvas, light, rng = stage.canvas, stage.light, stage.rng("studio")
    base = rgb(SWEEPS[int(rng.integers(len(SWEEPS)))])
    if stage.accent:
        opposite: Rgb = (1 - stage.accent[0], 1 - stage.accent[1], 1 - stage.accent[2])
        base = mix(mix(base, opposite, 0.16), (0.87, 0.87, 0.87), 0.3)
    base = lit(base, light)
    canvas.gradient([(0, mix(base, (0, 0, 0), 0.24)), (1, mix(base, (0, 0, 0), 0.06))], bottom=stage.plan.horizon)
    table = lit(mix(base, rgb("#b08a63"), 0.62), light)
    canvas.gradient([(0, mix(table, (1, 1, 1), 0.14)), (1, mix(table, (0, 0, 0), 0.24))], top=stage.plan.horizon)
    rows = canvas.height - stage.horizon
    grain = fbm(stage.rng("wood"), canvas.width, rows, cells=(3, 40), octaves=stage.octaves + 1)
    canvas.pixels[stage.horizon :] *= (0.9 + 0.2 * grain)[..., None]
    edge = round(10 * canvas.unit)
    fade = smoothstep(0, 1, np.abs(np.linspace(-1, 1, 2 * edge + 1, dtype=np.float32)))
    canvas.pixels[stage.horizon - edge : stage.horizon + edge + 1] *= (0.86 + 0.14 * fade)[:, None, None]
    canvas.glow(stage.plan.light_x * canvas.width, canvas.height * 0.36, canvas.unit * 760, light.key, 0.42)
    canvas.glow(canvas.width * 0.5, canvas.height * 0.8, canvas.unit * 480, light.key, 0.18)
    rings = stage.rng("bokeh")
    for x, y, size, bright in rings.random((14, 4)):
        radius = (18 + 46 * size) * canvas.unit
        canvas.disc(
            x * canvas.width,
            y * stage.plan.horizon * 0.9 * canvas.height,
            radius,
            mix(light.key, base, 0.3),
            0.05 + 0.08 * bright,
        )


def _floor(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    _, middle, near = stage.ground()
    canvas.gradient([(0, mix(middle, light.haze, 0.2)), (1, near)], top=stage.plan.horizon)
    rows = canvas.height - stage.horizon
    across = np.linspace(-1, 1, canvas.width, dtype=np.float32)[None] * canvas.width / canvas.height
    down = np.linspace(0.55, 1.35, rows, dtype=np.float32)[:, None]
    planks = across / down * 5.2 + 0.37
    number = np.floor(planks).astype(np.int32)
    tone = stage.rng("planks").random(256).astype(np.float32)[number % 256]
    seam = smoothstep(0.035, 0.0, np.abs(planks - np.round(planks))) * 0.4
    figure = fbm(stage.rng("figure"), canvas.width, rows, cells=(60, 5), octaves=2)
    canvas.pixels[stage.horizon :] *= ((0.86 + 0.2 * tone) * (1 - seam) * (0.94 + 0.12 * figure))[..., None]


def _window(stage: Stage) -> None:
    """The window itself, the view in it, and the patch of light it throws on the floor."""
    canvas, light = stage.canvas, stage.light
    wide, high = 230 * canvas.unit, 300 * canvas.unit
    left = np.clip(stage.plan.light_x, 0.2, 0.8) * canvas.width - wide / 2
    top = stage.plan.horizon * canvas.height * 0.42 - high * 0.45
    top = max(top, 30 * canvas.unit)
    x, y, w, h = round(left), round(top), round(wide), round(high)
    frame = round(14 * canvas.unit)
    mask = np.ones((h + 2 * frame, w + 2 * frame), np.float32)
    canvas.blend(mask, lit((0.96, 0.94, 0.9), light), x=x - frame, y=y - frame)
    rows = np.linspace(0, 1, h, dtype=np.float32)
    view = np.stack([np.interp(rows, [0, 0.6, 1], [light.top[c], light.middle[c], light.low[c]]) for c in range(3)], -1)
    picture = np.concatenate([np.repeat(view[:, None], w, 1), np.ones((h, w, 1))], -1).astype(np.float32)
    canvas.paste(picture, x=x, y=y)
    bar = np.ones((h, max(2, frame // 2)), np.float32)
    canvas.blend(bar, lit((0.96, 0.94, 0.9), light), x=x + w // 2 - frame // 4, y=y)
    canvas.blend(bar[: max(2, frame // 2), :1].repeat(w, 1), lit((0.96, 0.94, 0.9), light), x=x, y=y + h // 2)
    canvas.glow(x + w / 2, y + h / 2, wide * 1.9, light.key, 0.3 if not light.night else 0.16)
    lean = (0.5 - stage.plan.light_x) * 420 * canvas.unit
    patch = Image.new("L", (max(8, canvas.width // 4), max(8, canvas.height // 4)))
    floor, deep = stage.horizon + 40 * canvas.unit, 150 * canvas.unit
    corners = [
        (x + lean * 0.5, floor),
        (x + w + lean * 0.5, floor),
        (x + w * 1.25 + lean, floor + deep),
        (x - w * 0.25 + lean, floor + deep),
    ]
    ImageDraw.Draw(patch).polygon([(px / 4, py / 4) for px, py in corners], fill=255)
    plane = resized(np.asarray(patch, np.float32) / 255, canvas.width, canvas.height)
    canvas.add(np.clip(plane, 0, 1) * (0.26 if not light.night else 0.14), light.key)


def _occlusion(stage: Stage) -> None:
    """The soft dark where wall and floor meet."""
    canvas = stage.canvas
    rows = np.abs(np.arange(canvas.height, dtype=np.float32) - stage.horizon) / (70 * canvas.unit)
    canvas.multiply(np.repeat((1 - 0.2 * np.exp(-rows))[:, None], canvas.width, 1).astype(np.float32))
