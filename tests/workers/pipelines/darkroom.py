"""Runs of the photo darkroom in tests, and the pictures it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from workers.pipelines.base import OutputFile, RunContext
from workers.pipelines.image_edit.pipeline import PIPELINE

WIDTH, HEIGHT = 320, 256
BALL = (160, 150, 52)
"""The red ball of `street`: middle and radius."""
HORIZON = 128


@dataclass(frozen=True)
class Edited:
    """One finished edit."""

    output: OutputFile
    info: dict[str, Any]

    @property
    def pixels(self) -> np.ndarray:
        """height × width × 3, 0..255, alpha laid on nothing."""
        with Image.open(self.output.path) as image:
            return np.asarray(image.convert("RGBA"), np.float64)[..., :3]

    @property
    def alpha(self) -> np.ndarray:
        with Image.open(self.output.path) as image:
            return np.asarray(image.convert("RGBA"), np.float64)[..., 3]

    @property
    def operations(self) -> list[str]:
        return [operation["name"] for operation in self.info["operations"]]


def edit(
    folder: Path,
    source: Path,
    prompt: str,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    output_format: str = "png",
    high_detail: bool = False,
    references: Sequence[Path] = (),
    seed: int = 7,
    step: Callable[[float, str], None] = lambda fraction, phase: None,
) -> Edited:
    """One real run in a fresh folder under `folder`."""
    workdir = folder / f"edit{len(list(folder.iterdir()))}"
    workdir.mkdir()
    params = {
        "prompt": prompt,
        "width": width,
        "height": height,
        "outputFormat": output_format,
        "highDetail": high_detail,
    }
    files = {"sourceImage": [source], "referenceImages": list(references)}
    result = PIPELINE.run(RunContext(params=params, files=files, seed=seed, workdir=workdir, step=step))
    assert [path.name for path in workdir.iterdir()] == [result.outputs[0].path.name]
    return Edited(result.outputs[0], dict(result.info))


def street() -> np.ndarray:
    """A blue sky over textured green ground with a red ball in the middle: everything has its known place."""
    rng = np.random.default_rng(3)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float64)
    rows = np.linspace(0, 1, HORIZON)[:, None]
    picture[:HORIZON] = np.stack([90 + 70 * rows, 150 + 50 * rows, 225 + 10 * rows], -1)
    grass = cv2.GaussianBlur(rng.normal(0, 60, (HEIGHT - HORIZON, WIDTH)), (0, 0), 1)[..., None]
    picture[HORIZON:] = np.array([84, 128, 62]) + grass
    x, y, radius = BALL
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    away = np.hypot(across - x, down - y)
    shade = np.clip(1.05 - np.hypot(across - x + 18, down - y + 18) / (radius * 2.4), 0.35, 1)[..., None]
    ball = np.array([214, 40, 36]) * shade + 10
    cover = np.clip(radius - away + 0.5, 0, 1)[..., None]
    return np.clip(picture + (ball - picture) * cover, 0, 255).astype(np.uint8)


def ball_mask(grow: float = 0) -> np.ndarray:
    x, y, radius = BALL
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.hypot(across - x, down - y) < radius + grow


def sharpness(pixels: np.ndarray, mask: np.ndarray) -> float:
    """Variance of the Laplacian where the mask is true."""
    grey = np.ascontiguousarray(pixels.mean(-1), np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F)[mask].var())


def psnr(first: np.ndarray, second: np.ndarray, mask: np.ndarray | None = None) -> float:
    difference = (first - second) ** 2
    error = float(difference[mask].mean() if mask is not None else difference.mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
