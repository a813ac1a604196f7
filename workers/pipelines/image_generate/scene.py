"""What a prompt asks for, as the reader understood it: the Scene and its Things."""

from dataclasses import dataclass, field

Rgb = tuple[float, float, float]
"""sRGB, each 0..1."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One drawable object of the lexicon."""

    name: str
    """The first word of its line: how it is called in `info`."""
    whole: str | None
    """Code of the whole figure's glyph; None when OpenMoji has only a face."""
    face: str | None
    habitat: str
    metres: float
    setting: str | None
    glows: bool


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How a thing stands to another, by the other's index in `Scene.things`."""

    kind: str
    target: int


@dataclass(kw_only=True)
class Thing:
    """One noun of the prompt, with its count, colour, size and places."""

    entry: Entry
    said: str
    """The word the prompt used: "mug", not the lexicon's "coffee"."""
    count: int = 1
    color: Rgb | None = None
    color_name: str | None = None
    size: float = 1.0
    places: set[str] = field(default_factory=set)
    relation: Relation | None = None
    costume: Entry | None = None
    """A trade worn by an animal: "fox astronaut"."""
    worn: list[Entry] = field(default_factory=list)

    @property
    def label(self) -> str:
        words = [self.color_name, self.said, self.costume.name if self.costume else None]
        return " ".join(word for word in words if word)


@dataclass(kw_only=True)
class Scene:
    """A prompt, understood. Whatever it leaves open is None or empty; the layout decides it from the seed."""

    setting: str | None = None
    hour: str | None = None
    heavens: list[str] = field(default_factory=list)
    weather: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    sky: str | None = None
    """A colour name said of the sky alone."""
    tints: list[str] = field(default_factory=list)
    """Colour names said of the whole picture."""
    things: list[Thing] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
