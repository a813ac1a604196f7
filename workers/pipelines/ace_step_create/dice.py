"""Seeded choices: one dice a topic, so that a change in one part of a song leaves the others as they were."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

_Option = TypeVar("_Option")


@dataclass(frozen=True, kw_only=True)
class Variety:
    """How freely the composer departs from the most usual choice.

    The words are those of a language model's sampler, and mean here what they mean there: `temperature` flattens
    the weights, `top_k` (0: all), `top_p` and `min_p` cut the list of candidates before one is drawn.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0


class Dice:
    """Draws for one topic."""

    def __init__(self, seed: int, variety: Variety, topic: str = "song") -> None:
        self._seed, self.variety, self._topic = seed, variety, topic
        digest = hashlib.sha256(f"{seed}\n{topic}".encode()).digest()
        self.random = random.Random(int.from_bytes(digest[:8], "big"))

    def of(self, topic: str) -> "Dice":
        """The dice of a topic within this one, always the same whatever was drawn before."""
        return Dice(self._seed, self.variety, f"{self._topic}/{topic}")

    def pick(self, options: Sequence[_Option], weights: Sequence[float] | None = None) -> _Option:
        """One of `options`; without weights the earlier are the more usual ones."""
        given = list(weights) if weights is not None else [0.82**place for place in range(len(options))]
        heat = self.variety.temperature
        best = max(given)
        scaled = [(weight / best) ** (1 / heat) if weight > 0 else 0.0 for weight in given]
        order = sorted(range(len(options)), key=lambda place: -scaled[place])
        if self.variety.top_k:
            order = order[: self.variety.top_k]
        kept = [place for place in order if scaled[place] >= self.variety.min_p] or order[:1]
        total, mass, head = sum(scaled[place] for place in kept), 0.0, []
        for place in kept:
            head.append(place)
            mass += scaled[place] / total
            if mass >= self.variety.top_p:
                break
        return options[self.random.choices(head, [scaled[place] for place in head])[0]]

    def chance(self, probability: float) -> bool:
        """Whether something of that probability happens."""
        return self.random.random() < probability

    def spread(self, width: float) -> float:
        """A departure from the usual, normally distributed, wider with the temperature."""
        return self.random.gauss(0.0, width * self.variety.temperature**0.5)
