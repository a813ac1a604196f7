"""Engines: what each task's cpu engine takes, warm, beside bare ffmpeg where that is the floor."""

import json
import subprocess
import sys
from statistics import median
from typing import Any

from deploy.bench.report import Section, Table, Target, number
from deploy.bench.series import RunInvalid
from deploy.bench.size import QUICK, Size
from deploy.bench.stage import Stage
from deploy.platform.programs import ROOT

MINUTES = 9
MOST_MEMORY_GB = 3.0
SECONDS = {"image.generate": 2.0, "image.edit": 3.0, "video.generate": 60.0, "moss": 0.5, "ace": 6.0, "trellis": 4.0}
"""The most a run may take, by the beginning of its name."""
OF_OUTPUT = {"audio.speak": 1.2}
OF_INPUT = {"audio.annotation": 0.4}
OF_BARE = {"video.combine": 1.15, "video.resize": 1.10}
MOST_SILENCE = 2.0
"""Seconds without progress in a video."""


def engines(stage: Stage, size: Size) -> Section:
    """In a process of their own, one after another, while the platform idles beside it."""
    command = [sys.executable, "-m", "deploy.bench.engines"]
    if size is QUICK:
        command.append("--quick")
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=MINUTES * 60, check=False, text=True)
    if done.returncode:
        raise RunInvalid(f"the engines' run ended with {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    memory = told["rss"] / 1e9
    rows, targets = [], []
    for one in told["engines"]:
        target = target_of(one)
        targets.append(target)
        seconds = one["seconds"]
        rows.append([one["name"], *map(number, (min(seconds), median(seconds), max(seconds))), *_beside(one, target)])
        if one["name"].startswith("video.generate"):
            silence = Target(
                name="video.generate, longest silence",
                measured=one["silence"],
                wanted=MOST_SILENCE,
                at_most=True,
                unit="s",
            )
            targets.append(silence)
    targets.append(
        Target(name="all engines warm in one process", measured=memory, wanted=MOST_MEMORY_GB, at_most=True, unit="GB")
    )
    table = Table(
        title="Engines, warm",
        columns=("", "least s", "median s", "most s", "measured", "wanted"),
        rows=rows,
        notes=[
            "One process runs all of them, as a worker does; each was run once before it was measured.",
            f"With all of them warm it holds {memory:.2f} GB.",
        ],
    )
    return Section(tables=[table], targets=targets, figures=told)


def target_of(one: dict[str, Any]) -> Target:
    """The figure that an engine is held to: seconds, or its time over the sound's, or over bare ffmpeg's.

    Ratios are taken within a round and their median counts, so that a noisy machine disturbs both sides alike.
    """
    name, seconds = one["name"], median(one["seconds"])
    for bounds, of in ((OF_OUTPUT, "output_seconds"), (OF_INPUT, "input_seconds")):
        for beginning, wanted in bounds.items():
            if name.startswith(beginning):
                return Target(name=name, measured=seconds / one[of], wanted=wanted, at_most=True, unit="× real time")
    for beginning, wanted in OF_BARE.items():
        if name.startswith(beginning):
            ratio = median(ours / bare for ours, bare in zip(one["seconds"], one["bare"], strict=True))
            return Target(name=name, measured=ratio, wanted=wanted, at_most=True, unit="× bare ffmpeg")
    wanted = next(most for beginning, most in SECONDS.items() if name.startswith(beginning))
    return Target(name=name, measured=seconds, wanted=wanted, at_most=True, unit="s")


def _beside(one: dict[str, Any], target: Target) -> list[str]:
    _, measured, wanted, _ = target.row()
    return [measured, wanted]
