"""Text read aloud by one of Kokoro's voices as it is: no tags, no vocoder."""

import numpy as np

from workers.pipelines.audio_speak.kokoro import FEMALE, RATE, Mono, Style, synthesize, trim
from workers.pipelines.audio_speak.phonemes import breaths

_PAUSE = 0.3


def say(text: str, voice: str | Style = FEMALE[0], speed: float = 1.0) -> Mono:
    """Speak English text of any length, sentence by sentence, without effects; see `kokoro.synthesize`.

    Numbers, dates, money and the like are read as words. Returns float32 mono at `RATE`; empty where the text
    holds nothing to say.
    """
    parts: list[Mono] = []
    for breath in breaths(text):
        parts += [trim(synthesize(breath.phonemes, voice, speed)), np.zeros(round(RATE * _PAUSE), np.float32)]
    return np.concatenate(parts[:-1]) if parts else np.zeros(0, np.float32)
