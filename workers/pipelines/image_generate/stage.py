"""What every painter gets: the canvas, the plan, the light and the random numbers of its own."""

from dataclasses import dataclass

import numpy as np

from workers.pipelines.image_generate.canvas import Canvas, stream
from workers.pipelines.image_generate.layout import Plan
from workers.pipelines.image_generate.palette import GROUNDS, Light, lit
from workers.pipelines.image_generate.scene import Rgb, Scene


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One picture in the making."""

    canvas: Canvas
    scene: Scene
    plan: Plan
    light: Light
    seed: int
    octaves: int
    """Finest noise octave of large textures: one more with `highDetail`."""
    accent: Rgb | None = None
    """The first thing's asked colour, so that a backdrop can contrast with it."""

    def rng(self, name: str) -> np.random.Generator:
        return stream(self.seed, name)

    @property
    def horizon(self) -> int:
        """The horizon's row."""
        return round(self.plan.horizon * self.canvas.height)

    def ground(self, *, haze: float = 0.0) -> tuple[Rgb, Rgb, Rgb]:
        """Far, middle and near colours of the setting under the hour's light."""
        far, middle, near = GROUNDS[self.plan.setting]
        return lit(far, self.light, haze=min(1, haze + 0.35)), lit(middle, self.light, haze=haze), lit(near, self.light)
