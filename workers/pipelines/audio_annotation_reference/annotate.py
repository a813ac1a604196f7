"""From what was found to the document: rounded, clamped, ordered, and honest about each approximation."""

from dataclasses import dataclass

from workers.pipelines.audio_annotation_reference import document as published
from workers.pipelines.audio_annotation_reference.beats import NoPulse, Pulse
from workers.pipelines.audio_annotation_reference.forced import ALIGNER
from workers.pipelines.audio_annotation_reference.music import Music
from workers.pipelines.audio_annotation_reference.recognition import VOICE_DETECTOR, WHISPER, Recognition
from workers.pipelines.audio_annotation_reference.structure import (
    Mark,
    Part,
    parts_of,
    place_marks,
    place_marks_in_speech,
)
from workers.pipelines.audio_annotation_reference.words import PlacedWords
from workers.protocol.inputs.audio_annotation_reference import AudioAnnotationReferenceParams

_POOR_AGREEMENT = 0.5


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything that was found out about one sound."""

    params: AudioAnnotationReferenceParams
    seconds: float
    recognition: Recognition
    words: PlacedWords
    music: Music


def compose(found: Findings) -> published.AnnotationDocument:
    """The document of one sound."""
    words = _words(found)
    sections = _sections(found)
    lyrics = _lyrics(found, words, sections)
    counts = _counts(found)
    return published.AnnotationDocument(
        version=published.VERSION,
        task="audio.annotation.reference",
        language=found.params.language,
        duration_seconds=_rounded(found.seconds),
        lyrics=lyrics,
        words=words,
        sections=sections,
        beats=_beats(found),
        key=_key(found.music),
        qa=published.Qa(
            requested=published.Requested(
                transcription_model=found.params.transcription_model,
                device=found.params.device,
                language=found.params.language,
            ),
            models=published.Models(
                recognition=WHISPER,
                voice_activity=VOICE_DETECTOR,
                alignment=ALIGNER if counts.aligned else None,
                beats="spectral flux, autocorrelation, dynamic programming",
                sections=_section_method(found),
                device="cpu",
            ),
            alignment_method=_method(counts),
            words=counts,
            mean_confidence=_share(sum(word.confidence for word in words) / max(len(words), 1)),
            coverage=_share(len(words) / counts.total if counts.total else 0.0),
            recognition_agreement=_share(found.words.agreement) if found.words.from_transcript else None,
            voice_seconds=_rounded(sum(end - start for start, end in found.recognition.voiced)),
            notes=_notes(found, counts, sections),
        ),
    )


def _words(found: Findings) -> list[published.Word]:
    texts, lines = found.words.lyrics.words, found.words.lyrics.line_of_word
    return [
        published.Word(
            text=text,
            start=_moment(place.start, found.seconds),
            end=_moment(place.end, found.seconds),
            confidence=_share(place.confidence),
            source=place.source,
            line=line,
        )
        for text, line, place in zip(texts, lines, found.words.alignment.words, strict=True)
        if place
    ]


def _sections(found: Findings) -> list[published.Section]:
    labels, bars = found.words.lyrics.sections, found.music.bars
    parts: list[Part]
    if labels:
        marks = [_mark(number, label, found.words) for number, label in enumerate(labels)]
        parts = place_marks(marks, bars=bars) if bars else place_marks_in_speech(marks, seconds=found.seconds)
    elif bars:
        parts = parts_of(bars)
    else:
        placed = [word for word in found.words.alignment.words if word]
        parts = [Part(label="Speech", start=placed[0].start, end=placed[-1].end, source="words")] if placed else []
    return [
        published.Section(
            label=part.label,
            start=_moment(part.start, found.seconds),
            end=_moment(part.end, found.seconds),
            source=part.source,
        )
        for part in parts
    ]


def _mark(number: int, label: str, words: PlacedWords) -> Mark:
    placed = words.placed_in(number)
    return Mark(
        label=label,
        lines=sum(line.section == number for line in words.lyrics.lines),
        first_word=placed[0].start if placed else None,
        last_word=placed[-1].end if placed else None,
    )


def _lyrics(found: Findings, words: list[published.Word], sections: list[published.Section]) -> published.Lyrics:
    lines = []
    for number, line in enumerate(found.words.lyrics.lines):
        own = [word for word in words if word.line == number]
        lines.append(
            published.Line(
                text=line.text,
                start=own[0].start if own else None,
                end=own[-1].end if own else None,
                section=line.section if line.section is not None and line.section < len(sections) else None,
            )
        )
    return published.Lyrics(
        source="transcript" if found.words.from_transcript else "recognised" if lines else "none",
        text="\n".join(line.text for line in lines),
        lines=lines,
    )


def _beats(found: Findings) -> published.Beats:
    pulse, meter = found.music.pulse, found.music.meter
    if isinstance(pulse, NoPulse) or meter is None:
        return published.Beats(times=[], downbeats=[], confidence=_share(pulse.clarity))
    return published.Beats(
        times=[_moment(time, found.seconds) for time in pulse.times],
        downbeats=[_moment(time, found.seconds) for time in found.music.downbeats],
        bpm=round(pulse.bpm, 2),
        beats_per_bar=meter.beats_a_bar,
        time_signature=f"{meter.beats_a_bar}/4",
        steady=pulse.steady,
        confidence=_share(pulse.clarity),
    )


def _key(music: Music) -> published.Key | None:
    key = music.key
    return published.Key(tonic=key.tonic, mode=key.mode, confidence=_share(key.fit)) if key else None


def _counts(found: Findings) -> published.WordCounts:
    places = found.words.alignment.words
    by_source = {
        source: sum(place is not None and place.source == source for place in places)
        for source in ("aligned", "recognised", "interpolated")
    }
    return published.WordCounts(total=len(places), unplaced=sum(place is None for place in places), **by_source)


def _method(counts: published.WordCounts) -> published.AlignmentMethod:
    if counts.unplaced == counts.total:
        return "none"
    if not counts.aligned:
        return "recognised"
    return "mixed" if counts.recognised or counts.interpolated else "forced"


def _section_method(found: Findings) -> str:
    if not found.words.lyrics.sections:
        return "self-similarity of bars" if found.music.bars else "speech as one section"
    return "transcript's marks, placed by words and bars" if found.music.bars else "transcript's marks, placed by words"


def _notes(found: Findings, counts: published.WordCounts, sections: list[published.Section]) -> list[str]:
    params, words, music = found.params, found.words, found.music
    pulse, meter = music.pulse, music.meter
    notes = {
        f"{params.transcription_model} was asked for and is not on this node: {WHISPER} did the recognition. "
        "It makes more mistakes, above all with singing.": True,
        "cuda was asked for; this engine runs on the processor.": params.device == "cuda",
        "None of the transcript's words could be found in the sound: words have no times, and sections rest on the "
        "music and the numbers of lines alone.": words.from_transcript and counts.unplaced == counts.total,
        "No words were heard.": not words.from_transcript and not counts.total,
        f"{counts.unplaced} of the transcript's {counts.total} words were not found and have no times.": (
            0 < counts.unplaced < counts.total
        ),
        f"The recogniser by itself heard {words.agreement:.0%} of the transcript: words that it did not hear are "
        "placed by the alignment alone.": words.from_transcript and 0 < words.agreement < _POOR_AGREEMENT,
        f"{words.alignment.refused} of {words.alignment.chunks} stretches could not be aligned: their words have the "
        "recogniser's times, which err by up to some tenths of a second.": words.alignment.refused > 0,
        f"{counts.interpolated} words have times that are shares of the time between their neighbours.": (
            counts.interpolated > 0
        ),
        f"{found.recognition.disbelieved} recognised phrases were left out: nothing like a voice is heard there.": (
            found.recognition.disbelieved > 0
        ),
        f"No beats: {pulse.why if isinstance(pulse, NoPulse) else ''}.": isinstance(pulse, NoPulse),
        "The tempo changes; bpm is the median.": isinstance(pulse, Pulse) and not pulse.steady,
        "The beats may be counted at half or twice the speed that a listener would count.": isinstance(pulse, Pulse),
        "Which beats begin bars is a guess: no beat stands out clearly.": meter is not None and not meter.clear,
        "Sections named by letters were cut where the music changes.": any(part.source == "music" for part in sections)
        and not words.lyrics.sections,
        "Some sections begin where the numbers of lines suggest: neither words nor music tell.": any(
            part.source == "guess" for part in sections
        ),
    }
    return [note for note, holds in notes.items() if holds]


def _moment(seconds: float, duration: float) -> float:
    return _rounded(min(max(float(seconds), 0.0), duration))


def _rounded(seconds: float) -> float:
    # Down, not to the nearest: a time past the sound's end would be none.
    return int(seconds * 1000 + 1e-6) / 1000


def _share(value: float) -> float:
    return round(min(max(float(value), 0.0), 1.0), 3)
