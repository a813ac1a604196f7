"""The singer of ace.step.create: notes at their pitch and time, vowels and consonants that differ, two voices."""

import numpy as np
import pytest
import pyworld
from numpy.typing import NDArray

from workers.pipelines.ace_step_create import voice_bank
from workers.pipelines.ace_step_create.singing import FORMANTS, Sung, as_stereo, sing
from workers.pipelines.ace_step_create.soundfont import RATE
from workers.pipelines.ace_step_create.syllables import Syllable, syllables_of_word
from workers.pipelines.ace_step_create.voice_bank import CONSONANTS, DIPHTHONGS, LEAD, NEIGHBOURS, VOWELS
from workers.pipelines.base import EngineFailed


def sung(phrases: list[list[Sung]], *, singer: str = "male", seconds: float = 3, seed: int = 1) -> NDArray[np.float32]:
    return sing(phrases, singer=singer, samples=round(seconds * RATE), seed=seed, tick=lambda: None)


def ah(start: float, end: float, pitch: int, vowel: str = "ɑ", onset: str = "", coda: str = "") -> Sung:
    return Sung(Syllable(onset, vowel, coda, 2, True), start, end, pitch, 0.8)


def pitch_at(sound: NDArray[np.float32], start: float, end: float) -> float:
    """Median pitch of a stretch as a MIDI number."""
    part = sound[round(start * RATE) : round(end * RATE)].astype(np.float64)
    contour, _ = pyworld.harvest(part, RATE, f0_floor=70, f0_ceil=900)
    return float(69 + 12 * np.log2(np.median(contour[contour > 0]) / 440))


def spectrum(sound: NDArray[np.float32], start: float, end: float) -> NDArray[np.float64]:
    """Power in dB in 24 bands of 250 Hz."""
    part = sound[round(start * RATE) : round(end * RATE)].astype(np.float64)
    power = np.abs(np.fft.rfft(part * np.hanning(part.size))) ** 2
    bands = (np.fft.rfftfreq(part.size, 1 / RATE) // 250).astype(int)
    return 10 * np.log10(np.array([power[bands == band].mean() for band in range(24)]) + 1e-12)


def test_every_sound_of_the_dictionary_was_recorded() -> None:
    bank = voice_bank.voice_bank()
    assert set(bank.vowels) == set(VOWELS + DIPHTHONGS)
    assert set(bank.consonants) == {(sound, vowel) for sound in CONSONANTS for vowel in NEIGHBOURS}
    assert all(len(frames) == (2 if sound in DIPHTHONGS else 1) for sound, frames in bank.vowels.items())
    assert all(len(frames) > 2 * LEAD for frames in bank.consonants.values())
    assert all(np.isfinite(frames).all() for frames in (*bank.vowels.values(), *bank.consonants.values()))


@pytest.mark.parametrize("singer", FORMANTS)
def test_notes_are_sung_at_their_pitch_and_time(singer: str) -> None:
    low = 57 if singer == "male" else 64
    notes = [ah(0.5, 1.1, low), ah(1.1, 1.7, low + 5), ah(2.2, 2.8, low + 2)]
    sound = sung([notes], singer=singer)
    for note in notes:
        assert pitch_at(sound, note.start + 0.15, note.end - 0.05) == pytest.approx(note.pitch, abs=0.35)
    loudest = np.abs(sound).max()
    assert np.abs(sound[: round(0.45 * RATE)]).max() < 0.02 * loudest
    assert np.abs(sound[round(1.95 * RATE) : round(2.1 * RATE)]).max() < 0.1 * loudest
    assert np.abs(sound[round(0.6 * RATE) : round(1.6 * RATE)]).max() > 0.3 * loudest


def test_vowels_differ_as_they_do_in_speech() -> None:
    sounds = {vowel: sung([[ah(0.5, 1.5, 50, vowel)]], seconds=2) for vowel in "iɑu"}
    bands = {vowel: spectrum(sound, 0.7, 1.4) for vowel, sound in sounds.items()}
    second = slice(7, 12)  # 1.75..3 kHz: the second formant of i
    first = slice(2, 5)  # 0.5..1.25 kHz: the formants of ɑ
    assert (bands["i"][second].mean() - bands["i"][first].mean()) > (
        bands["ɑ"][second].mean() - bands["ɑ"][first].mean()
    ) + 6
    assert (bands["i"][second].mean() - bands["i"][first].mean()) > (
        bands["u"][second].mean() - bands["u"][first].mean()
    ) + 3


def test_consonants_sound_before_the_beat_and_hisses_are_unvoiced() -> None:
    plain = sung([[ah(0.5, 1.2, 52)]], seconds=2)
    hissed = sung([[ah(0.5, 1.2, 52, onset="s")]], seconds=2)
    before = slice(round(0.4 * RATE), round(0.47 * RATE))
    assert np.abs(plain[before]).max() < 0.1 * np.abs(hissed[before]).max()
    bands = spectrum(hissed, 0.4, 0.47)
    assert bands[16:].mean() > bands[:4].mean()
    contour, _ = pyworld.harvest(hissed[before].astype(np.float64), RATE, f0_floor=70, f0_ceil=400)
    assert np.mean(contour > 0) < 0.5
    humming = sung([[ah(0.5, 1.2, 52, coda="m")]], seconds=2)
    open_end, closed_end = spectrum(plain, 1.12, 1.19), spectrum(humming, 1.12, 1.19)
    assert (closed_end[0] - closed_end[3:12].mean()) > (open_end[0] - open_end[3:12].mean()) + 3


def test_the_female_singer_has_the_higher_resonances() -> None:
    male, female = (sung([[ah(0.5, 1.5, 55, "i")]], singer=singer, seconds=2) for singer in ("male", "female"))
    weights = np.arange(24)

    def centre(sound: NDArray[np.float32]) -> float:
        power = 10 ** (spectrum(sound, 0.7, 1.4)[6:16] / 10)
        return float((power * weights[6:16]).sum() / power.sum())

    assert centre(female) > centre(male) * 1.05


def test_words_of_any_shape_are_sung() -> None:
    words = ["strengths", "qwrtz", "世界", "hmm", "everything", "a", "twelfths", "ooooh"]
    phrase, at = [], 0.5
    for word in words:
        for syllable in syllables_of_word(word):
            phrase.append(Sung(syllable, at, at + 0.12, 55, 0.8))
            at += 0.12
    sound = sung([phrase, [], [ah(at + 1, at + 1.05, 60)]], seconds=at + 2)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 0.01


def test_the_seed_decides_every_sample() -> None:
    phrase = [[ah(0.2, 0.9, 55, onset="l")]]
    assert np.array_equal(sung(phrase, seconds=1), sung(phrase, seconds=1))
    assert not np.array_equal(sung(phrase, seconds=1), sung(phrase, seconds=1, seed=2))
    stereo = as_stereo(sung(phrase, seconds=1))
    assert stereo.shape == (2, RATE)
    assert not np.array_equal(stereo[0], stereo[1])


def test_missing_recordings_are_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(voice_bank, "_FILE", tmp_path / "voice.npz")  # type: ignore[operator]
    voice_bank.voice_bank.cache_clear()
    with pytest.raises(EngineFailed, match=r"recordings .* are missing") as failed:
        sung([[ah(0.2, 0.9, 55)]], seconds=1)
    voice_bank.voice_bank.cache_clear()
    assert failed.value.code == "engine_missing"
