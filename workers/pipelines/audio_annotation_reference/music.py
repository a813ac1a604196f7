"""What of a sound is music: its pulse, bars, key, and what it sounds like bar by bar."""

from dataclasses import dataclass

import numpy as np

from workers.pipelines.audio_annotation_reference.beats import NoPulse, Pulse, band_flux, find_pulses, onsets_of
from workers.pipelines.audio_annotation_reference.harmony import Key, find_key
from workers.pipelines.audio_annotation_reference.meter import Meter, count_bars
from workers.pipelines.audio_annotation_reference.recognition import SPEECH_RATE, Recognition
from workers.pipelines.audio_annotation_reference.spectra import RATE, Step, mel_frames, note_frames, pitch_classes
from workers.pipelines.audio_annotation_reference.structure import Bars, bars_of
from workers.sound import Samples

_MOSTLY_VOICE = 0.3
_BACKGROUND = -32.0
"""Decibels between the voice and what sounds in its pauses, below which nothing plays under it."""


@dataclass(frozen=True, kw_only=True)
class Music:
    """What was heard; without a pulse no bars and no key."""

    pulse: Pulse | NoPulse
    meter: Meter | None = None
    bars: Bars | None = None
    key: Key | None = None

    @property
    def downbeats(self) -> np.ndarray:
        """The beats that begin bars."""
        if self.meter is None or not isinstance(self.pulse, Pulse):
            return np.zeros(0)
        return self.pulse.times[self.meter.first_downbeat :: self.meter.beats_a_bar]


def hear(full: Samples, *, speech: Samples, recognition: Recognition, step: Step) -> Music:
    """Listen to a mono sound at `RATE` (`speech` is the same at the recogniser's rate)."""
    step(0.0)
    seconds = full.shape[1] / RATE
    if _only_a_voice(speech, recognition):
        return Music(pulse=NoPulse(why="a voice speaks and nothing plays in its pauses"))
    mel = mel_frames(full, step=lambda done: step(0.3 * done))
    flux = band_flux(mel)
    pulses = find_pulses(onsets_of(flux), seconds=seconds, step=lambda done: step(0.3 + 0.4 * done))
    if isinstance(pulses, NoPulse):
        return Music(pulse=pulses)
    chroma = pitch_classes(note_frames(full, step=lambda done: step(0.7 + 0.2 * done)))
    pulse, meter = count_bars(pulses, flux=flux, chroma=chroma)
    downbeats = pulse.times[meter.first_downbeat :: meter.beats_a_bar]
    step(0.9)
    return Music(
        pulse=pulse,
        meter=meter,
        bars=bars_of(downbeats, mel=mel, chroma=chroma, seconds=seconds),
        key=find_key(chroma),
    )


def _only_a_voice(speech: Samples, recognition: Recognition) -> bool:
    """Whether the sound is speech with nothing under it: its pauses are as good as silent."""
    seconds = speech.shape[1] / SPEECH_RATE
    if sum(end - start for start, end in recognition.voiced) < _MOSTLY_VOICE * seconds:
        return False
    voice = np.zeros(speech.shape[1], bool)
    for start, end in recognition.voiced:
        voice[round(start * SPEECH_RATE) : round(end * SPEECH_RATE)] = True
    # Too short a rest says nothing.
    if (~voice).sum() < 0.5 * SPEECH_RATE:
        return False
    within, between = (float(np.mean(np.square(speech[0, part], dtype=np.float64))) for part in (voice, ~voice))
    return 10 * np.log10((between + 1e-12) / (within + 1e-12)) < _BACKGROUND
