"""Makes sound effects for tests and keeps them: the same prompt is made once a module."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.workers.pipelines.hearing import RATE, Sound
from workers.pipelines.base import OutputFile, RunContext
from workers.pipelines.moss_sound_effect.pipeline import PIPELINE
from workers.sound import read_sound

DEFAULTS: dict[str, Any] = {
    "quality": "128k",
    "temperature": 1.0,
    "topP": 0.9,
    "topK": 50,
    "repetitionPenalty": 1.1,
    "maxNewTokens": 1024,
}


class Studio:
    """Runs the engine in folders of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._heard: dict[Path, Sound] = {}
        self._kept: dict[Any, tuple[OutputFile, dict[str, Any]]] = {}

    def run(
        self,
        prompt: str,
        seconds: int = 3,
        *,
        seed: int = 7,
        step: Callable[[float, str], None] = lambda fraction, phase: None,
        **params: Any,
    ) -> tuple[OutputFile, dict[str, Any]]:
        """One run: its file and its info."""
        workdir = self._folder / str(self._count)
        workdir.mkdir(parents=True)
        self._count += 1
        context = RunContext(
            params={**DEFAULTS, "prompt": prompt, "durationSeconds": seconds, **params},
            files={},
            seed=seed,
            workdir=workdir,
            step=step,
        )
        result = PIPELINE.run(context)
        assert len(result.outputs) == 1
        assert [path.name for path in workdir.iterdir()] == ["output_0001.opus"]
        return result.outputs[0], dict(result.info)

    def make(self, prompt: str, seconds: int = 3, *, seed: int = 7, **params: Any) -> tuple[OutputFile, dict[str, Any]]:
        """As `run`, once for the same request."""
        key = (prompt, seconds, seed, *sorted(params.items()))
        if key not in self._kept:
            self._kept[key] = self.run(prompt, seconds, seed=seed, **params)
        return self._kept[key]

    def hear(self, prompt: str, seconds: int = 3, *, seed: int = 7, **params: Any) -> Sound:
        """The decoded stereo sound of a request."""
        output, _ = self.make(prompt, seconds, seed=seed, **params)
        if output.path not in self._heard:
            self._heard[output.path] = read_sound(output.path, rate=RATE, channels=2)
        return self._heard[output.path]
