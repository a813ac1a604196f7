"""audio.annotation.reference on music: tempo, beats, bars, key and sections against what was composed."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import resample_poly

from tests.workers.pipelines.lavfi import run_engine
from tests.workers.pipelines.songs import RATE as SONG_RATE
from tests.workers.pipelines.songs import Song, clicks, compose
from workers.pipelines.audio_annotation_reference import music
from workers.pipelines.audio_annotation_reference.beats import NoPulse, Pulse
from workers.pipelines.audio_annotation_reference.document import AnnotationDocument
from workers.pipelines.audio_annotation_reference.recognition import Recognition
from workers.pipelines.audio_annotation_reference.spectra import RATE
from workers.pipelines.audio_annotation_reference.structure import Mark, parts_of, place_marks, place_marks_in_speech
from workers.sound import write_wav

FORM = [("intro", 4), ("verse", 8), ("chorus", 8), ("break", 4), ("chorus", 8)]
NO_VOICE = Recognition(words=(), voiced=(), disbelieved=0)
LYRICS = """[Intro]

[Verse]
Morning light across the window pane
Silver rivers running after rain
Every road is leading home again
Carry me to where the summer began

[Chorus]
We are rising with the morning sun
We are singing now that night is done
Hold my hand until the day is won
We are rising with the morning sun

[Outro]
"""


def listen(samples: np.ndarray, rate: int = SONG_RATE) -> music.Music:
    resampled = resample_poly(samples, RATE, rate, axis=1).astype(np.float32)
    return music.hear(resampled, speech=resampled, recognition=NO_VOICE, step=lambda done: None)


def octave_error(bpm: float, truth: float) -> float:
    """How far a tempo is from another, or from its half or double."""
    return min(abs(bpm / (truth * octave) - 1) for octave in (0.5, 1, 2))


def distances(times: Any, truth: Any) -> np.ndarray:
    return np.array([np.abs(np.asarray(truth) - time).min() for time in times])


@pytest.fixture(scope="module")
def song() -> Song:
    return compose(bpm=120, beats_a_bar=4, form=FORM, tonic=62)


@pytest.fixture(scope="module")
def heard(song) -> music.Music:
    return listen(song.samples)


@pytest.mark.parametrize(
    ("bpm", "beats_a_bar"),
    [
        (60, 4),
        (72, 3),
        (84, 4),
        (97, 3),
        (110, 5),
        (120, 6),
        (133, 4),
        (140, 7),
        (150, 3),
        (168, 4),
        (184, 4),
        (200, 4),
    ],
)
def test_tempo_is_within_two_percent_or_an_octave_of_it_and_bars_are_found(bpm, beats_a_bar):
    composed = compose(bpm=bpm, beats_a_bar=beats_a_bar, form=[("verse", 4), ("chorus", 4)])
    found = listen(composed.samples)
    assert isinstance(found.pulse, Pulse)
    assert octave_error(found.pulse.bpm, bpm) < 0.005
    assert found.pulse.steady
    halves = [(one + other) / 2 for one, other in pairwise(composed.beats)]
    assert distances(found.pulse.times, composed.beats + halves).mean() < 0.02
    assert distances(found.downbeats, composed.downbeats).min() < 0.05
    if abs(found.pulse.bpm / bpm - 1) < 0.02:
        assert found.meter is not None
        assert found.meter.beats_a_bar == beats_a_bar
        assert distances(found.downbeats, composed.downbeats).max() < 0.05


@pytest.mark.parametrize("bpm", [75, 100, 128, 160])
def test_a_metronomes_beats_are_its_clicks(bpm):
    samples, times = clicks(bpm=bpm, seconds=20)
    found = listen(samples)
    assert isinstance(found.pulse, Pulse)
    assert found.pulse.bpm == pytest.approx(bpm, rel=0.002)
    assert distances(times, found.pulse.times).max() < 0.015
    assert len(found.pulse.times) == len(times)


def test_every_beat_is_found_once(song, heard):
    assert isinstance(heard.pulse, Pulse)
    assert len(heard.pulse.times) == pytest.approx(len(song.beats), abs=1)
    assert distances(song.beats[1:-1], heard.pulse.times).max() < 0.03


def test_a_tempo_that_drifts_is_followed():
    moments = np.cumsum(60 / np.linspace(100, 112, 60)) + 0.2
    samples = np.zeros((1, round((moments[-1] + 0.5) * SONG_RATE)), np.float32)
    click = np.exp(-np.arange(800) / 120) * np.sin(np.arange(800) * 0.25)
    for moment in moments:
        samples[0, round(moment * SONG_RATE) :][:800] += 0.8 * click
    found = listen(samples)
    assert isinstance(found.pulse, Pulse)
    assert not found.pulse.steady
    assert 100 < found.pulse.bpm < 112
    assert distances(moments, found.pulse.times).max() < 0.04


@pytest.mark.parametrize("kind", ["noise", "tone", "short", "sparse"])
def test_what_has_no_pulse_has_no_beats(kind):
    noise = np.random.default_rng(5).standard_normal((1, 20 * SONG_RATE)).astype(np.float32)
    moments = np.cumsum(np.random.default_rng(6).uniform(0.2, 1.9, 20))
    sparse = np.zeros_like(noise)
    for moment in moments[moments < 19]:
        sparse[0, round(moment * SONG_RATE) :][:2000] += noise[0, :2000] * 0.2
    samples = {
        "noise": 0.1 * noise,
        "tone": 0.5 * np.sin(np.arange(20 * SONG_RATE)[None] * 2 * np.pi * 440 / SONG_RATE).astype(np.float32),
        "short": clicks(bpm=120, seconds=3)[0],
        "sparse": sparse,
    }[kind]
    found = listen(samples)
    assert isinstance(found.pulse, NoPulse)
    assert found.pulse.why
    assert found.bars is None
    assert len(found.downbeats) == 0


@pytest.mark.parametrize(("tonic", "name"), [(57, "A"), (60, "C"), (66, "F#")])
def test_key_is_the_one_composed_in(tonic, name):
    found = listen(compose(bpm=110, beats_a_bar=4, form=[("verse", 8)], tonic=tonic).samples)
    assert found.key is not None
    assert (found.key.tonic, found.key.mode) == (name, "minor")


def test_parts_are_cut_where_sections_were_composed_and_a_repeat_has_the_same_letter(song, heard):
    assert heard.bars is not None
    parts = parts_of(heard.bars)
    bar = 2.0
    composed = [start for _, start in song.sections]
    assert distances([part.start for part in parts[1:]], composed).max() < bar / 2
    found = {round((part.start - 0.3) / bar): part.label for part in parts}
    assert found[24] != found[20], "the break is another part than the chorus after it"
    assert parts[0].start == 0
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert parts[-1].end == pytest.approx(song.samples.shape[1] / SONG_RATE, abs=0.01)


def test_marks_without_words_are_placed_by_the_music(song, heard):
    assert heard.bars is not None
    marks = [
        Mark(label=kind, lines=0 if kind in ("intro", "break") else 4, first_word=None, last_word=None)
        for kind, _ in song.sections
    ]
    parts = place_marks(marks, bars=heard.bars)
    assert [part.label for part in parts] == [kind for kind, _ in song.sections]
    for part, (_, start) in zip(parts, song.sections, strict=True):
        assert abs(part.start - start) <= 2.0, "within a bar"
    assert {part.source for part in parts[1:]} <= {"music", "guess"}


def test_marks_with_words_begin_on_the_bar_of_their_first_word(song, heard):
    assert heard.bars is not None
    _, verse, chorus, pause, again = (start for _, start in song.sections)
    # The verse begins with an upbeat, the chorus a little after its bar.
    sung = {1: (verse - 0.4, chorus - 1), 2: (chorus + 0.5, pause - 0.5), 4: (again + 0.1, again + 14)}
    marks = [
        Mark(
            label=kind, lines=4, first_word=sung.get(place, (None, None))[0], last_word=sung.get(place, (None, None))[1]
        )
        for place, (kind, _) in enumerate(song.sections)
    ]
    parts = place_marks(marks, bars=heard.bars)
    for part, (_, start) in zip(parts[1:], song.sections[1:], strict=True):
        assert part.start == pytest.approx(start, abs=0.05)
    assert [part.source for part in parts] == ["guess", "words", "words", "music", "words"]


def test_more_marks_than_bars_still_share_the_sound(heard):
    assert heard.bars is not None
    few = replace(heard.bars, starts=heard.bars.starts[:2], novelty=heard.bars.novelty[:2])
    marks = [Mark(label=str(place), lines=1, first_word=None, last_word=None) for place in range(4)]
    parts = place_marks(marks, bars=few)
    assert [part.start for part in parts] == pytest.approx([few.seconds * place / 4 for place in range(4)])


def test_marks_in_speech_without_words_lie_between_their_neighbours():
    marks = [
        Mark(label="a", lines=1, first_word=1.0, last_word=4.0),
        Mark(label="b", lines=1, first_word=None, last_word=None),
        Mark(label="c", lines=1, first_word=8.0, last_word=9.0),
    ]
    parts = place_marks_in_speech(marks, seconds=10)
    assert [(part.start, part.end) for part in parts] == [(1.0, 4.0), (4.0, 8.0), (8.0, 10)]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("tags", "bpm", "signature"),
    [("pop, upbeat", 120, "4"), ("waltz, piano, strings", 150, "3")],
)
def test_songs_of_the_platform_are_read_back(tags, bpm, signature, tmp_path):
    composed, path = _composed(tags, bpm=bpm, signature=signature, workdir=tmp_path / "song")
    result = run_engine(
        "audio_annotation_reference",
        params={"transcript": LYRICS, "language": "en", "transcriptionModel": "distil-large-v3", "device": "cpu"},
        files={"sourceAudio": [path]},
        workdir=tmp_path / "run",
    )
    text = result.outputs[0].path.read_text()
    AnnotationDocument.model_validate_json(text)
    document = json.loads(text)
    beats = document["beats"]
    assert octave_error(beats["bpm"], bpm) < 0.02
    assert beats["steady"]
    if abs(beats["bpm"] / bpm - 1) < 0.02:
        assert beats["timeSignature"] == f"{signature}/4"
    bar = 60 / bpm * int(signature)
    assert [section["label"] for section in document["sections"]] == [part["label"] for part in composed]
    for section, part in zip(document["sections"], composed, strict=True):
        assert abs(section["start"] - part["start"]) <= 2.1 * bar
    assert document["sections"][-1]["end"] == document["durationSeconds"]
    assert (document["key"]["tonic"], document["key"]["mode"]) == ("D", "major")
    assert result.info["counts"]["beats"] == len(beats["times"])


def _composed(tags: str, *, bpm: int, signature: str, workdir: Path) -> tuple[list[dict[str, Any]], Path]:
    params = {
        "tags": tags,
        "lyrics": LYRICS,
        "qualityPreset": "default",
        "durationSeconds": 30,
        "bpm": bpm,
        "timeSignature": signature,
        "keyScale": "D major",
        "quality": "128k",
        "steps": 8,
        "textCfgScale": 5.0,
        "samplerCfg": 5.0,
        "temperature": 1.0,
        "topP": 0.9,
        "topK": 50,
        "minP": 0.05,
        "language": "en",
    }
    made = run_engine("ace_step_create", params=params, files={}, workdir=workdir)
    return list(made.info["sections"]), made.outputs[0].path


def test_a_file_of_music_without_voice_or_marks_gets_beats_letters_and_no_words(song, tmp_path):
    write_wav(song.samples[:, : 40 * SONG_RATE], rate=SONG_RATE, path=tmp_path / "song.wav")
    result = run_engine(
        "audio_annotation_reference",
        params={"language": "en", "transcriptionModel": "large-v3", "device": "auto"},
        files={"sourceAudio": [tmp_path / "song.wav"]},
        workdir=tmp_path / "run",
    )
    document = json.loads(result.outputs[0].path.read_text())
    assert document["words"] == []
    assert document["lyrics"] == {"source": "none", "text": "", "lines": []}
    assert document["beats"]["bpm"] == pytest.approx(120, rel=0.005)
    assert document["beats"]["timeSignature"] == "4/4"
    assert [section["label"] for section in document["sections"]][:2] == ["A", "B"]
    assert "No words were heard." in document["qa"]["notes"]
