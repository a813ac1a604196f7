"""Real clips drawn by ffmpeg's own generators, and what comes out of an engine, decoded."""

import importlib
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from workers.ffmpeg import program
from workers.pipelines.base import PipelineResult, RunContext


def ffmpeg(*arguments: str | Path) -> None:
    """Run the bare program; its complaint is the test's failure."""
    done = subprocess.run(
        [program(), "-v", "error", "-nostdin", "-y", *map(str, arguments)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def make_clip(
    path: Path,
    *,
    frames: int = 30,
    rate: str = "30",
    size: str = "160x90",
    tone: int | None = 440,
    picture: str | None = None,
    sound_seconds: float | None = None,
    sample_rate: int = 48000,
    options: Sequence[str] = (),
) -> Path:
    """A clip of exactly `frames` frames; without a `tone` it has no sound."""
    seconds = float(frames / Fraction(rate))
    source = picture or f"testsrc2=s={size}:r={rate}"
    arguments = ["-f", "lavfi", "-i", source]
    if tone is not None:
        sine = f"sine=f={tone}:r={sample_rate}:d={sound_seconds or seconds:.6f}"
        arguments += ["-f", "lavfi", "-i", sine]
    arguments += ["-frames:v", str(frames), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg(*arguments, "-c:a", "aac", *options, path)
    return path


def run_engine(
    task: str,
    *,
    params: dict[str, Any],
    files: dict[str, list[Path]],
    workdir: Path,
    step: Callable[[float, str], None] = lambda fraction, phase: None,
) -> PipelineResult:
    """What the worker's runtime does with an engine."""
    pipeline = importlib.import_module(f"workers.pipelines.{task}.pipeline").PIPELINE
    workdir.mkdir()
    return pipeline.run(RunContext(params=params, files=files, seed=1, workdir=workdir, step=step))


def frame_times(path: Path) -> list[Fraction]:
    """Presentation times of the decoded frames."""
    with av.open(str(path)) as opened:
        return [Fraction(frame.pts or 0) * Fraction(frame.time_base or 0) for frame in opened.decode(video=0)]


def pictures(path: Path) -> list[np.ndarray]:
    """The decoded frames as RGB."""
    with av.open(str(path)) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]


def sound(path: Path) -> tuple[np.ndarray, int]:
    """The first channel's samples as a player hears them from time zero, and their rate."""
    with av.open(str(path)) as opened:
        stream = opened.streams.audio[0]
        parts = [frame.to_ndarray()[0] for frame in opened.decode(stream)]
        return np.concatenate(parts), stream.sample_rate


def pitch(samples: np.ndarray, rate: int) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def packets(path: Path) -> list[bytes]:
    """The video packets' bytes in file order."""
    with av.open(str(path)) as opened:
        return [bytes(packet) for packet in opened.demux(video=0) if packet.size]
