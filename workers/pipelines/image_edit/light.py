"""Light: the hour of the day, lamps, rays, glows and vignettes laid over a picture that was taken without them."""

from dataclasses import replace

import numpy as np

from workers.pipelines.image_edit.focus import gaussian
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, Plane, Rgb, by_rows, luma
from workers.pipelines.image_edit.regions import sky, subject
from workers.pipelines.image_edit.tone import GRADES, grade
from workers.pipelines.image_generate.canvas import smoothstep
from workers.pipelines.image_generate.palette import saturated

FIELD = 8
"""Smooth light is computed at this fraction of the picture."""


def field(picture: Picture) -> tuple[Plane, Plane]:
    """Coordinates of a small light field: x and y, 0..1."""
    height, width = max(8, picture.height // FIELD), max(8, picture.width // FIELD)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    return (across + 0.5) / width, (down + 0.5) / height


def enlarged(plane: Plane, picture: Picture) -> Plane:
    return np.asarray(cv2.resize(np.asarray(plane, np.float32), (picture.width, picture.height)), np.float32)


def screened(picture: Picture, light: Plane, color: Rgb) -> Picture:
    """Light of a colour added the way two projectors add: bright, never beyond white."""
    wide, tone = enlarged(light, picture), np.array(color, np.float32)
    return by_rows(picture, lambda band, rows: band + (1 - band) * np.clip(wide[rows][..., None] * tone, 0, 1))


def dimmed(picture: Picture, factor: Plane) -> Picture:
    wide = enlarged(factor, picture)
    return by_rows(picture, lambda band, rows: band * wide[rows][..., None])


def sky_or_none(picture: Picture) -> Plane | None:
    try:
        return sky(picture)
    except NotDone:
        return None


def _centre(picture: Picture) -> tuple[float, float, float]:
    """Where the subject is and how large: x, y, radius as shares; the middle when nothing stands out."""
    try:
        mask = cv2.resize(subject(picture), (64, 64), interpolation=cv2.INTER_AREA)
    except NotDone:
        return 0.5, 0.5, 0.33
    down, across = np.mgrid[0:64, 0:64] / 64
    total = mask.sum()
    spread = np.sqrt((mask * ((across - (mask * across).sum() / total) ** 2 + (down - 0.5) ** 2)).sum() / total)
    return (
        float((mask * across).sum() / total),
        float((mask * down).sum() / total),
        float(np.clip(spread * 1.7, 0.2, 0.5)),
    )


def golden_hour(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A low warm sun from one side: amber lights, soft rose shadows, a haze of light around where it stands."""
    side = 0.06 if bench.rng("sun").random() < 0.5 else 0.94
    amount = edit.amount

    def warm(colors: Plane) -> Plane:
        light = luma(colors)[..., None]
        toned = colors * (1 + amount * np.array([0.15, 0.02, -0.22], np.float32))
        return saturated(toned + amount * np.array([0.05, 0.012, 0.012], np.float32) * (1 - light), 1.12)

    picture = grade(picture, warm)
    x, y = field(picture)
    distance = np.hypot((x - side) * picture.width / picture.height, y - 0.28)
    picture = screened(picture, 0.62 * amount * np.exp(-((distance / 0.42) ** 2)), (1.0, 0.72, 0.36))
    return screened(picture, 0.2 * amount * np.exp(-((distance / 1.1) ** 2)), (1.0, 0.62, 0.32))


def sunset(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """An evening sky from violet to fire, and a world lit by it."""
    above = sky_or_none(picture)
    amount = edit.amount
    picture = grade(
        picture, lambda c: saturated(c * (1 + amount * np.array([0.1, -0.1, -0.2], np.float32)) * 0.94, 1.12)
    )
    if above is None:
        x, y = field(picture)
        picture = screened(picture, 0.5 * amount * smoothstep(0.75, 0.0, y), (0.85, 0.34, 0.3))
        return screened(picture, 0.55 * amount * np.exp(-((np.hypot(x - 0.7, y - 0.35) / 0.3) ** 2)), (1, 0.66, 0.3))
    lowest = max(2, int(np.flatnonzero(above.mean(1) > 0.02)[-1]))
    rows = np.linspace(0, 1, lowest + 1, dtype=np.float32)
    stops = np.array([[0.25, 0.2, 0.45], [0.62, 0.3, 0.5], [0.95, 0.48, 0.34], [1.0, 0.74, 0.4]], np.float32)
    ramp = np.stack([np.interp(rows, [0, 0.4, 0.75, 1], stops[:, channel]) for channel in range(3)], -1)
    ramp = np.concatenate([ramp, np.repeat(ramp[-1:], picture.height - len(ramp), 0)])[:, None]

    def evening(band: Plane, place: slice) -> Plane:
        light = luma(band)[..., None]
        glowing = ramp[place] * (0.55 + 0.62 * light)
        return band + (glowing - band) * (above[place] * min(0.85 * amount, 0.95))[..., None]

    picture = by_rows(picture, evening)
    x, y = field(picture)
    low = lowest / picture.height
    glow = np.exp(-((np.hypot((x - 0.66) * 0.8, y - low * 0.86) / 0.24) ** 2))
    glow *= 0.3 + 0.7 * cv2.resize(above, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_AREA)
    return screened(picture, 0.75 * amount * glow, (1.0, 0.7, 0.34))


def night(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Day for night: blue, dark, little colour; what was brightest and warm below the sky stays lit like lamps."""
    above = sky_or_none(picture)
    amount = min(edit.amount, 1.5)
    grey = luma(picture.rgb) / 255
    warm = (picture.rgb[..., 0].astype(np.float32) - picture.rgb[..., 2]) / 255
    lamps = smoothstep(0.62, 0.85, grey) * smoothstep(0.12, 0.35, warm)
    if above is not None:
        lamps = lamps * (1 - above)

    def dark(band: Plane, rows: slice) -> Plane:
        light = luma(band)[..., None]
        pale = light + (band - light) * 0.6
        dim = pale**1.3 * np.array([0.26, 0.36, 0.6], np.float32) + np.array([0.0, 0.006, 0.022], np.float32)
        if above is not None:
            deep = np.array([0.03, 0.05, 0.15], np.float32) + light**2 * np.array([0.1, 0.14, 0.26], np.float32)
            dim = dim + (deep - dim) * above[rows][..., None]
        lit = band * np.array([1.0, 0.86, 0.56], np.float32)
        dim = dim + (lit - dim) * lamps[rows][..., None]
        return band + (dim - band) * min(amount, 1.0)

    picture = by_rows(picture, dark)
    if above is not None:
        picture = _stars(picture, above, bench)
    lit = cv2.resize(lamps, (picture.width // FIELD or 1, picture.height // FIELD or 1), interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(lit, (0, 0), max(1.0, 22 * picture.unit / FIELD)) * 1.3
    return vignette(screened(picture, np.clip(glow, 0, 0.7), (1.0, 0.72, 0.4)), replace(edit, amount=0.6), bench)


def _stars(picture: Picture, above: Plane, bench: Bench) -> Picture:
    light = np.zeros((picture.height, picture.width), np.float32)
    size = max(0.6, 0.85 * picture.unit)
    for x, y, bright in bench.rng("stars").random((260, 3)):
        column, row = int(x * picture.width), int(y * picture.height)
        if above[row, column] > 0.9:
            cv2.circle(
                light,
                (column, row),
                max(1, round(size * (0.6 + bright**6 * 1.8))),
                0.25 + 0.75 * float(bright) ** 3,
                -1,
                cv2.LINE_AA,
            )
    stars = cv2.GaussianBlur(light, (0, 0), max(0.5, 0.5 * size)) * above
    return by_rows(picture, lambda band, rows: band + (1 - band) * stars[rows][..., None])


def moonlight(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Night with a cold light from above one side, on the subject most."""
    picture = night(picture, replace(edit, amount=min(edit.amount, 1.0)), bench)
    x, y = field(picture)
    side = 0.22 if bench.rng("moon").random() < 0.5 else 0.78
    beam = np.exp(-((np.hypot((x - side) * picture.width / picture.height, y - 0.1) / 0.62) ** 2))
    picture = screened(picture, 0.34 * edit.amount * beam, (0.62, 0.76, 1.0))
    return grade(picture, lambda c: c + 0.16 * luma(c)[..., None] ** 0.8 * np.array([0.5, 0.7, 1.0], np.float32))


def spotlight(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """One lamp on the subject, the rest of the stage dark."""
    x, y, radius = _centre(picture)
    across, down = field(picture)
    away = np.hypot((across - x) * picture.width / picture.height, down - y)
    pool = smoothstep(radius * 1.55, radius * 0.6, away)
    cone = smoothstep(0.5, 0.0, np.abs(across - x) / (0.06 + 0.5 * down)) * smoothstep(y + radius, 0.0, down)
    lit = dimmed(picture, 0.16 / max(edit.amount, 0.6) + (1.12 - 0.16) * pool)
    return screened(lit, 0.13 * edit.amount * cone, (1.0, 0.95, 0.82))


def vignette(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Corners that fall off; the middle keeps every bit of its light."""
    x, y = field(picture)
    away = np.hypot(x * 2 - 1, y * 2 - 1)
    return dimmed(picture, 1 - np.clip(0.72 * edit.amount, 0, 0.92) * smoothstep(0.55, 1.42, away))


def rim_light(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A light behind the subject: its edge shines, its front falls into shade."""
    mask = subject(picture)
    bench.step()
    radius = max(1.5, 7 * picture.unit)
    soft = cv2.GaussianBlur(mask, (0, 0), radius)
    up = np.roll(soft, round(radius * 0.8), 0)
    edge = np.clip(mask * (1 - up) * 2.4, 0, 1) ** 1.2
    halo = np.clip(cv2.GaussianBlur(mask, (0, 0), 30 * picture.unit) - mask, 0, 1)
    color = np.array([1.0, 0.9, 0.72], np.float32)

    def lit(band: Plane, rows: slice) -> Plane:
        shaded = band * (1 - 0.26 * edit.amount * mask[rows][..., None] * (1 - edge[rows][..., None]))
        shine = np.clip(edge[rows] * 0.95 + halo[rows] * 0.5, 0, 1)[..., None] * min(edit.amount, 1.3)
        return shaded + (1 - shaded) * np.clip(shine, 0, 1) * color

    return by_rows(picture, lit)


def bloom(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Light that spills from what is bright, and a softness over all (after Orton's sandwiched slides)."""
    bright = np.clip((picture.rgb.astype(np.int16) - 120) * 1.9, 0, 255).astype(np.uint8)
    wide = gaussian(bright, 22 * picture.unit)
    soft = gaussian(picture.rgb, 7 * picture.unit)
    amount = edit.amount

    def spilled(band: Plane, rows: slice) -> Plane:
        dream = 1 - (1 - band) * (1 - soft[rows].astype(np.float32) / 255 * 0.42 * amount)
        return dream + (1 - dream) * wide[rows].astype(np.float32) / 255 * min(0.62 * amount, 1)

    return by_rows(picture, spilled)


def sun_rays(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Shafts from above one corner, broken by noise along their angle, brightest where the picture is bright."""
    x, y = field(picture)
    right = bench.rng("rays").random() < 0.5
    across = (x - (0.86 if right else 0.14)) * picture.width / picture.height
    angle, away = np.arctan2(across, y + 0.22), np.hypot(across, y + 0.22)
    phases = bench.rng("shafts").random(4) * 2 * np.pi
    waves = [np.sin(angle * pitch + phase) for pitch, phase in zip((11, 17, 29, 47), phases, strict=True)]
    shafts = 0.5 + 0.5 * np.tanh(0.8 * (waves[0] + waves[1] + 0.7 * waves[2] + 0.5 * waves[3]))
    height, width = x.shape
    bright = luma(cv2.resize(picture.rgb, (width, height), interpolation=cv2.INTER_AREA)) / 255
    light = smoothstep(0.35, 0.95, shafts) * np.exp(-away * 1.1) * (0.4 + 0.8 * cv2.GaussianBlur(bright, (0, 0), 4))
    picture = screened(picture, np.clip(0.95 * edit.amount * light, 0, 0.9), (1.0, 0.9, 0.66))
    return screened(picture, 0.55 * edit.amount * np.exp(-((away / 0.4) ** 2)), (1.0, 0.93, 0.76))


def lens_flare(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A source at the brightest place and its ghosts along the line through the middle."""
    grey = cv2.GaussianBlur(luma(cv2.resize(picture.rgb, (48, 48), interpolation=cv2.INTER_AREA)), (0, 0), 2)
    row, column = np.unravel_index(int(np.argmax(grey[:34])), (34, 48))
    x, y = (float(column) + 0.5) / 48, (float(row) + 0.5) / 48
    across, down = field(picture)
    ratio = picture.width / picture.height

    def away(px: float, py: float) -> Plane:
        return np.hypot((across - px) * ratio, down - py)

    source = away(x, y)
    picture = screened(
        picture, edit.amount * (np.exp(-((source / 0.06) ** 2)) + 0.5 * np.exp(-source / 0.2)), (1, 0.94, 0.82)
    )
    streak = np.exp(-np.abs(down - y) / 0.006) * np.exp(-np.abs(across - x) / 0.3)
    picture = screened(picture, 0.5 * edit.amount * streak, (0.6, 0.8, 1.0))
    ghosts: list[tuple[float, float, Rgb]] = [
        (0.5, 0.035, (0.9, 0.7, 0.4)), (0.85, 0.02, (0.5, 0.9, 0.6)), (1.3, 0.06, (0.5, 0.6, 1.0)),
        (1.7, 0.1, (0.9, 0.5, 0.6)),
    ]  # fmt: skip
    for along, radius, color in ghosts:
        ring = smoothstep(radius, radius * 0.9, away(x + (0.5 - x) * 2 * along / 1.6, y + (0.5 - y) * 2 * along / 1.6))
        picture = screened(picture, 0.2 * edit.amount * ring, color)
    return picture


def light_leak(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Film that saw daylight at its edge."""
    x, y = field(picture)
    rng = bench.rng("leak")
    side = x if rng.random() < 0.5 else 1 - x
    wander = 0.1 * np.sin(y * 5 + float(rng.random()) * 6)
    picture = screened(picture, 0.85 * edit.amount * np.exp(-(((side + wander) / 0.2) ** 2)), (1.0, 0.42, 0.16))
    return screened(picture, 0.6 * edit.amount * np.exp(-(((side + wander) / 0.09) ** 2)), (1.0, 0.82, 0.4))


def neon_light(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Magenta from one side, cyan from the other, the rest of the room dark."""
    dark = grade(picture, lambda c: GRADES["contrast"](c, 0.8) * np.array([0.62, 0.56, 0.78], np.float32))
    x, _ = field(dark)
    height, width = x.shape
    grey = luma(cv2.resize(picture.rgb, (width, height), interpolation=cv2.INTER_AREA)) / 255 * 0.75 + 0.2
    dark = screened(dark, 0.95 * edit.amount * smoothstep(0.75, 0.0, x) * grey, (1.0, 0.12, 0.72))
    return screened(dark, 0.95 * edit.amount * smoothstep(0.25, 1.0, x) * grey, (0.08, 0.72, 1.0))


def candlelight(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A small warm flame before the subject, darkness around."""
    x, y, radius = _centre(picture)
    across, down = field(picture)
    away = np.hypot((across - x) * picture.width / picture.height, down - min(y + 0.1, 0.8))
    pool = np.exp(-((away / (radius * 1.5)) ** 2))
    warm = grade(picture, lambda c: c * np.array([1.12, 0.84, 0.52], np.float32))
    return screened(dimmed(warm, 0.2 + 0.95 * pool), 0.22 * edit.amount * pool, (1.0, 0.6, 0.22))


def studio_light(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A large soft key from the upper left, a fill against it."""
    x, y = field(picture)
    key = np.exp(-((np.hypot(x - 0.3, y - 0.25) / 0.6) ** 2))
    lifted = grade(picture, lambda c: GRADES["shadows up"](c, 0.5 * edit.amount))
    return screened(dimmed(lifted, 0.86 + 0.3 * edit.amount * key), 0.1 * edit.amount * key, (1.0, 0.98, 0.95))


OPERATIONS: dict[str, Operation] = {
    "golden hour": golden_hour, "sunset": sunset, "night": night, "moonlight": moonlight, "spotlight": spotlight,
    "vignette": vignette, "rim light": rim_light, "bloom": bloom, "sun rays": sun_rays, "lens flare": lens_flare,
    "light leak": light_leak, "neon light": neon_light, "candlelight": candlelight, "studio light": studio_light,
}  # fmt: skip
