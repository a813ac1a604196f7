"""audio.speak by Gemini on the worker's side, against a server of the same HTTP."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import gemini
from tests.gemini import Gemini
from workers.pipelines.audio_speak import gemini as engine
from workers.pipelines.base import Canceled, EngineFailed, PipelineResult, RunContext
from workers.protocol.inputs.audio_speak import WAV_BYTES_PER_SECOND, WAV_HEADER_BYTES, AudioSpeakParams
from workers.sound import read_sound

TEXT = "We launch at dawn."


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gemini]:
    with gemini.serve() as server:
        monkeypatch.setenv("GEMINI_API_KEY", gemini.KEY)
        monkeypatch.setenv("GEMINI_BASE_URL", server.address)
        yield server


def speak(folder: Path, step: Any = lambda fraction, phase: None, **changes: Any) -> PipelineResult:
    said: dict[str, Any] = {"text": TEXT, "provider": "gemini", "mode": "voice_design", "voice": {}, "quality": "128k"}
    said |= {"voiceName": "Kore", "model": "gemini-tts", "maxAudioTokens": 356} | changes
    params = AudioSpeakParams.model_validate(said)
    return engine.speak(RunContext(params=params.wire(), files={}, seed=1, workdir=folder, step=step), params)


def test_what_is_sent_and_what_becomes_of_the_answer(google: Gemini, tmp_path: Path) -> None:
    google.seconds = 1.25
    result = speak(tmp_path, instructions="Calmly.")
    [(model, verb, body)] = google.asked
    assert (model, verb) == ("gemini-tts", "generateContent")
    assert google.texts() == [f"Calmly.\n\nRead the following text exactly as written:\n{TEXT}"]
    assert body["generationConfig"] == {
        "maxOutputTokens": 356,
        "responseModalities": ["AUDIO"],
        # Google's own client writes it so; its JSON takes a field by either of its names.
        "speechConfig": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
    }
    [output] = result.outputs
    assert (output.path.name, output.media_type, output.seconds) == ("output_0001.wav", "audio/wav", 1.25)
    # The bill is made from this length.
    assert output.path.stat().st_size == WAV_HEADER_BYTES + round(1.25 * WAV_BYTES_PER_SECOND)
    samples = read_sound(output.path, rate=24_000)
    sent = (8000 * np.sin(2 * np.pi * 220 * np.arange(30_000) / 24_000)).astype(np.int16)
    assert np.array_equal(np.round(samples[0] * 32768).astype(np.int16), sent)
    assert (result.info["engine"], result.info["model"], result.info["reportedAudioTokens"]) == (
        "gemini",
        "gemini-tts",
        31,
    )


REFUSALS: list[tuple[dict[str, Any], str, bool, str]] = [
    ({"status": 400}, "gemini_refused", False, "Gemini refused the request (400): No such voice."),
    ({"status": 403}, "gemini_refused", False, "Gemini refused the request (403): No such voice."),
    ({"status": 429}, "gemini_unavailable", True, "Gemini is busy or away (429)."),
    ({"status": 503}, "gemini_unavailable", True, "Gemini is busy or away (503)."),
    ({"block_reason": "SAFETY"}, "gemini_refused", False, "Gemini did not speak this text (SAFETY)."),
    (
        {"finish_reason": "MAX_TOKENS"},
        "gemini_too_long",
        False,
        "Gemini's answer was longer than what was held for it.",
    ),
    ({"seconds": 0.0, "finish_reason": "OTHER"}, "gemini_refused", False, "Gemini did not speak this text (OTHER)."),
    (
        {"mime_type": "audio/L16;codec=pcm;rate=48000"},
        "engine_failed",
        False,
        "Gemini answered in a format we cannot bill (audio/l16;codec=pcm;rate=48000).",
    ),
]


@pytest.mark.parametrize(("answers", "code", "retryable", "sentence"), REFUSALS)
def test_what_goes_wrong_is_said(
    google: Gemini, tmp_path: Path, answers: dict[str, Any], code: str, retryable: bool, sentence: str
) -> None:
    for name, value in answers.items():
        setattr(google, name, value)
    with pytest.raises(EngineFailed) as failed:
        speak(tmp_path)
    assert (failed.value.code, failed.value.retryable, failed.value.message) == (code, retryable, sentence)
    assert list(tmp_path.iterdir()) == []


def test_without_a_key_another_node_may_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(EngineFailed, match="no key") as failed:
        speak(tmp_path)
    assert (failed.value.code, failed.value.retryable) == ("engine_missing", True)


def test_an_address_where_nobody_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", gemini.KEY)
    monkeypatch.setenv("GEMINI_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(EngineFailed, match=r"Gemini did not answer\.") as failed:
        speak(tmp_path)
    assert (failed.value.code, failed.value.retryable) == ("gemini_unavailable", True)


def test_a_cancel_does_not_wait_for_gemini(google: Gemini, tmp_path: Path) -> None:
    google.gate.clear()
    asked = threading.Event()

    def step(fraction: float, phase: str) -> None:
        if phase == "waiting for Gemini" and google.asked:
            asked.set()
            raise Canceled

    with pytest.raises(Canceled):
        speak(tmp_path, step=step)
    assert asked.is_set()
    assert not google.gate.is_set()
    assert list(tmp_path.iterdir()) == []
