"""Forced alignment: pocketsphinx fits a row of known words to a sound."""

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from workers.pipelines.audio_annotation_reference.recognition import SPEECH_RATE, missing

ALIGNER = "pocketsphinx 5 en-us"
FRAME = 0.01
"""Seconds: the aligner's raster."""
NARROW: Mapping[str, float] = {}
"""The search's own beams."""
WIDE: Mapping[str, float] = {"beam": 1e-120, "wbeam": 1e-100, "pbeam": 1e-120}
_SHORTEST = SPEECH_RATE // 10
_loading = threading.Lock()


def dictionary() -> Path:
    """The aligner's pronouncing dictionary.

    Raises:
        EngineFailed: pocketsphinx is not installed.
    """
    return _model() / "cmudict-en-us.dict"


def force(
    sounds: Sequence[Sequence[str]], *, sound: np.ndarray, folder: Path, beams: Mapping[str, float] = NARROW
) -> list[tuple[float, float]]:
    """Start and end, in seconds, of each word in a mono sound at `SPEECH_RATE`.

    `sounds` are the words' pronunciations. Fewer words than given come back where the aligner lost its way before
    the last one; none where it refuses. `folder` takes a file while it works.
    """
    if not sounds or len(sound) < _SHORTEST:
        return []
    names: dict[tuple[str, ...], str] = {}
    for variants in sounds:
        names.setdefault(tuple(variants), f"w{len(names)}")
    entries = [
        f"{name}({number})\t{phones}" if number > 1 else f"{name}\t{phones}"
        for variants, name in names.items()
        for number, phones in enumerate(variants, 1)
    ]
    words = folder / "words.dict"
    words.write_text("\n".join(entries) + "\n", encoding="ascii")
    text = " ".join(names[tuple(variants)] for variants in sounds)
    try:
        return _decode(text, (np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes(), words=words, beams=beams)
    finally:
        words.unlink()


def _decode(text: str, samples: bytes, *, words: Path, beams: Mapping[str, float]) -> list[tuple[float, float]]:
    import pocketsphinx

    # A decoder of its own: it loads in a twentieth of a second, and what one sound taught it (the live mean of its
    # spectrum, new words) does not reach the next.
    decoder = pocketsphinx.Decoder(
        hmm=str(_model() / "en-us"), dict=str(words), lm=None, loglevel="FATAL", cmn="batch", **beams
    )
    decoder.set_align_text(text)
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [
        (segment.start_frame * FRAME, (segment.end_frame + 1) * FRAME)
        for segment in decoder.seg()
        if segment.word.startswith("w")
    ]


def _model() -> Path:
    with _loading:
        return _found_model()


@cache
def _found_model() -> Path:
    try:
        import pocketsphinx
    except ModuleNotFoundError as error:
        raise missing(error.name or "pocketsphinx") from error
    return Path(pocketsphinx.get_model_path("en-us"))
