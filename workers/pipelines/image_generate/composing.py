"""A scene painted for other engines: the composer's picture without a style, a file or a progress report."""

from dataclasses import dataclass

from PIL import Image

from workers.pipelines.image_generate.backdrops import PAINTERS
from workers.pipelines.image_generate.canvas import Canvas
from workers.pipelines.image_generate.drawing import draw_figures, draw_scenery, draw_weather, finish_light, turn_leaves
from workers.pipelines.image_generate.layout import plan_scene
from workers.pipelines.image_generate.palette import graded, light_of, mood_grade
from workers.pipelines.image_generate.reading import read
from workers.pipelines.image_generate.stage import Stage


@dataclass(frozen=True)
class Composed:
    """A painted scene."""

    image: Image.Image
    unknown: list[str]
    """Words that said nothing to the composer."""
    understood: bool
    """Whether anything was understood: a setting, an hour, weather, an object."""


def composed(prompt: str, *, width: int, height: int, seed: int, bare: bool = False) -> Composed:
    """Paint a prompt at a size. The same prompt, size and seed give the same pixels.

    `bare` leaves out figures, scenery and falling weather: a backdrop alone.
    """
    scene = read(prompt)
    plan = plan_scene(scene, width=width, height=height, seed=seed)
    stage = Stage(
        canvas=Canvas(width, height), scene=scene, plan=plan, light=light_of(scene, plan.hour), seed=seed, octaves=3
    )
    PAINTERS[plan.setting](stage)
    if not bare:
        draw_scenery(stage)
    if "autumn" in scene.moods:
        turn_leaves(stage)
    if not bare:
        draw_figures(stage, lambda _: None)
        draw_weather(stage)
    image = finish_light(stage)
    mood = mood_grade(scene)
    understood = bool(
        scene.setting or scene.hour or scene.weather or scene.heavens or scene.things or scene.sky or scene.moods
    )
    return Composed(graded(image, mood) if mood else image, list(scene.unknown), understood)
