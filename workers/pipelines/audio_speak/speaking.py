"""A text spoken by one voice with one change: breath by breath through the model, then the vocoder, then joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workers.pipelines.audio_speak import kokoro
from workers.pipelines.audio_speak.kokoro import RATE, Mono, Style
from workers.pipelines.audio_speak.phonemes import Breath
from workers.pipelines.audio_speak.vocoder import Change, Frames, pitch_contour, reshape

_EDGE = 0.006
_LEAD, _TAIL = 0.08, 0.25
_SPOKEN = 0.8
"""The share of the work that the model does; the rest is the vocoder's."""

Step = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """Who speaks, and how."""

    style: Style
    usual_pitch: float
    """Hz, of the style as it is."""
    pace: float
    change: Change
    pitch: float | None = None
    """Hz, the median to reach over the whole text; None leaves it."""


def speak(breaths: Sequence[Breath], manner: Manner, random: np.random.Generator, step: Step) -> Mono:
    """The breaths in order with their pauses, float32 mono at `kokoro.RATE`, not yet levelled.

    `random` moves pace and pauses a little from breath to breath, as a reader does.
    """
    shaped = manner.change.needed or manner.pitch is not None
    share = _SPOKEN if shaped else 1.0
    size = sum(len(breath.phonemes) for breath in breaths)
    done, spoken, contours = 0, list[Mono](), list[Frames]()
    for breath in breaths:
        attend = _attend(step, share * done / size, share * len(breath.phonemes) / size)
        pace = manner.pace * random.uniform(0.98, 1.02)
        spoken.append(kokoro.trim(kokoro.synthesize(breath.phonemes, manner.style, pace, attend), margin=0.05))
        done += len(breath.phonemes)
        step(share * done / size)
        if shaped:
            contours.append(pitch_contour(spoken[-1], around=manner.usual_pitch))
            step(share * done / size)
    if shaped:
        change = _aimed(manner, contours)
        for place, contour in enumerate(contours):
            spoken[place] = reshape(spoken[place], contour, change, random)
            step(share + (1 - share) * (place + 1) / len(breaths))
    return _joined(spoken, [breath.pause * random.uniform(0.9, 1.1) / manner.pace for breath in breaths])


def _aimed(manner: Manner, contours: Sequence[Frames]) -> Change:
    """The change with its centre where the text's pitch really lies, and the factor that moves it to the aim."""
    every = np.concatenate(contours)
    voiced = every[every > 0]
    centre = float(np.median(voiced)) if voiced.size else manner.usual_pitch
    factor = manner.pitch / centre if manner.pitch is not None else manner.change.pitch
    return replace(manner.change, centre=centre, pitch=factor)


def _attend(step: Step, done: float, part: float) -> Callable[[], None]:
    """Progress while the model is busy with one breath: halves of what is left of it, so it never runs past the end."""
    left = part

    def attend() -> None:
        nonlocal left
        left *= 0.8
        step(done + part - left)

    return attend


def _joined(spoken: Sequence[Mono], pauses: Sequence[float]) -> Mono:
    parts = [np.zeros(round(_LEAD * RATE), np.float32)]
    for samples, pause in zip(spoken, pauses, strict=True):
        parts += [_faded(samples), np.zeros(round(pause * RATE), np.float32)]
    parts[-1] = np.zeros(round(_TAIL * RATE), np.float32)
    return np.concatenate(parts)


def _faded(samples: Mono) -> Mono:
    """Without a step at either edge, which would click against the silence."""
    reach = min(round(_EDGE * RATE), samples.size // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, reach, dtype=np.float32)) ** 2
    faded = samples.copy()
    faded[:reach] *= ramp
    faded[faded.size - reach :] *= ramp[::-1]
    return faded
