"""Skies: gradient, stars, sun or moon with their glow, clouds, and the land of clouds above them."""

import numpy as np

from workers.pipelines.image_generate.canvas import Plane, fbm, mix, resized, ridge, smoothstep
from workers.pipelines.image_generate.palette import lit
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.stage import Stage

OVERCAST = {"rain", "storm", "fog", "snowfall"}


def paint_sky(stage: Stage, *, clouds: float | None = None) -> None:
    """The whole canvas as sky; the land is painted over its lower part."""
    canvas, plan, light = stage.canvas, stage.plan, stage.light
    reach = min(1.0, plan.horizon + 0.04)
    canvas.gradient([(0, light.top), (0.55, light.middle), (1, light.low)], bottom=reach)
    canvas.gradient([(0, light.low), (1, light.low)], top=reach)
    weather = set(stage.scene.weather)
    if light.night and not weather & OVERCAST:
        paint_stars(stage, count=420 if "stars" in stage.scene.heavens else 240, reach=reach)
    if not weather & OVERCAST or "sun" in stage.scene.heavens or "moon" in stage.scene.heavens:
        paint_luminary(stage)
    cover = clouds if clouds is not None else float(stage.rng("cover").uniform(0.3, 0.46))
    if light.night:
        cover *= 0.5
    if weather & OVERCAST:
        cover = 0.66
    elif "clouds" in weather:
        cover = 0.6
    paint_clouds(stage, cover=cover, reach=reach)
    if "rainbow" in stage.scene.heavens:
        _rainbow(stage)


def _rainbow(stage: Stage) -> None:
    """A soft bow from horizon to horizon, opposite the sun."""
    canvas = stage.canvas
    width, height = canvas.light_field(2)
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) * 2 - (1 - stage.plan.light_x) * canvas.width
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) * 2 - (stage.plan.horizon + 0.08) * canvas.height
    outer, band = 640 * canvas.unit, 110 * canvas.unit
    place = (np.hypot(x, y) - outer + band) / band
    strength = np.clip(np.minimum(place, 1 - place) * 5, 0, 1) * np.clip(-y / (160 * canvas.unit), 0, 1) * 0.62
    for number, color in enumerate(("#8a5fd0", "#3f7fe0", "#3fb88a", "#f2dd4e", "#f59a3e", "#ea4a4a")):
        stripe = np.exp(-(((place - (number + 0.7) / 6.4) / 0.11) ** 2)) * strength
        canvas.blend(np.clip(resized(stripe, canvas.width, canvas.height), 0, 1), rgb(color))


def paint_luminary(stage: Stage) -> None:
    """The sun, or at night the moon, with a halo."""
    canvas, plan, light = stage.canvas, stage.plan, stage.light
    x, y, unit = plan.light_x * canvas.width, plan.light_y * canvas.height, canvas.unit
    if light.night:
        large = 1.7 if "moon" in stage.scene.heavens else 1.0
        radius = 46 * unit * large
        canvas.glow(x, y, radius * 6, rgb("#9db8f0"), 0.5)
        canvas.glow(x, y, radius * 2.4, rgb("#dbe6ff"), 0.55)
        canvas.disc(x, y, radius, rgb("#f2f3ea"))
        rng = stage.rng("craters")
        for _ in range(9):
            angle, away, size = rng.uniform(0, 6.283), rng.uniform(0.1, 0.72), rng.uniform(0.08, 0.2)
            crater = radius * size * (1 - 0.4 * away)
            canvas.disc(
                x + np.cos(angle) * away * radius, y + np.sin(angle) * away * radius, crater, rgb("#cfd3d2"), 0.55
            )
        return
    low = plan.hour in {"dawn", "sunset"}
    radius = (62 if low else 40) * unit * (1.4 if "sun" in stage.scene.heavens else 1.0)
    canvas.glow(x, y, radius * (10 if low else 8), light.key, 0.62 if low else 0.4)
    canvas.glow(x, y, radius * 3.2, mix(light.key, (1, 1, 1), 0.3), 0.75)
    canvas.disc(x, y, radius, mix(light.key, (1, 1, 0.94), 0.62))


def paint_stars(stage: Stage, *, count: int, reach: float) -> None:
    """Stars as small soft points, a few of them with a cross of light."""
    canvas, rng = stage.canvas, stage.rng("stars")
    places = rng.random((count, 2))
    brightness = rng.random(count) ** 3
    tones = rng.random(count)
    for (x, y), bright, tone in zip(places, brightness, tones, strict=True):
        color = mix(rgb("#cfe0ff"), rgb("#fff0d6"), float(tone))
        fade = float(np.clip(1.15 - y, 0.25, 1))
        radius = (1.3 + 2.6 * bright) * canvas.unit
        column, row = x * canvas.width, y * reach * canvas.height
        _point(stage, column, row, max(radius, 0.7), color, (0.35 + 0.65 * bright) * fade)
        if bright > 0.8:
            canvas.glow(column, row, radius * 7, color, 0.5 * fade)


def _point(stage: Stage, x: float, y: float, radius: float, color: tuple[float, float, float], strength: float) -> None:
    side = int(radius * 2) + 2
    left, top = int(x) - side, int(y) - side
    across = np.arange(left, left + 2 * side + 1, dtype=np.float32) - x
    down = np.arange(top, top + 2 * side + 1, dtype=np.float32) - y
    stage.canvas.add(np.exp(-(across[None] ** 2 + down[:, None] ** 2) / radius**2) * strength, color, x=left, y=top)


def paint_clouds(stage: Stage, *, cover: float, reach: float) -> None:
    """Noise clouds, lit from the light's side, thinner towards the zenith and stretched towards the horizon."""
    canvas, light = stage.canvas, stage.light
    width, height = canvas.light_field(2)
    rows = max(8, round(height * reach))
    aspect = canvas.width / max(1.0, canvas.height * reach)
    noise = fbm(stage.rng("clouds"), width, rows, cells=(2.3 * aspect, 4.2), octaves=stage.octaves + 2)
    low = 0.72 - cover * 0.5
    density = smoothstep(low, low + 0.3, noise)
    fade = np.linspace(0.75, 1.0, rows, dtype=np.float32)[:, None]
    fade = fade * np.clip((1 - np.linspace(0, 1, rows, dtype=np.float32)[:, None]) * 6, 0.25, 1)
    density = density * fade * 0.85
    shift_y, shift_x = max(1, rows // 40), round(width * 0.012) * (1 if stage.plan.light_x > 0.5 else -1)
    padded = np.pad(noise, ((shift_y, shift_y), (abs(shift_x), abs(shift_x))), mode="edge")
    lifted = padded[:rows, abs(shift_x) + shift_x : abs(shift_x) + shift_x + width]
    relief = np.clip((noise - lifted) * 5 + 0.55, 0, 1)
    dark = lit(mix(light.middle, light.top, 0.4), light)
    bright = mix(light.key, (1, 1, 1), 0.35) if not light.night else mix(light.middle, light.key, 0.42)
    if set(stage.scene.weather) & {"storm", "rain"}:
        dark, bright = mix(dark, (0.1, 0.11, 0.15), 0.45), mix(bright, light.middle, 0.7)
    elif not light.night:
        dark = mix(dark, bright, 0.45)
    full = max(8, round(canvas.height * reach))
    canvas.blend(np.clip(resized(density, canvas.width, full), 0, 1), dark)
    canvas.blend(np.clip(resized(density * relief, canvas.width, full), 0, 1) ** 1.1, bright)


def paint_above_clouds(stage: Stage) -> None:
    """High in the air: a deep sky over heaps of cloud."""
    canvas, light = stage.canvas, stage.light
    paint_sky(stage, clouds=0.3)
    bright = mix(light.key, (1, 1, 1), 0.45) if not light.night else mix(light.middle, light.key, 0.5)
    for layer in range(4):
        near = layer / 3
        line = _billows(stage, f"billow{layer}", cells=4.5 - 2.2 * near, height=0.05 + 0.05 * near)
        line = (0.66 + 0.1 * layer) * canvas.height - line * canvas.height
        top = mix(light.haze, bright, 0.45 + 0.5 * near)
        canvas.below(line, top, mix(light.middle, top, 0.35), depth=0.16 + 0.06 * near)


def _billows(stage: Stage, name: str, *, cells: float, height: float) -> Plane:
    """A cloud top: round heaps, from the absolute value of noise."""
    aspect = stage.canvas.width / stage.canvas.height
    rng = stage.rng(name)
    large = ridge(rng, stage.canvas.width, cells=cells * aspect, octaves=2)
    small = ridge(rng, stage.canvas.width, cells=cells * aspect * 2.6, octaves=3)
    return (1 - np.abs(large) * 1.6 + 0.45 * (1 - np.abs(small) * 1.8)).astype(np.float32) * height
