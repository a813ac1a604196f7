"""Running ffmpeg: command lines that open nothing but the files named, progress, and a child that never outlives us."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg

from workers import tethered
from workers.protocol.containers import Container

STALLED_SECONDS = 120.0
"""No new frame for so long means that the child hangs."""
_DAMAGE_TOLERATED = 0.1
"""A few lost frames in a broadcast recording are bridged; a clip with more undecodable frames than this is refused."""
_DAMAGED_STATUS = 69
"""What ffmpeg exits with when that share is passed."""
_TICK_SECONDS = 0.25
_TAIL_LINES = 12
_PATH = re.compile(r"(?:file:)?(?:/[^\s/:'\"\]]+)+/?")
_MACHINE_FAULTS = ("No space left on device", "Cannot allocate memory", "Resource temporarily unavailable")


class FfmpegFailed(Exception):
    """ffmpeg ended without its output; `retryable` when the machine, not the input, was at fault."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.message, self.retryable = message, retryable
        super().__init__(message)


@cache
def program() -> str:
    """The ffmpeg program of the wheel."""
    return imageio_ffmpeg.get_ffmpeg_exe()


def threads() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def open_clip(path: Path, container: Container, **options: Any) -> Any:
    """An input node: local files only, and only the reader that the file's first bytes called for."""
    return ffmpeg.input(f"file:{path}", format=container.demuxer, protocol_whitelist="file", **options)


def picture_encoding() -> dict[str, Any]:
    """H.264 that plays everywhere and shows no loss to the eye.

    Measured on 2 cores with a noisy 1024² picture at crf 18: `veryfast` takes a third of the time of `medium`, for a
    file no larger and as near to its source (SSIM).
    """
    return {
        "c:v": "libx264",
        "preset": "veryfast",
        "crf": 18,
        "pix_fmt": "yuv420p",
        "threads:v": threads(),
        "flags:v": "+bitexact",
    }


def sound_encoding() -> dict[str, Any]:
    """AAC-LC at a rate where joints and transients stay clean."""
    return {"c:a": "aac", "b:a": "192k", "flags:a": "+bitexact"}


def mp4_file() -> dict[str, Any]:
    """A file that starts playing before it is all there and tells nothing about its sources."""
    return {"format": "mp4", "movflags": "+faststart", "map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact"}


def run(output: Any, *, path: Path, frames: int, step: Callable[[float], None]) -> None:
    """Run the command that `output`, an output node writing `path`, describes.

    `step` hears the fraction of `frames` done, several times a second even while ffmpeg is silent. Whatever it
    raises (a cancel) passes through; by then the child's whole process group is killed and reaped and `path` is
    gone, as on any other failure.

    Raises:
        FfmpegFailed: with a sentence for the client.
    """
    command = ffmpeg.compile(
        output.global_args(
            "-hide_banner",
            "-nostdin",
            "-loglevel",
            "error",
            "-progress",
            "pipe:1",
            "-stats_period",
            "0.2",
            "-max_error_rate",
            str(_DAMAGE_TOLERATED),
        ),
        cmd=program(),
        overwrite_output=True,
    )
    finished = False
    try:
        _run(command, frames=frames, step=step)
        finished = True
    finally:
        if not finished:
            path.unlink(missing_ok=True)


def _run(command: Sequence[str], *, frames: int, step: Callable[[float], None]) -> None:
    tied = [sys.executable, "-I", "-S", tethered.__file__, str(os.getpid()), *command]
    child = subprocess.Popen(
        tied,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        env={"LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
    )
    try:
        complaints = _follow(child, frames=frames, step=step)
        status = child.wait()
    finally:
        _end(child)
    if status:
        raise _failure(status, complaints)


def _follow(child: subprocess.Popen[bytes], *, frames: int, step: Callable[[float], None]) -> Sequence[str]:
    """Read both pipes to their ends, reporting progress; returns the last lines of complaint."""
    progress, errors = (pipe.fileno() for pipe in (child.stdout, child.stderr) if pipe)
    done, moved_at, complaints = 0, time.monotonic(), deque[str](maxlen=_TAIL_LINES)
    rests = {progress: b"", errors: b""}
    with selectors.DefaultSelector() as selector:
        for pipe in rests:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(_TICK_SECONDS):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fd)
                *lines, rests[key.fd] = (rests[key.fd] + chunk).split(b"\n")
                for line in (raw.decode("utf-8", "replace").strip() for raw in lines):
                    if key.fd == errors:
                        complaints.append(line)
                    elif line.startswith("frame=") and (count := line[6:].strip()).isdigit() and int(count) > done:
                        done, moved_at = int(count), time.monotonic()
            step(min(done / max(frames, 1), 1.0))
            if time.monotonic() - moved_at > STALLED_SECONDS:
                raise FfmpegFailed("ffmpeg stopped making progress and was ended.", retryable=True)
    last = rests[errors].decode("utf-8", "replace").strip()
    return [line for line in (*complaints, last) if line]


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's group, reap it, close its pipes."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()


def _failure(status: int, complaints: Sequence[str]) -> FfmpegFailed:
    if status < 0:
        name = signal.Signals(-status).name
        return FfmpegFailed(f"ffmpeg was ended by the system ({name}).", retryable=True)
    if status == _DAMAGED_STATUS:
        return FfmpegFailed("Too many frames could not be decoded: the input is damaged.")
    text = "; ".join(dict.fromkeys(without_paths(line) for line in complaints[-3:])) or f"exit status {status}"
    retryable = any(fault in text for fault in _MACHINE_FAULTS)
    return FfmpegFailed(f"ffmpeg could not finish: {text}", retryable=retryable)


def without_paths(text: str) -> str:
    """`text` with every file path reduced to its last part, so that no message tells how a node is laid out."""
    return _PATH.sub(lambda match: match.group().rstrip("/").rsplit("/", 1)[-1], text)
