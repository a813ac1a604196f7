"""A prompt to a list of Edits in its order: at each place the first rule that fits, else a phrase, else a lone word."""

import re
from dataclasses import dataclass, field
from typing import Any

from workers.pipelines.image_edit import phrases, rules, rules_text
from workers.pipelines.image_edit import vocabulary as words
from workers.pipelines.image_edit.phrases import EFFECT_OF, color_of, region_of
from workers.pipelines.image_edit.picture import Edit

RULES = (*rules_text.BOOK.rules, *rules.BOOK.rules)
MAX_EDITS = 16
MAX_UNKNOWN = 24
QUOTED = re.compile(
    r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|«([^»\n]{1,200})»|(?<![\w])['‘]([^'’\n]{1,200}?)['’](?![\w])"
)
WORD = re.compile(r"«\d+»|[^\W_][\w'’&/-]*|#[0-9a-f]{6}\b")
INTENSITY = re.compile(
    rf"(?:(?P<weak>{phrases.either(words.WEAK)})|(?P<strong>{phrases.either(words.STRONG)}))(?![\w'-])"
)
AFTER = re.compile(
    rf"\s+(?:(?P<weak>{phrases.either(words.WEAK)})|(?P<strong>a\s+lot|very\s+much|strongly|heavily|dramatically)|"
    r"(?:by\s+)?(?P<percent>\d{1,3})\s*(?:%|percent))(?![\w'-])"
)
EFFECT = re.compile(phrases.EFFECT)
ON_REGION = re.compile(
    rf"\s+(?:of|in|on|to|for|around|behind)?\s*(?:the|its|his|her|my)\s+(?P<what>{phrases.either(list(phrases.REGION_OF))})\b"
)
OF_REGION = re.compile(
    r"(?:(?:make|turn|get|render|keep|have)\s+)?(?:the|its|his|her|my)\s+"
    rf"(?P<what>{phrases.either(list(phrases.REGION_OF))})\s+(?:(?:look|looks|to\s+be|appear|be|in|into|to)\s+)?"
    rf"(?={phrases.EFFECT}|{phrases.DIAL}|(?:{phrases.either(words.WEAK + words.STRONG + words.UP + words.DOWN)})\s)"
)
NEGATION = re.compile(rf"(?:{phrases.either(words.NEGATIONS)})\s+[^,.;\n]*")
DIRECTED = re.compile(
    rf"(?:(?P<up>{phrases.either(words.UP)})|(?P<down>{phrases.either(words.DOWN)}))\s+"
    rf"(?:(?:up|the|its|of|some|any)\s+)*(?P<what>{phrases.DIAL})"
)
TURNED = re.compile(rf"(?P<what>{phrases.DIAL})\s*(?P<sign>up|down|\+|-)\s*(?=\d|[,.;]|$|\s)")
WHOLE = {"mirror", "flip", "zoom in", "zoom out", "border", "polaroid", "film strip",
         "rounded corners", "circle", "remove background", "blur background", "white balance"}  # fmt: skip
"""Operations that take no region."""


@dataclass(kw_only=True)
class Reading:
    """What was understood of a prompt, in its order, and what was not."""

    edits: list[Edit] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read(prompt: str) -> Reading:
    """Understand a prompt. Never fails."""
    quotes: list[str] = []

    def keep(found: re.Match[str]) -> str:
        quotes.append(next(group for group in found.groups() if group is not None).strip())
        return f"«{len(quotes) - 1}»"

    original = QUOTED.sub(keep, prompt).replace("’", "'")
    reader = _Reader(original, quotes)
    reader.run()
    return reader.reading


class _Reader:
    def __init__(self, original: str, quotes: list[str]) -> None:
        lowered = original.lower()
        # Some capitals lower to two characters; then the words a client wrote are quoted in lower case.
        self.original = original if len(lowered) == len(original) else lowered
        self.text, self.quotes = lowered, quotes
        self.reading = Reading()
        self._amount: float | None = None
        self._region: str | None = None

    def run(self) -> None:
        position = 0
        while word := WORD.search(self.text, position):
            if re.search(r"[,.;!\n]", self.text[position : word.start()]):
                self._amount = self._region = None
            position = self._take(word)

    def _take(self, word: re.Match[str]) -> int:
        """Read what begins at a word; answer where to go on."""
        start = word.start()
        for rule in RULES:
            found = rule.pattern.match(self.text, start)
            if not found:
                continue
            args = rule.args(found, self.quotes, self.original)
            if args is None:
                continue
            name = args.pop("operation", rule.operation)
            return self._add(name, start, args.pop("end", found.end()), args)
        for reads in (self._negated, self._dial, self._region_named, self._effect, self._intensity):
            end = reads(start)
            if end is not None:
                return end
        self._lone(word[0])
        return word.end()

    def _negated(self, start: int) -> int | None:
        """ "don't change the sky": nothing to do, and nothing in it is an order."""
        found = NEGATION.match(self.text, start)
        if not found or EFFECT.match(self.text, start):
            return None
        return found.end()

    def _dial(self, start: int) -> int | None:
        if found := DIRECTED.match(self.text, start):
            name = words.DIALS[" ".join(found["what"].split())][0 if found["up"] else 1]
            return self._add(name, start, found.end(), {})
        if found := TURNED.match(self.text, start):
            name = words.DIALS[" ".join(found["what"].split())][0 if found["sign"] in {"up", "+"} else 1]
            return self._add(name, start, found.end(), {})
        return None

    def _effect(self, start: int) -> int | None:
        found = EFFECT.match(self.text, start)
        if not found:
            return None
        return self._add(EFFECT_OF[" ".join(found[0].split())], start, found.end(), {})

    def _region_named(self, start: int) -> int | None:
        found = OF_REGION.match(self.text, start)
        if not found:
            return None
        self._region = found["what"]
        return found.end()

    def _intensity(self, start: int) -> int | None:
        found = INTENSITY.match(self.text, start)
        if not found:
            return None
        self._amount = words.WEAK_AMOUNT if found["weak"] else words.STRONG_AMOUNT
        return found.end()

    def _add(self, name: str, start: int, end: int, args: dict[str, Any]) -> int:
        """Append an edit, with the strength and the region said before or right after it."""
        amount, region = self._amount or 1.0, self._region
        self._amount = self._region = None
        if name not in WHOLE and "what" not in args and (found := ON_REGION.match(self.text, end)):
            region, end = found["what"], found.end()
        if found := AFTER.match(self.text, end):
            end = found.end()
            if found["percent"]:
                amount = min(int(found["percent"]), 200) / 40
            else:
                amount = words.WEAK_AMOUNT if found["weak"] else words.STRONG_AMOUNT
        if region and name not in WHOLE and "what" not in args:
            if name == "blur" and region_of(region) == "background":
                name = "blur background"
            else:
                args = {**args, "region": region}
        edits = self.reading.edits
        edit = Edit(name=name, said=" ".join(self._said(start, end).split()), amount=amount, args=args)
        if len(edits) < MAX_EDITS and not any((known.name, known.args) == (name, args) for known in edits):
            edits.append(edit)
        return end

    def _said(self, start: int, end: int) -> str:
        return re.sub(r"«(\d+)»", lambda found: f'"{self.quotes[int(found[1])]}"', self.original[start:end])[:120]

    def _lone(self, word: str) -> None:
        """A word of no rule and no phrase."""
        if word in words.FILLER or word in words.IMAGE_WORDS or re.fullmatch(r"\d+%?", word):
            return
        self._amount = None
        if word in words.PARTS:
            self.reading.edits.append(Edit(name="part", said=word))
            return
        unknown = self.reading.unknown
        shown = re.sub(r"«(\d+)»", lambda found: self.quotes[int(found[1])], word)[:40]
        if len(unknown) < MAX_UNKNOWN and shown not in unknown:
            unknown.append(shown)


def colors_in(text: str) -> list[tuple[float, float, float]]:
    """Every colour a text names, in its order."""
    return [color_of(" ".join(found.split())) for found in re.findall(phrases.COLOR, text)]
