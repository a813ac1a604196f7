"""Tracks through the soundfont: one child process a track, two at a time, none outliving its run."""

import importlib.util
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from workers import tethered
from workers.pipelines.ace_step_create import render_midi
from workers.pipelines.base import EngineFailed

RATE = 48_000
"""What the renderer gives."""
SETTING = "SOUNDFONT_PATH"
"""Environment variable that names another General MIDI soundfont (.sf2)."""
_AT_ONCE = 2
_TICK_SECONDS = 0.2

Stereo = NDArray[np.float32]
"""Samples of shape (2, n)."""


@cache
def soundfont() -> Path:
    """The soundfont to play from: SOUNDFONT_PATH, else TimGM6mb out of the pretty_midi package.

    Raises:
        EngineFailed: there is none.
    """
    named = os.environ.get(SETTING)
    if named:
        path = Path(named)
        if not path.is_file():
            raise EngineFailed(f"The soundfont that {SETTING} names is not there.", code="missing_soundfont")
        return path
    found = importlib.util.find_spec("pretty_midi")
    path = Path(found.origin).parent / "TimGM6mb.sf2" if found and found.origin else Path("missing")
    if not path.is_file():
        raise EngineFailed(
            "The soundfont TimGM6mb.sf2 of the package pretty_midi is missing.", code="missing_soundfont"
        )
    if importlib.util.find_spec("midirenderer") is None:
        raise EngineFailed("The package midirenderer is not installed.", code="engine_missing")
    return path


def soundfont_name() -> str:
    """What the result calls it."""
    return soundfont().stem


class _Band:
    """The children of one run."""

    def __init__(self) -> None:
        self._lock, self._children, self._ended = Lock(), set[subprocess.Popen[bytes]](), False

    def play(self, midi: bytes) -> bytes:
        """One child from start to end; called in a thread that waits for it, as its tie to us needs."""
        command = [
            sys.executable, "-I", "-S", tethered.__file__, str(os.getpid()),
            sys.executable, "-I", render_midi.__file__, str(soundfont()),
        ]  # fmt: skip
        with self._lock:
            if self._ended:
                return b""
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
            )
            self._children.add(child)
        try:
            samples, complaint = child.communicate(midi)
        finally:
            with self._lock:
                self._children.discard(child)
        if child.returncode and not self._ended:
            if child.returncode < 0:
                raise EngineFailed("The MIDI renderer was ended by the system.", code="renderer_lost", retryable=True)
            last = (complaint.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
            raise EngineFailed(f"The MIDI renderer failed ({last[:120]}).", code="renderer_failed")
        return samples

    def end(self) -> None:
        """Kill whoever still plays; whoever would start does not."""
        with self._lock:
            self._ended = True
            for child in self._children:
                with suppress(ProcessLookupError):
                    child.kill()


@contextmanager
def playing(scores: Sequence[bytes], *, samples: int, tick: Callable[[], None]) -> Iterator[Iterator[Stereo]]:
    """Start playing every MIDI file; inside, each one's sound in order, of exactly `samples` samples.

    `tick` is called a few times a second while one is waited for. On leaving, whoever still plays is ended.

    Raises:
        EngineFailed: the soundfont or the renderer is missing or fails.
    """
    soundfont()
    band = _Band()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="midi") as pool:
        waiting = deque(pool.submit(band.play, score) for score in scores)
        try:
            yield _sounds(waiting, samples, tick)
        finally:
            band.end()
            for future in waiting:
                future.cancel()


def _sounds(waiting: "deque[Future[bytes]]", samples: int, tick: Callable[[], None]) -> Iterator[Stereo]:
    while waiting:
        while not wait([waiting[0]], timeout=_TICK_SECONDS).done:
            tick()
        raw = np.frombuffer(waiting.popleft().result(), np.int16)
        length = min(samples, raw.size // 2)
        out = np.zeros((2, samples), np.float32)
        np.multiply(raw[: 2 * length].reshape(-1, 2).T, np.float32(1 / 32768), out=out[:, :length])
        del raw
        yield out
