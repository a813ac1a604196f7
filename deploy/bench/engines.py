"""`python -m deploy.bench.engines`: every cpu engine in one process, as a worker runs them; prints JSON.

Each is warmed up once, then run a few times; each run's wall time and the longest silence between two reports of
progress are kept. Where the same can be done by a bare ffmpeg command, the command runs in turn with the engine. At the
end, with every engine warm, the process's resident memory is read.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from workers.ffmpeg import picture_encoding, program, sound_encoding
from workers.pipelines import registry
from workers.pipelines.base import PipelineResult, RunContext

TEXT = (
    "We launch at dawn, hold formation, and bring everyone home safely. The river is high and the bridge is out, "
    "so take the mountain road. Nobody speaks until the lights come on. Remember what we agreed: no heroes, no hurry."
)
LYRICS = (
    "[Verse]\nWe were shadows in a crowded room\nNow the skyline sings our names\n\n"
    "[Chorus]\nWe run through the midnight light\nTurn the static into fire tonight\n\n[Outro]\nNeon rain"
)
SHAPE = {
    "qualityPreset": "balanced",
    "targetFaceCount": 20_000,
    "textureSize": 1024,
    "textureResolution": 1024,
    "maxViews": 4,
    "sparseStructureSteps": 12,
    "shapeSteps": 12,
    "textureSteps": 12,
    "meshResolution": 512,
    "removeBackground": True,
    "padding": 8,
    "refinerResolution": 512,
    "refinerDownsampling": 32,
    "remeshFillHoles": True,
    "remeshFillHolesMaxPerimeter": 0.03,
    "remeshRemoveFloaters": True,
    "remeshRemoveInnerFaces": True,
    "meshClusterConeHalfAngleRad": 60.0,
    "postprocessPositionEpsilon": 1e-5,
    "postprocessNormalCreaseDeg": 45.0,
}
SONG = {
    "tags": "electro-pop, wide synths, punchy drums",
    "lyrics": LYRICS,
    "qualityPreset": "default",
    "quality": "128k",
    "steps": 8,
    "textCfgScale": 2.0,
    "samplerCfg": 1.0,
    "temperature": 0.85,
    "topP": 0.9,
    "topK": 0,
    "minP": 0.0,
    "language": "en",
}
IMAGE = {"width": 1024, "height": 1024, "outputFormat": "webp", "highDetail": False}
SPEECH = {"provider": "omnivoice", "mode": "voice_design", "voice": {"gender": "female"}, "quality": "128k"}
ANNOTATION = {"language": "en", "transcriptionModel": "large-v3", "device": "auto"}
SOUND = {"quality": "128k", "temperature": 1.0, "topP": 0.95, "topK": 50, "repetitionPenalty": 1.1}


@dataclass
class Measured:
    """One engine's figures."""

    name: str
    seconds: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    """The bare ffmpeg command's wall times, run in turn with ours."""
    output_seconds: float | None = None
    """How long the made sound or clip is."""
    input_seconds: float | None = None
    silence: float = 0.0
    """The longest time without a report of progress."""


class Bench:
    """Runs engines as `workers.runtime` does, each run in a folder of its own."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self._folder, self._rounds = folder, rounds
        self.measured: list[Measured] = []

    def measure(
        self,
        name: str,
        task: str,
        params: Mapping[str, Any],
        files: Mapping[str, Sequence[Path]] | None = None,
        *,
        rounds: int | None = None,
        bare: Callable[[Path], list[str]] | None = None,
        input_seconds: float | None = None,
    ) -> Path:
        """Warm up, run in turn with the bare command, keep the figures; the last output."""
        found = Measured(name=name, input_seconds=input_seconds)
        result = self._run(task, params, files or {}, found)
        found.silence = 0.0
        found.seconds.clear()
        for number in range(rounds or self._rounds):
            if bare is not None:
                found.bare.append(self._bare(bare, f"{name}-{number}"))
            result = self._run(task, params, files or {}, found)
        found.output_seconds = result.outputs[0].seconds
        self.measured.append(found)
        said = f"{name}: {', '.join(f'{one:.2f}' for one in found.seconds)} s"
        print(said, file=sys.stderr, flush=True)
        return result.outputs[0].path

    def _run(
        self, task: str, params: Mapping[str, Any], files: Mapping[str, Sequence[Path]], found: Measured
    ) -> PipelineResult:
        workdir = Path(tempfile.mkdtemp(dir=self._folder))
        began = heard = time.monotonic()

        def step(fraction: float, phase: str) -> None:
            nonlocal heard
            now = time.monotonic()
            found.silence = max(found.silence, now - heard)
            heard = now

        context = RunContext(params=params, files=files, seed=7, workdir=workdir, step=step)
        result = registry.pipeline(task).run(context)
        found.seconds.append(time.monotonic() - began)
        return result

    def _bare(self, command: Callable[[Path], list[str]], name: str) -> float:
        path = self._folder / f"bare-{name.replace(' ', '-')}.mp4"
        began = time.monotonic()
        subprocess.run([program(), "-v", "error", "-nostdin", "-y", *command(path)], check=True)
        took = time.monotonic() - began
        path.unlink()
        return took


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.bench.engines", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round each, short clips")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="engines-"))
    try:
        bench = Bench(folder, 1 if options.quick else options.rounds)
        _all(bench, folder, quick=options.quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = {"engines": [vars(one) for one in bench.measured], "rss": psutil.Process().memory_info().rss}
    print(json.dumps(told))
    return 0


def _all(bench: Bench, folder: Path, *, quick: bool) -> None:
    prompt = "a red fox left of two blue mugs in a meadow"
    picture = bench.measure("image.generate 1 MP", "image.generate", {**IMAGE, "prompt": prompt, "upscale": False})
    bench.measure(
        "image.edit 1 MP",
        "image.edit",
        {**IMAGE, "prompt": "warmer light, blur the background, watercolor"},
        {"sourceImage": [picture]},
    )
    frames = 33 if quick else 153
    bench.measure(
        f"video.generate {frames} frames, 1280×704",
        "video.generate",
        {
            "prompt": "slow cinematic push-in with floating particles",
            "width": 1280,
            "height": 704,
            "frames": frames,
            "sampledFps": 30,
            "interpolationFps": 60,
            "extremeQuality": False,
        },
        {"startFrameImage": [picture]},
        rounds=1,
    )
    speech = bench.measure("audio.speak 215 characters", "audio.speak", {**SPEECH, "text": TEXT})
    spoken = bench.measured[-1].output_seconds
    bench.measure(
        "audio.annotation, no transcript",
        "audio.annotation.reference",
        ANNOTATION,
        {"sourceAudio": [speech]},
        input_seconds=spoken,
    )
    bench.measure(
        "audio.annotation, transcript",
        "audio.annotation.reference",
        {**ANNOTATION, "transcript": TEXT},
        {"sourceAudio": [speech]},
        input_seconds=spoken,
    )
    bench.measure("ace.step.create 60 s", "ace.step.create", {**SONG, "durationSeconds": 60})
    bench.measure(
        "moss.sound.effect 5 s",
        "moss.sound.effect",
        {**SOUND, "prompt": "distant thunder, then three knocks on a door", "durationSeconds": 5, "maxNewTokens": 1024},
    )
    bench.measure("trellis.generate balanced", "trellis.generate", SHAPE, {"sourceImage": [picture]})
    _clips(bench, folder, seconds=4 if quick else 20)


def _clips(bench: Bench, folder: Path, *, seconds: int) -> None:
    clips = [_clip(folder / f"clip-{number}.mp4", number, seconds) for number in (0, 1)]
    listed = folder / "clips.txt"
    listed.write_text("".join(f"file '{clip}'\n" for clip in clips))
    encoding = _options({**picture_encoding(), **sound_encoding()})

    def copied(path: Path) -> list[str]:
        sound = _options(sound_encoding())
        return [
            "-f",
            "concat",
            "-safe",
            "0",
            "-i",
            str(listed),
            "-c:v",
            "copy",
            *sound,
            "-movflags",
            "+faststart",
            str(path),
        ]

    def joined(path: Path) -> list[str]:
        cut = "[1:v]trim=start_frame=6,setpts=PTS-STARTPTS[v];[1:a]atrim=start=0.2,asetpts=PTS-STARTPTS[a];"
        graph = f"{cut}[0:v][0:a][v][a]concat=n=2:v=1:a=1[vo][ao]"
        inputs = [part for clip in clips for part in ("-i", str(clip))]
        return [
            *inputs,
            "-filter_complex",
            graph,
            "-map",
            "[vo]",
            "-map",
            "[ao]",
            *encoding,
            "-movflags",
            "+faststart",
            str(path),
        ]

    def resized(path: Path) -> list[str]:
        # The engine's own kernel: a softer one (bicubic) makes another picture, of 7 % fewer bytes, and so measures two
        # encodings of different pictures; with this one the files' pictures are equal.
        scale = ["-vf", "scale=640:352:flags=lanczos+accurate_rnd:out_range=tv,format=yuv420p,setsar=1"]
        return [
            "-i",
            str(clips[0]),
            *scale,
            *_options(picture_encoding()),
            "-c:a",
            "copy",
            "-movflags",
            "+faststart",
            str(path),
        ]

    files = {"videoUrls": clips}
    bench.measure("video.combine, copied", "video.combine", {"overlapFrames": 0, "frameRate": 30}, files, bare=copied)
    bench.measure(
        "video.combine, encoded", "video.combine", {"overlapFrames": 6, "frameRate": 30}, files, bare=joined, rounds=3
    )
    bench.measure(
        "video.resize",
        "video.resize",
        {"width": 640, "height": 352, "frameRate": "30", "sourceDurationSeconds": float(seconds)},
        {"sourceVideoUrl": [clips[0]]},
        bare=resized,
    )


def _clip(path: Path, number: int, seconds: int) -> Path:
    command = ["-f", "lavfi", "-i", f"testsrc2=s=1280x704:r=30:d={seconds}"]
    command += ["-f", "lavfi", "-i", f"sine=f={330 + 110 * number}:r=48000:d={seconds}"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", str(path)]
    subprocess.run([program(), "-v", "error", "-nostdin", "-y", *command], check=True)
    return path


def _options(encoding: Mapping[str, Any]) -> list[str]:
    return [part for name, value in encoding.items() for part in (f"-{name}", str(value))]


if __name__ == "__main__":
    sys.exit(main())
