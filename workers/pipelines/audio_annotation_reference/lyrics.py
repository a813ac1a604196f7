"""A transcript as it was written: lines, their words, section marks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.protocol.inputs.audio_annotation_reference import words_of

_MARK = re.compile(r"\[([^\]\n]*)\]")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of lyrics with at least one word."""

    text: str
    words: Sequence[str]
    section: int | None
    """The place of its section among the marks; None before the first."""


@dataclass(frozen=True, kw_only=True)
class Lyrics:
    """Lines in order, and the labels of the section marks in order."""

    lines: Sequence[Line]
    sections: Sequence[str]

    @property
    def words(self) -> list[str]:
        """Every word in order."""
        return [word for line in self.lines for word in line.words]

    @property
    def line_of_word(self) -> list[int]:
        """For every word the place of its line."""
        return [place for place, line in enumerate(self.lines) for _ in line.words]


def read_transcript(transcript: str) -> Lyrics:
    """Read lines and `[Section]` marks; a mark may stand alone or within a line, an empty one is ignored."""
    lines: list[Line] = []
    sections: list[str] = []
    for written in transcript.splitlines():
        # split() with one group gives text and label in turn.
        for place, part in enumerate(_MARK.split(written)):
            text = " ".join(part.split())
            if place % 2:
                sections += [text] if text else []
            elif words := words_of(text):
                lines.append(Line(text=text, words=words, section=len(sections) - 1 if sections else None))
    return Lyrics(lines=lines, sections=sections)
