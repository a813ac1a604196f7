"""ace.step.create's real files, decoded and measured: length, loudness, key, tempo, metre, sections, styles, bytes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from tests.workers.pipelines.ace_step_create_listening import (
    RATE,
    accents,
    brightness,
    heard,
    key_of,
    loudness,
    power_db,
    relatives,
    tempo_of,
    true_peak,
)
from workers.pipelines.ace_step_create import soundfont
from workers.pipelines.ace_step_create.mastering import limited
from workers.pipelines.ace_step_create.pipeline import PIPELINE
from workers.pipelines.base import Canceled, EngineFailed, OutputFile, RunContext

LYRICS = """[Intro]
[Verse]
Walking down the empty street tonight
Neon signs are burning in the rain
[Chorus]
Hold me like the fire in the sky
Never let the morning say goodbye
[Outro]
"""


@dataclass(frozen=True)
class Recording:
    """A finished file and what was said about it."""

    path: Path
    output: OutputFile
    info: dict[str, Any]
    steps: list[tuple[float, str]]


def record(
    workdir: Path,
    tags: str,
    *,
    lyrics: str = LYRICS,
    seconds: int = 15,
    seed: int = 7,
    quality: str = "96k",
    step: Callable[[float, str], None] | None = None,
    **asked: Any,
) -> Recording:
    """One real run."""
    workdir.mkdir(parents=True)
    steps: list[tuple[float, str]] = []
    params = {
        "tags": tags, "lyrics": lyrics, "qualityPreset": "default", "durationSeconds": seconds, "quality": quality,
        "steps": 8, "textCfgScale": 3.0, "samplerCfg": 3.0, "temperature": 1.0, "topP": 0.95, "topK": 0, "minP": 0.0,
        "language": "en", **asked,
    }  # fmt: skip
    context = RunContext(
        params=params,
        files={},
        seed=seed,
        workdir=workdir,
        step=step or (lambda fraction, phase: steps.append((fraction, phase))),
    )
    result = PIPELINE.run(context)
    assert [path.name for path in workdir.iterdir()] == ["output_0001.opus"]
    assert len(result.outputs) == 1
    return Recording(result.outputs[0].path, result.outputs[0], dict(result.info), steps)


Studio = Callable[..., Recording]


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """Records each song once, however many tests listen to it."""
    with TemporaryDirectory() as folder:
        count = iter(range(1000))

        @cache
        def recorded(tags: str, **asked: Any) -> Recording:
            return record(Path(folder) / str(next(count)), tags, **asked)

        yield recorded


@cache
def listened(path: Path) -> np.ndarray:
    return heard(path)


SONGS: dict[str, dict[str, Any]] = {
    "electro-pop, female vocals": {"seconds": 30, "bpm": 126, "keyScale": "F# minor", "quality": "192k"},
    "heavy metal": {"bpm": 150, "keyScale": "E minor"},
    "jazz trio, saxophone": {"bpm": 140, "keyScale": "Bb major"},
    "ambient, calm": {"keyScale": "D major", "seconds": 20},
    "lo-fi hip hop": {"bpm": 80, "keyScale": "C minor", "quality": "128k"},
    "solo piano": {"bpm": 96, "timeSignature": "3", "keyScale": "Eb major"},
}
HEARD_ALWAYS = "jazz trio, saxophone"


def soaking(values: Iterable[str], *, but: str) -> list[Any]:
    """All the values, of which only `but` is heard in every run."""
    return [value if value == but else pytest.param(value, marks=pytest.mark.soak) for value in values]


@pytest.mark.parametrize("tags", soaking(SONGS, but=HEARD_ALWAYS))
def test_the_file_is_stereo_opus_of_the_length_asked_and_loud_as_asked(studio: Studio, tags: str) -> None:
    recording = studio(tags, **SONGS[tags])
    seconds = SONGS[tags].get("seconds", 15)
    assert (recording.output.path.name, recording.output.media_type) == ("output_0001.opus", "audio/ogg")
    assert recording.output.seconds == seconds
    assert recording.path.read_bytes()[:4] == b"OggS"
    sound = listened(recording.path)
    assert sound.shape == (2, seconds * RATE)
    assert loudness(sound) == pytest.approx(-14, abs=0.5)
    assert true_peak(sound) < -1.0
    difference = np.mean((sound[0] - sound[1]) ** 2) / np.mean((sound[0] + sound[1]) ** 2)
    assert 0.01 < difference < 1.0
    assert np.abs(sound[:, -RATE // 50 :]).max() < 0.01


@pytest.mark.parametrize("tags", soaking(SONGS, but=HEARD_ALWAYS))
def test_the_key_asked_is_the_key_heard(studio: Studio, tags: str) -> None:
    recording = studio(tags, **SONGS[tags])
    assert recording.info["key"] == SONGS[tags]["keyScale"]
    assert key_of(listened(recording.path)) in relatives(SONGS[tags]["keyScale"])


@pytest.mark.parametrize("tags", soaking([tags for tags in SONGS if "bpm" in SONGS[tags]], but=HEARD_ALWAYS))
def test_the_tempo_asked_is_the_tempo_heard(studio: Studio, tags: str) -> None:
    recording = studio(tags, **SONGS[tags])
    asked = SONGS[tags]["bpm"]
    assert recording.info["bpm"] == asked
    found = tempo_of(listened(recording.path))
    assert any(abs(found * factor / asked - 1) < 0.02 for factor in (0.5, 1, 2)), found


@pytest.mark.parametrize("beats", soaking("234567", but="3"))
def test_the_first_beat_of_the_metre_asked_stands_out(studio: Studio, beats: str) -> None:
    recording = studio("country, no vocals", timeSignature=beats, bpm=150, keyScale="G major")
    assert recording.info["timeSignature"] == beats
    found = accents(
        listened(recording.path),
        bpm=150,
        beats=int(beats),
        origin=0.03,
        until=recording.info["sections"][-1]["end"] - 3,
    )
    assert np.argmax(found) == 0, found
    # A bar of another length would spread its first beat over all places.
    other = int(beats) + 1
    spread = accents(listened(recording.path), bpm=150, beats=other, origin=0.03, until=12)
    assert found[0] / found.mean() > spread[0] / spread.mean() or int(beats) in (2, 3)


def test_sections_follow_the_lyrics_and_the_chorus_is_louder(studio: Studio) -> None:
    tags = "electro-pop, female vocals"
    recording = studio(tags, **SONGS[tags])
    sections = recording.info["sections"]
    assert [section["label"] for section in sections] == ["Intro", "Verse", "Chorus", "Outro"]
    assert (sections[0]["start"], sections[-1]["end"]) == (0, 30)
    sound = listened(recording.path)
    level = {section["label"]: power_db(sound, section) for section in sections}
    assert level["Chorus"] > level["Verse"] + 1.5
    assert level["Verse"] > level["Intro"]
    lines = recording.info["lyricsSet"]
    assert [line["text"] for line in lines] == [line for line in LYRICS.splitlines() if line and line[0] != "["]
    for line in lines:
        section = next(section for section in sections if section["label"] == line["section"])
        assert section["start"] <= line["start"] < line["end"] <= section["end"] + 0.001


def test_lyrics_are_sung_on_the_melody_and_the_result_says_how(studio: Studio) -> None:
    tags = "electro-pop, female vocals"
    info = studio(tags, **SONGS[tags]).info
    assert "singer" in info["instruments"]
    assert "Sung by a synthetic female voice" in info["vocals"]
    assert "Kokoro-82M (Apache-2.0)" in info["attribution"]
    wordless = studio("country, no vocals", timeSignature="2", bpm=150, keyScale="G major").info
    assert "singer" not in wordless["instruments"]
    assert "Instrumental" in wordless["vocals"]


def test_styles_sound_different(studio: Studio) -> None:
    recordings = {tags: studio(tags, **SONGS[tags]) for tags in SONGS}
    assert len({tuple(recording.info["instruments"]) for recording in recordings.values()}) == len(SONGS)
    assert [recording.info["style"] for recording in recordings.values()] == [
        "electro-pop",
        "metal",
        "jazz",
        "ambient",
        "lo-fi hip hop",
        "classical",
    ]
    bright = {tags: brightness(listened(recording.path)) for tags, recording in recordings.items()}
    assert bright["electro-pop, female vocals"] > 2 * bright["lo-fi hip hop"]
    assert bright["heavy metal"] > 1.5 * bright["ambient, calm"]
    assert bright["electro-pop, female vocals"] > 2 * bright["solo piano"]


def test_the_result_says_what_it_is(studio: Studio) -> None:
    recording = studio("solo piano", **SONGS["solo piano"])
    info = recording.info
    assert info["engine"] == PIPELINE.engine == "score-composer"
    assert "no diffusion model" in info["method"]
    assert info["samplerFieldsWithoutEffect"] == ["steps", "textCfgScale", "samplerCfg"]
    assert "TimGM6mb" in info["attribution"]
    assert "GPL-2" in info["attribution"]
    assert info["seed"] == 7
    assert info["notUnderstood"] == []
    assert all(section["chords"] for section in info["sections"])
    fractions = [fraction for fraction, _ in recording.steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {phase for _, phase in recording.steps} >= {
        "composing",
        "playing",
        "mixing",
        "mastering",
        "encoding",
        "done",
    }


def test_the_same_seed_is_the_same_file_and_another_is_another(tmp_path: Path, studio: Studio) -> None:
    first = studio("lo-fi hip hop", **SONGS["lo-fi hip hop"])
    again = record(tmp_path / "again", "lo-fi hip hop", **SONGS["lo-fi hip hop"])
    other = record(tmp_path / "other", "lo-fi hip hop", seed=8, **SONGS["lo-fi hip hop"])
    assert again.path.read_bytes() == first.path.read_bytes()
    assert other.path.read_bytes() != first.path.read_bytes()
    one, two = listened(first.path), heard(other.path)
    assert abs(np.corrcoef(one.mean(axis=0), two.mean(axis=0))[0, 1]) < 0.5


@pytest.mark.parametrize("lyrics", ["🎉🎉 !!!", "word " * 2400])
def test_odd_lyrics_give_a_whole_file(tmp_path: Path, lyrics: str) -> None:
    recording = record(tmp_path / "odd", "trap, zorb", lyrics=lyrics)
    sound = heard(recording.path)
    assert sound.shape == (2, 15 * RATE)
    assert loudness(sound) == pytest.approx(-14, abs=1)
    assert recording.info["notUnderstood"] == ["zorb"]


@pytest.mark.soak
def test_four_minutes(tmp_path: Path) -> None:
    recording = record(tmp_path / "long", "trap", seconds=240)
    sound = heard(recording.path)
    assert sound.shape == (2, 240 * RATE)
    assert loudness(sound) == pytest.approx(-14, abs=1)
    quarters = [float(np.mean(part**2)) for part in np.array_split(sound, 4, axis=1)]
    assert min(quarters) > 0.1 * max(quarters)


@pytest.mark.parametrize("phase", ["composing", "playing", "mixing", "mastering", "encoding", "done"])
def test_a_cancel_leaves_nothing_behind(tmp_path: Path, phase: str) -> None:
    def step(fraction: float, now: str) -> None:
        if now == phase:
            raise Canceled

    with pytest.raises(Canceled):
        record(tmp_path / "run", "trap", step=step)
    assert list((tmp_path / "run").iterdir()) == []


@pytest.fixture
def forgetful() -> Iterator[None]:
    """The soundfont is looked for anew."""
    soundfont.soundfont.cache_clear()
    yield
    soundfont.soundfont.cache_clear()


@pytest.mark.usefixtures("forgetful")
def test_a_soundfont_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(soundfont.SETTING, str(tmp_path / "none.sf2"))
    with pytest.raises(EngineFailed, match="The soundfont that SOUNDFONT_PATH names is not there") as failed:
        record(tmp_path / "run", "jazz")
    assert (failed.value.code, failed.value.retryable) == ("missing_soundfont", False)
    assert str(tmp_path) not in failed.value.message


@pytest.mark.usefixtures("forgetful")
def test_a_broken_soundfont_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"RIFF0000sfbk")
    monkeypatch.setenv(soundfont.SETTING, str(broken))
    with pytest.raises(EngineFailed, match="The MIDI renderer failed") as failed:
        record(tmp_path / "run", "jazz")
    assert failed.value.code == "renderer_failed"
    assert str(tmp_path) not in failed.value.message
    assert list((tmp_path / "run").iterdir()) == []


def test_the_limiter_holds_its_ceiling_and_leaves_quiet_parts_alone() -> None:
    time = np.arange(RATE) / RATE
    quiet = (0.1 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    loud = quiet.copy()
    loud[20_000:20_400] *= 30
    out = limited(np.stack([loud, loud]), 2.0)
    assert np.abs(out).max() <= 10 ** (-2.4 / 20) + 1e-6
    np.testing.assert_allclose(out[0, :8_000], 2 * quiet[:8_000], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(out[0, -8_000:], 2 * quiet[-8_000:], rtol=1e-4, atol=1e-5)
