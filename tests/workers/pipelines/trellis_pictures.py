"""Pictures whose silhouette is known, and runs of trellis.generate on them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tests.workers.pipelines.rasteriser import Shape, load
from workers.pipelines.base import PipelineResult, RunContext
from workers.pipelines.trellis_generate.pipeline import PIPELINE

RED, YELLOW, BLUE = (214, 58, 40), (246, 206, 62), (40, 84, 190)
GREEN = (60, 220, 90)
SETTINGS: dict[str, Any] = {
    "qualityPreset": "balanced",
    "targetFaceCount": 6_000,
    "textureSize": 512,
    "textureResolution": 512,
    "maxViews": 4,
    "sparseStructureSteps": 12,
    "shapeSteps": 12,
    "textureSteps": 12,
    "meshResolution": 256,
    "removeBackground": True,
    "padding": 8,
    "refinerResolution": 512,
    "refinerDownsampling": 32,
    "remeshFillHoles": True,
    "remeshFillHolesMaxPerimeter": 0.03,
    "remeshRemoveFloaters": True,
    "remeshRemoveInnerFaces": True,
    "meshClusterConeHalfAngleRad": 60.0,
    "postprocessPositionEpsilon": 1e-5,
    "postprocessNormalCreaseDeg": 45.0,
}


@dataclass(frozen=True)
class Made:
    """One run's file, read back."""

    result: PipelineResult
    path: Path
    shape: Shape

    @property
    def info(self) -> Any:
        return self.result.info


def make(
    folder: Path, picture: Image.Image | Path, *, step: Callable[[float, str], None] | None = None, **changed: Any
) -> Made:
    """Run the engine on a picture in an empty folder below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = picture if isinstance(picture, Path) else folder / "source.png"
    if not isinstance(picture, Path):
        picture.save(source)
    workdir = folder / "work"
    workdir.mkdir()
    seed = changed.pop("seed", 7)
    context = RunContext(
        params=SETTINGS | changed,
        files={"sourceImage": [source]},
        seed=seed,
        workdir=workdir,
        step=step or (lambda fraction, phase: None),
    )
    result = PIPELINE.run(context)
    [output] = result.outputs
    assert [output.path] == list(workdir.iterdir())
    return Made(result=result, path=output.path, shape=load(output.path))


def creature(size: int = 400) -> Image.Image:
    """A red body, a yellow head at its upper left, a blue foot below: no two of its sides look alike. RGBA."""
    image = Image.new("RGBA", (size * 2, size * 2), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)

    def ellipse(left: float, top: float, right: float, bottom: float, color: tuple[int, int, int]) -> None:
        draw.ellipse([2 * size * side for side in (left, top, right, bottom)], fill=(*color, 255))

    ellipse(0.52, 0.62, 0.66, 0.9, BLUE)
    ellipse(0.25, 0.35, 0.8, 0.78, RED)
    ellipse(0.2, 0.12, 0.5, 0.45, YELLOW)
    return image.resize((size, size), Image.Resampling.BOX)


def on_plain(image: Image.Image, color: tuple[int, int, int] = GREEN) -> Image.Image:
    """The picture on one colour that is brighter above than below, as a studio's backdrop is."""
    ramp = np.linspace(1.06, 0.9, image.height)[:, None, None]
    wall = np.clip(np.full((image.height, image.width, 3), color) * ramp, 0, 255).astype(np.uint8)
    return _behind(image, Image.fromarray(wall))


def on_busy(image: Image.Image) -> Image.Image:
    """The picture before a lawn of blades in many greens."""
    drawn = np.random.default_rng(3)
    lawn = Image.new("RGB", image.size, (50, 120, 60))
    draw = ImageDraw.Draw(lawn)
    for x, y, reach, shade in drawn.random((4000, 4)):
        at = (x * image.width, y * image.height)
        tip = (at[0] + 6 * (reach - 0.5), at[1] - 14 * reach)
        draw.line([at, tip], fill=(int(20 + 70 * shade), int(90 + 120 * shade), int(30 + 60 * shade)), width=2)
    return _behind(image, lawn)


def disc(
    size: int = 320, *, radius: float = 0.4, hole: float = 0.0, dots: tuple[tuple[float, float, float], ...] = ()
) -> Image.Image:
    """A red disc with alpha around it, a hole in it, and dots (x, y, radius) beside it, all in shares of the size."""
    image = Image.new("RGBA", (4 * size, 4 * size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)

    def circle(x: float, y: float, reach: float, color: tuple[int, int, int, int]) -> None:
        draw.ellipse([4 * size * side for side in (x - reach, y - reach, x + reach, y + reach)], fill=color)

    circle(0.5, 0.5, radius, (*RED, 255))
    if hole:
        circle(0.5, 0.5, hole, (0, 0, 0, 0))
    for x, y, reach in dots:
        circle(x, y, reach, (*RED, 255))
    return image.resize((size, size), Image.Resampling.BOX)


def _behind(image: Image.Image, wall: Image.Image) -> Image.Image:
    wall = wall.copy()
    wall.paste(image, mask=image.getchannel("A"))
    return wall


def fitted(image: Image.Image, *, size: int, longest: float) -> tuple[Any, Any]:
    """What a front view of `size` pixels a metre should show: colours (0..1) and mask, the subject in the middle."""
    left, top, right, bottom = image.getchannel("A").point(lambda alpha: 255 if alpha > 127 else 0).getbbox()  # type: ignore[misc]
    scale = longest * size / max(right - left, bottom - top)
    center = ((left + right) / 2, (top + bottom) / 2)
    half = size / scale / 2
    view = image.transform(
        (size, size),
        Image.Transform.AFFINE,
        (1 / scale, 0, center[0] - half, 0, 1 / scale, center[1] - half),
        Image.Resampling.BILINEAR,
    )
    pixels = np.asarray(view, dtype=np.float64) / 255
    return pixels[..., :3], pixels[..., 3] > 0.5


def overlap(one: Any, other: Any) -> float:
    """Intersection over union of two masks."""
    return float((one & other).sum() / (one | other).sum())
