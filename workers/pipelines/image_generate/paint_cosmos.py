"""Beyond the air: deep space, the ground of another world, and the abstract landscape of a prompt without nouns."""

import numpy as np

from workers.pipelines.image_generate.canvas import fbm, mix, resized, ridge, smoothstep
from workers.pipelines.image_generate.paint_sky import paint_stars
from workers.pipelines.image_generate.palette import lit
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.scene import Rgb
from workers.pipelines.image_generate.stage import Stage

NEBULAE = (("#d8487e", "#4b6bff"), ("#2fb7c4", "#7a3fd0"), ("#f08a3c", "#3a57c9"), ("#a04bd8", "#28c0b0"))
WORLDS = (("#d88a52", "#8f4a34"), ("#5aa0d8", "#254f92"), ("#b98ad0", "#57357f"), ("#6fc0a0", "#25605f"))
HARMONIES = (
    ("#20264f", "#6a4c93", "#e36588", "#f9c784", "#fcf1d8"), ("#0f3443", "#1f6f78", "#34a0a4", "#d9ed92", "#fff3c4"),
    ("#3d1d3f", "#a4304f", "#ee6c4d", "#f8b55f", "#ffe9c9"), ("#1b2a49", "#3a6ea5", "#8fb8de", "#f2c6c2", "#fdf0e6"),
    ("#22311d", "#4f772d", "#a3b565", "#efd29a", "#fbf3dc"), ("#2b2140", "#5b4b8a", "#8f7ec7", "#e7b7d0", "#fdeef0"),
)  # fmt: skip


def paint_space(stage: Stage) -> None:
    """Nebulae in two colours, stars, and a planet lit from one side."""
    canvas, rng = stage.canvas, stage.rng("space")
    warm, cool = (rgb(value) for value in NEBULAE[int(rng.integers(len(NEBULAE)))])
    canvas.gradient([(0, rgb("#05060f")), (0.55, rgb("#0c1030")), (1, rgb("#150f30"))])
    width, height = canvas.light_field(2)
    shape = (2.2 * canvas.width / canvas.height, 2.2)
    for name, color, strength in (("gas", cool, 0.85), ("dust", warm, 0.8)):
        gas = fbm(stage.rng(name), width, height, cells=shape, octaves=stage.octaves + 2)
        veil = fbm(stage.rng(name + "veil"), width, height, cells=(1.6, 1.6), octaves=2)
        cloud = smoothstep(0.44, 0.86, gas) * smoothstep(0.34, 0.72, veil) * strength
        canvas.add(np.clip(resized(cloud, canvas.width, canvas.height), 0, 1), color)
    paint_stars(stage, count=520, reach=1.0)
    side = 0.2 if rng.random() < 0.5 else 0.8
    _world(
        stage, side + float(rng.normal(0, 0.04)), float(rng.uniform(0.2, 0.34)), float(rng.uniform(0.13, 0.19)), "world"
    )
    _world(stage, 1 - side + float(rng.normal(0, 0.06)), float(rng.uniform(0.12, 0.5)), 0.035, "moon")


def paint_planet(stage: Stage) -> None:
    """A cratered plain under a black sky with a world hanging in it."""
    canvas, rng = stage.canvas, stage.rng("planet")
    canvas.gradient(
        [(0, rgb("#04050c")), (0.6, rgb("#12122b")), (1, rgb("#2d2440"))], bottom=min(1.0, stage.plan.horizon)
    )
    paint_stars(stage, count=360, reach=stage.plan.horizon)
    _world(stage, stage.plan.light_x, 0.26, 0.17, "rise")
    soil = rgb("#a39bab") if rng.random() < 0.6 else rgb("#b5714f")
    key: Rgb = (1.0, 0.97, 0.9)
    texture = 0.78 + 0.44 * fbm(
        stage.rng("regolith"), canvas.width, canvas.height, cells=(16, 36), octaves=stage.octaves + 1
    )
    for layer in range(4):
        share = layer / 3
        line = ridge(
            stage.rng(f"crust{layer}"),
            canvas.width,
            cells=(2 + layer * 0.5) * canvas.width / canvas.height,
            octaves=5,
            roughness=0.4,
        )
        line = (stage.plan.horizon + 0.08 * layer - 0.035 * line) * canvas.height
        color = mix(mix(soil, (0.07, 0.06, 0.13), 0.55), soil, 0.3 + 0.5 * share)
        canvas.below(line, mix(color, key, 0.18), mix(color, (0.05, 0.05, 0.1), 0.3), depth=0.22, texture=texture)
    for x, y, size in rng.random((16, 3)):
        row = stage.plan.horizon + 0.1 + (0.95 - stage.plan.horizon - 0.1) * y
        _crater(stage, x, row, (0.015 + 0.05 * size) * (0.35 + y), soil)


def paint_abstract(stage: Stage) -> None:
    """Bands of warped colour over layered ridges with one disc: a harmony chosen by prompt and seed."""
    canvas, rng = stage.canvas, stage.rng("abstract")
    dark, second, third, fourth, pale = (rgb(value) for value in HARMONIES[int(rng.integers(len(HARMONIES)))])
    width, height = canvas.light_field(2)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    warp = fbm(stage.rng("warp"), width, height, cells=(1.6, 1.6), octaves=3)
    again = fbm(stage.rng("warp2"), width, height, cells=(2.4, 1.2), octaves=4)
    field = np.clip(down * 1.15 + (warp - 0.5) * 0.75 + (again - 0.5) * 0.35, 0, 1)
    stops = np.array([second, third, fourth, pale], np.float32)
    for channel in range(3):
        plane = np.interp(field, np.linspace(0, 1, 4), stops[:, channel]).astype(np.float32)
        canvas.pixels[..., channel] = resized(plane, canvas.width, canvas.height)
    veins = smoothstep(0.05, 0.0, np.abs((field * 7) % 1 - 0.5)) * 0.3
    canvas.add(np.clip(resized(veins, canvas.width, canvas.height), 0, 1), pale)
    x, y = stage.plan.light_x * canvas.width, stage.plan.light_y * canvas.height
    radius = float(rng.uniform(80, 150)) * canvas.unit
    canvas.glow(x, y, radius * 4, pale, 0.6)
    canvas.disc(x, y, radius, mix(pale, (1, 1, 1), 0.3), 0.96)
    texture = 0.93 + 0.14 * fbm(stage.rng("tooth"), canvas.width, canvas.height, cells=(20, 30), octaves=stage.octaves)
    for layer in range(6):
        share = layer / 5
        line = ridge(
            stage.rng(f"band{layer}"),
            canvas.width,
            cells=(1.2 + 0.4 * layer) * canvas.width / canvas.height,
            octaves=4,
            roughness=0.42,
        )
        line = (0.56 + 0.085 * layer - (0.1 - 0.008 * layer) * line) * canvas.height
        color = mix(mix(third, fourth, 0.5), dark, 0.15 + 0.85 * share)
        canvas.below(
            line,
            mix(color, pale, 0.22 * (1 - share)),
            mix(color, mix(second, fourth, 0.3), 0.3),
            depth=0.2,
            texture=texture,
        )


def _world(stage: Stage, x: float, y: float, size: float, name: str) -> None:
    """A banded sphere with a terminator and a rim of air."""
    canvas, rng = stage.canvas, stage.rng(name)
    bright, dark = (rgb(value) for value in WORLDS[int(rng.integers(len(WORLDS)))])
    radius = size * 1000 * canvas.unit
    side = int(radius) + 2
    axis = np.arange(-side, side + 1, dtype=np.float32) / radius
    across, down = axis[None], axis[:, None]
    inside = np.sqrt(across**2 + down**2)
    depth = np.sqrt(np.clip(1 - inside**2, 0, 1))
    towards = -1.0 if x > 0.5 else 1.0
    shade = np.clip(across * 0.66 * towards - down * 0.42 + depth * 0.55, 0, 1)
    bands = fbm(rng, len(axis), len(axis), cells=(2.2, 7), octaves=5)
    surface = np.stack(
        [np.interp(bands, [0.25, 0.5, 0.75], [dark[c], mix(dark, bright, 0.6)[c], bright[c]]) for c in range(3)], -1
    )
    rim = smoothstep(0.72, 1.0, inside)[..., None] * np.clip(shade * 1.4, 0, 1)[..., None]
    color = surface * (0.05 + 1.05 * shade[..., None])
    color = color + (np.array(mix(bright, (0.7, 0.9, 1), 0.6), np.float32) - color) * rim * 0.6
    mask = np.clip((1 - inside) * radius + 0.5, 0, 1)[..., None]
    canvas.glow(x * canvas.width, y * canvas.height, radius * 1.7, mix(bright, (0.6, 0.8, 1), 0.5), 0.5)
    canvas.paste(
        np.concatenate([color, mask], -1).astype(np.float32),
        x=round(x * canvas.width) - side,
        y=round(y * canvas.height) - side,
    )


def _crater(stage: Stage, x: float, y: float, size: float, soil: Rgb) -> None:
    canvas = stage.canvas
    wide, high = max(4, round(size * 1000 * canvas.unit)), max(2, round(size * 330 * canvas.unit))
    across = np.linspace(-1, 1, 2 * wide, dtype=np.float32)[None]
    down = np.linspace(-1, 1, 2 * high, dtype=np.float32)[:, None]
    inside = np.sqrt(across**2 + down**2)
    bowl = smoothstep(0.9, 0.6, inside) * (0.5 - 0.3 * down)
    lip = np.exp(-(((inside - 0.85) / 0.09) ** 2)) * np.clip(0.45 + 0.6 * down, 0, 1)
    left, top = round(x * canvas.width) - wide, round(y * canvas.height) - high
    canvas.blend(bowl, lit(mix(soil, (0, 0, 0.05), 0.75), stage.light), x=left, y=top)
    canvas.blend(lip * 0.55, mix(soil, (1, 1, 1), 0.5), x=left, y=top)
