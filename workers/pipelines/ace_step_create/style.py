"""What a style is made of: its players, its sound, and how it goes."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seat:
    """One player in the band: how it plays, on what, how loud (dB beside the melody), where, from which intensity."""

    player: str
    instrument: str
    level: float = -8.0
    pan: float = 0.0
    enters: float = 0.0
    center: int = 60
    role: str = "comp"


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The mix: seconds of reverb and its share, ducking by the kick, drive, tilt in dB (plus is brighter), old tape."""

    reverb: float = 1.4
    wet: float = 0.16
    ducking: float = 0.0
    drive: float = 0.0
    tilt: float = 0.0
    tape: bool = False
    echo: float = 0.0
    drums: float = -3.0
    bass: float = -4.0


@dataclass(frozen=True, kw_only=True)
class Style:
    """Everything that makes a style; `bpm` is (slowest, usual, fastest), `minor` the chance of a minor key."""

    name: str
    words: str
    bpm: tuple[int, int, int]
    minor: float
    taste: str
    groove: str
    kit: str
    bass: tuple[str, str]
    seats: tuple[Seat, ...]
    leads: tuple[str, ...]
    meters: tuple[int, ...] = (4,)
    swing: float = 0.5
    swing_unit: float = 0.5
    looseness: float = 0.007
    density: float = 1.0
    """How many syllables a second singers put in, beside the usual."""
    swell: bool = False
    """Sections grow into one another without fills."""
    sound: Sound = field(default_factory=Sound)
