"""audio.annotation.reference on speech that the platform made: words, their times, the document, refusals, cancel."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.pipelines.lavfi import ffmpeg, make_clip, run_engine
from tests.workers.pipelines.songs import RATE as SONG_RATE
from tests.workers.pipelines.songs import compose
from workers.pipelines.audio_annotation_reference import alignment
from workers.pipelines.audio_annotation_reference.document import AnnotationDocument
from workers.pipelines.audio_speak import aloud, kokoro
from workers.pipelines.base import Canceled, EngineFailed, PipelineResult
from workers.protocol.inputs.audio_annotation_reference import words_of
from workers.sound import read_sound, write_wav

PHRASES = (
    "The morning train leaves the station",
    "and nobody wants to miss it",
    "A small brown dog sleeps",
    "under the wooden bridge",
    "Bright lanterns swing above the market",
    "She opened the heavy door slowly",
)
ALONE = ("river", "honey", "window", "garden")
"""Words said one at a time: the start of each is known."""
TRANSCRIPT = "\n".join(
    ["[Verse 1]", *PHRASES[:4], "", "[Chorus]", *PHRASES[4:], "[Outro]", ", ".join(ALONE).capitalize() + "."]
)
SECONDS_OFF = 0.060


@dataclass(frozen=True)
class Spoken:
    """A sound file, and the truth about it."""

    path: Path
    words: list[str]
    starts: dict[int, float]
    """When the words begin whose start is known, by place."""
    seconds: float


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> Spoken:
    """Six phrases and four lone words, joined with known silences."""
    rests = np.random.default_rng(11).uniform(0.25, 0.55, 20)
    parts, words, starts, length = [], [], {}, 0
    for place, text in enumerate((*PHRASES, *ALONE)):
        rest = np.zeros(round(rests[place] * kokoro.RATE), np.float32)
        # Each piece begins and ends with its first and last audible sample.
        said = kokoro.trim(aloud.say(text, voice="jf_gongitsune"), margin=0.0)
        starts[len(words)] = (length + len(rest)) / kokoro.RATE
        words += words_of(text)
        parts += [rest, said]
        length += len(rest) + len(said)
    path = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    seconds = write_wav(np.concatenate([*parts, np.zeros(6000, np.float32)])[None], rate=kokoro.RATE, path=path)
    return Spoken(path=path, words=words, starts=starts, seconds=seconds)


@pytest.fixture(scope="module")
def brief(spoken) -> Path:
    """Its first four seconds."""
    samples = read_sound(spoken.path, rate=kokoro.RATE)[:, : 4 * kokoro.RATE]
    write_wav(samples, rate=kokoro.RATE, path=spoken.path.with_name("brief.wav"))
    return spoken.path.with_name("brief.wav")


def annotate(path: Path, workdir: Path, *, transcript: str | None = None, **options: Any) -> PipelineResult:
    params = {"language": "en", "transcriptionModel": "large-v3", "device": options.pop("device", "auto")}
    if transcript is not None:
        params["transcript"] = transcript
    return run_engine(
        "audio_annotation_reference", params=params, files={"sourceAudio": [path]}, workdir=workdir, **options
    )


def read(result: PipelineResult) -> dict[str, Any]:
    text = result.outputs[0].path.read_text(encoding="utf-8")
    AnnotationDocument.model_validate_json(text)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def anchored(spoken, tmp_path_factory) -> tuple[PipelineResult, dict[str, Any]]:
    result = annotate(spoken.path, tmp_path_factory.mktemp("anchored") / "run", transcript=TRANSCRIPT)
    return result, read(result)


@pytest.fixture(scope="module")
def recognised(spoken, tmp_path_factory) -> dict[str, Any]:
    return read(annotate(spoken.path, tmp_path_factory.mktemp("recognised") / "run"))


def word_errors(truth: list[str], heard: list[str]) -> int:
    """Levenshtein's distance in words."""
    truth, heard = [word.lower() for word in truth], [word.lower() for word in heard]
    row = list(range(len(heard) + 1))
    for place, word in enumerate(truth, 1):
        before, row[0] = row[:], place
        for column, other in enumerate(heard, 1):
            row[column] = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (word != other))
    return row[-1]


def assert_well_formed(document: dict[str, Any]) -> None:
    duration = document["durationSeconds"]
    for spans in (document["words"], document["sections"]):
        assert all(0 <= span["start"] <= span["end"] <= duration for span in spans)
        assert all(one["end"] <= other["start"] for one, other in pairwise(spans))
    times = document["beats"]["times"]
    assert times == sorted(set(times))
    assert all(0 <= time <= duration for time in times)
    assert set(document["beats"]["downbeats"]) <= set(times)
    assert all(word["line"] < len(document["lyrics"]["lines"]) for word in document["words"])


@pytest.mark.soak
def test_without_a_transcript_at_most_one_word_in_ten_is_wrong(spoken, recognised):
    heard = [word["text"] for word in recognised["words"]]
    assert word_errors(spoken.words, heard) <= 0.10 * len(spoken.words)
    assert recognised["lyrics"]["source"] == "recognised"
    assert recognised["lyrics"]["text"].splitlines() == [line["text"] for line in recognised["lyrics"]["lines"]]
    assert recognised["qa"]["coverage"] == 1.0
    assert "recognitionAgreement" not in recognised["qa"]
    assert [section["label"] for section in recognised["sections"]] == ["Speech"]
    assert_well_formed(recognised)


def test_with_the_transcript_words_start_within_60_ms_of_the_truth(spoken, anchored):
    _, document = anchored
    assert [word["text"].lower() for word in document["words"]] == [word.lower() for word in spoken.words]
    errors = [abs(document["words"][place]["start"] - start) for place, start in spoken.starts.items()]
    assert np.mean(errors) <= SECONDS_OFF
    assert np.mean(errors) <= 0.030, "the aligner is usually within 15 ms"
    assert {word["source"] for word in document["words"]} == {"aligned"}
    assert document["qa"]["alignmentMethod"] == "forced"
    assert document["qa"]["words"] == {
        "total": len(spoken.words),
        "aligned": len(spoken.words),
        "recognised": 0,
        "interpolated": 0,
        "unplaced": 0,
    }
    assert document["qa"]["recognitionAgreement"] >= 0.9
    assert document["qa"]["meanConfidence"] >= 0.7
    assert_well_formed(document)


def test_lines_and_sections_are_the_transcripts_and_begin_with_their_words(spoken, anchored):
    _, document = anchored
    lines = document["lyrics"]["lines"]
    assert [line["text"] for line in lines] == [*PHRASES, "River, honey, window, garden."]
    assert [line["section"] for line in lines] == [0, 0, 0, 0, 1, 1, 2]
    assert document["lyrics"]["source"] == "transcript"
    starts = list(spoken.starts.values())
    for line, start in zip(lines, starts, strict=False):
        assert line["start"] == pytest.approx(start, abs=0.1)
    assert [section["label"] for section in document["sections"]] == ["Verse 1", "Chorus", "Outro"]
    for section, start in zip(document["sections"], (starts[0], starts[4], starts[6]), strict=True):
        assert section["start"] == pytest.approx(start, abs=0.1)
        assert section["source"] == "words"
    assert document["sections"][-1]["end"] == document["durationSeconds"]


def test_speech_has_no_beats_and_says_why(anchored):
    _, document = anchored
    assert document["beats"]["times"] == []
    assert document["beats"]["downbeats"] == []
    assert "bpm" not in document["beats"]
    assert "key" not in document
    assert [note for note in document["qa"]["notes"] if note.startswith("No beats: ")] == [
        "No beats: a voice speaks and nothing plays in its pauses."
    ]


def test_the_result_names_what_really_ran(spoken, anchored):
    result, document = anchored
    assert document["version"] == "1.0"
    assert document["qa"]["requested"] == {"transcriptionModel": "large-v3", "device": "auto", "language": "en"}
    assert document["qa"]["models"]["recognition"] == "Whisper tiny.en (faster-whisper, int8)"
    assert document["qa"]["models"]["alignment"] == "pocketsphinx 5 en-us"
    assert document["qa"]["models"]["device"] == "cpu"
    assert document["qa"]["notes"][0].startswith("large-v3 was asked for and is not on this node: Whisper tiny.en")
    assert result.info["engine"] == "whisper-tiny-pocketsphinx"
    assert result.info["counts"] == {"lines": 7, "words": len(spoken.words), "sections": 3, "beats": 0}
    assert result.info["models"] == document["qa"]["models"]
    [output] = result.outputs
    assert (output.path.name, output.media_type) == ("output_0001.json", "application/json")
    assert output.seconds == pytest.approx(spoken.seconds, abs=0.001)
    assert document["durationSeconds"] == pytest.approx(spoken.seconds, abs=0.001)


@pytest.mark.soak
def test_same_sound_same_bytes(spoken, anchored, tmp_path):
    again = annotate(spoken.path, tmp_path / "again", transcript=TRANSCRIPT)
    assert again.outputs[0].path.read_bytes() == anchored[0].outputs[0].path.read_bytes()
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == ["output_0001.json"]


def test_cuda_is_a_hint(brief, tmp_path):
    hinted = read(annotate(brief, tmp_path / "cuda", transcript=PHRASES[0], device="cuda"))
    assert hinted["qa"]["requested"]["device"] == "cuda"
    assert hinted["qa"]["models"]["device"] == "cpu"
    assert "cuda was asked for; this engine runs on the processor." in hinted["qa"]["notes"]


@pytest.mark.soak
def test_a_verse_that_is_not_in_the_sound_gets_no_times(spoken, tmp_path):
    missing = "Seventeen violet elephants navigate\nmysterious underwater cathedrals"
    longer = f"{TRANSCRIPT}\n[Bridge]\n{missing}"
    document = read(annotate(spoken.path, tmp_path / "run", transcript=longer))
    assert [word["text"].lower() for word in document["words"]] == [word.lower() for word in spoken.words]
    assert document["qa"]["words"]["unplaced"] == 7
    assert "start" not in document["lyrics"]["lines"][-1]
    assert document["qa"]["coverage"] == pytest.approx(len(spoken.words) / (len(spoken.words) + 7), abs=0.001)
    assert (
        f"7 of the transcript's {len(spoken.words) + 7} words were not found and have no times."
        in (document["qa"]["notes"])
    )
    assert document["sections"][-1]["label"] == "Bridge"
    assert document["sections"][-1]["source"] == "guess"
    assert_well_formed(document)


def test_a_transcript_of_something_else_still_ends_with_a_document(spoken, tmp_path):
    other = "[Verse]\nQuarks unify\n[Chorus]\nPhysicists postulate supersymmetry"
    document = read(annotate(spoken.path, tmp_path / "run", transcript=other))
    assert document["words"] == []
    assert document["lyrics"]["text"] == "Quarks unify\nPhysicists postulate supersymmetry"
    assert document["qa"]["alignmentMethod"] == "none"
    assert document["qa"]["coverage"] == 0.0
    assert document["qa"]["words"]["unplaced"] == 5
    assert any(note.startswith("None of the transcript's words could be found") for note in document["qa"]["notes"])
    assert [section["source"] for section in document["sections"]] == ["guess", "guess"]
    assert_well_formed(document)


def test_where_the_aligner_refuses_the_recognisers_times_stand_in(spoken, tmp_path, monkeypatch):
    monkeypatch.setattr(alignment, "force", lambda sounds, **options: [])
    document = read(annotate(spoken.path, tmp_path / "run", transcript=TRANSCRIPT))
    assert document["qa"]["alignmentMethod"] == "recognised"
    assert {word["source"] for word in document["words"]} <= {"recognised", "interpolated"}
    assert "alignment" not in document["qa"]["models"]
    errors = [abs(document["words"][place]["start"] - start) for place, start in spoken.starts.items()]
    assert np.mean(errors) < 0.4
    assert any("could not be aligned" in note for note in document["qa"]["notes"])
    assert_well_formed(document)


def test_a_voice_over_music_has_words_and_beats(spoken, tmp_path):
    song = compose(bpm=96, beats_a_bar=4, form=[("verse", 3), ("chorus", 5)])
    voice = read_sound(spoken.path, rate=SONG_RATE)
    mixed = np.zeros((1, max(voice.shape[1], song.samples.shape[1])), np.float32)
    mixed[:, : song.samples.shape[1]] += 0.12 * song.samples
    mixed[:, : voice.shape[1]] += 0.7 * voice
    write_wav(mixed, rate=SONG_RATE, path=tmp_path / "mixed.wav")
    document = read(annotate(tmp_path / "mixed.wav", tmp_path / "run", transcript=TRANSCRIPT))
    assert document["beats"]["bpm"] == pytest.approx(96, rel=0.02)
    errors = [
        abs(word["start"] - spoken.starts[place])
        for place, word in enumerate(document["words"])
        if place in spoken.starts
    ]
    assert document["qa"]["coverage"] == 1.0
    assert np.mean(errors) <= SECONDS_OFF
    assert_well_formed(document)


def test_silence_is_refused(tmp_path):
    write_wav(np.full((1, 32_000), 1e-5, np.float32), rate=16_000, path=tmp_path / "silent.wav")
    with pytest.raises(EngineFailed) as refusal:
        annotate(tmp_path / "silent.wav", tmp_path / "run")
    assert (refusal.value.code, refusal.value.retryable) == ("silent_audio", False)
    assert refusal.value.message == "The sound is silent: there is nothing to annotate."
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "picture"])
def test_what_is_no_sound_is_refused(kind, spoken, tmp_path):
    path = tmp_path / "source.wav"
    if kind == "picture":
        path = make_clip(tmp_path / "mute.mp4", tone=None, frames=5)
    else:
        path.write_bytes({"text": b"no sound at all", "empty": b"", "cut": spoken.path.read_bytes()[:40]}[kind])
    with pytest.raises(EngineFailed) as refusal:
        annotate(path, tmp_path / "run")
    assert (refusal.value.code, refusal.value.retryable) == ("invalid_audio", False)
    assert refusal.value.message.startswith("The sound ")
    assert str(tmp_path) not in refusal.value.message
    assert list((tmp_path / "run").iterdir()) == []


def test_more_than_ten_minutes_are_refused(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=f=300:r=8000:d=601", "-ac", "1", tmp_path / "long.wav")
    with pytest.raises(EngineFailed) as refusal:
        annotate(tmp_path / "long.wav", tmp_path / "run")
    assert (refusal.value.code, refusal.value.retryable) == ("audio_too_long", False)
    assert refusal.value.message == "The sound lasts longer than 600 s, the most that is annotated."


@pytest.mark.parametrize("phase", ["reading", "recognising", "aligning", "listening for beats", "writing"])
def test_cancel_leaves_nothing_behind(phase, brief, tmp_path):
    def step(fraction: float, word: str) -> None:
        if word == phase:
            raise Canceled

    with pytest.raises(Canceled):
        annotate(brief, tmp_path / "run", transcript=PHRASES[0], step=step)
    assert list((tmp_path / "run").iterdir()) == []


def test_progress_goes_forward(brief, tmp_path):
    steps: list[tuple[float, str]] = []
    annotate(brief, tmp_path / "run", step=lambda fraction, word: steps.append((fraction, word)))
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] <= 1
    assert list(dict.fromkeys(word for _, word in steps)) == [
        "reading",
        "recognising",
        "aligning",
        "listening for beats",
        "writing",
    ]
