"""The seven younger tasks' prices, computed by hand; through the API estimate and hold are the same figure."""

from fractions import Fraction
from typing import Any

import pytest

from media.catalog import registry
from media.catalog.audio_speak import audio_token_bound
from media.catalog.task import Facts
from tests.media.customers import ESTIMATE, Customer

URL = "https://media.example.com/one.bin"
TOKENS = 10

EDITS: list[tuple[dict[str, Any], int]] = [
    ({}, 26_641),  # 992 × 704 of 1 000 × 700: 698 368 pixels, 26 640.625
    ({"highDetail": True}, 39_961),  # 39 960.9375
]
CLIPS: list[tuple[dict[str, Any], int]] = [
    ({}, 96_510),  # 153 frames × 0.90112 MP × 700 = 96 509.952
    ({"width": 1920, "height": 1088, "durationSeconds": 6}, 258_823),  # 177 × 2.08896 × 700 = 258 822.144
    (
        {"width": 1920, "height": 1088, "durationSeconds": 6, "startFrameImageUrl": URL, "referenceAudioUrl": URL},
        323_528,  # × 1.25 = 323 527.68
    ),
    ({"extremeQuality": True}, 144_765),  # 144 764.928
    (
        {"extremeQuality": True, "startFrameImageUrl": URL, "aspectRatio": "16:9", "referenceAudioUrl": URL},
        180_957,  # × 1.25 × 1.5 = 180 956.16
    ),
    ({"aspectRatio": "9:16"}, 96_510),
    ({"aspectRatio": "1:1"}, 98_704),  # 153 × 0.9216 × 700 = 98 703.36
    ({"durationSeconds": 20}, 152_019),  # 241 frames at 12 a second: 152 018.944
    ({"interpolationFps": 0}, 96_510),  # delivered frames cost nothing
    ({"durationFrames": 9, "width": 32, "height": 32}, 50_000),
    ({"durationFrames": 9, "width": 32, "height": 32, "extremeQuality": True}, 75_000),  # the floor first
    (
        {"durationFrames": 9, "width": 32, "height": 32, "extremeQuality": True, "sourceImageUrl": URL}
        | {"referenceAudioUrl": URL},
        93_750,
    ),
    ({"durationFrames": 257, "width": 2048, "height": 2048}, 754_556),  # 257 × 4.194304 × 700 = 754 555.2896
]
SPEECH: list[tuple[dict[str, Any], int]] = [
    ({"text": "x"}, 10_000),  # 1.02 s × 7 000 = 7 140
    ({"text": "x" * 21}, 10_000),  # 9 940
    ({"text": "x" * 22}, 10_080),
    ({"text": "x" * 66}, 16_240),
    ({"text": "x" * 66, "quality": "192k", "voiceDescription": "male, whisper"}, 16_240),
    ({"text": "x" * 66, "mode": "voice_clone", "referenceAudioUrl": URL}, 16_240),
    ({"text": "x" * 6000}, 847_000),
    # Gemini: 25 tokens a second for 10 s and a quarter of a second a character, 1.10 × (10 + 20 × tokens)
    ({"text": "x", "provider": "gemini"}, 5_643),  # 256 tokens
    ({"text": "x" * 66, "provider": "gemini"}, 14_575),  # 662 tokens
    ({"text": "x" * 6000, "provider": "gemini"}, 360_459),  # 16 384 tokens, all that the model can answer
]
ANNOTATIONS: list[tuple[dict[str, Any], int]] = [
    ({}, 70_000),
    ({"transcriptionModel": "large-v3", "device": "cuda"}, 70_000),
    ({"transcript": "one"}, 30_000),
    ({"transcript": "[Chorus]\none"}, 30_000),
    ({"transcript": "it's well-known " * 75}, 30_000),  # 150 words: 60 s
    ({"transcript": "word " * 151}, 50_000),
    ({"transcript": "word " * 300}, 50_000),
    ({"transcript": "word " * 301}, 70_000),
    ({"transcript": "word " * 450}, 70_000),
    ({"transcript": "word " * 451}, 90_000),
    ({"transcript": "word " * 4800}, 650_000),  # 1 920 s: the first minute and 31 more
]
SONGS: list[tuple[dict[str, Any], int]] = [
    ({}, 61_440),  # 60 s × 128 × 8
    ({"qualityPreset": "high_quality"}, 165_888),  # 108 s × 192 × 8
    ({"qualityPreset": "high_quality", "durationSeconds": 48, "quality": "128k"}, 50_000),  # 49 152
    ({"durationSeconds": 49}, 50_176),
    ({"durationSeconds": 15, "quality": "96k"}, 50_000),
    ({"durationSeconds": 240, "quality": "192k", "steps": 32}, 368_640),
]
SOUNDS: list[tuple[dict[str, Any], int]] = [
    ({}, 28_192),  # 5 s × 4 000 + 1 024 × 8
    ({"durationSeconds": 2}, 16_192),
    ({"durationSeconds": 1, "maxNewTokens": 64}, 10_000),  # 4 512
    ({"durationSeconds": 30, "maxNewTokens": 4096, "quality": "192k"}, 152_768),
]
SHAPES: list[tuple[dict[str, Any], int]] = [
    ({}, 250_000),  # 36 × 5 000 + 60 000 + 10 000
    ({"qualityPreset": "performance"}, 145_000),  # 24 × 5 000 + 20 000 + 5 000
    ({"qualityPreset": "fidelity"}, 500_000),  # 60 × 5 000 + 150 000 + 50 000
    ({"targetFaceCount": 1001}, 240_501),  # half a micro is one
    ({"qualityPreset": "fidelity", "textureResolution": 1536}, 560_000),
    ({"qualityPreset": "fidelity", "textureResolution": 1536, "refinerResolution": 1536}, 620_000),
    (
        {"sparseStructureSteps": 8, "shapeSteps": 8, "textureSteps": 8, "textureSize": 512, "targetFaceCount": 1000},
        140_500,  # the least there is
    ),
]
SMALLEST: dict[str, dict[str, Any]] = {
    "image.edit": {"prompt": "x", "sourceImageUrl": URL},
    "video.generate": {"prompt": "x"},
    "audio.speak": {},
    "audio.annotation.reference": {"sourceAudioUrl": URL},
    "ace.step.create": {"tags": "x", "lyrics": "x"},
    "moss.sound.effect": {"prompt": "x"},
    "trellis.generate": {"sourceImageUrl": URL},
}
TABLES = {
    "image.edit": EDITS,
    "video.generate": CLIPS,
    "audio.speak": SPEECH,
    "audio.annotation.reference": ANNOTATIONS,
    "ace.step.create": SONGS,
    "moss.sound.effect": SOUNDS,
    "trellis.generate": SHAPES,
}


@pytest.mark.django_db
@pytest.mark.parametrize("task", TABLES)
def test_the_table(customer: Customer, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    facts = Facts(duration=Fraction(2), width=1000, height=700)
    monkeypatch.setattr("media.sources._probe_one", lambda resolved: facts)
    monkeypatch.setattr("media.gemini.count_tokens", lambda counted: TOKENS)
    spent = 0
    for options, amount in TABLES[task]:
        body = {"task": task, "input": {**SMALLEST[task], **options}}
        estimate = customer.post(ESTIMATE, body)
        assert (estimate.status_code, estimate.json().get("usdChargedMicros")) == (200, amount), (options, amount)
        answer = customer.submit(task, body["input"])
        assert (answer.status_code, answer.json()["usdChargedMicros"]) == (201, amount)
        spent += amount
        assert customer.money() == (10_000_000 - spent, spent)
        assert amount >= registry.all_tasks()[task].floor_micros


def test_no_answer_of_gemini_can_pass_its_hold() -> None:
    """The bound that is held is the limit that the request carries: more tokens cannot come back."""
    assert [audio_token_bound("x" * length) for length in (1, 2, 66, 2581, 2582, 6000)] == [
        256,
        262,
        662,
        16_381,
        16_384,
        16_384,
    ]
