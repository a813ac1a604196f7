"""The particles of each effect: how many, how large, how they fall, drift and shine."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Swarm:
    """Particles of one kind; lengths are shares of the frame's mean side, times are seconds."""

    count: int
    size: tuple[float, float]
    fall: tuple[float, float]
    """Speed downwards, slowest and fastest; negative rises."""
    drift: tuple[float, float]
    waver: float
    """How far it swings to the sides."""
    colors: Sequence[tuple[int, int, int]]
    light: bool
    """Whether it adds light; otherwise it covers."""
    opacity: tuple[float, float]
    shape: str = "disc"
    soft: float = 0.0
    """Blur, of the mean side."""
    twinkle: float = 0.0
    """How often a second it brightens and fades; 0 shines steadily."""


SWARMS: dict[str, tuple[Swarm, ...]] = {
    "rain": (
        Swarm(
            count=260,
            size=(0.0009, 0.0016),
            fall=(1.5, 2.1),
            drift=(-0.22, -0.16),
            waver=0,
            colors=((208, 218, 230),),
            light=False,
            opacity=(0.16, 0.34),
            shape="streak",
        ),
        Swarm(
            count=60,
            size=(0.0016, 0.0026),
            fall=(2.3, 3.0),
            drift=(-0.32, -0.24),
            waver=0,
            colors=((226, 233, 242),),
            light=False,
            opacity=(0.2, 0.42),
            shape="streak",
            soft=0.0008,
        ),
    ),
    "snow": (
        Swarm(
            count=260,
            size=(0.0016, 0.0034),
            fall=(0.07, 0.14),
            drift=(-0.03, 0.03),
            waver=0.014,
            colors=((255, 255, 255),),
            light=False,
            opacity=(0.55, 0.9),
        ),
        Swarm(
            count=46,
            size=(0.004, 0.009),
            fall=(0.16, 0.28),
            drift=(-0.05, 0.06),
            waver=0.026,
            colors=((255, 255, 255),),
            light=False,
            opacity=(0.4, 0.75),
            soft=0.0024,
        ),
    ),
    "dust": (
        Swarm(
            count=90,
            size=(0.0009, 0.0022),
            fall=(-0.012, 0.012),
            drift=(-0.015, 0.02),
            waver=0.02,
            colors=((255, 240, 214),),
            light=True,
            opacity=(0.25, 0.7),
            twinkle=0.25,
        ),
        Swarm(
            count=14,
            size=(0.005, 0.011),
            fall=(-0.012, 0.014),
            drift=(-0.02, 0.03),
            waver=0.03,
            colors=((255, 236, 205),),
            light=True,
            opacity=(0.1, 0.26),
            soft=0.003,
            twinkle=0.18,
        ),
    ),
    "sparks": (
        Swarm(
            count=80,
            size=(0.0011, 0.0024),
            fall=(-0.4, -0.14),
            drift=(-0.04, 0.07),
            waver=0.03,
            colors=((255, 178, 62), (255, 122, 34), (255, 214, 128)),
            light=True,
            opacity=(0.7, 1.0),
            shape="trail",
            twinkle=1.6,
        ),
        Swarm(
            count=26,
            size=(0.003, 0.006),
            fall=(-0.3, -0.1),
            drift=(-0.05, 0.08),
            waver=0.03,
            colors=((255, 138, 40),),
            light=True,
            opacity=(0.25, 0.5),
            soft=0.003,
            twinkle=1.1,
        ),
    ),
    "fireflies": (
        Swarm(
            count=34,
            size=(0.0024, 0.0042),
            fall=(-0.02, 0.02),
            drift=(-0.03, 0.03),
            waver=0.05,
            colors=((222, 255, 120), (255, 236, 130)),
            light=True,
            opacity=(0.7, 1.0),
            soft=0.0008,
            twinkle=0.5,
        ),
        Swarm(
            count=34,
            size=(0.011, 0.02),
            fall=(-0.02, 0.02),
            drift=(-0.03, 0.03),
            waver=0.05,
            colors=((190, 235, 90), (255, 220, 110)),
            light=True,
            opacity=(0.12, 0.26),
            soft=0.007,
            twinkle=0.5,
        ),
    ),
    "petals": (
        Swarm(
            count=52,
            size=(0.005, 0.01),
            fall=(0.06, 0.13),
            drift=(0.02, 0.09),
            waver=0.04,
            colors=((255, 198, 214), (250, 170, 196), (255, 226, 233)),
            light=False,
            opacity=(0.75, 0.98),
            shape="petal",
        ),
        Swarm(
            count=9,
            size=(0.016, 0.026),
            fall=(0.13, 0.22),
            drift=(0.05, 0.14),
            waver=0.06,
            colors=((252, 182, 204),),
            light=False,
            opacity=(0.55, 0.8),
            shape="petal",
            soft=0.004,
        ),
    ),
    "leaves": (
        Swarm(
            count=34,
            size=(0.008, 0.016),
            fall=(0.08, 0.16),
            drift=(0.02, 0.1),
            waver=0.06,
            colors=((206, 112, 32), (178, 66, 28), (222, 164, 48), (142, 92, 40)),
            light=False,
            opacity=(0.85, 1.0),
            shape="petal",
        ),
        Swarm(
            count=6,
            size=(0.026, 0.04),
            fall=(0.18, 0.3),
            drift=(0.06, 0.18),
            waver=0.08,
            colors=((196, 96, 30), (168, 60, 26)),
            light=False,
            opacity=(0.6, 0.85),
            shape="petal",
            soft=0.005,
        ),
    ),
    "bubbles": (
        Swarm(
            count=40,
            size=(0.003, 0.009),
            fall=(-0.16, -0.07),
            drift=(-0.01, 0.01),
            waver=0.016,
            colors=((214, 244, 255),),
            light=True,
            opacity=(0.3, 0.6),
            shape="ring",
        ),
        Swarm(
            count=60,
            size=(0.0008, 0.002),
            fall=(-0.03, 0.01),
            drift=(-0.02, 0.02),
            waver=0.02,
            colors=((210, 240, 250),),
            light=True,
            opacity=(0.2, 0.45),
            twinkle=0.2,
        ),
    ),
    "bokeh": (
        Swarm(
            count=20,
            size=(0.016, 0.042),
            fall=(-0.014, 0.01),
            drift=(-0.014, 0.014),
            waver=0.02,
            colors=((255, 224, 170), (255, 190, 150), (220, 214, 255)),
            light=True,
            opacity=(0.06, 0.15),
            soft=0.0022,
            twinkle=0.22,
        ),
    ),
}
