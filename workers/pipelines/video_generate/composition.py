"""A prompt without a picture: the scene composer's backdrop and figures, kept apart as layers of one world."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.pipelines.image_generate.backdrops import PAINTERS
from workers.pipelines.image_generate.canvas import Canvas, stream
from workers.pipelines.image_generate.drawing import draw_scenery, draw_sprite, finish_light, turn_leaves
from workers.pipelines.image_generate.figures import rasterise
from workers.pipelines.image_generate.layout import Plan, Sprite, plan_scene
from workers.pipelines.image_generate.palette import graded, light_of, mood_grade
from workers.pipelines.image_generate.reading import dressable, read
from workers.pipelines.image_generate.scene import Scene, Thing
from workers.pipelines.image_generate.stage import Stage
from workers.pipelines.image_generate.styles import apply_styles
from workers.pipelines.video_generate.acting import Poses, poses
from workers.pipelines.video_generate.camera import Framing
from workers.pipelines.video_generate.direction import Action, Direction
from workers.pipelines.video_generate.given_frames import Picture, Plane
from workers.pipelines.video_generate.liveliness import glows_of, sways_of
from workers.pipelines.video_generate.world import Layer, Pose, World

ROOM = 1.14
"""How much larger than the frame the world is drawn, so that a camera that looks around stays sharp."""
MOST_PIXELS, MOST_PIXELS_EXTREME = 2_300_000, 6_000_000
FAR = {"room": 0.3, "studio": 0.3, "underwater": 0.2, "space": 0.02, "sky": 0.04, "abstract": 0.12}
"""How near the farthest part of a setting is; elsewhere the sky begins at 0.06."""
SUBMERGED = {"underwater"}
DECKLED = {"watercolor"}
"""Styles that leave the paper's own ragged edge, which a moving camera must not see."""
WAVES = {"sea", "beach", "underwater"}
OUTDOORS = {"meadow", "forest", "mountains", "desert", "beach", "sea", "city", "snow"}


@dataclass(frozen=True, kw_only=True)
class Composition:
    """The composed world and what it was made of."""

    world: World
    scene: Scene
    plan: Plan
    effects: tuple[str, ...]
    """The prompt's effects and those that the scene brings along."""
    acts: tuple[str, ...]
    """What the figures do: "fox: walk"."""


def compose(
    direction: Direction, prompt: str, *, width: int, height: int, seconds: float, seed: int, extreme: bool,
    step: Callable[[float], None],
) -> Composition:  # fmt: skip
    """Paint the backdrop, cut out every figure and piece of scenery, and say how each will move."""
    scene = read(direction.scene_prompt)
    digest = hashlib.sha256(f"{seed}\n{prompt.strip().lower()}".encode()).digest()
    seed = seed if scene.things else int.from_bytes(digest[:8], "big")
    plan = plan_scene(scene, width=width, height=height, seed=seed)
    casting = _cast(direction, scene, prompt)
    rng = stream(seed, "blocking")
    tall = (width * height) ** 0.5 / height
    if not any(_rides(scene, sprite) for sprite in plan.sprites):  # who sits on something stays where it was put
        plan.sprites = [
            _framed(_blocked(sprite, casting.get(sprite.thing), plan, rng), tall) for sprite in plan.sprites
        ]
    stage = _stage(scene, plan, width=width, height=height, seed=seed, extreme=extreme)
    step(0.05)
    PAINTERS[plan.setting](stage)
    step(0.3)
    backdrop = stage.canvas.pixels.copy()
    cuts = [_cut(stage, sprite) for sprite in _progress(plan.sprites, lambda share: step(0.3 + 0.2 * share))]
    scenery = _cut_scenery(stage)
    stage.canvas.pixels = backdrop
    if "autumn" in scene.moods:
        turn_leaves(stage)
    bare = stage.canvas.pixels.copy()
    base = _finished(stage, scene, seed, lambda share: step(0.55 + 0.2 * share))
    if scene.styles and (cuts or scenery):
        stage.canvas.pixels = bare
        for cut in [*scenery, *cuts]:
            cut.over(stage.canvas.pixels)
        styled = _finished(stage, scene, seed, lambda share: step(0.75 + 0.2 * share))
    else:
        styled = None
    effects = _effects(direction, scene, plan)
    layers, acts = _layers(cuts, scenery, stage, scene, casting, seconds, effects, styled, seed)
    step(0.97)
    picture = np.asarray(base)
    lively = sways_of(picture, effects, seed=seed, submerged=plan.setting in SUBMERGED)
    glows = glows_of(picture, effects, seed=seed)
    world = World(
        picture=picture,
        nearness=_nearness(plan, width, height),
        layers=layers,
        glows=list(glows.values()),
        sways=list(lively.values()),
        inset=0.09 if DECKLED & set(scene.styles[:2]) else 0.0,
        framing=Framing(unit=stage.canvas.width, x=stage.canvas.width / 2 - 0.5, y=stage.canvas.height / 2 - 0.5),
    )  # fmt: skip
    return Composition(world=world, scene=scene, plan=plan, effects=effects, acts=acts)


def _stage(scene: Scene, plan: Plan, *, width: int, height: int, seed: int, extreme: bool) -> Stage:
    most = MOST_PIXELS_EXTREME if extreme else MOST_PIXELS
    scale = min(ROOM * (1.25 if extreme else 1.0), (most / (width * height)) ** 0.5)
    accent = next((thing.color for thing in scene.things if thing.color), None)
    return Stage(
        canvas=Canvas(round(width * scale), round(height * scale)), scene=scene, plan=plan,
        light=light_of(scene, plan.hour), seed=seed, octaves=4 if extreme else 3, accent=accent,
    )  # fmt: skip


def _progress(sprites: list[Sprite], step: Callable[[float], None]) -> Iterator[Sprite]:
    """The sprites, one after the other, with a word on how many are done."""
    for number, sprite in enumerate(sprites):
        step(number / len(sprites))
        yield sprite


def _finished(stage: Stage, scene: Scene, seed: int, step: Callable[[float], None]) -> Image.Image:
    """What the composer does to a whole canvas: light, mood, style."""
    image = finish_light(stage)
    step(0.4)
    mood = mood_grade(scene)
    if mood:
        image = graded(image, mood)
    image = apply_styles(image, scene.styles, seed=seed, octaves=stage.octaves)
    step(1.0)
    return image


@dataclass(frozen=True)
class Cut:
    """A drawing lifted off its canvas. Every stroke of the composer is affine in what lies below it, so the drawing
    over black and over white tell exactly what it adds and what it lets through, colour by colour.
    """

    sprite: Sprite | None
    adds: Plane
    passes: Plane
    x: int
    y: int

    def over(self, pixels: Plane) -> None:
        rows, columns = self.adds.shape[:2]
        below = pixels[self.y : self.y + rows, self.x : self.x + columns]
        below *= self.passes
        below += self.adds


def _cut(stage: Stage, sprite: Sprite) -> Cut:
    adds, passes, (x, y) = _lifted(stage, lambda: draw_sprite(stage, sprite))
    return Cut(sprite, adds, passes, x, y)


def _lifted(stage: Stage, draw: Callable[[], object]) -> tuple[Plane, Plane, tuple[int, int]]:
    shape = (stage.canvas.height, stage.canvas.width, 3)
    stage.canvas.pixels = np.zeros(shape, np.float32)
    draw()
    black = stage.canvas.pixels
    stage.canvas.pixels = np.ones(shape, np.float32)
    draw()
    passes = np.clip(stage.canvas.pixels - black, 0, 1)
    touched = (passes.min(-1) < 0.996) | (black.max(-1) > 0.004)
    rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
    if not len(rows):
        return np.zeros((1, 1, 3), np.float32), np.ones((1, 1, 3), np.float32), (0, 0)
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return np.clip(black[box], 0, 1), passes[box].copy(), (int(columns[0]), int(rows[0]))


def _cut_scenery(stage: Stage) -> list[Cut]:
    """The setting's own trees, rocks and fish: drawn together, taken apart where they do not touch."""

    def draw() -> None:
        draw_scenery(stage)
        if "autumn" in stage.scene.moods:
            turn_leaves(stage)

    adds, passes, (left, top) = _lifted(stage, draw)
    if adds.shape[0] < 2:
        return []
    solid = (passes.max(-1) < 0.9).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(solid, np.ones((9, 9), np.uint8)))
    cuts = []
    for label in range(1, count):
        x, y, wide, high, area = (int(value) for value in stats[label])
        if area < 40:
            continue
        own = (labels[y : y + high, x : x + wide] == label)[..., None]
        inside = (slice(y, y + high), slice(x, x + wide))
        cuts.append(Cut(None, adds[inside] * own, np.where(own, passes[inside], np.float32(1)), left + x, top + y))
    return cuts


def _layers(
    cuts: list[Cut], scenery: list[Cut], stage: Stage, scene: Scene, casting: dict[int, Action], seconds: float,
    effects: tuple[str, ...], styled: Image.Image | None, seed: int,
) -> tuple[list[Layer], tuple[str, ...]]:  # fmt: skip
    """Every cut with its nearness and its motion, far ones first."""
    mood, plan = mood_grade(scene), stage.plan
    canvas_width, canvas_height = stage.canvas.width, stage.canvas.height
    finished = None if styled is None else np.asarray(styled, np.float32) / 255
    made: list[tuple[float, Layer]] = []
    acts: dict[str, None] = {}
    standing: list[tuple[Sprite, Layer]] = []
    order = {id(cut): number for number, cut in enumerate([*scenery, *cuts])}
    for cut in sorted([*scenery, *cuts], key=lambda cut: cut.sprite is not None and _rides(scene, cut.sprite)):
        number = order[id(cut)]
        rows, columns = cut.adds.shape[:2]
        draws = stream(seed, f"acting {number}").random(8)
        kind = "rest"
        if cut.sprite is None:
            foot = (cut.y + rows) / canvas_height
            near = _ground_nearness(plan, foot) if plan.setting not in SUBMERGED else 0.35
            pivot = (cut.x + columns / 2, float(cut.y + rows))
            pose = _rooted(draws, windy="wind" in effects or "storm" in effects, water=plan.setting in SUBMERGED)
        else:
            sprite = cut.sprite
            near = _sprite_nearness(plan, sprite)
            side = float(np.sqrt(canvas_width * canvas_height))
            tall = sprite.height * side
            pivot = (sprite.x * canvas_width, sprite.base * canvas_height)
            thing = scene.things[sprite.thing]
            action = casting.get(sprite.thing)
            kind, pose = poses(
                action.kind if action else None, habitat=_habitat(thing, sprite),
                facing=facing_of(sprite), height=tall / canvas_width, seconds=seconds, draws=draws,
            )  # fmt: skip
            if kind in {"spin", "fly", "hover", "swim", "fall", "launch"}:
                pivot = (pivot[0], pivot[1] - tall / 2)
        paint, passes = _coloured(cut, mood, finished)
        layer = Layer(paint=paint, passes=passes, x=cut.x, y=cut.y, pivot=pivot, nearness=near, pose=pose)
        if cut.sprite is not None:
            carrier = _carrier(scene, cut.sprite, standing)
            if carrier:
                layer = replace(layer, pivot=carrier.pivot, nearness=carrier.nearness, pose=carrier.pose)
            else:
                acts[f"{scene.things[cut.sprite.thing].said}: {kind}"] = None
                standing.append((cut.sprite, layer))
        made.append((1e-3 * number + 1e-6 if cut.sprite is not None else near - 2, layer))
    made.sort(key=lambda entry: entry[0])
    return [layer for _, layer in made], tuple(acts)


def _rides(scene: Scene, sprite: Sprite) -> bool:
    relation = scene.things[sprite.thing].relation
    return relation is not None and relation.kind == "on"


def _carrier(scene: Scene, sprite: Sprite, standing: list[tuple[Sprite, Layer]]) -> Layer | None:
    """What a figure sits on, the nearest one of its kind: both move as one."""
    relation = scene.things[sprite.thing].relation
    if relation is None or not _rides(scene, sprite):
        return None
    below = [(abs(other.x - sprite.x), layer) for other, layer in standing if other.thing == relation.target]
    return min(below, key=lambda entry: entry[0])[1] if below else None


def _coloured(cut: Cut, mood: object, finished: Plane | None) -> tuple[Picture, Picture]:
    """A cut in eight bits, under the mood's colours or, where it is solid, as the style's pass has painted it."""
    covers = 1 - cut.passes
    color = np.clip(cut.adds / np.maximum(covers, 1e-3), 0, 1)
    if callable(mood):
        graded_color = graded(Image.fromarray((color * 255).astype(np.uint8)), mood)
        color = np.asarray(graded_color, np.float32) / 255
    if finished is not None:
        rows, columns = cut.adds.shape[:2]
        solid = np.clip((covers.mean(-1, keepdims=True) - 0.5) / 0.4, 0, 1)
        color = color + (finished[cut.y : cut.y + rows, cut.x : cut.x + columns] - color) * solid
    paint = np.clip(color * covers * 255 + 0.5, 0, 255).astype(np.uint8)
    return paint, np.clip(cut.passes * 255 + 0.5, 0, 255).astype(np.uint8)


def _rooted(draws: NDArray[np.float64], *, windy: bool, water: bool) -> Poses:
    """Trees and weeds, held at the foot."""
    reach = 0.05 if water else 0.035 if windy else 0.012
    rate = 0.25 + 0.2 * float(draws[0])
    phase = float(draws[1])
    return lambda t: Pose(
        skew=reach * float(np.sin(2 * np.pi * (rate * t + phase)) + 0.4 * np.sin(2 * np.pi * (2.3 * rate * t + phase)))
    )


def _cast(direction: Direction, scene: Scene, prompt: str) -> dict[int, Action]:
    """Who does what: an action belongs to the nearest figure named before it, else to the first one after."""
    text = prompt.lower()
    named = sorted((text.find(thing.said.split()[-1]), index) for index, thing in enumerate(scene.things))
    casting: dict[int, Action] = {}
    for action in direction.actions:
        before = [index for at, index in named if 0 <= at < action.at]
        after = [index for at, index in named if at > action.at]
        doer = before[-1] if before else after[0] if after else None
        if doer is not None and doer not in casting:
            casting[doer] = action
    return casting


def _blocked(sprite: Sprite, action: Action | None, plan: Plan, rng: np.random.Generator) -> Sprite:
    """A sprite put where its action happens: whatever flies is in the air, whatever goes somewhere looks there."""
    if action is None:
        return sprite
    if action.kind == "fly" and sprite.stands != "air":
        ceiling = min(plan.horizon, 0.85)
        sprite = replace(
            sprite, stands="air", base=ceiling * float(rng.uniform(0.42, 0.8)), height=sprite.height * 0.75,
            depth=float(rng.uniform(0.25, 0.6)),
        )  # fmt: skip
    if action.toward and facing_of(sprite) != action.toward:
        sprite = replace(sprite, flipped=not sprite.flipped)
    return sprite


def _framed(sprite: Sprite, tall: float) -> Sprite:
    """A little nearer to the middle, for a moving camera sees less than the whole; `tall` turns heights into shares."""
    base = max(sprite.base, sprite.height * tall + 0.11) if sprite.stands == "air" else sprite.base
    return replace(sprite, x=0.5 + (sprite.x - 0.5) * 0.9, base=min(base, max(sprite.base, 0.9)))


def facing_of(sprite: Sprite) -> int:
    """Where a figure looks: -1 left, 1 right. OpenMoji's look left, as emoji do, but an animal's head gives it away:
    it is where the upper part's weight lies.
    """
    alpha = rasterise(sprite.figure, 48)[..., 3]
    columns = np.arange(alpha.shape[1])
    upper = alpha[:16]
    lean = float((upper * columns).sum() / max(upper.sum(), 1e-6) - (alpha * columns).sum() / max(alpha.sum(), 1e-6))
    native = 1 if lean > 0.09 * alpha.shape[1] else -1
    return -native if sprite.flipped else native


def _habitat(thing: Thing, sprite: Sprite) -> str:
    """What carries it decides: a bird on the ground stands, whatever floats in space hovers, houses do not breathe."""
    habitat = thing.entry.habitat
    if sprite.stands == "air" and habitat in {"ground", "bust", "table"}:
        return "air"
    if sprite.stands == "water" and habitat != "deep":
        return "surface"
    if sprite.stands in {"ground", "islet"} and habitat not in {"table", "heaven"}:
        return "ground" if dressable(thing.entry) or habitat != "ground" else "table"
    return habitat


def _nearness(plan: Plan, width: int, height: int) -> Plane:
    """Sky and walls upright and far, the ground running towards us: nearness grows evenly below the horizon."""
    rows, columns = max(16, round(192 * height / max(width, height))), max(16, round(192 * width / max(width, height)))
    y = (np.arange(rows, dtype=np.float32) + 0.5) / rows
    line = np.array([_ground_nearness(plan, float(value)) for value in y], np.float32)
    return np.repeat(line[:, None], columns, axis=1)


def _ground_nearness(plan: Plan, y: float) -> float:
    far = FAR.get(plan.setting, 0.06)
    if plan.horizon >= 1:
        return far
    return float(far + (1 - far) * np.clip((y - plan.horizon) / (1 - plan.horizon), 0, 1) * 0.9)


def _sprite_nearness(plan: Plan, sprite: Sprite) -> float:
    """On the ground a figure is as near as the ground under its feet; in the air its depth tells."""
    if sprite.stands in {"ground", "water", "islet"} and plan.horizon < 1:
        return _ground_nearness(plan, min(sprite.base, 1.0))
    return float(np.clip(0.8 - 0.65 * sprite.depth, 0.1, 0.95))


def _effects(direction: Direction, scene: Scene, plan: Plan) -> tuple[str, ...]:
    """What was asked for, and what such a place never goes without."""
    wanted = dict.fromkeys(direction.effects)
    weather = {"rain": "rain", "snowfall": "snow", "fog": "fog", "storm": "storm"}
    for name in scene.weather:
        if name in weather:
            wanted[weather[name]] = None
    if plan.setting in WAVES:
        wanted["water"] = None
    if plan.setting == "underwater":
        wanted["bubbles"] = None
    if plan.hour == "night" or plan.setting in {"space", "planet"}:
        wanted["twinkle"] = None
    if plan.setting in OUTDOORS and plan.hour != "night":
        wanted["clouds"] = None
    if "autumn" in scene.moods and plan.setting in {"forest", "meadow", "mountains"}:
        wanted["leaves"] = None
    if any(thing.entry.glows for thing in scene.things):
        wanted["flicker"] = None
    if plan.setting in {"room", "studio", "forest"} and not set(wanted) & {"rain", "snow", "dust", "leaves"}:
        wanted["dust"] = None
    if plan.setting in {"room", "studio", "space", "planet", "underwater"}:
        for outdoors in ("rain", "snow", "storm", "clouds"):
            wanted.pop(outdoors, None)
    return tuple(wanted)
