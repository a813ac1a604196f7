"""The singer's sounds: spectral envelopes of vowels and of consonants between vowels, as WORLD codes them.

`voice.npz` was recorded once by `record_voice_bank` from Kokoro-82M (Apache-2.0), its deep voice: its harmonics lie so
close together that the envelope between them is known well. The female singer is the same with a shorter vocal tract.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.pipelines.base import EngineFailed

Frames = NDArray[np.float64]
"""One row each 5 ms: `ENVELOPE` numbers of the envelope, then the breath in bands, then 1 where voiced."""

RATE = 24_000
FRAME_SECONDS = 0.005
FFT = 1024
ENVELOPE = 40
LEAD = 12
"""Frames of vowel kept before and after each consonant."""
VOWELS = "ɑɔæɛɪiʊuʌɜə"
DIPHTHONGS = "AIOWY"
CONSONANTS = "bpdtɡkmnŋfvθðszʃʒhlɹwjʧʤ"
NEIGHBOURS = "iɑu"
"""The vowels that each consonant was recorded between."""
_FILE = Path(__file__).parent / "voice.npz"


@dataclass(frozen=True)
class VoiceBank:
    """All sounds."""

    vowels: Mapping[str, Frames]
    """By sound: a vowel's one frame, a diphthong's first and last."""
    consonants: Mapping[tuple[str, str], Frames]
    """By sound and neighbouring vowel: LEAD frames of vowel, the consonant, LEAD frames of vowel."""


@cache
def voice_bank() -> VoiceBank:
    """The recordings.

    Raises:
        EngineFailed: they are missing.
    """
    try:
        with np.load(_FILE) as archive:
            sounds = {key: archive[key].astype(np.float64) for key in archive.files}
    except OSError as error:
        raise EngineFailed("The singer's recordings (voice.npz) are missing.", code="engine_missing") from error
    return VoiceBank(
        {key[1:]: frames for key, frames in sounds.items() if key[0] == "v"},
        {(key[1], key[2]): frames for key, frames in sounds.items() if key[0] == "c"},
    )
