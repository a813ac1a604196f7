"""A prompt to a Scene: longest known phrase first, adjectives kept for their noun, relations for their second noun."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from workers.pipelines.image_generate import vocabulary as words
from workers.pipelines.image_generate.lexicon import OWN, find, glyph_code, glyph_paths, is_plural, singulars
from workers.pipelines.image_generate.scene import Entry, Relation, Rgb, Scene, Thing

LONGEST_PHRASE = 4
MAX_UNKNOWN = 24
MAX_THINGS = 12
PLURAL_COUNT = 3
"""How many "cats" are when no number is said."""

EMOJI = "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff][\ufe0f\U0001f3fb-\U0001f3ff]?"
TOKEN = re.compile(rf"{EMOJI}(?:\u200d{EMOJI})*|[^\W_][\w'’&]*(?:-[\w'’&]+)*|[,.;:!?\n]")
STOPS = set(",.;:!?\n")
WEAK_SETTINGS = {"sky", "studio"}
"""Said in passing ("under a blue sky", "on a table"): another setting in the prompt wins."""
DANGLING = {"above": "top", "below": "bottom", "behind": "far", "before": "near"}
"""A relation without a second noun is a place: "with whales below"."""
HELPINGS = {"cup", "mug", "glass", "bowl", "plate", "slice", "piece", "bottle", "loaf", "jar", "pot", "bar", "pint"}
"""Of something: "a cup of coffee" is one thing, and OpenMoji draws it served."""
LINKS_WITHOUT_PLACE = {"with", "wearing"}


@lru_cache(maxsize=1)
def phrases() -> dict[str, list[tuple[str, str]]]:
    """Every phrase of the vocabulary with all it says: "autumn" → [("setting", "forest"), ("mood", "warm")]."""
    meanings: dict[str, list[tuple[str, str]]] = {}
    tables = {
        "setting": words.SETTINGS, "hour": words.HOURS, "heaven": words.HEAVENS, "weather": words.WEATHER,
        "style": words.STYLES, "place": words.PLACES, "relation": words.RELATIONS, "mood": words.MOODS,
    }  # fmt: skip
    for kind, table in tables.items():
        for term, listed in table.items():
            for phrase in listed.split():
                meanings.setdefault(phrase.replace("_", " "), []).append((kind, term))
    for kind, names in (("color", words.COLORS), ("size", words.SIZES), ("number", words.NUMBERS)):
        for name in names:
            meanings.setdefault(name.replace("_", " "), []).append((kind, name))
    for shade in words.SHADES:
        meanings.setdefault(shade, []).append(("shade", shade))
    return meanings


@lru_cache(maxsize=1)
def wearables() -> dict[str, str]:
    """Accessory name → the part of the head it sits on."""
    return {name: part for part, names in words.WEARABLE.items() for name in names}


def read(prompt: str) -> Scene:
    """Understand a prompt. Never fails: what is not known is listed in `Scene.unknown`."""
    reader = _Reader()
    tokens = TOKEN.findall(prompt.lower())
    position = 0
    while position < len(tokens):
        position += reader.take(tokens, position)
    reader.finish()
    return reader.scene


@dataclass
class _Pending:
    """Adjectives said, their noun not yet."""

    count: int | None = None
    color: str | None = None
    shade: str | None = None
    size: float = 1.0
    places: set[str] = field(default_factory=set)


class _Reader:
    def __init__(self) -> None:
        self.scene = Scene()
        self._pending = _Pending()
        self._link: str | None = None
        self._subject: Thing | None = None
        """The noun that a following place or relation speaks of."""
        self._adjacent: Thing | None = None
        """The noun said immediately before, with nothing between."""
        self._negated = False

    def take(self, tokens: list[str], start: int) -> int:
        """Read one phrase at `start`; answer how many tokens it took."""
        if tokens[start] in STOPS:
            self._stop()
            return 1
        for length in range(min(LONGEST_PHRASE, len(tokens) - start), 0, -1):
            phrase = " ".join(tokens[start : start + length])
            following = tokens[start + length] if start + length < len(tokens) else ""
            if self._phrase(phrase, following):
                return length
        self._single(tokens[start])
        return 1

    def finish(self) -> None:
        self._stop()
        scene = self.scene
        if {"moon", "stars"} & set(scene.heavens) and scene.hour is None and scene.setting not in {"space", "planet"}:
            scene.hour = "night"

    def _phrase(self, phrase: str, following: str) -> bool:
        if phrase in words.NEGATIONS:
            self._negated, self._adjacent = True, None
            return True
        if phrase in words.FILLER:
            helping = phrase == "of" and self._adjacent and self._adjacent.said in HELPINGS
            self._adjacent = self._adjacent if helping else None
            return True
        if phrase == "orange" and (not following or following in STOPS) and self._pending.color is None:
            phrase = "oranges"
        meanings = phrases().get(phrase)
        if phrase in words.TINTED and self._pending.color:
            if phrase in {"sky", "horizon"}:
                self.scene.sky = self._pending.color
            else:
                self.scene.tints.append(self._pending.color)
            self._pending = _Pending()
            return True
        counted = self._pending.count is not None and find(phrase) is not None
        if meanings and not (counted and any(kind == "setting" for kind, _ in meanings)):
            for kind, term in meanings:
                self._apply(kind, term)
            self._adjacent = None
            return True
        entry = find(glyph_code(phrase)) if glyph_code(phrase) in glyph_paths() else find(phrase)
        if entry:
            self._noun(entry, said=_singular(phrase, entry), plural=is_plural(phrase))
        return bool(entry)

    def _single(self, token: str) -> None:
        """A token that is no phrase: a number, a hyphenated pair, a possessive, or unknown."""
        if token.isdecimal():
            self._pending.count = min(max(int(token[:4]), 1), words.MAX_COUNT)
            return
        bare = re.sub(r"['’]s?$", "", token)
        parts = [part for part in re.split(r"[-&'’]", bare) if part]
        if parts != [token] and any(part in phrases() or find(part) for part in parts):
            for offset in range(len(parts)):
                self.take(parts, offset)
            return
        self._adjacent = None
        if token not in words.TINTED and len(self.scene.unknown) < MAX_UNKNOWN and token[:40] not in self.scene.unknown:
            self.scene.unknown.append(token[:40])

    def _apply(self, kind: str, term: str) -> None:
        scene, pending = self.scene, self._pending
        if self._negated and kind in {"setting", "hour", "heaven", "weather", "style", "mood"}:
            self._negated = False
            return
        match kind:
            case "setting":
                if scene.setting is None or scene.setting in WEAK_SETTINGS:
                    scene.setting = term
                self._link = None
            case "hour":
                scene.hour = scene.hour or term
                self._link = None
            case "heaven" | "weather" | "style" | "mood":
                listed = {"heaven": scene.heavens, "weather": scene.weather, "style": scene.styles, "mood": scene.moods}
                if term not in listed[kind]:
                    listed[kind].append(term)
            case "color":
                pending.color = term
            case "shade":
                pending.shade = term
            case "size":
                pending.size = words.SIZES[term]
            case "number":
                pending.count = words.NUMBERS[term]
            case "place":
                (self._subject.places if self._subject else pending.places).add(term)
            case "relation":
                self._link = term
                if term == "with":
                    self._subject = None if not self.scene.things else self._subject

    def _noun(self, entry: Entry, *, said: str, plural: bool) -> None:
        pending, self._pending = self._pending, _Pending()
        link, self._link = self._link, None
        before, self._adjacent = self._adjacent, None
        things = self.scene.things
        if self._negated:
            self._negated = False
            return
        host = things[-1] if things else None
        if host and entry.name in wearables() and link in {"wearing", "in", "with"} and dressable(host.entry):
            host.worn.append(entry)
            return
        if host and link == "wearing" and entry.habitat == "bust" and host.costume is None:
            host.costume = entry
            return
        if before and self._compound(before, entry, said=said, plural=plural):
            return
        if len(things) >= MAX_THINGS:
            return
        thing = Thing(
            entry=entry,
            said=said,
            count=pending.count or (PLURAL_COUNT if plural else 1),
            color=_shaded(pending.color, pending.shade) if pending.color else None,
            color_name=pending.color,
            size=pending.size,
            places=pending.places,
        )
        things.append(thing)
        if link and link not in LINKS_WITHOUT_PLACE and host:
            things[-2].relation = Relation(kind=link, target=len(things) - 1)
        self._subject = self._adjacent = thing

    def _compound(self, before: Thing, entry: Entry, *, said: str, plural: bool) -> bool:
        """Two nouns in a row are one thing: "fox astronaut" a fox in costume, "apple pie" a pie, "coffee mug" a mug."""
        if entry.habitat == "bust" and before.entry.habitat != "bust" and dressable(before.entry):
            before.costume = entry
        elif before.entry.habitat == "bust" and dressable(entry) and entry.habitat != "bust":
            before.costume, before.entry, before.said = before.entry, entry, said
        else:
            before.entry, before.said = entry, said
        if plural and before.count == 1:
            before.count = PLURAL_COUNT
        self._adjacent = before
        return True

    def _stop(self) -> None:
        if self._pending.color:
            self.scene.tints.append(self._pending.color)
        if self._link in DANGLING and self._subject:
            self._subject.places.add(DANGLING[self._link])
        self._pending, self._link, self._subject, self._adjacent = _Pending(), None, None, None
        self._negated = False


def dressable(entry: Entry) -> bool:
    """Whether an entry has a head to put things on: animals and people, not houses."""
    if entry.habitat in {"bust", "deep"}:
        return True
    return entry.face is not None or (entry.habitat in {"ground", "air"} and bool(entry.whole) and _is_animal(entry))


def rgb(hexadecimal: str) -> Rgb:
    """ "#f0801f" → (0.94, 0.5, 0.12)."""
    value = int(hexadecimal.lstrip("#"), 16)
    return ((value >> 16) / 255, (value >> 8 & 255) / 255, (value & 255) / 255)


def _is_animal(entry: Entry) -> bool:
    if (entry.whole or OWN).startswith(OWN):
        return False
    point = int((entry.whole or "0").split("-")[0], 16)
    return 0x1F400 <= point <= 0x1F43F or 0x1F980 <= point <= 0x1F9AE or point in {0x1F54A, 0x1FABF, 0x1FACF, 0x1F916}


def _shaded(name: str, shade: str | None) -> Rgb:
    red, green, blue = rgb(words.COLORS[name])
    amount = words.SHADES[shade] if shade else 0.0
    goal = 1.0 if amount > 0 else 0.0
    return tuple(channel + (goal - channel) * abs(amount) for channel in (red, green, blue))  # type: ignore[return-value]


def _singular(phrase: str, entry: Entry) -> str:
    """The phrase in the form the lexicon knows; an emoji character by its entry's name."""
    if glyph_code(phrase) in glyph_paths():
        return entry.name
    return (
        next((form for form in list(singulars(phrase))[1:] if find(form) is entry), phrase)
        if is_plural(phrase)
        else phrase
    )
