"""Water: the open sea, a beach, and the world below the surface."""

import numpy as np

from workers.pipelines.image_generate.canvas import Plane, fbm, mix, resized, ridge, smoothstep
from workers.pipelines.image_generate.paint_sky import paint_sky
from workers.pipelines.image_generate.palette import lit
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.stage import Stage


def paint_sea(stage: Stage) -> None:
    """Waves in perspective under the sky, the light's path across them."""
    paint_sky(stage)
    _isles(stage)
    _water(stage, top=stage.horizon, bottom=stage.canvas.height)


def paint_beach(stage: Stage) -> None:
    """Sea, a line of foam, sand."""
    paint_sky(stage)
    _isles(stage)
    canvas, light = stage.canvas, stage.light
    shore = stage.plan.horizon + 0.17
    _water(stage, top=stage.horizon, bottom=min(canvas.height, round((shore + 0.08) * canvas.height)))
    _, middle, near = stage.ground()
    line = ridge(stage.rng("shore"), canvas.width, cells=1.6 * canvas.width / canvas.height, octaves=2)
    line = (shore + 0.022 * line) * canvas.height
    texture = 0.94 + 0.12 * fbm(stage.rng("sand"), canvas.width, canvas.height, cells=(60, 120), octaves=stage.octaves)
    canvas.below(line - 7 * canvas.unit, lit((1, 1, 1), light), lit((1, 1, 1), light), depth=0.1)
    canvas.below(
        line + 4 * canvas.unit, mix(near, lit(rgb("#8b6f4a"), light), 0.45), middle, depth=0.07, texture=texture
    )
    dune = ridge(stage.rng("dune"), canvas.width, cells=1.3 * canvas.width / canvas.height, octaves=2)
    canvas.below(
        (shore + 0.26 - 0.03 * dune) * canvas.height, mix(middle, light.key, 0.2), near, depth=0.35, texture=texture
    )


def paint_underwater(stage: Stage) -> None:
    """Blue depth with shafts of light, a sandy floor, weeds and bubbles."""
    canvas, rng = stage.canvas, stage.rng("depths")
    night = stage.light.night
    top, middle, deep = (lit(color, stage.light) for color in (rgb("#7fe3e0"), rgb("#2488b4"), rgb("#0a3763")))
    canvas.gradient([(0, top), (0.35, middle), (1, deep)])
    width, height = canvas.light_field()
    _shafts(stage, width, height, 0.16 if night else 0.5)
    for layer in range(3):
        line = ridge(
            stage.rng(f"reef{layer}"), canvas.width, cells=(2 + layer) * canvas.width / canvas.height, octaves=5
        )
        line = (stage.plan.horizon - 0.12 + 0.1 * layer - 0.07 * line) * canvas.height
        color = mix(deep, lit(rgb("#c9b58a"), stage.light), 0.08 + 0.2 * layer)
        texture = 0.9 + 0.2 * fbm(stage.rng("bed"), canvas.width, canvas.height, cells=(20, 50), octaves=stage.octaves)
        canvas.below(
            line, mix(color, middle, 0.25), mix(color, deep, 0.3), depth=0.2, texture=texture if layer == 2 else None
        )
        _weeds(stage, layer, line)
    caustics = np.abs(fbm(rng, width, height, cells=(12, 22), octaves=2) - 0.5)
    net = (
        smoothstep(0.035, 0.0, caustics)
        * smoothstep(stage.plan.horizon, 1.0, np.linspace(0, 1, height, dtype=np.float32))[:, None]
    )
    canvas.add(np.clip(resized(net, canvas.width, canvas.height), 0, 1) * 0.3, rgb("#bff6ee"))
    for x, y, size, bright in rng.random((70, 4)):
        radius = (2 + 9 * size**3) * canvas.unit
        canvas.disc(x * canvas.width, y * canvas.height, radius, rgb("#d8fbff"), 0.12 + 0.25 * bright)
        canvas.disc(x * canvas.width - radius * 0.3, y * canvas.height - radius * 0.3, radius * 0.3, (1, 1, 1), 0.6)


def _shafts(stage: Stage, width: int, height: int, strength: float) -> None:
    """Slanted beams from above, strongest near the light."""
    canvas = stage.canvas
    slant = 0.35 * (0.5 - stage.plan.light_x)
    across = np.linspace(0, 1, width, dtype=np.float32)[None]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    streaks = ridge(stage.rng("shafts"), 1024, cells=14, octaves=4) * 0.5 + 0.5
    position = np.clip((across + slant * down - 0.5) / (1 + 0.5 * down) + 0.5, 0, 0.999)
    beams = streaks[(position * 1024).astype(np.int32)] ** 2.2
    beams = beams * np.clip(1 - down * 1.15, 0, 1) ** 1.3 * np.exp(-(((across - stage.plan.light_x) / 0.5) ** 2))
    canvas.add(
        np.clip(resized(beams.astype(np.float32) * strength * 1.6, canvas.width, canvas.height), 0, 1), rgb("#d9fff4")
    )


def _weeds(stage: Stage, layer: int, line: Plane) -> None:
    """Tapering, swaying ribbons rooted on the reef."""
    canvas, rng = stage.canvas, stage.rng(f"weeds{layer}")
    for x, tall, phase, tone in rng.random((7 + 3 * layer, 4)):
        high = round((0.08 + 0.2 * tall) * canvas.height * (0.6 + 0.25 * layer))
        root = int(np.clip(x * canvas.width, 0, canvas.width - 1))
        foot = int(line[root]) + 6
        reach = round(26 * canvas.unit) + 4
        rows = np.linspace(1, 0, high, dtype=np.float32)[:, None]
        sway = np.sin(rows * 5 + phase * 6.28) * rows * 20 * canvas.unit
        columns = np.arange(-reach, reach, dtype=np.float32)[None]
        mask = np.clip((7 * canvas.unit) * (1 - rows**2) + 0.6 - np.abs(columns - sway), 0, 1)
        color = lit(mix(rgb("#1d6b5a"), rgb("#7fae4a"), float(tone)), stage.light, haze=0)
        canvas.blend(
            mask * (0.45 + 0.25 * layer),
            mix(color, (0.05, 0.3, 0.42), 0.5 - 0.2 * layer),
            x=root - reach,
            y=foot - high,
        )


def _isles(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    raw = ridge(stage.rng("isles"), canvas.width, cells=2.4 * canvas.width / canvas.height, octaves=5)
    line = (stage.plan.horizon + 0.025 - 0.1 * np.clip(raw, -0.1, 1)) * canvas.height
    color = lit(rgb("#54728a"), light, haze=0.55)
    canvas.below(line, color, mix(color, light.haze, 0.4), depth=0.08)


def _water(stage: Stage, *, top: int, bottom: int) -> None:
    """The surface between two rows: sky colours mirrored, wave bands that shorten towards the horizon, glitter."""
    canvas, light = stage.canvas, stage.light
    far, middle, near = stage.ground()
    if stage.plan.setting == "beach":
        far, middle, near = (
            lit(rgb(value), light, haze=haze) for value, haze in (("#3f9fbe", 0.3), ("#41b9c2", 0.05), ("#8fdcd0", 0))
        )
    rows = bottom - top
    if rows < 4:
        return
    canvas.gradient(
        [(0, mix(far, light.low, 0.45)), (0.3, middle), (1, near)],
        top=top / canvas.height,
        bottom=bottom / canvas.height,
    )
    noise = fbm(stage.rng("waves"), canvas.width, 512, cells=(7 * canvas.width / canvas.height, 90), octaves=3)
    share = np.linspace(0.004, 1, rows, dtype=np.float32)
    span = rows / canvas.height / 0.5
    lookup = np.clip((share * span) ** 0.42 * 505, 0, 510)
    index = lookup.astype(np.int32)
    part = (lookup - index)[:, None]
    waves = noise[index] * (1 - part) + noise[index + 1] * part
    crest, trough = smoothstep(0.54, 0.72, waves), smoothstep(0.46, 0.28, waves)
    fade = np.clip(0.25 + share, 0, 1)[:, None]
    canvas.blend(crest * 0.36 * fade, mix(light.low, (1, 1, 1), 0.25 if not light.night else 0), y=top)
    canvas.blend(trough * 0.4 * fade, mix(near, (0, 0.03, 0.12), 0.4), y=top)
    across = np.arange(canvas.width, dtype=np.float32)[None] / canvas.width
    path = np.exp(-(((across - stage.plan.light_x) / (0.035 + 0.13 * share[:, None])) ** 2))
    canvas.add(smoothstep(0.5, 0.66, waves) * path * 0.85, light.key, y=top)
    canvas.add(path * 0.16, light.key, y=top)
