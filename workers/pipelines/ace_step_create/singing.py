"""Singing: syllables on notes as a voice, their envelopes laid along the melody and resynthesised by WORLD.

A vowel begins on its note; the consonants before it sound just ahead of the beat, those after it at the note's end.
Pitch glides into notes and, on long ones, wavers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from workers.pipelines.ace_step_create.soundfont import RATE as SONG_RATE
from workers.pipelines.ace_step_create.soundfont import Stereo
from workers.pipelines.ace_step_create.syllables import Syllable
from workers.pipelines.ace_step_create.voice_bank import (
    ENVELOPE,
    FFT,
    FRAME_SECONDS,
    LEAD,
    RATE,
    Frames,
    VoiceBank,
    voice_bank,
)
from workers.pipelines.base import EngineFailed

_FRONT, _BACK = frozenset("iɪɛæAj"), frozenset("uʊOWɔw")
_FIRST_HALF = {"A": "ɛ", "I": "ɑ", "O": "ɔ", "W": "ɑ", "Y": "ɔ"}
_OTHER_NAMES = {"ᵻ": "ɪ", "ᵊ": "ə", "a": "ɑ", "ɒ": "ɑ", "Q": "O", "ɾ": "d", "ʔ": "t"}
_CORE_FRAMES = {"plosive": 18, "other": 21, "glide": 13}
_PLOSIVES, _GLIDES = frozenset("bpdtɡk"), frozenset("lɹwjh")
_MOST_CONSONANT_SHARE = 0.45
"""How much of the time between two vowels' starts consonants may take."""
_REST_SECONDS = 0.18
"""A gap as long as this between notes is a breath, not a legato."""
_RELEASE_FRAMES = 14
FORMANTS = {"male": 1.0, "female": 1.16}
"""The singers, and the factor on the resonances of the recorded voice."""
_FIRMNESS = 1.6
"""Sung vowels are less breathy than spoken ones: the factor on their breath in dB, which is negative."""
_NOISE_BOOST, _VOICED_BOOST = 0.5, 0.15
"""Consonants are louder than spoken, so that words carry over a band; in units of the coded envelope (nepers)."""


@dataclass(frozen=True)
class Sung:
    """A syllable, its note's start and end in seconds, its pitch (MIDI) and force 0..1."""

    syllable: Syllable
    start: float
    end: float
    pitch: int
    force: float


def sing(
    phrases: Sequence[Sequence[Sung]], *, singer: str, samples: int, seed: int, tick: Callable[[], None]
) -> NDArray[np.float32]:
    """All phrases as one mono track at the song's rate.

    Raises:
        EngineFailed: the vocoder or the singers' recordings are missing.
    """
    try:
        import pyworld
    except ImportError as error:
        raise EngineFailed("The vocoder (pyworld) is not installed.", code="engine_missing") from error
    own = voice_bank()
    out = np.zeros(samples, np.float32)
    rng = np.random.default_rng(seed)
    for phrase in phrases:
        tick()
        if not phrase:
            continue
        frames, pitch, begins = _laid(own, phrase, rng)
        envelope = pyworld.decode_spectral_envelope(np.ascontiguousarray(frames[:, :ENVELOPE]), RATE, FFT)
        envelope = _resonant(envelope, FORMANTS[singer])
        breath = pyworld.decode_aperiodicity(np.ascontiguousarray(frames[:, ENVELOPE:-1]), RATE, FFT)
        sound = pyworld.synthesize(pitch, envelope, breath, RATE, FRAME_SECONDS * 1000)
        sound = signal.resample_poly(sound, SONG_RATE // RATE, 1)
        start = round(begins * SONG_RATE)
        skip = max(0, -start)
        length = min(sound.size - skip, samples - start - skip)
        if length > 0:
            out[start + skip : start + skip + length] += sound[skip : skip + length].astype(np.float32)
    return out


def as_stereo(mono: NDArray[np.float32]) -> Stereo:
    """A voice in the middle with some presence, and a soft double of it on either side."""
    b, a = signal.butter(1, 2500, "highpass", fs=SONG_RATE)
    above = signal.lfilter(b.astype(np.float32), a.astype(np.float32), mono)
    bright = mono + np.float32(0.6) * np.asarray(above, np.float32)
    out = np.stack([bright, bright])
    for side, delay in enumerate((670, 1010)):
        out[side, delay:] += np.float32(0.3) * bright[:-delay]
    return out


def _resonant(envelope: Frames, factor: float) -> Frames:
    """The envelope's resonances moved up by `factor`."""
    if factor == 1.0:
        return np.asarray(envelope)
    source = np.minimum(np.arange(envelope.shape[1]) / factor, envelope.shape[1] - 1)
    low = source.astype(int)
    high = np.minimum(low + 1, envelope.shape[1] - 1)
    share = source - low
    logs = np.log(np.maximum(envelope, 1e-16))
    return np.ascontiguousarray(np.exp(logs[:, low] * (1 - share) + logs[:, high] * share))


def _laid(own: VoiceBank, phrase: Sequence[Sung], rng: np.random.Generator) -> tuple[Frames, Frames, float]:
    """Frames of a phrase, the pitch of each (0 where unvoiced), and the second it begins."""
    pieces: list[Frames] = []
    onsets = [_cluster(own, sung.syllable.onset, sung.syllable.vowel, leads=False) for sung in phrase]
    begins = phrase[0].start - len(onsets[0]) * FRAME_SECONDS
    cursor = 0  # frames laid so far; every vowel is aligned to its note by it
    for place, sung in enumerate(phrase):
        follows = place + 1 < len(phrase) and phrase[place + 1].start - sung.end < _REST_SECONDS
        until = phrase[place + 1].start if follows else sung.end
        start_frame = round((sung.start - begins) / FRAME_SECONDS)
        end_frame = max(start_frame + 8, round((until - begins) / FRAME_SECONDS))
        room = int((end_frame - start_frame) * _MOST_CONSONANT_SHARE)
        coda = _cluster(own, sung.syllable.coda, sung.syllable.vowel, leads=True)
        ahead = onsets[place + 1] if follows else coda[:0]
        squeezed = min(1.0, room / max(1, len(coda) + len(ahead)))
        coda, ahead = _squeezed(coda, squeezed), _squeezed(ahead, squeezed)
        if follows:
            onsets[place + 1] = ahead
        if place == 0:
            pieces.append(onsets[0])
            cursor = len(onsets[0])
        vowel = _vowel(own, sung.syllable.vowel, max(4, end_frame - cursor - len(coda) - len(ahead)))
        vowel[:, 0] += 0.6 * (sung.force - 0.7)
        pieces += [vowel, coda]
        cursor += len(vowel) + len(coda)
        if follows:
            pieces.append(ahead)
            cursor += len(ahead)
        elif place + 1 < len(phrase):
            rest = round((phrase[place + 1].start - begins) / FRAME_SECONDS) - cursor - len(onsets[place + 1])
            tail = _faded(pieces, max(2, rest))
            pieces += [tail, onsets[place + 1]]
            cursor += len(tail) + len(onsets[place + 1])
    pieces.append(_faded(pieces, _RELEASE_FRAMES))
    frames = _smoothed(np.concatenate(pieces), [len(piece) for piece in pieces])
    pitch = _pitch(phrase, len(frames), begins, rng)
    pitch[frames[:, -1] < 0.5] = 0.0
    return frames, pitch, begins


def _near(vowel: str) -> str:
    return "i" if vowel in _FRONT else "u" if vowel in _BACK else "ɑ"


def _cluster(own: VoiceBank, consonants: str, vowel: str, *, leads: bool) -> Frames:
    """The consonants beside a vowel: after it (`leads`: the vowel leads into them) or before it."""
    width = next(iter(own.vowels.values())).shape[1]
    parts = []
    kept = [_OTHER_NAMES.get(sound, sound) for sound in consonants][-3:]
    for place, sound in enumerate(kept):
        unit = own.consonants.get((sound, _near(vowel)))
        if unit is None:
            continue
        core = unit[LEAD:-LEAD]
        kind = "plosive" if sound in _PLOSIVES else "glide" if sound in _GLIDES else "other"
        core = _resized(core, min(len(core), _CORE_FRAMES[kind] if len(kept) == 1 else _CORE_FRAMES[kind] * 3 // 4))
        if leads and place == 0:
            core = np.concatenate([unit[LEAD - 6 : LEAD], core])
        if not leads and place + 1 == len(kept):
            core = np.concatenate([core, unit[-LEAD : -LEAD + 6]])
        parts.append(core)
    if not parts:
        return np.zeros((0, width))
    joined = np.concatenate(parts)
    joined[:, 0] += np.where(joined[:, -1] < 0.5, _NOISE_BOOST, _VOICED_BOOST)
    return joined


def _vowel(own: VoiceBank, sound: str, count: int) -> Frames:
    """A vowel held for `count` frames; a diphthong moves to its second half late."""
    known = own.vowels.get(_OTHER_NAMES.get(sound, sound))
    if known is None:
        known = own.vowels["ə"]
    known = known.copy()
    known[:, ENVELOPE:-1] = np.minimum(known[:, ENVELOPE:-1] * _FIRMNESS, -1.0)
    known[:, -1] = 1.0
    if len(known) == 1:
        return np.repeat(known, count, axis=0)
    turn = np.clip((np.arange(count) / max(1, count - 1) - 0.55) / 0.35, 0, 1)[:, None]
    return known[:1] * (1 - turn) + known[1:] * turn


def _squeezed(frames: Frames, share: float) -> Frames:
    return frames if share >= 1 else _resized(frames, max(0, round(len(frames) * share)))


def _resized(frames: Frames, count: int) -> Frames:
    if count == len(frames) or not len(frames):
        return frames
    return frames[np.round(np.linspace(0, len(frames) - 1, count)).astype(int)]


def _faded(pieces: Sequence[Frames], count: int) -> Frames:
    """The last frame dying away into silence of `count` frames."""
    last = next(piece[-1:] for piece in reversed(pieces) if len(piece))
    tail = np.repeat(last, count, axis=0)
    tail[:, 0] -= np.minimum(12.0, np.arange(1, count + 1) * 0.9)
    return tail


def _smoothed(frames: Frames, lengths: Sequence[int]) -> Frames:
    """Joints blended over 40 ms, so that no envelope jumps; whether a frame is voiced is left as it is."""
    out = frames.copy()
    at = 0
    for length in lengths[:-1]:
        at += length
        reach = 5
        low, high = max(0, at - reach), min(len(frames), at + reach)
        if high - low < 4:
            continue
        share = np.linspace(0, 1, high - low)[:, None]
        line = frames[low] * (1 - share) + frames[high - 1] * share
        weight = (1 - np.abs(np.linspace(-1, 1, high - low)))[:, None] * 0.8
        out[low:high, :-1] = out[low:high, :-1] * (1 - weight[:, :1]) + line[:, :-1] * weight[:, :1]
    return out


def _pitch(phrase: Sequence[Sung], count: int, begins: float, rng: np.random.Generator) -> Frames:
    """Hz at each frame: the notes, glides of 60 ms between them, vibrato on what is held, a little drift."""
    time = begins + np.arange(count) * FRAME_SECONDS
    semitones = np.full(count, float(phrase[0].pitch))
    waver = np.zeros(count)
    for before, sung in zip((None, *phrase), phrase, strict=False):
        here = time >= sung.start - 0.05
        semitones[here] = sung.pitch
        if before is None:  # into the first note from below
            semitones -= 1.2 * np.exp(-np.maximum(0, time - sung.start + 0.05) / 0.05) * (time < sung.start + 0.2)
        held = np.clip((time - sung.start - 0.22) / 0.3, 0, 1) * (time < sung.end)
        depth = 0.32 if sung.end - sung.start > 0.45 else 0.0
        waver = np.where(here, depth * held, waver)
    kernel = np.hanning(15)
    glided = np.convolve(np.pad(semitones, 7, mode="edge"), kernel / kernel.sum(), "valid")
    drift = np.convolve(rng.standard_normal(count + 80), np.ones(81) / 81, "valid") * 0.5
    vibrato = waver * np.sin(2 * np.pi * 5.5 * time + rng.random() * 6)
    return np.asarray(440 * 2 ** ((glided + vibrato + drift - 69) / 12), np.float64)
