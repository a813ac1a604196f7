"""audio.speak: hands a text to the engine of its provider."""

from workers.pipelines.base import PipelineResult, RunContext
from workers.protocol.inputs.audio_speak import AudioSpeakParams


class Speak:
    """A described or a cloned voice by the cpu engine here, a Gemini voice by Google's service."""

    engine = "kokoro-82m-int8"

    def run(self, context: RunContext) -> PipelineResult:
        """Speak the text; see `omnivoice` and `gemini` for what each raises."""
        params = AudioSpeakParams.model_validate(dict(context.params))
        # Each provider's node needs its own packages alone.
        if params.provider == "gemini":
            from workers.pipelines.audio_speak import gemini

            return gemini.speak(context, params)
        from workers.pipelines.audio_speak import omnivoice

        return omnivoice.speak_design_or_clone(context, params)


PIPELINE = Speak()
