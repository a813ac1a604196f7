"""What a recipe is told about the one sound it makes: chance, size, force, speed, material."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workers.pipelines.moss_sound_effect.signals import Wave


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One take of one event."""

    rng: np.random.Generator
    seconds: float = 30.0
    """The longest it may last."""
    size: float = 1.0
    """1 is ordinary; a small body (0.65) sounds higher and dies away sooner, a big one (1.5) the contrary."""
    force: float = 1.0
    """1 is ordinary; soft is about 0.5, heavy about 1.7. Density and brightness follow it, the mix sets the level."""
    rate: float = 1.0
    """Speed of what repeats or turns inside the sound."""
    stretch: float = 1.0
    """Length of a single sound against its ordinary one ("a short beep", "a long beep")."""
    material: str | None = None
    spread: float = 1.0
    """How far chance may wander; the temperature of the request."""

    def vary(self, value: float, amount: float = 0.08) -> float:
        """`value` times a random factor about 1, log-normal with deviation `amount` at temperature 1."""
        return value * float(np.exp(np.clip(self.rng.standard_normal(), -2, 2) * amount * self.spread))

    def hz(self, value: float, amount: float = 0.04) -> float:
        """A pitch as this body's size has it."""
        return self.vary(value / self.size, amount)

    def long(self, seconds: float, amount: float = 0.06) -> float:
        """A length as stretched, never longer than there is time for."""
        return min(self.vary(seconds * self.stretch, amount), self.seconds)


Strike = Callable[[Voice], Wave]
"""Makes one occurrence, shape (n,), of a length of its own."""
Fill = Callable[[Voice, int], Wave]
"""Makes `n` samples without a beginning or an end, shape (n,) or (2, n)."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A sound with a beginning and an end, once or repeated."""

    strike: Strike
    seconds: float
    """How long one ordinarily lasts."""
    every: float
    """Seconds from one to the next where there are several."""
    count: int | None = 1
    """How many where the prompt says no number; None goes on for as long as there is time."""
    pattern: tuple[float, ...] = (0.0,)
    """Strikes of one occurrence, in seconds after its start: a gallop is three beats."""
    jitter: float = 0.05
    """How uneven the times are, as a share of `every`, at temperature 1."""


@dataclass(frozen=True, kw_only=True)
class Texture:
    """A sound that goes on."""

    fill: Fill
    wide: bool = True
    """Made once for each ear, so that it surrounds; otherwise it comes from one point, or places itself by (2, n)."""
