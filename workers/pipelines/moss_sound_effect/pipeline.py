"""The `procedural-foley` engine: reads the prompt, arranges its events, synthesises them. No model, no recordings."""

import hashlib
from typing import Any

import numpy as np

from workers.pipelines.base import OutputFile, PipelineResult, RunContext
from workers.pipelines.moss_sound_effect.arrangement import Placed, arrange
from workers.pipelines.moss_sound_effect.mixing import mix
from workers.pipelines.moss_sound_effect.reading import Heard, Said, read
from workers.pipelines.moss_sound_effect.signals import RATE
from workers.pipelines.moss_sound_effect.vocabulary import EVENTS
from workers.protocol.inputs.moss_sound_effect import MossSoundEffectParams
from workers.sound import write_opus

METHOD = (
    "Sounds synthesised by procedure (noise bands, modal resonators, grains, formants, convolution reverbs) for the "
    "events its vocabulary knows. No neural model and no recordings: it lists the words it did not understand."
)
WITHOUT_EFFECT = ("topP", "topK", "repetitionPenalty", "maxNewTokens")
"""They steer a token model, and there is none."""


class ProceduralFoley:
    """Synthesises the events a prompt names."""

    engine = "procedural-foley"

    def run(self, context: RunContext) -> PipelineResult:
        """Make exactly durationSeconds × 48 000 stereo samples. The same parameters and seed give the same bytes.

        `temperature` is how far chance may wander in pitch, timing and level; 1 is ordinary.

        Raises:
            Canceled: passed through from `context.step`; no output file is left.
        """
        params = MossSoundEffectParams.model_validate(dict(context.params))
        context.step(0.02, "reading")
        heard = read(params.prompt)
        stand_in = not heard.events
        if stand_in:
            heard.events = [_stand_in(heard)]
        chance = np.random.default_rng(_stream_seed(context.seed, params.prompt if stand_in else ""))
        timing, *streams = chance.spawn(1 + len(heard.events))

        context.step(0.05, "arranging")
        placed = arrange(heard.events, float(params.duration_seconds), timing, params.temperature)
        wave = mix(
            placed,
            seconds=float(params.duration_seconds),
            room=heard.room,
            streams=streams,
            spread=params.temperature,
            step=lambda share: context.step(0.08 + 0.72 * share, "synthesising"),
        )
        context.step(0.85, "encoding")
        path = context.workdir / "output_0001.opus"
        try:
            seconds = write_opus(wave, rate=RATE, path=path, quality=params.quality)
            context.step(1.0, "done")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        output = OutputFile(path=path, media_type="audio/ogg", seconds=seconds)
        return PipelineResult(outputs=[output], info=self._info(heard, placed, stand_in, context.seed))

    def _info(self, heard: Heard, placed: list[Placed], stand_in: bool, seed: int) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "method": METHOD,
            "seed": seed,
            "events": [
                {
                    "name": one.said.event.name,
                    "start": round(one.start, 3),
                    "seconds": round(one.seconds, 3),
                    "modifiers": list(one.said.names.values()),
                }
                for one in placed
            ],
            "room": heard.room,
            "notUnderstood": list(heard.unknown),
            "takenFor": dict(heard.taken_for),
            "leftOut": list(heard.left_out),
            "standIn": stand_in,
            "fieldsWithoutEffect": list(WITHOUT_EFFECT),
        }


def _stand_in(heard: Heard) -> Said:
    """Air of no particular place, coloured by what adjectives there were."""
    event = next(event for event in EVENTS if event.name == "ambience")
    return Said(event=event, stage=0.0, traits=dict(heard.mood))


def _stream_seed(seed: int, words: str) -> int:
    """The job's seed; a prompt without events stirs its words in, so that each has an air of its own."""
    digest = hashlib.sha256(f"{seed}\n{words.strip().lower()}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


PIPELINE = ProceduralFoley()
