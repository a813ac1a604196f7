"""Landscapes with the feet on the ground: meadow, forest, mountains, desert, snow, city."""

import numpy as np
from PIL import Image, ImageDraw

from workers.pipelines.image_generate.canvas import Plane, fbm, mix, ridge, smoothstep
from workers.pipelines.image_generate.paint_sky import paint_sky
from workers.pipelines.image_generate.palette import lit
from workers.pipelines.image_generate.reading import rgb
from workers.pipelines.image_generate.scene import Rgb
from workers.pipelines.image_generate.stage import Stage


def paint_meadow(stage: Stage) -> None:
    """Rolling hills in five layers, grass and flowers in the nearest."""
    paint_sky(stage)
    _distant_mountains(stage, layers=2, height=0.12)
    _hills(stage, layers=4)
    _tree_line(stage, base=stage.plan.horizon + 0.035, height=0.045, count=70, haze=0.35, name="copse")
    _grass(stage, blades=520, flowers=70)


def paint_forest(stage: Stage) -> None:
    """Conifers in receding rows with light between them."""
    paint_sky(stage, clouds=0.2)
    canvas, light = stage.canvas, stage.light
    for row, (base, height, haze) in enumerate(((0.0, 0.3, 0.72), (0.015, 0.38, 0.52), (0.04, 0.46, 0.3))):
        _tree_line(
            stage, base=stage.plan.horizon + base, height=height, count=26 - 5 * row, haze=haze, name=f"firs{row}"
        )
        canvas.glow(stage.plan.light_x * canvas.width, stage.horizon, canvas.unit * 420, light.haze, 0.22)
    _hills(stage, layers=2)
    _framing_trunks(stage)
    _grass(stage, blades=420, flowers=18)


def paint_mountains(stage: Stage) -> None:
    """Snowy peaks over wooded foothills."""
    paint_sky(stage)
    _distant_mountains(stage, layers=4, height=0.4)
    _tree_line(stage, base=stage.plan.horizon + 0.005, height=0.05, count=130, haze=0.42, name="foothill")
    _hills(stage, layers=3)
    _grass(stage, blades=320, flowers=36)


def paint_desert(stage: Stage) -> None:
    """Dunes with a lit and a shaded side, sand ripples in front."""
    paint_sky(stage, clouds=0.12)
    canvas, light = stage.canvas, stage.light
    _, middle, near = stage.ground()
    for layer in range(5):
        near_share = layer / 4
        rng = stage.rng(f"dune{layer}")
        line = ridge(rng, canvas.width, cells=(1.6 + layer * 0.35) * canvas.width / canvas.height, octaves=2)
        line = (stage.plan.horizon + 0.075 * layer - 0.05 * line) * canvas.height
        color = mix(light.haze, mix(middle, near, near_share * 0.7), 0.35 + 0.65 * near_share)
        canvas.below(line, mix(color, light.key, 0.22), color, depth=0.2)
        _flank(stage, line, np.clip(_slope(stage, line, across=40) * 4, 0, 1) * 0.7, mix(color, near, 0.6))
    _ripples(stage, near)


def paint_snow(stage: Stage) -> None:
    """Snowfields under pale firs and icy peaks."""
    paint_sky(stage)
    _distant_mountains(stage, layers=3, height=0.28)
    _tree_line(stage, base=stage.plan.horizon + 0.02, height=0.1, count=46, haze=0.5, name="snowfirs", snowy=True)
    _hills(stage, layers=4)
    canvas, rng = stage.canvas, stage.rng("sparkle")
    for x, y, size in rng.random((160, 3)):
        row = (stage.plan.horizon + 0.06 + (1 - stage.plan.horizon) * y) * canvas.height
        canvas.glow(x * canvas.width, row, (2 + 5 * size) * canvas.unit + 2, (1, 1, 1), 0.55)


def paint_city(stage: Stage) -> None:
    """Three depths of buildings with windows, a street in front that shines in rain and at night."""
    paint_sky(stage)
    canvas, light = stage.canvas, stage.light
    for layer in range(3):
        _skyline(stage, layer)
        canvas.glow(canvas.width * 0.5, stage.horizon, canvas.width * 0.7, light.haze, 0.16)
    road = lit(rgb("#4b4f5c"), light, haze=0.1)
    line = np.full(canvas.width, float(stage.horizon), np.float32)
    canvas.below(line, mix(road, light.haze, 0.25), mix(road, (0, 0, 0), 0.28), depth=0.3)
    pavement = lit(rgb("#9a9aa2"), light, haze=0.1)
    curb = round(canvas.height * (stage.plan.horizon + 0.02))
    canvas.pixels[stage.horizon : curb] = pavement
    _reflection(stage, curb, 0.5 if light.night or "rain" in stage.scene.weather else 0.16)
    rng, rows = stage.rng("street"), np.arange(canvas.height - curb, dtype=np.float32)
    texture = 0.95 + 0.1 * fbm(rng, canvas.width, canvas.height - curb, cells=(40, 60), octaves=2)
    canvas.pixels[curb:] *= texture[..., None]
    middle = curb + round((canvas.height - curb) * 0.52)
    thick = max(2, round(6 * canvas.unit))
    dash = ((np.arange(canvas.width) / canvas.width * 9 + rng.random()) % 1 < 0.55).astype(np.float32)
    canvas.blend(np.repeat(dash[None] * 0.5, thick, 0), lit(rgb("#f1e2b0"), light), y=middle)
    canvas.multiply(
        np.concatenate([np.ones(curb, np.float32), 1 - 0.16 * rows / max(1, len(rows))])[:, None].repeat(
            canvas.width, 1
        )
    )


def _hills(stage: Stage, *, layers: int) -> None:
    canvas, light = stage.canvas, stage.light
    far, middle, near = stage.ground()
    texture = 0.9 + 0.2 * fbm(stage.rng("turf"), canvas.width, canvas.height, cells=(14, 40), octaves=stage.octaves)
    sun = stage.plan.light_x * canvas.width
    for layer in range(layers):
        share = (layer + 1) / layers
        line = ridge(
            stage.rng(f"hill{layer}"),
            canvas.width,
            cells=(1.4 + 0.5 * layer) * canvas.width / canvas.height,
            octaves=3,
            roughness=0.35,
        )
        top = stage.plan.horizon + (1 - stage.plan.horizon) * 0.5 * (layer / max(1, layers - 1)) ** 1.2 * 0.9
        line = (top - 0.035 * line * (1 - 0.4 * share)) * canvas.height
        color = mix(far, middle, min(1, share * 1.7)) if share < 0.6 else mix(middle, near, (share - 0.6) / 0.4 * 0.55)
        edge = mix(color, light.key, 0.3 if not light.night else 0.1)
        canvas.below(
            line, edge, mix(color, near, 0.35), depth=0.14 + 0.14 * share, texture=texture if share > 0.4 else None
        )
    if not light.night:
        canvas.glow(sun, (stage.plan.horizon + 0.06) * canvas.height, canvas.unit * 420, light.key, 0.14)


def _distant_mountains(stage: Stage, *, layers: int, height: float) -> None:
    canvas, light = stage.canvas, stage.light
    rock = rgb("#6f86a6") if stage.plan.setting != "snow" else rgb("#a9c0da")
    for layer in range(layers):
        share = (layer + 1) / layers
        rng = stage.rng(f"peak{layer}")
        raw = ridge(rng, canvas.width, cells=(1.7 + layer) * canvas.width / canvas.height, octaves=7, roughness=0.46)
        peaks = (1 - np.abs(raw) * 2.1) * (1 - 0.22 * layer)
        line = (
            stage.plan.horizon + 0.02 - height * (0.25 + 0.75 * np.clip(peaks, 0, 1)) * (1 - 0.6 * layer / layers)
        ) * canvas.height
        color = lit(mix(rock, rgb("#48648a"), 0.6 * share), light, haze=0.72 - 0.46 * share)
        canvas.below(line, color, mix(color, light.haze, 0.65), depth=height * 0.95)
        slope = _slope(stage, line)
        _flank(
            stage, line, np.clip(slope / 1.2, 0, 1) * 0.55, mix(color, (0.05, 0.08, 0.18), 0.35), reach=height * 0.55
        )
        if height > 0.2 and layer < 2:
            _snowcaps(stage, line, light.key, haze=0.45 - 0.25 * share, reach=height)


def _snowcaps(stage: Stage, line: Plane, tone: Rgb, *, haze: float, reach: float) -> None:
    """White from each summit down to a ragged line."""
    canvas = stage.canvas
    ragged = ridge(stage.rng("snowline"), canvas.width, cells=26, octaves=4, roughness=0.7) * 0.035
    limit = (stage.plan.horizon - reach * 0.52 + ragged) * canvas.height
    top, bottom = int(max(0, line.min())), int(min(canvas.height, limit.max() + 1))
    if bottom <= top:
        return
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    mask = np.clip(rows - line[None] + 0.5, 0, 1) * np.clip((limit[None] - rows) / (3 * canvas.unit + 1), 0, 1)
    columns = np.arange(canvas.width)[None] + (
        np.clip(rows - line, 0, None) * (0.45 if stage.plan.light_x > 0.5 else -0.45)
    ).astype(np.int32)
    shade = np.clip(_slope(stage, line) * 1.2, -1, 1)[np.clip(columns, 0, canvas.width - 1)]
    white = lit(mix((1, 1, 1), tone, 0.25), stage.light, haze=haze)
    canvas.blend(mask * (0.74 - 0.36 * shade), white, y=top)


def _flank(stage: Stage, line: Plane, amount: Plane, color: Rgb, *, reach: float = 0.16) -> None:
    """The shaded side of a ridge: it runs down aslant, away from the light, and fades."""
    canvas = stage.canvas
    top = int(max(0, line.min()))
    bottom = int(min(canvas.height, line.max() + reach * canvas.height))
    if bottom <= top:
        return
    aslant = 0.45 if stage.plan.light_x > 0.5 else -0.45
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] - line[None]
    columns = np.arange(canvas.width)[None] + (np.clip(rows, 0, None) * aslant).astype(np.int32)
    mask = np.clip(rows + 0.5, 0, 1) * np.clip(1 - rows / (reach * canvas.height), 0, 1)
    canvas.blend(mask * amount[np.clip(columns, 0, canvas.width - 1)], color, y=top)


def _slope(stage: Stage, line: Plane, *, across: float = 14) -> Plane:
    """How steeply a ridge falls away from the light, smoothed over `across` units so that crags read as faces."""
    size = max(3, round(across * stage.canvas.unit)) | 1
    padded = np.pad(line, size // 2, mode="edge")
    smooth = np.convolve(padded, np.ones(size, np.float32) / size, mode="valid")
    return np.gradient(smooth).astype(np.float32) * (1 if stage.plan.light_x < 0.5 else -1)


def _tree_line(
    stage: Stage, *, base: float, height: float, count: int, haze: float, name: str, snowy: bool = False
) -> None:
    """A row of fir silhouettes, drawn twice as large and reduced."""
    canvas, rng = stage.canvas, stage.rng(name)
    count = max(4, round(count * canvas.width / canvas.height))
    top = max(0, round((base - height * 1.25) * canvas.height))
    bottom = min(canvas.height, round((base + 0.05) * canvas.height))
    if bottom <= top:
        return
    mask = Image.new("L", (canvas.width * 2, (bottom - top) * 2))
    draw = ImageDraw.Draw(mask)
    for draws in rng.random((count, 4)):
        tall = height * canvas.height * (0.5 + 0.65 * draws[0]) * 2
        x, foot = draws[1] * canvas.width * 2, ((base + 0.012 * draws[2]) * canvas.height - top) * 2
        _fir(draw, x, foot, tall, 0.19 + 0.06 * draws[3])
    plane = np.asarray(mask.resize((canvas.width, bottom - top), Image.Resampling.BOX), np.float32) / 255
    foliage = rgb("#e3edf4") if snowy else rgb("#2f5b3c")
    if stage.plan.setting == "mountains":
        foliage = rgb("#35604f")
    color = lit(foliage, stage.light, haze=haze)
    canvas.blend(plane, color, y=top)
    if snowy:
        canvas.blend(np.clip(plane - np.roll(plane, max(1, round(3 * canvas.unit)), 0), 0, 1), (1, 1, 1), y=top)


def _fir(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, spread: float) -> None:
    tiers = 5
    points = [(x, foot - tall)]
    right = []
    for tier in range(1, tiers + 1):
        y = foot - tall * (1 - tier / tiers * 0.93)
        wide = tall * spread * (tier / tiers) ** 0.85
        right += [(x + wide, y), (x + wide * 0.55, y - tall * 0.02)]
    left = [(2 * x - px, py) for px, py in reversed(right)]
    draw.polygon(points + right[:-1] + left[1:], fill=255)
    draw.rectangle((x - tall * 0.02, foot - tall * 0.09, x + tall * 0.02, foot + tall * 0.04), fill=255)


def _framing_trunks(stage: Stage) -> None:
    """Two or three dark trunks at the edges: a frame to look through."""
    canvas, rng = stage.canvas, stage.rng("trunks")
    color = mix(lit(rgb("#2b2a26"), stage.light), (0, 0, 0), 0.25)
    for place in (rng.uniform(0.0, 0.07), rng.uniform(0.93, 1.0)):
        middle = place * canvas.width + ridge(rng, canvas.height, cells=2, octaves=2) * 10 * canvas.unit
        half = (24 + 14 * rng.random()) * canvas.unit * (1 + 0.5 * np.linspace(0, 1, canvas.height) ** 4)
        columns = np.arange(canvas.width, dtype=np.float32)[None]
        reach = int(70 * canvas.unit) + 4
        left, right = max(0, int(place * canvas.width) - reach), min(canvas.width, int(place * canvas.width) + reach)
        mask = np.clip(half[:, None] - np.abs(columns[:, left:right] - middle[:, None]) + 0.5, 0, 1).astype(np.float32)
        canvas.blend(mask * 0.94, color, x=left)


def _grass(stage: Stage, *, blades: int, flowers: int) -> None:
    """Blades and small flowers, larger towards the viewer."""
    canvas, rng = stage.canvas, stage.rng("grass")
    top = min(canvas.height - 2, round((stage.plan.horizon + 0.09) * canvas.height))
    overlay = Image.new("RGBA", (canvas.width, canvas.height - top))
    draw = ImageDraw.Draw(overlay)
    _, middle, near = stage.ground()
    tones = [mix(near, middle, 0.8), mix(near, (0, 0, 0), 0.18), mix(middle, stage.light.key, 0.22)]
    blades = round(blades * canvas.width / canvas.height)
    for x, y, lean, tone in sorted(rng.random((blades, 4)).tolist(), key=lambda draws: draws[1]):
        row = y**0.7 * (canvas.height - top)
        tall = (5 + 30 * y) * canvas.unit
        color = (*tuple(round(channel * 255) for channel in tones[int(tone * 3)]), 190)
        bend = (lean - 0.5) * tall
        draw.polygon(
            [
                (x * canvas.width - tall * 0.06, row),
                (x * canvas.width + bend, row - tall),
                (x * canvas.width + tall * 0.06, row),
            ],
            fill=color,
        )
    petals = [rgb(value) for value in ("#ffffff", "#f7d24a", "#f28bb0", "#b79ae8")]
    chosen = petals[int(rng.integers(4))]
    for x, y, size, kind in sorted(rng.random((flowers, 4)).tolist(), key=lambda draws: draws[1]):
        radius = (1.6 + 5.5 * y * (0.6 + 0.6 * size)) * canvas.unit
        petal_color = lit(chosen if kind < 0.7 else petals[int(kind * 100) % 4], stage.light)
        fill = (*tuple(round(min(1.0, channel) * 255) for channel in petal_color), 235)
        column, row = x * canvas.width, y**0.7 * (canvas.height - top)
        for petal in range(5):
            angle = petal * 1.2566 + size * 6
            px, py = column + np.cos(angle) * radius, row + np.sin(angle) * radius * 0.7
            draw.ellipse((px - radius * 0.62, py - radius * 0.5, px + radius * 0.62, py + radius * 0.5), fill=fill)
        draw.ellipse(
            (column - radius * 0.5, row - radius * 0.4, column + radius * 0.5, row + radius * 0.4),
            fill=(232, 176, 60, 235),
        )
    canvas.paste(np.asarray(overlay, np.float32) / 255, x=0, y=top)


def _ripples(stage: Stage, near: Rgb) -> None:
    canvas = stage.canvas
    rows = canvas.height - stage.horizon
    noise = fbm(stage.rng("ripples"), canvas.width, rows, cells=(5, 46), octaves=2)
    mask = smoothstep(0.52, 0.7, noise) * np.linspace(0, 0.3, rows, dtype=np.float32)[:, None]
    canvas.blend(mask, mix(near, (0.2, 0.1, 0.05), 0.25), y=stage.horizon)


def _skyline(stage: Stage, layer: int) -> None:
    canvas, rng, light = stage.canvas, stage.rng(f"skyline{layer}"), stage.light
    picture = Image.new("RGBA", (canvas.width, stage.horizon + 2))
    draw = ImageDraw.Draw(picture)
    haze = (0.62, 0.4, 0.14)[layer]
    count = round((15, 11, 8)[layer] * canvas.width / canvas.height) + 2
    width = canvas.width / (count - 1.5)
    facades = [rgb(value) for value in ("#6b7488", "#8a7468", "#596a80", "#9b8a78", "#4d566b")]
    for number in range(count):
        shape = rng.random(5)
        x = (number - 0.4 + 0.3 * shape[0]) * width
        wide = width * (0.72 + 0.5 * shape[1])
        tall = ((0.3, 0.24, 0.17)[layer] + (0.34, 0.3, 0.2)[layer] * shape[2] ** 2) * stage.horizon
        color = lit(facades[int(shape[3] * 5)], light, haze=haze)
        fill = (*tuple(round(min(1.0, channel) * 255) for channel in color), 255)
        shadow = (*tuple(round(channel * 0.84) for channel in fill[:3]), 255)
        top = stage.horizon - tall
        draw.rectangle((x, top, x + wide, stage.horizon + 2), fill=fill)
        side = x if stage.plan.light_x > 0.5 else x + wide * 0.68
        draw.rectangle((side, top, side + wide * 0.32, stage.horizon + 2), fill=shadow)
        if shape[4] > 0.6:
            draw.rectangle((x + wide * 0.3, top - tall * 0.06, x + wide * 0.7, top), fill=shadow)
            draw.line(
                (x + wide / 2, top - tall * 0.2, x + wide / 2, top), fill=shadow, width=max(1, round(2 * canvas.unit))
            )
        _windows(stage, draw, rng, (x, top, wide, tall), fill)
    canvas.paste(np.asarray(picture, np.float32) / 255, x=0, y=0)


def _windows(
    stage: Stage,
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    box: tuple[float, float, float, float],
    fill: tuple[int, ...],
) -> None:
    x, top, wide, tall = box
    unit = stage.canvas.unit
    columns, rows = max(2, int(wide / (19 * unit))), max(3, int(tall / (25 * unit)))
    lights = rng.random((60, 40))
    for row in range(min(rows, 60)):
        for column in range(min(columns, 40)):
            chance = lights[row, column]
            left, upper = x + wide * (column + 0.28) / columns, top + tall * (row + 0.3) / rows
            lit_up = chance < (0.42 if stage.light.night else 0.06)
            glass = (
                (255, 214, 130, 235) if lit_up else (*tuple(round(c * (0.72 + 0.2 * chance)) for c in fill[:3]), 255)
            )
            draw.rectangle((left, upper, left + wide * 0.44 / columns, upper + tall * 0.46 / rows), fill=glass)


def _reflection(stage: Stage, first: int, strength: float) -> None:
    """What stands above a wet street, mirrored and smeared downwards."""
    canvas = stage.canvas
    rows = min(canvas.height - first, first)
    mirror = canvas.pixels[first - rows : first : 3][::-1].repeat(3, 0)[:rows]
    small = Image.fromarray((np.clip(mirror, 0, 1) * 255).astype(np.uint8)).resize(
        (max(8, canvas.width // 6), max(2, rows // 40)), Image.Resampling.BOX
    )
    smear = np.asarray(small.resize((canvas.width, rows), Image.Resampling.BICUBIC), np.float32) / 255
    share = np.linspace(strength, strength * 0.35, rows, dtype=np.float32)[:, None, None]
    canvas.pixels[first : first + rows] += (smear - canvas.pixels[first : first + rows]) * share
