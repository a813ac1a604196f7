"""A plan: where each figure of a scene stands, all in shares of the canvas, never pixels."""

from dataclasses import dataclass, field

from workers.pipelines.image_generate.figures import Figure


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """One figure in its place: `x` its middle and `base` its foot (of width and height), `height` of the mean side."""

    label: str
    thing: int
    figure: Figure
    x: float
    base: float
    height: float
    depth: float
    """0 near … 1 at the horizon: order, haze and scale."""
    flipped: bool
    stands: str
    """What carries it: ground, water, an islet in the water, or air (no shadow)."""
    glows: bool = False


@dataclass(kw_only=True)
class Plan:
    """All that the drawing needs."""

    setting: str
    hour: str
    horizon: float
    light_x: float
    """Where the sun, moon or lamp is, a share of the width."""
    light_y: float
    sprites: list[Sprite] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The canvas's shape: how a share of the mean side turns into shares of width and height."""

    across: float
    down: float
