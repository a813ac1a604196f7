"""Speech by Google's Gemini: one request, its answer written as the WAV that the bill is made from."""

import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.protocol.inputs.audio_speak import (
    GEMINI_API_VERSION,
    WAV_BYTES_PER_SECOND,
    AudioSpeakParams,
    gemini_prompt,
)
from workers.sound import write_wav

RATE = WAV_BYTES_PER_SECOND // 2
TIMEOUT_SECONDS = 180
_LOOK_SECONDS = 0.5
METHOD = "Spoken by Google's Gemini, a service outside this platform. Billed by the tokens of its text and its sound."


def speak(context: RunContext, params: AudioSpeakParams) -> PipelineResult:
    """Have the text spoken; the client's part is in `params`, the key in this node's environment (GEMINI_API_KEY).

    Raises:
        EngineFailed: no key here, Gemini refused, did not answer, or answered something that cannot be billed.
        Canceled: passed through from `context.step`; the answer, should one still come, is dropped.
    """
    context.step(0.05, "asking Gemini")
    answer = _while_stepping(lambda: _ask(params), lambda: context.step(0.1, "waiting for Gemini"))
    pcm = _sound_of(answer)
    context.step(0.9, "encoding")
    samples = (np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768))[np.newaxis]
    path = Path(context.workdir) / "output_0001.wav"
    seconds = write_wav(samples, rate=RATE, path=path)
    usage = getattr(answer, "usage_metadata", None)
    return PipelineResult(
        outputs=[OutputFile(path=path, media_type="audio/wav", seconds=seconds)],
        info={
            "engine": "gemini",
            "model": params.model,
            "method": METHOD,
            "voiceName": params.voice_name,
            "seconds": round(seconds, 6),
            "reportedInputTokens": getattr(usage, "prompt_token_count", None),
            "reportedAudioTokens": getattr(usage, "candidates_token_count", None),
        },
    )


def _ask(params: AudioSpeakParams) -> Any:
    key = os.environ.get("GEMINI_API_KEY")
    if not key:
        raise EngineFailed("This node has no key for Gemini.", code="engine_missing", retryable=True)
    client = _client(key, os.environ.get("GEMINI_BASE_URL", ""))
    from google.genai import errors, types
    from httpx2 import HTTPError

    config = types.GenerateContentConfig(
        response_modalities=["AUDIO"],
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(
                prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=params.voice_name)
            )
        ),
        # The hold was made for so many: a longer answer must not come.
        max_output_tokens=params.max_audio_tokens,
    )
    try:
        return client.models.generate_content(
            model=params.model, contents=gemini_prompt(params.text, params.instructions), config=config
        )
    except errors.APIError as error:
        busy = error.code == 429 or error.code >= 500
        said = f": {error.message}" if error.message and not busy else "."
        raise EngineFailed(
            f"Gemini is busy or away ({error.code})." if busy else f"Gemini refused the request ({error.code}){said}",
            code="gemini_unavailable" if busy else "gemini_refused",
            retryable=busy,
        ) from error
    except (HTTPError, OSError) as error:
        raise EngineFailed("Gemini did not answer.", code="gemini_unavailable", retryable=True) from error


@cache
def _client(key: str, base_url: str) -> Any:
    from google import genai
    from google.genai import types

    options = types.HttpOptions(
        base_url=base_url or None, api_version=GEMINI_API_VERSION, timeout=TIMEOUT_SECONDS * 1000
    )
    return genai.Client(api_key=key, http_options=options)


def _while_stepping(ask: Callable[[], Any], step: Callable[[], None]) -> Any:
    """What `ask` returns, with `step` called meanwhile, so that a cancel does not wait for Gemini."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except BaseException as error:  # handed on below, in the thread that can report it
            failure.append(error)

    thread = threading.Thread(target=run, name="gemini", daemon=True)
    thread.start()
    while thread.is_alive():
        step()
        thread.join(_LOOK_SECONDS)
    if failure:
        raise failure[0]
    return outcome[0]


def _sound_of(answer: Any) -> bytes:
    """The 16-bit samples of the answer.

    Raises:
        EngineFailed: there are none, they were cut off at the limit, or they are not of the format that is billed.
    """
    candidate = next(iter(answer.candidates or []), None)
    reason = str(getattr(getattr(candidate, "finish_reason", None), "name", "") or "")
    parts = getattr(getattr(candidate, "content", None), "parts", None) or []
    sound = [part.inline_data for part in parts if part.inline_data is not None and part.inline_data.data]
    if reason == "MAX_TOKENS":
        raise EngineFailed("Gemini's answer was longer than what was held for it.", code="gemini_too_long")
    if not sound:
        blocked = getattr(getattr(answer, "prompt_feedback", None), "block_reason", None)
        why = str(getattr(blocked, "name", None) or reason or "no sound in the answer")
        raise EngineFailed(f"Gemini did not speak this text ({why}).", code="gemini_refused")
    formats = {piece.mime_type.replace(" ", "").lower() for piece in sound}
    if any("l16" not in form or f"rate={RATE}" not in form for form in formats):
        raise EngineFailed(f"Gemini answered in a format we cannot bill ({', '.join(sorted(formats))}).")
    return b"".join(piece.data for piece in sound)
