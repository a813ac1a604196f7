"""Relations made visible: where a thing goes that is left of, on, above, behind, between … what stands already."""

from dataclasses import replace

import numpy as np

from workers.pipelines.image_generate.plan import Frame, Sprite

SEATS = {
    "chair": 0.56,
    "sofa": 0.5,
    "couch": 0.5,
    "bed": 0.45,
    "horse": 0.32,
    "bicycle": 0.3,
    "camel": 0.3,
    "stool": 0.5,
}
"""How far down from its top one sits on a thing, a share of its height."""


def inside(sprite: Sprite, frame: Frame) -> Sprite:
    """A related sprite drawn back onto the canvas, where the relation left no room for it."""
    half = min(0.5, sprite.height * sprite.figure.aspect * frame.across / 2)
    return replace(sprite, x=float(np.clip(sprite.x, half, 1 - half)))


def related(
    sprite: Sprite, kind: str, target: list[Sprite], number: int, count: int, frame: Frame, rng: np.random.Generator
) -> Sprite:
    """A place that makes the relation to the target visible."""
    if kind in {"on", "in", "above", "behind", "before"}:
        host = target[number % len(target)]
    else:
        # Left of several things is left of the leftmost.
        host = (max if kind == "right_of" else min)(target, key=lambda s: s.x)
    wide, tall = sprite.height * sprite.figure.aspect * frame.across, sprite.height * frame.down
    host_wide, host_tall = host.height * host.figure.aspect * frame.across, host.height * frame.down
    jitter = float(rng.normal(0, 0.012))
    spread = (number - (count - 1) / 2) * wide * 1.08
    top = host.base - host_tall
    if kind in {"left_of", "right_of", "beside"}:
        sign = -1 if kind == "left_of" or (kind == "beside" and host.x > 0.5) else 1
        edge = host.x + sign * host_wide / 2
        room = (edge if sign < 0 else 1 - edge) - 0.02
        needed = wide * count * 1.06
        shrink = min(1.0, max(0.35, room / needed)) if needed else 1.0
        x = edge + sign * wide * shrink * 1.06 * (number + 0.5)
        stands = host.stands
        return replace(
            sprite, x=x, height=sprite.height * shrink, base=host.base + jitter, depth=host.depth, stands=stands
        )
    if kind == "above" and wide * count * 1.08 > 0.9:
        return _flock(sprite, number, count, top, frame, rng)
    if kind in {"on", "above"}:
        room = top - 0.02 if kind == "above" else top + host_tall * SEATS.get(host.label.split()[-1], 0.16) - 0.02
        shrink = min(1.0, max(0.4, room / tall))
        if kind == "on":
            shrink = min(shrink, max(0.3, 1.1 * host_wide / (wide * min(count, 5))))
        overlap = (
            host_tall * SEATS.get(host.label.split()[-1], 0.16)
            if kind == "on"
            else -min(0.06, max(0.0, room - tall * shrink) * 0.5)
        )
        base = max(top + overlap, tall * shrink + 0.01)
        x = host.x + spread * shrink + (jitter if count == 1 else 0.0)
        return replace(sprite, x=x, base=base, height=sprite.height * shrink, depth=host.depth - 0.001, stands="air")
    if kind == "between":
        left, right = min(target, key=lambda s: s.x), max(target, key=lambda s: s.x)
        inner = [s.height * s.figure.aspect * frame.across / 2 for s in (left, right)]
        room = right.x - inner[1] - left.x - inner[0] - 0.02
        shrink = min(1.0, max(0.3, room / (wide * count * 1.05)))
        x = (left.x + inner[0] + right.x - inner[1]) / 2 + spread * shrink
        base, depth = (left.base + right.base) / 2 + jitter, (left.depth + right.depth) / 2
        return replace(sprite, x=x, base=base, depth=depth, height=sprite.height * shrink, stands=left.stands)
    if kind == "below":
        return replace(
            sprite,
            x=host.x + spread + jitter,
            base=min(0.97, host.base + tall * 1.05),
            depth=max(0.0, host.depth - 0.2),
        )
    if kind == "in" and host_tall < tall * 2.5:
        x, base = host.x + spread * 0.6, host.base - host_tall * 0.45
        return replace(sprite, x=x, base=base, depth=host.depth + 0.001, stands="air")
    if kind == "behind":
        x = host.x + spread + 0.3 * host_wide * (1 if host.x < 0.5 else -1)
        return replace(sprite, x=x, base=host.base - 0.05, depth=host.depth + 0.12, stands=host.stands)
    x = host.x + spread - 0.25 * host_wide * (1 if host.x < 0.5 else -1)
    return replace(sprite, x=x, base=min(0.97, host.base + 0.05), depth=max(0.0, host.depth - 0.1), stands=host.stands)


def _flock(sprite: Sprite, number: int, count: int, floor: float, frame: Frame, rng: np.random.Generator) -> Sprite:
    """One of many above something: rows that fill the canvas's breadth, none beyond it, each a little astray."""
    aspect = sprite.figure.aspect * frame.across
    room = max(0.12, floor - 0.05)

    def size(rows: int) -> float:
        return min(0.92 / -(-count // rows) / aspect, room / rows / frame.down)

    rows = max(range(1, 5), key=size)
    columns = -(-count // rows)
    pitch_x, pitch_y = 0.92 / columns, room / rows
    height = min(sprite.height, 0.86 * pitch_x / aspect, 0.9 * pitch_y / frame.down)
    row, column = divmod(number, columns)
    in_row = min(columns, count - row * columns)
    x = 0.5 + (column - (in_row - 1) / 2) * pitch_x + float(rng.uniform(-0.1, 0.1)) * pitch_x
    base = 0.03 + (row + 0.5) * pitch_y + height * frame.down / 2 + float(rng.uniform(-0.06, 0.06)) * pitch_y
    return replace(sprite, x=x, base=base, height=height, depth=0.3, stands="air")
