"""audio.speak: hands a text to the engine of its provider."""

from workers.pipelines.audio_speak.omnivoice import ENGINE, speak_design_or_clone
from workers.pipelines.base import PipelineResult, RunContext
from workers.protocol.inputs.audio_speak import AudioSpeakParams


class Speak:
    """A described or a cloned voice by the cpu engine here, a Gemini voice by Google's service."""

    engine = ENGINE

    def run(self, context: RunContext) -> PipelineResult:
        """Speak the text; see `omnivoice` and `gemini` for what each raises."""
        params = AudioSpeakParams.model_validate(dict(context.params))
        if params.provider == "gemini":
            from workers.pipelines.audio_speak import gemini

            return gemini.speak(context, params)
        return speak_design_or_clone(context, params)


PIPELINE = Speak()
