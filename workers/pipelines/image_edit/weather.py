"""Weather laid over a picture, with image.generate's painters of falling rain, snow and lightning."""

from dataclasses import replace

import numpy as np

from workers.pipelines.image_edit.light import dimmed, field, sky_or_none
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, Operation, Picture, Plane, by_rows, luma
from workers.pipelines.image_edit.tone import grade
from workers.pipelines.image_generate.canvas import Canvas, fbm, smoothstep
from workers.pipelines.image_generate.drawing import draw_weather
from workers.pipelines.image_generate.layout import Plan
from workers.pipelines.image_generate.palette import light_of, saturated
from workers.pipelines.image_generate.scene import Scene
from workers.pipelines.image_generate.stage import Stage


def painted_weather(picture: Picture, weather: str, bench: Bench, *, night: bool = False) -> Picture:
    """The composer's weather painter over the picture."""
    scene = Scene(weather=[weather])
    hour = "night" if night else "noon"
    plan = Plan(setting="city", hour=hour, horizon=0.62, light_x=0.7, light_y=0.2)
    canvas = Canvas(picture.width, picture.height)
    np.multiply(picture.rgb, np.float32(1 / 255), out=canvas.pixels, casting="unsafe")
    draw_weather(Stage(canvas=canvas, scene=scene, plan=plan, light=light_of(scene, hour), seed=bench.seed, octaves=3))
    return by_rows(picture, lambda band, rows: canvas.pixels[rows])


def rain(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A grey, wet, darker day with streaks in front, and a wet sheen below."""
    picture = grade(picture, lambda c: saturated(c, 0.62) * np.array([0.68, 0.74, 0.8], np.float32) + 0.012)
    wet = _sheen(picture, 0.34 * edit.amount)
    bench.step()
    fallen = painted_weather(wet, "rain", bench)
    return fallen if edit.amount < 1.4 else painted_weather(fallen, "rain", replace(bench, seed=bench.seed + 1))


def _sheen(picture: Picture, amount: float) -> Picture:
    """The lowest part mirrors what stands above it, as wet ground does."""
    edge = round(picture.height * 0.72)
    low = picture.height - edge
    above = picture.rgb[max(0, edge - low) : edge][::-1]
    mirror = cv2.resize(above, (picture.width, low), interpolation=cv2.INTER_AREA)
    mirror = cv2.blur(mirror, (max(1, round(3 * picture.unit)), max(1, round(16 * picture.unit))))
    fade = np.zeros((picture.height, 1, 1), np.float32)
    fade[edge:, 0, 0] = np.sin(np.linspace(0, np.pi, low, dtype=np.float32)) * amount
    whole = np.concatenate([picture.rgb[:edge], mirror])
    return by_rows(picture, lambda band, rows: band + (whole[rows].astype(np.float32) / 255 - band) * fade[rows])


def snow(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A cold white day: what faces up and is not sky gets a cover, flakes fall in front."""
    above = sky_or_none(picture)
    bench.step()
    grey = cv2.GaussianBlur(luma(picture.rgb) / 255, (0, 0), max(1.0, 2 * picture.unit))
    slope = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    ledge = cv2.GaussianBlur(
        smoothstep(0.02, 0.12, -np.roll(slope, round(-3 * picture.unit), 0)), (0, 0), 2.2 * picture.unit
    )
    down = np.linspace(0, 1, picture.height, dtype=np.float32)[:, None]
    noise = fbm(bench.rng("drift"), picture.width // 4 or 2, picture.height // 4 or 2, cells=(6, 12), octaves=4)
    noise = cv2.resize(noise, (picture.width, picture.height))
    cover = np.clip(ledge * 0.75 + smoothstep(0.62, 1.0, down + (noise - 0.5) * 0.3) * 0.62, 0, 0.9) * min(
        edit.amount, 1.2
    )
    if above is not None:
        cover = cover * (1 - above)
    white = np.array([0.93, 0.95, 0.99], np.float32)
    cold = grade(picture, lambda c: saturated(c, 0.6) * np.array([0.86, 0.93, 1.0], np.float32) + 0.05)
    lain = by_rows(
        cold, lambda band, rows: band + (white * (0.8 + 0.2 * noise[rows][..., None]) - band) * cover[rows][..., None]
    )
    return painted_weather(lain, "snowfall", bench)


def fog(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Air one can see: thickest far off (upwards to the horizon), in drifts, with the colours going out of things."""
    x, y = field(picture)
    height, width = x.shape
    drifts = fbm(bench.rng("drifts"), width, height, cells=(2.5, 5), octaves=4)
    far = smoothstep(1.0, 0.3, y) * 0.5 + 0.16
    veil = cv2.resize(np.clip(far * (0.62 + 0.75 * drifts) * edit.amount, 0, 0.93), (picture.width, picture.height))
    small = luma(cv2.resize(picture.rgb, (32, 32), interpolation=cv2.INTER_AREA)) / 255
    tone = float(np.clip(np.percentile(small, 90) * 1.12, 0.3, 0.88))
    air = np.array([0.97, 0.99, 1.02], np.float32) * tone
    return by_rows(picture, lambda band, rows: band + (air - band) * veil[rows][..., None])


def storm(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Black clouds from above, a bolt, rain."""
    x, y = field(picture)
    height, width = x.shape
    clouds = fbm(bench.rng("clouds"), width, height, cells=(3, 5), octaves=5)
    dark = 0.42 + 0.45 * smoothstep(0.0, 0.75, y) + (clouds - 0.5) * 0.5 * smoothstep(0.6, 0.0, y)
    picture = grade(picture, lambda c: saturated(c, 0.55) * np.array([0.72, 0.78, 0.9], np.float32))
    return painted_weather(dimmed(picture, np.clip(dark, 0.12, 1)), "storm", bench, night=True)


def autumn(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Greens to amber and rust, and a warmer light."""

    def turned(band: Plane, rows: slice) -> Plane:
        red, green, blue = band[..., 0], band[..., 1], band[..., 2]
        leafy = np.clip((green - np.maximum(red * 0.97, blue)) * 8, 0, 1)[..., None]
        rust = np.stack([green * 1.22 + 0.05, green * 0.5 + red * 0.2, blue * 0.4], -1)
        return (band + (rust - band) * leafy) * np.array([1.05, 1.0, 0.92], np.float32)

    return by_rows(picture, turned)


OPERATIONS: dict[str, Operation] = {"rain": rain, "snow": snow, "fog": fog, "storm": storm, "autumn": autumn}
