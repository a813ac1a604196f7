"""What a task is to the control plane."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from workers.protocol.inputs.base import Wire
from workers.protocol.pools import pool_of
from workers.protocol.result import Output

MediaKind = Literal["image", "video", "audio"]
Units = Mapping[str, int | str]
"""What a price is made from, as integers or exact fractions in text ("177/30"), kept on the job."""
Coefficients = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One media input as the client gave it: a URL or inline bytes in base64."""

    field: str
    """Where it goes for the worker."""
    index: int
    path: str
    """Where it stood in the request, for errors: `input.videoUrls.0`."""
    kind: MediaKind
    url: str | None = None
    data_base64: str | None = None
    mime_type: str | None = None
    probe: bool = False
    """Whether its facts must be known before the job is priced or accepted."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was read from one source's header."""

    duration: Fraction | None = None
    frame_rate: Fraction | None = None
    width: int | None = None
    height: int | None = None
    tokens: int | None = None
    """Of a text, as the model that will read it counts them."""


@dataclass(frozen=True, kw_only=True)
class CountedText:
    """A text whose tokens are counted before the job is priced."""

    path: str
    text: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """One thing that was mended."""

    field: str
    reason: str
    requested: Any = None
    effective: Any = None

    def wire(self) -> dict[str, Any]:
        """The contract's MediaInputAdjustment."""
        return {"field": self.field, "requested": self.requested, "effective": self.effective, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """An input made definite: what runs, what is shown, what it is priced by."""

    params: Wire
    effective_input: dict[str, Any]
    units: Units
    adjustments: list[Adjustment] = field(default_factory=list)
    pinned: Mapping[str, dict[str, str]] = field(default_factory=dict)
    """By source path: facts that staging must not find exceeded."""
    seed: int | None = None
    """The client's; None: the job draws one."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One entry of the catalogue."""

    name: str
    title: str
    input_model: type[Wire]
    example_input: Mapping[str, Any]
    """A small input that is complete: what the published documents show."""
    sources: Callable[[Any], list[Source]]
    normalise: Callable[[Any, Mapping[str, Facts]], Normalised]
    """(validated input, facts by source path) → Normalised. Raises core.errors.InvalidRequest."""
    formula: str
    """Which of PRICES the newest price version uses."""
    prices: Mapping[str, Callable[[Units, Coefficients], int]]
    """Formulas by name: units and coefficients → micros. Added, never edited."""
    coefficients: Coefficients
    """What the first price version of this task is published with."""
    explanation: str
    """The formula in words, for the catalogue."""
    floor_micros: int
    """The least this task can cost."""
    estimate_seconds: Callable[[Units], float]
    eta_range: tuple[float, float]
    params_model: type[Wire]
    output_names: Callable[[Any], list[str]]
    """Params → the names of the files that a run makes."""
    examples: Sequence[tuple[str, Units]] = ()
    """What orders cost: in words, and by the units they are priced from."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What fields are when they are left out, by preset; shown in the catalogue."""
    pool: Callable[[Any], str] | None = None
    """Params → the pool that runs them, where it is not the one that pools.toml names for the task."""
    counted_text: Callable[[Any], CountedText | None] | None = None
    """Validated input → the text whose tokens set the price, None where none does. Its facts lie at its path."""
    settle: Callable[[Units, Sequence[Output]], Units | None] | None = None
    """(units of the hold, outputs as they lie in the bucket) → the units that are billed; None: the hold is.

    The amount never passes the hold. Raises ValueError where the outputs cannot be measured.
    """

    def pool_of(self, params: Wire) -> str:
        """The pool that runs a job of these params."""
        return self.pool(params) if self.pool is not None else pool_of(self.name).name
