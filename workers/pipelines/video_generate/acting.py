"""How the figures of a composed scene move: what the prompt says they do, else what their kind does at rest."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.pipelines.video_generate.world import Pose

Poses = Callable[[float], Pose]

GAITS = {"walk": (0.05, 1.7, 0.012, 0.05), "run": (0.12, 2.7, 0.03, 0.08), "drive": (0.11, 5.0, 0.003, 0.0)}
"""Speed (widths a second), steps a second, hop (of the figure's height), waddle (radians)."""
HABITS = {
    "ground": "breathe", "bust": "breathe", "table": "rest", "air": "hover", "heaven": "hang", "surface": "bob",
    "deep": "swim",
}  # fmt: skip
"""What each habitat's figures do when nothing is said."""
IN_THEIR_ELEMENT = {
    "walk": {"air": "fly", "deep": "swim", "surface": "sail"},
    "run": {"air": "fly", "deep": "swim", "surface": "sail"},
}
CRUISE = 0.045
"""Widths a second that flyers, swimmers and boats cover."""


def poses(
    kind: str | None, *, habitat: str, facing: int, height: float, seconds: float, draws: NDArray[np.floating[Any]]
) -> tuple[str, Poses]:
    """The action that a figure takes up and its pose at each moment.

    `facing` is -1 to the left, 1 to the right; `height` is the figure's own, a share of the frame's width; `seconds`
    the clip's length; `draws` eight numbers 0..1 that set it apart from its fellows.
    """
    action = ("breathe" if kind == "rest" and habitat in {"ground", "bust"} else kind) or HABITS.get(habitat, "rest")
    action = IN_THEIR_ELEMENT.get(action, {}).get(habitat, action)
    if action == "drive" and habitat in {"surface", "air"}:
        action = {"surface": "sail", "air": "fly"}[habitat]
    tempo, phase = 0.85 + 0.3 * float(draws[0]), float(draws[1])

    def wave(rate: float, offset: float = 0.0) -> Callable[[float], float]:
        return lambda t: float(np.sin(2 * np.pi * (rate * tempo * t + phase + offset)))

    def along(speed: float) -> Callable[[float], float]:
        """Even travel whose middle is the planned place, so that composition holds on average."""
        return lambda t: facing * speed * (t - seconds / 2)

    made = _moving(action, wave, along, height, phase) or _in_place(action, wave, height, facing, phase, seconds)
    return (action, made) if made else ("rest", _at_rest)


def _at_rest(seconds: float) -> Pose:
    return Pose()


def _moving(action: str, wave: Any, along: Any, height: float, phase: float) -> Poses | None:
    if action in GAITS:
        speed, steps, hop, waddle = GAITS[action]
        path, swing = along(speed), wave(steps / 2)
        return lambda t: Pose(right=path(t), down=-hop * height * abs(swing(t)), lean=waddle * swing(t))
    if action == "fly":
        path, rise, flap = along(CRUISE * 1.6), wave(0.34), wave(1.5)
        return lambda t: Pose(
            right=path(t), down=0.05 * height * rise(t), lean=0.05 * rise(t + 0.4), tall=1 + 0.035 * flap(t)
        )
    if action == "swim":
        path, wag, rise = along(CRUISE), wave(1.1), wave(0.25)
        return lambda t: Pose(right=path(t), down=0.05 * height * rise(t), skew=0.05 * wag(t), wide=1 + 0.02 * wag(t))
    if action == "sail":
        path, heave, roll = along(CRUISE * 0.8), wave(0.4), wave(0.27, 0.3)
        return lambda t: Pose(right=path(t), down=0.018 * height * heave(t), lean=0.035 * roll(t))
    return None


def _in_place(action: str, wave: Any, height: float, facing: int, phase: float, seconds: float) -> Poses | None:
    match action:
        case "breathe":
            breath = wave(0.34)
            return lambda t: Pose(tall=1 + 0.014 * breath(t), wide=1 - 0.007 * breath(t))
        case "hover":
            rise, tilt = wave(0.42), wave(0.31, 0.2)
            return lambda t: Pose(down=0.05 * height * rise(t), lean=0.035 * tilt(t))
        case "bob":
            heave, roll = wave(0.42), wave(0.3, 0.25)
            return lambda t: Pose(down=0.016 * height * heave(t), lean=0.04 * roll(t))
        case "jump":

            def jumping(t: float) -> Pose:
                share = (t * 1.25 + phase) % 1.0
                up = max(0.0, 1 - ((share - 0.42) / 0.36) ** 2)
                squash = 0.12 * np.exp(-(((share - 0.85) / 0.08) ** 2))
                return Pose(
                    down=-0.3 * height * up,
                    tall=1 + 0.05 * up - float(squash),
                    wide=1 - 0.03 * up + float(squash) * 0.7,
                )

            return jumping
        case "dance":
            beat, side = wave(1.0), wave(0.5)
            return lambda t: Pose(
                lean=0.11 * side(t), down=-0.05 * height * abs(beat(t)), tall=1 + 0.03 * beat(t + 0.12)
            )
        case "sway":
            side = wave(0.5)
            return lambda t: Pose(skew=0.09 * side(t), lean=0.02 * side(t))
        case "spin":
            return lambda t: Pose(lean=2 * np.pi * (0.22 * t * facing))
        case "launch":
            shiver = wave(7)
            return lambda t: Pose(
                down=-0.035 * t - 0.55 * (t / max(seconds, 1)) ** 2.2,
                right=0.0012 * shiver(t) + 0.2 * facing * (t / max(seconds, 1)) ** 2.2,
                tall=1 + 0.01 * shiver(t),
            )
        case "fall":
            tilt = wave(0.6)
            return lambda t: Pose(down=0.06 * (t - seconds / 2), lean=0.12 * tilt(t), right=0.02 * tilt(t + 0.3))
        case "grow":
            return lambda t: _sized(0.55 + 0.45 * float(np.sin(0.5 * np.pi * min(1.0, t / max(0.1, 0.8 * seconds)))))
    return None


def _sized(size: float) -> Pose:
    return Pose(wide=size, tall=size)
