"""Photo-like test pictures, runs of the video.generate engine, and what its clips show, measured."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from workers.pipelines.base import PipelineResult, RunContext
from workers.pipelines.video_generate.pipeline import PIPELINE

Picture = np.ndarray


def photo(width: int, height: int, *, seed: int = 3) -> Picture:
    """Something a lens could have seen: sky, ridges, ground and a round subject, with fine texture everywhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    tones = np.zeros((height, width), np.float32)
    for cells in (4, 9, 20, 45, 100):
        lattice = rng.random((cells * height // width + 2, cells + 2)).astype(np.float32)
        tones += cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC) / cells**0.45
    tones = (tones - tones.mean()) / tones.std()
    ridge = height * (0.45 + 0.06 * np.sin(x / width * 9) + 0.03 * np.sin(x / width * 31))
    sky = np.stack([120 + 60 * y / height, 160 + 50 * y / height, 225 + 0 * y], -1)
    land = np.stack([96 + 30 * tones, 104 + 28 * tones, 62 + 22 * tones], -1)
    picture = np.where((y < ridge)[..., None], sky + 6 * tones[..., None], land)
    ball = ((x - 0.55 * width) ** 2 + (y - 0.6 * height) ** 2) < (0.17 * height) ** 2
    picture[ball] = (np.array([196, 60, 44]) + 26 * tones[..., None])[ball]
    picture += rng.normal(0, 3, (height, width, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def window(picture: Picture, x: float, y: float, width: int, height: int, *, size: float = 1.0) -> Picture:
    """What a camera sees of a larger picture: a crop at a place of fractions of pixels."""
    matrix = np.array([[size, 0, x], [0, size, y]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)


def saved(picture: Picture, path: Path) -> Path:
    Image.fromarray(picture).save(path)
    return path


def film(
    workdir: Path,
    prompt: str = "slow push in",
    *,
    width: int = 256,
    height: int = 160,
    frames: int = 17,
    fps: int = 10,
    rate: int = 0,
    extreme: bool = False,
    seed: int = 11,
    step: Callable[[float, str], None] = lambda fraction, phase: None,
    **files: Sequence[Path],
) -> PipelineResult:
    """One run of the engine in a fresh folder."""
    workdir.mkdir()
    params: dict[str, Any] = {
        "prompt": prompt,
        "width": width,
        "height": height,
        "frames": frames,
        "sampledFps": fps,
        "interpolationFps": rate,
        "extremeQuality": extreme,
    }
    return PIPELINE.run(RunContext(params=params, files=files, seed=seed, workdir=workdir, step=step))


def shown(result: PipelineResult) -> list[Picture]:
    """The clip's decoded frames as RGB."""
    with av.open(str(result.outputs[0].path)) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]


def psnr(one: Picture, other: Picture) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((one.astype(np.float64) - other) ** 2))))


def camera_move(before: Picture, after: Picture) -> tuple[float, float, float]:
    """How the picture moved as a whole: growth, and the middle's shift right and down as shares of the width."""
    planes = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (before, after)]
    points = cv2.goodFeaturesToTrack(planes[0], 400, 0.005, 5)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(planes[0], planes[1], points, None, winSize=(25, 25), maxLevel=4)
    kept = found.ravel() == 1
    middle = np.array([before.shape[1] / 2, before.shape[0] / 2])
    a, b = points.reshape(-1, 2)[kept] - middle, moved.reshape(-1, 2)[kept] - middle
    matrix, _ = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=3)
    width = before.shape[1]
    return float(np.hypot(*matrix[:, 0])), float(matrix[0, 2] / width), float(matrix[1, 2] / width)


def changes(frames: Sequence[Picture]) -> np.ndarray:
    """Mean change of brightness from each frame to the next, of 255, with the coder's grain smoothed away."""
    small = [
        cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for frame in frames
    ]
    return np.array([np.abs(a.astype(float) - b).mean() for a, b in pairwise(small)])
