"""Reading lyrics: section tags, lines, and the form that untagged lyrics imply."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace

KINDS = (
    "intro", "verse", "prechorus", "chorus", "postchorus", "bridge", "solo", "interlude", "build", "drop", "outro",
)  # fmt: skip
"""What a section can be."""
WITHOUT_WORDS = frozenset({"intro", "solo", "interlude", "build", "drop", "outro"})
"""Kinds that need no words of their own."""
_NAMES = {
    "intro": "intro opening prelude start",
    "verse": "verse rap strophe stanza spoken part",
    "prechorus": "pre-chorus prechorus pre-hook prehook lift",
    "postchorus": "post-chorus postchorus post-hook tag",
    "chorus": "chorus hook refrain",
    "bridge": "bridge middle-eight middle8 c-part",
    "solo": "solo guitar-solo piano-solo sax-solo instrumental-solo",
    "interlude": "interlude instrumental break breakdown instrumental-break",
    "build": "build build-up buildup rise riser",
    "drop": "drop beat-drop",
    "outro": "outro ending end coda fade-out fadeout finale",
}
_KIND_OF = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_TAG = re.compile(r"^\s*[\[【({<]\s*(?P<inside>[^\])}>】]{1,80})\s*[\])}>】]\s*:?\s*(?P<rest>.*)$")
_BARE = re.compile(r"^\s*(?P<inside>[A-Za-z][A-Za-z \-]{2,18}?\s*\d{0,2})\s*:\s*(?P<rest>.*)$")
_TIMES = re.compile(r"(?:x\s*(\d)|(\d)\s*x|repeat)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)
MAX_LINE_WORDS = 14
"""A longer line is sung as several."""
MAX_REPEATS = 4


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section as the lyrics name it."""

    kind: str
    label: str
    lines: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    """Words in the tag beside the name: `quiet`, `guitar solo`."""
    final: bool = False


@dataclass
class Reading:
    """What the lyrics say."""

    parts: list[Part]
    tagged: bool
    unknown_tags: list[str] = field(default_factory=list)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to sing."""
        return any(part.lines for part in self.parts)


def words_of(text: str) -> list[str]:
    """The words in a line; punctuation, emoji and symbols are none."""
    return _WORD.findall(unicodedata.normalize("NFC", text).replace("’", "'"))


def read_lyrics(text: str) -> Reading:
    """Sections and their lines, in order; lyrics without section tags get the form their stanzas imply."""
    parts: list[Part] = []
    unknown: list[str] = []
    stanzas: list[list[str]] = [[]]
    loose: list[str] = []
    tagged = False
    for raw in re.split(r"\r\n|\r|\n|\u2028|\u2029", text):
        tag = _section_tag(raw)
        if tag is None:
            inside = _TAG.match(raw)
            if raw.lstrip().startswith("[") and inside and not inside["rest"].strip():
                unknown.append(inside["inside"].strip())
                continue
            lines = _sung_lines(raw)
            loose += lines
            if lines:
                stanzas[-1] += lines
            elif stanzas[-1]:
                stanzas.append([])
            continue
        if loose and not tagged:
            parts.append(Part(kind="verse", label="Verse", lines=tuple(loose)))
        elif loose:
            parts[-1] = replace(parts[-1], lines=(*parts[-1].lines, *loose))
        tagged, loose = True, _sung_lines(tag[1])
        parts.append(tag[0])
    if not tagged:
        return Reading(_implied([stanza for stanza in stanzas if stanza]), False, unknown)
    parts[-1] = replace(parts[-1], lines=(*parts[-1].lines, *loose))
    return Reading(_recall(_unfold(parts)), True, unknown)


def _section_tag(raw: str) -> tuple[Part, str] | None:
    """The section a line opens and the words after its tag, or None."""
    match = _TAG.match(raw)
    bracketed = match is not None
    match = match or _BARE.match(raw)
    if match is None:
        return None
    inside, rest = match["inside"].strip(), match["rest"].strip()
    round_bracket = bracketed and raw.lstrip()[0] in "({<"
    head, *hints = re.split(r"\s*[:|,;–—]\s*|\s+-\s+", inside)
    words = re.sub(r"[^a-z0-9\- ]", " ", head.lower()).split()
    joined = ["-".join(words[place : place + 2]) for place in range(len(words) - 1)]
    kind = next((_KIND_OF[word] for word in (*joined, *words) if word in _KIND_OF), None)
    if kind is None or (round_bracket and len(words) > 3) or (not bracketed and len(words) > 2):
        return None
    if not bracketed and words[0] not in _KIND_OF and "-".join(words) not in _KIND_OF:
        return None
    extra = [word for word in words if word not in _KIND_OF and not word.isdigit()]
    final = any(word in ("final", "last") for word in words)
    label = re.sub(r"\s+", " ", head).strip()[:60]
    return Part(kind=kind, label=label, hints=(*extra, *(hint.lower() for hint in hints)), final=final), rest


def _sung_lines(raw: str) -> list[str]:
    """A raw line as one line to sing, several when it is long, none when it holds no word."""
    text = " ".join(raw.split())
    if not words_of(text):
        return []
    pieces = text.split(" ")
    if len(pieces) <= MAX_LINE_WORDS:
        return [text]
    lines, current = [], list[str]()
    for word in pieces:
        current.append(word)
        ends = word[-1:] in ".,;:!?…—" and len(current) >= 5
        if ends or len(current) >= MAX_LINE_WORDS - 3:
            lines.append(" ".join(current))
            current = []
    if current:
        lines.append(" ".join(current))
    return [line for line in lines if words_of(line)]


def _unfold(parts: list[Part]) -> list[Part]:
    """`[Chorus x2]` twice."""
    out = []
    for part in parts:
        times = 1
        for hint in (part.label, *part.hints):
            if match := _TIMES.search(hint):
                times = max(times, min(MAX_REPEATS, int(match[1] or match[2] or 2)))
        out += [part] * times
    return out


def _recall(parts: list[Part]) -> list[Part]:
    """A tag without words stands for the words that its kind had before (`[Chorus]` alone repeats the chorus)."""
    known: dict[str, tuple[str, ...]] = {}
    out = []
    for part in parts:
        if part.lines and part.kind == "chorus":
            known[part.kind] = part.lines
        out.append(part if part.lines or part.kind not in known else replace(part, lines=known[part.kind]))
    return out


def _implied(stanzas: list[list[str]]) -> list[Part]:
    """A sensible form for lyrics without tags.

    A stanza that comes back is the chorus; otherwise every second stanza is. One long stanza is cut into fours.
    """
    if not stanzas:
        plan = ["intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro"]
        return _labelled([Part(kind=kind, label=kind.capitalize()) for kind in plan])
    if len(stanzas) == 1 and len(stanzas[0]) > 5:
        only = stanzas[0]
        stanzas = [only[start : start + 4] for start in range(0, len(only), 4)]
    counts = Counter(tuple(line.lower() for line in stanza) for stanza in stanzas)
    refrain = next((stanza for stanza, count in counts.most_common(1) if 1 < count <= (len(stanzas) + 1) // 2), None)
    parts = [Part(kind="intro", label="Intro")]
    for place, stanza in enumerate(stanzas):
        if refrain is not None:
            kind = "chorus" if tuple(line.lower() for line in stanza) == refrain else "verse"
        elif len(stanzas) == 1:
            kind = "verse"
        else:
            kind = "bridge" if place == 4 and len(stanzas) > 5 else "chorus" if place % 2 else "verse"
        parts.append(Part(kind=kind, label=kind.capitalize(), lines=tuple(stanza)))
    if len(stanzas) == 1:
        parts.append(Part(kind="chorus", label="Chorus", lines=tuple(stanzas[0][-2:])))
    elif refrain is None and parts[-1].kind != "chorus":
        chorus = next((part for part in parts if part.kind == "chorus"), None)
        if chorus:
            parts.append(chorus)
    return _labelled([*parts, Part(kind="outro", label="Outro")])


def _labelled(parts: list[Part]) -> list[Part]:
    """Number the verses."""
    total, number, out = sum(part.kind == "verse" for part in parts), 0, []
    for part in parts:
        number += part.kind == "verse"
        out.append(replace(part, label=f"Verse {number}") if part.kind == "verse" and total > 1 else part)
    return out
