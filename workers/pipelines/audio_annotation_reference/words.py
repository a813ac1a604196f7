"""The words of the document: the transcript's, or else the recogniser's, each with its time where it was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from workers.pipelines.audio_annotation_reference.alignment import Alignment, Placed, align
from workers.pipelines.audio_annotation_reference.lyrics import Line, Lyrics, read_transcript
from workers.pipelines.audio_annotation_reference.matching import match
from workers.pipelines.audio_annotation_reference.recognition import Heard, Recognition
from workers.pipelines.audio_annotation_reference.spectra import Step
from workers.protocol.inputs.audio_annotation_reference import words_of
from workers.sound import Samples

_PAUSE_ENDS_LINE = 1.0
_LONGEST_LINE = 14
_FEWEST_HEARD = 0.08
"""The share of a transcript that must be heard before it is taken for what is said."""


@dataclass(frozen=True, kw_only=True)
class PlacedWords:
    """The lyrics, a place for each of their words (or None), and how they came about."""

    lyrics: Lyrics
    from_transcript: bool
    agreement: float
    """How much of the transcript the recogniser heard by itself, 0..1; without a transcript 1."""
    alignment: Alignment

    def placed_in(self, section: int) -> list[Placed]:
        """The places of the words of one section, in order."""
        places = zip(self.alignment.words, self.lyrics.line_of_word, strict=True)
        return [word for word, line in places if word and self.lyrics.lines[line].section == section]


def place_words(
    transcript: str | None, *, recognition: Recognition, speech: Samples, folder: Path, step: Step
) -> PlacedWords:
    """Find a transcript's words in a sound, or place the recognised ones more exactly.

    Raises:
        EngineFailed: the aligner is not installed.
    """
    heard: Sequence[Heard]
    anchors: Sequence[tuple[int, float] | None]
    if transcript is None:
        lyrics, heard = _written_down(recognition.words)
        anchors = [(place, 1.0) for place in range(len(heard))]
        agreement = 1.0
    else:
        lyrics, heard = read_transcript(transcript), recognition.words
        anchors = match(lyrics.words, [word.text for word in heard])
        agreement = sum(anchor[1] for anchor in anchors if anchor) / len(anchors)
        if agreement < _FEWEST_HEARD:
            # A few short words agree with any speech by chance.
            anchors = [None] * len(anchors)
    known = Recognition(words=heard, voiced=recognition.voiced, disbelieved=recognition.disbelieved)
    alignment = align(lyrics.words, anchors=anchors, recognition=known, speech=speech, folder=folder, step=step)
    return PlacedWords(
        lyrics=lyrics, from_transcript=transcript is not None, agreement=min(agreement, 1.0), alignment=alignment
    )


def _written_down(heard: Sequence[Heard]) -> tuple[Lyrics, list[Heard]]:
    """Recognised words as lines, a new one after each sentence, phrase or pause; signs that are no words left out."""
    lines: list[list[Heard]] = []
    for _, phrase in groupby(heard, key=lambda word: word.segment):
        lines.append([])
        for word in phrase:
            line = lines[-1]
            if line and (
                word.start - line[-1].end > _PAUSE_ENDS_LINE
                or line[-1].text.rstrip("\"'”’)")[-1:] in {".", "!", "?"}
                or len(line) >= _LONGEST_LINE
            ):
                lines.append([])
            lines[-1].append(word)
    written: list[Line] = []
    kept: list[Heard] = []
    for line in lines:
        words: list[str] = []
        for word in line:
            for part in words_of(word.text):
                words.append(part)
                kept.append(word)
        if words:
            written.append(Line(text=" ".join(word.text for word in line), words=words, section=None))
    return Lyrics(lines=written, sections=[]), kept
