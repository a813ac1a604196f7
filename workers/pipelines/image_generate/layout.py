"""A Scene to a Plan: setting, hour, horizon, where each figure stands. All in shares of the canvas, never pixels."""

from collections import Counter
from dataclasses import replace

import numpy as np

from workers.pipelines.image_generate.canvas import stream
from workers.pipelines.image_generate.figures import Figure, figure_of
from workers.pipelines.image_generate.plan import Frame, Plan, Sprite
from workers.pipelines.image_generate.relations import inside, related
from workers.pipelines.image_generate.scene import Scene, Thing

__all__ = ["Plan", "Sprite", "plan_scene"]

HORIZONS = {
    "meadow": 0.6, "forest": 0.66, "mountains": 0.68, "desert": 0.62, "beach": 0.5, "sea": 0.5, "underwater": 0.8,
    "city": 0.74, "space": 1.2, "planet": 0.7, "sky": 1.2, "snow": 0.62, "room": 0.68, "studio": 0.62, "abstract": 0.66,
}  # fmt: skip
FLOATING = {"space", "sky"}
OPEN_AIR = ("meadow", "mountains", "meadow", "forest")
TRIES = 48
GROUND_FRONT = 0.93
"""Where the nearest feet stand."""


def plan_scene(scene: Scene, *, width: int, height: int, seed: int) -> Plan:
    """Decide what the prompt left open and place every figure. The same scene, shape and seed give the same plan."""
    rng = stream(seed, "layout")
    setting = _setting(scene, rng)
    hour = scene.hour or _hour(scene, setting, rng)
    side = float(np.sqrt(width * height))
    frame = Frame(across=side / width, down=side / height)
    horizon = HORIZONS[setting] + float(rng.uniform(-0.03, 0.03))
    low_sun = hour in {"dawn", "sunset"}
    light_x = float(rng.uniform(0.16, 0.84))
    light_y = float(min(horizon, 0.8) * (rng.uniform(0.62, 0.8) if low_sun else rng.uniform(0.2, 0.36)))
    plan = Plan(setting=setting, hour=hour, horizon=horizon, light_x=light_x, light_y=light_y)
    _place_all(plan, scene, frame, rng)
    return plan


def _setting(scene: Scene, rng: np.random.Generator) -> str:
    fallback = OPEN_AIR[int(rng.integers(len(OPEN_AIR)))]
    if scene.setting:
        return scene.setting
    if "snowfall" in scene.weather:
        return "snow"
    if not scene.things:
        if "autumn" in scene.moods:
            return "forest"
        return "mountains" if scene.hour or scene.weather or scene.heavens else "abstract"
    for thing in scene.things:
        if thing.costume and thing.costume.setting:
            return thing.costume.setting
    votes = Counter(thing.entry.setting for thing in scene.things if thing.entry.setting)
    if votes:
        return votes.most_common(1)[0][0]
    habitats = {thing.entry.habitat for thing in scene.things}
    if habitats <= {"table"}:
        return "studio"
    if "deep" in habitats and not habitats & {"ground", "bust", "surface"}:
        return "underwater"
    if habitats & {"surface", "deep"}:
        return "sea"
    if habitats <= {"heaven"}:
        return "mountains"
    if habitats <= {"air", "heaven"} and max(thing.entry.metres for thing in scene.things) > 2:
        return "sky"
    return fallback


def _hour(scene: Scene, setting: str, rng: np.random.Generator) -> str:
    drawn = float(rng.random())
    if setting in {"space"} or "synthwave" in scene.styles or "neon" in scene.styles:
        return "night"
    if any(thing.entry.glows for thing in scene.things) and setting not in {"studio", "room"}:
        return "night"
    if "dark" in scene.moods or "noir" in scene.styles:
        return "night"
    if "cinematic" in scene.styles and setting not in {"studio", "underwater"}:
        return "sunset"
    if setting in {"studio", "room", "underwater", "sky"}:
        return "noon"
    return "noon" if drawn < 0.62 else ("sunset" if drawn < 0.84 else "dawn")


def _place_all(plan: Plan, scene: Scene, frame: Frame, rng: np.random.Generator) -> None:
    total = sum(thing.count for thing in scene.things)
    if not total:
        return
    weights = [thing.count for thing in scene.things]
    sizes = np.log([_metres(thing) for thing in scene.things])
    reference = float(np.exp(np.average(sizes, weights=weights)))
    basic = 0.47 / total**0.42
    placed: dict[int, list[Sprite]] = {}
    for position in _targets_first(scene.things):
        thing = scene.things[position]
        relative = float(np.clip((_metres(thing) / reference) ** 0.3, 0.55, 1.6)) if len(scene.things) > 1 else 1.0
        breadth = basic * relative * thing.size * (0.55 if "far" in thing.places else 1.0)
        breadth *= 1.25 if "near" in thing.places else 1.0
        sprites: list[Sprite] = []
        others = [sprite for group in placed.values() for sprite in group]
        target = _partners(thing, placed) if thing.relation else None
        for number in range(thing.count):
            figure = figure_of(thing, variant=int(rng.integers(30)))
            sprite = Sprite(
                label=thing.label, thing=position, figure=figure, x=0.5, base=0.5,
                height=_height(breadth, figure, frame),
                depth=0.0, flipped=bool(rng.random() < 0.5) and thing.entry.habitat != "table", stands="ground",
                glows=thing.entry.glows,
            )  # fmt: skip
            if target and thing.relation:
                sprite = inside(related(sprite, thing.relation.kind, target, number, thing.count, frame, rng), frame)
            else:
                preferred = _preferred_x(position, number, scene.things)
                sprite = _free(plan, sprite, thing, preferred, [*others, *sprites], sprites, total, frame, rng)
            sprites.append(sprite)
        placed[position] = sprites
    plan.sprites = sorted((sprite for group in placed.values() for sprite in group), key=lambda s: (-s.depth, s.thing))


def _metres(thing: Thing) -> float:
    return thing.costume.metres if thing.costume else thing.entry.metres


def _height(breadth: float, figure: Figure, frame: Frame) -> float:
    """The height of a figure whose mean side is `breadth`, kept inside the canvas."""
    height = breadth / float(np.sqrt(figure.aspect))
    widest = 0.86 / frame.across / figure.aspect
    return min(height, widest, 0.8 / frame.down)


def _targets_first(things: list[Thing]) -> list[int]:
    """Indices in an order in which what others relate to is placed before them."""
    order: list[int] = []

    def visit(position: int, trail: frozenset[int]) -> None:
        relation = things[position].relation
        if relation and relation.target not in trail:
            visit(relation.target, trail | {position})
            if relation.kind == "between" and relation.target + 1 < len(things):
                visit(relation.target + 1, trail | {position, relation.target})
        if position not in order:
            order.append(position)

    for position in range(len(things)):
        visit(position, frozenset({position}))
    return order


def _partners(thing: Thing, placed: dict[int, list[Sprite]]) -> list[Sprite]:
    """The sprites a thing stands in relation to; "between" a thing and the next one has two of them."""
    if thing.relation is None:
        return []
    target = thing.relation.target
    found = placed.get(target, [])
    if thing.relation.kind == "between" and len(found) == 1:
        return found + placed.get(target + 1, [])[:1]
    return found


def _preferred_x(position: int, number: int, things: list[Thing]) -> float | None:
    """Where across the picture the `number`th of a thing belongs, by its places and by who relates to it."""
    places = things[position].places
    for place, x in (("left", 0.22), ("right", 0.78), ("center", 0.5)):
        if place in places:
            return x
    for thing in things:
        if thing.relation and thing.relation.kind == "between" and position >= thing.relation.target:
            pair = things[thing.relation.target].count > 1
            if position == thing.relation.target:
                return (0.2, 0.8)[number % 2] if pair else 0.2
            if position == thing.relation.target + 1 and not pair:
                return 0.8
        if thing.relation and thing.relation.target == position:
            return {"left_of": 0.7, "right_of": 0.3, "beside": 0.36}.get(thing.relation.kind, 0.5)
    return None


def _free(
    plan: Plan, sprite: Sprite, thing: Thing, preferred: float | None, others: list[Sprite], kin: list[Sprite],
    total: int, frame: Frame, rng: np.random.Generator,
) -> Sprite:  # fmt: skip
    """The least crowded of many random places that suit the habitat."""
    best, best_cost = sprite, float("inf")
    for _ in range(TRIES):
        candidate = _somewhere(plan, sprite, thing, total, frame, rng)
        wide = candidate.height * candidate.figure.aspect * frame.across
        margin = min(0.48, wide / 2 + 0.02)
        if preferred is not None:
            x = preferred + float(rng.normal(0, 0.05))
        elif total == 1:
            x = 0.5 + float(rng.normal(0, 0.04))
        else:
            x = float(rng.uniform(margin, 1 - margin))
        candidate = replace(candidate, x=float(np.clip(x, margin, 1 - margin)))
        cost = sum(_overlap(candidate, other, frame) for other in others) * 9
        cost += abs(candidate.x - (preferred if preferred is not None else 0.5)) * (
            1.5 if preferred is not None else 0.25
        )
        if kin:
            cost += 0.35 * abs(candidate.base - kin[0].base) + 0.12 * abs(candidate.x - kin[0].x)
        if cost < best_cost:
            best, best_cost = candidate, cost
    return best


def _somewhere(plan: Plan, sprite: Sprite, thing: Thing, total: int, frame: Frame, rng: np.random.Generator) -> Sprite:
    """A random place for a habitat in this setting."""
    habitat = "bust" if thing.costume else thing.entry.habitat
    tall = sprite.height * frame.down
    first, second = float(rng.random()), float(rng.random())
    if habitat == "bust" and plan.setting != "sky":
        grow = 1.25 if total == 1 else 1.1
        height = _height(sprite.height * grow * float(np.sqrt(sprite.figure.aspect)), sprite.figure, frame)
        return replace(sprite, base=1.005, height=height, depth=0.02 * second, stands="ground")
    if "top" in thing.places or habitat == "heaven":
        limit = max(tall + 0.04, min(plan.horizon, 1) * 0.62)
        return replace(sprite, base=tall + 0.04 + (limit - tall - 0.04) * first, depth=0.9, stands="air")
    if plan.setting in FLOATING or (plan.setting == "underwater" and habitat in {"deep", "air"} and not _crawls(thing)):
        low, high = tall + 0.06, 0.94 if plan.setting in FLOATING else 0.88
        middle = 0.5 + tall / 2
        base = middle + (first - 0.5) * 0.1 if total == 1 else low + max(0.0, high - low) * first
        return replace(sprite, base=max(base, tall + 0.03), depth=0.35 * second, stands="air")
    if habitat == "air" and "bottom" not in thing.places and plan.setting != "studio":
        high = max(tall + 0.06, plan.horizon * 0.85)
        return replace(sprite, base=tall + 0.05 + (high - tall - 0.05) * first, depth=0.3 + 0.3 * second, stands="air")
    spread = min(0.75, 0.12 + 0.06 * total)
    depth = 0.78 + 0.15 * second if "far" in thing.places else spread * second
    if "near" in thing.places or "bottom" in thing.places:
        depth = 0.02
    if thing.entry.metres >= 4 and "near" not in thing.places and total > 1:
        depth = max(depth, 0.4 + 0.25 * second)
    front = 0.86 if total == 1 else GROUND_FRONT
    base = front + (plan.horizon + 0.03 - front) * depth**0.8
    wet = plan.setting == "sea" or (plan.setting == "beach" and habitat in {"surface", "deep"} and not _crawls(thing))
    if wet and plan.setting == "beach":
        depth, base = 0.75, plan.horizon + 0.05 + 0.05 * first
    scaled = sprite.height * (1 - 0.5 * depth)
    afloat = habitat in {"surface", "deep", "air"}
    stands = ("water" if afloat else "islet") if wet else "ground"
    return replace(
        sprite,
        base=max(base, scaled * frame.down + 0.02),
        height=scaled,
        depth=depth,
        stands=stands,
    )


def _crawls(thing: Thing) -> bool:
    """Sea creatures that stay on the bottom."""
    return thing.entry.name in {"crab", "lobster", "coral", "seashell", "oyster"}


def _overlap(first: Sprite, second: Sprite, frame: Frame) -> float:
    """Shared area of two boxes, over the smaller's."""
    wide = [s.height * s.figure.aspect * frame.across for s in (first, second)]
    tall = [s.height * frame.down for s in (first, second)]
    across = min(first.x + wide[0] / 2, second.x + wide[1] / 2) - max(first.x - wide[0] / 2, second.x - wide[1] / 2)
    down = min(first.base, second.base) - max(first.base - tall[0], second.base - tall[1])
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / max(1e-6, min(wide[0] * tall[0], wide[1] * tall[1]))
