"""A prompt to what is to be heard: events with their modifiers, in stages that follow each other."""

import difflib
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from workers.pipelines.moss_sound_effect import modifiers as said
from workers.pipelines.moss_sound_effect.modifiers import MODIFIERS, Modifier
from workers.pipelines.moss_sound_effect.vocabulary import EVENTS, Event
from workers.pipelines.moss_sound_effect.voice import Hit

LONGEST_PHRASE = 5
MAX_EVENTS = 10
MAX_UNKNOWN = 40
MAX_NUMBER = 60
PLURAL = 3
"""How many "gunshots" are when no number is said."""
LIKENESS = 0.84
"""How alike a misspelt word must be to the one it is taken for (Ratcliff and Obershelp's measure)."""
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[,.;:!?\n()]")
_STOPS = set(",.;:!?\n()")
_SENTENCE = set(".;!?\n")
_PLACING = {"on", "in", "through", "over", "across", "against", "onto", "of", "into", "upon"}


@dataclass
class Said:
    """One event as the prompt has it."""

    event: Event
    stage: float
    traits: dict[str, Any] = field(default_factory=dict)
    """Modifier kind → value."""
    names: dict[str, str] = field(default_factory=dict)
    """Modifier kind → its name, for the client."""
    rank: int = 2
    """2 a plain word, 1 a verb that many things do, 0 a hint: in a clause the highest win."""
    clause: int = 0

    def apply(self, modifier: Modifier, *, strongly: bool = False) -> None:
        """Take a modifier on; the latest of a kind holds."""
        value = modifier.value
        if strongly and modifier.kind in {"force", "size", "rate", "stretch"}:
            value = value**1.4
        if strongly and modifier.kind == "distance":
            value = said.VERY_FAR if value > 1 else value * 0.7
        self.traits[modifier.kind] = value
        self.names[modifier.kind] = f"very {modifier.name}" if strongly else modifier.name


@dataclass
class Heard:
    """A prompt understood."""

    events: list[Said] = field(default_factory=list)
    room: str | None = None
    unknown: list[str] = field(default_factory=list)
    taken_for: dict[str, str] = field(default_factory=dict)
    """Misspelt word → the word it was taken for."""
    left_out: list[str] = field(default_factory=list)
    """Events past `MAX_EVENTS`."""
    mood: dict[str, float] = field(default_factory=dict)
    """Modifiers that no event took: they colour the stand-in where nothing was understood."""


def stem(word: str) -> str:
    """A word without its ending, the same for all its forms: barks, barked, barking → bark. No dictionary word."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    if word.endswith("y") and len(word) > 2:
        word = word[:-1] + "i"
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


@dataclass(frozen=True)
class _Meanings:
    event: Event | None = None
    rank: int = 2
    modifiers: tuple[Modifier, ...] = ()
    control: str | None = None


@cache
def _index() -> tuple[dict[str, _Meanings], dict[str, _Meanings]]:
    """Every phrase and what it says: as written, and by the stems of its words."""
    exact: dict[str, _Meanings] = {}

    def put(phrase: str, **what: Any) -> None:
        rank = {"?": 0, "~": 1}.get(phrase[-1], 2)
        text = phrase.rstrip("?~").replace("_", " ")
        old = exact.get(text, _Meanings())
        if "event" in what:
            if old.event is not None and old.rank >= rank:
                return
            exact[text] = _Meanings(what["event"], rank, old.modifiers, old.control)
        elif "modifier" in what:
            exact[text] = _Meanings(old.event, old.rank, (*old.modifiers, what["modifier"]), old.control)
        else:
            exact[text] = _Meanings(old.event, old.rank, old.modifiers, what["control"])

    for event in EVENTS:
        for phrase in event.words.split():
            put(phrase, event=event)
    for event in EVENTS:
        name = event.name.replace("-", " ")
        if name not in exact:
            put(name, event=event)
    for modifier in MODIFIERS:
        for phrase in modifier.words.split():
            put(phrase, modifier=modifier)
    controls = {"then": said.THEN, "after": said.AFTER, "and": said.AND, "not": said.NOT, "very": said.VERY}
    for control, words in controls.items():
        for phrase in words.split():
            put(phrase, control=control)
    stems: dict[str, _Meanings] = {}
    for text, meanings in sorted(exact.items(), key=lambda item: len(item[0])):
        stems.setdefault(" ".join(stem(word) for word in text.split()), meanings)
    return exact, stems


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(said.STOP.split())


@cache
def _spellings() -> dict[str, list[str]]:
    """Single words of four letters and more by their first letter: what a misspelling may have meant."""
    words: dict[str, list[str]] = {}
    for text, meanings in _index()[0].items():
        if " " not in text and len(text) >= 4 and (meanings.event or meanings.modifiers):
            words.setdefault(text[0], []).append(text)
    return words


@cache
def _contexts() -> dict[tuple[str, str], str]:
    return {(event, stem(word)): name for (event, word), name in said.IN_CONTEXT.items()}


@cache
def _named(kind: str, name: str) -> Modifier:
    return next(modifier for modifier in MODIFIERS if (modifier.kind, modifier.name) == (kind, name))


def read(prompt: str) -> Heard:
    """Understand a prompt. Never fails: what is not known is listed in `Heard.unknown`."""
    text = re.sub(r"(?<=\w)['’]s\b", "", re.sub(r"->|→", " then ", prompt.lower())).replace("-", " ").replace("_", " ")
    reader = _Reader(_TOKEN.findall(text))
    reader.read()
    return reader.heard


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.heard = Heard()
        self._tokens = tokens
        self._pending: list[tuple[Modifier, bool]] = []
        """Modifiers said, their event not yet; with whether "very" stood before."""
        self._stage = 0.0
        self._clause = 0
        self._very = False
        self._negated = False
        self._article = False
        self._after_first = False
        """An "after …" opened the sentence: the comma ends the earlier part."""
        self._guesses = 0

    def read(self) -> None:
        position = 0
        while position < len(self._tokens):
            position += self._take(position)
        self._end_sentence()
        self._finish()

    def _take(self, position: int) -> int:
        """Read one phrase; answer how many tokens it took."""
        token = self._tokens[position]
        if token in _STOPS:
            self._stop(token)
            return 1
        if token.isdigit() or re.fullmatch(r"\d+[a-z]+", token):
            return self._number(position)
        for length in range(min(LONGEST_PHRASE, len(self._tokens) - position), 0, -1):
            words = self._tokens[position : position + length]
            if any(word in _STOPS for word in words):
                continue
            meanings = self._meanings(words)
            if meanings:
                self._phrase(meanings, words, position)
                return length
        self._single(token, position)
        return 1

    def _meanings(self, words: list[str]) -> _Meanings | None:
        exact, stems = _index()
        text = " ".join(words)
        if text in exact:
            return exact[text]
        if len(words) == 1 and text in _stop_words():
            return None
        return stems.get(" ".join(stem(word) for word in words))

    def _number(self, position: int) -> int:
        digits = re.match(r"\d+", self._tokens[position])
        following = self._tokens[position + 1] if position + 1 < len(self._tokens) else ""
        if following in said.SILENT_UNITS.split():
            return 2
        if (digits and digits.group() == self._tokens[position]) or re.fullmatch(r"\d+x", self._tokens[position]):
            count = min(int(digits.group()) if digits else 1, MAX_NUMBER)
            if count:
                self._count(Modifier("count", str(count), count, ""), following)
        return 2 if following in {"times", "x"} else 1

    def _count(self, modifier: Modifier, following: str) -> None:
        last = self._last()
        if following == "times" and last:
            last.apply(modifier)
        else:
            self._pending.append((modifier, False))

    def _phrase(self, meanings: _Meanings, words: list[str], position: int) -> None:
        material = next((m for m in meanings.modifiers if m.kind == "material"), None)
        if material and self._as_material(position, len(words), meanings):
            self._modify(material, force_back=self._placed(position))
        elif meanings.event:
            for modifier in meanings.modifiers:
                if modifier.kind == "room" and not self._negated:
                    self.heard.room = self.heard.room or modifier.value
            self._event(self._in_context(meanings.event, words), words, rank=meanings.rank)
        elif meanings.modifiers:
            following = self._tokens[position + len(words)] if position + len(words) < len(self._tokens) else ""
            for modifier in meanings.modifiers:
                if modifier.kind == "count":
                    backward = " ".join(words).endswith(("times", "twice", "thrice", "once"))
                    self._count(modifier, "times" if backward else following)
                else:
                    self._modify(modifier)
        elif meanings.control:
            self._control(meanings.control)
        if not meanings.control:
            self._very = False

    def _placed(self, position: int) -> bool:
        """Whether a preposition stands before, with at most an article and an adjective between."""
        return any(token in _PLACING for token in self._tokens[max(0, position - 3) : position])

    def _as_material(self, position: int, length: int, meanings: _Meanings) -> bool:
        """Whether "glass", "water" … say what something is made of and not that they sound themselves."""
        if meanings.event is None:
            return True
        last = self._last()
        if last and last.event.materials and self._placed(position):
            return True
        for ahead in range(position + length, min(position + length + 2, len(self._tokens))):
            if self._tokens[ahead] in _STOPS:
                return False
            for span in (2, 1):
                found = self._meanings(self._tokens[ahead : ahead + span])
                if found and found.event:
                    return found.event.materials and found.event is not meanings.event
        return False

    def _single(self, token: str, position: int) -> None:
        if token in {"a", "an", "the", "one"}:
            self._article = True
        if token in _stop_words() or len(token) < 2:
            return
        guess = self._guess(token)
        if guess:
            self.heard.taken_for[token] = guess
            self._phrase(_index()[0][guess], [guess], position)
        elif token not in self.heard.unknown and len(self.heard.unknown) < MAX_UNKNOWN:
            self.heard.unknown.append(token)

    def _guess(self, token: str) -> str | None:
        if len(token) < 5 or self._guesses >= MAX_UNKNOWN:
            return None
        self._guesses += 1
        near = [word for word in _spellings().get(token[0], ()) if abs(len(word) - len(token)) <= 2]
        found = difflib.get_close_matches(token, near, n=1, cutoff=LIKENESS)
        return found[0] if found else None

    def _last(self) -> Said | None:
        events = self.heard.events
        return events[-1] if events and events[-1].stage == self._stage else None

    def _event(self, event: Event, words: list[str], *, rank: int) -> None:
        if self._negated:
            self._pending.clear()
            return
        last = self._last()
        if last and last.clause == self._clause and last.event is event:
            item = last
            item.rank = max(item.rank, rank)
        else:
            item = Said(event=event, stage=self._stage, rank=rank, clause=self._clause)
            plural = len(words) == 1 and self._plural(words[0], event) and not (last and last.clause == self._clause)
            if plural:
                item.apply(Modifier("count", "several", PLURAL, ""))
            self.heard.events.append(item)
        for kind, name in said.IMPLIED.get(stem_of_known(" ".join(words)), ()):
            item.apply(_named(kind, name))
        for modifier, strongly in self._pending:
            item.apply(modifier, strongly=strongly)
        self._pending.clear()

    def _in_context(self, event: Event, words: list[str]) -> Event:
        """What a word means beside what was said before: a train's horn is no car's."""
        for item in reversed(self.heard.events):
            name = _contexts().get((item.event.name, stem(words[-1])))
            if name:
                return next(event for event in EVENTS if event.name == name)
        return event

    def _plural(self, word: str, event: Event) -> bool:
        recipe = event.recipe
        once = isinstance(recipe, Hit) and recipe.count == 1
        return once and not self._article and word.endswith("s") and not word.endswith("ss") and word not in _index()[0]

    def _modify(self, modifier: Modifier, *, force_back: bool = False) -> None:
        if modifier.kind == "room":
            if self._negated:
                return
            self.heard.room = modifier.value
            return
        if self._negated:
            return
        last = self._last()
        if (modifier.behind or force_back) and last and not self._pending:
            last.apply(modifier, strongly=self._very)
        else:
            self._pending.append((modifier, self._very))

    def _control(self, control: str) -> None:
        if control == "very":
            self._very = True
        elif control == "not":
            self._end_clause()
            self._negated = True
        elif control == "and":
            negated = self._negated
            self._end_clause()
            self._negated = negated
        elif control == "then":
            self._end_sentence()
            self._stage = max((item.stage for item in self.heard.events), default=-1.0) + 1
        elif control == "after":
            spoken = self._last() is not None
            self._end_sentence()
            if spoken:
                self._stage -= 0.5
            else:
                self._after_first = True

    def _stop(self, token: str) -> None:
        self._end_clause()
        if token in _SENTENCE:
            self._end_sentence()
        elif self._after_first and self._last():
            self._after_first = False
            self._stage += 1

    def _end_clause(self) -> None:
        own = [item for item in self.heard.events if item.clause == self._clause]
        highest = max((item.rank for item in own), default=0)
        first = next((item for item in own if item.rank == highest), None)
        for item in own:
            if first and item.rank < highest:
                self.heard.events.remove(item)
                first.traits = item.traits | first.traits
                first.names = item.names | first.names
        self._clause += 1
        self._negated = self._article = self._very = False

    def _end_sentence(self) -> None:
        """Modifiers left over speak of the event before them: "footsteps on gravel, slow and heavy"."""
        self._end_clause()
        last = self._last()
        if last:
            for modifier, strongly in self._pending:
                last.apply(modifier, strongly=strongly)
            self._pending.clear()
        self._after_first = False

    def _finish(self) -> None:
        heard = self.heard
        for modifier, _ in self._pending:
            if modifier.kind == "material" and not heard.events:
                name = "clang" if modifier.value == "metal" else "footsteps" if modifier.value in _WALKED else "knock"
                alone = Said(event=next(event for event in EVENTS if event.name == name), stage=0.0)
                alone.apply(modifier)
                heard.events.append(alone)
            elif isinstance(modifier.value, float):
                heard.mood[modifier.kind] = modifier.value
        heard.left_out = [item.event.name for item in heard.events[MAX_EVENTS:]]
        del heard.events[MAX_EVENTS:]


_WALKED = {"gravel", "snow", "sand", "grass", "leaves", "mud", "ice", "carpet", "earth"}


@cache
def stem_of_known(text: str) -> str:
    """The word of `IMPLIED` that `text` is a form of, or `text`."""
    return next((word for word in said.IMPLIED if stem(word) == stem(text)), text)
