"""When each word of a text is said: forced alignment by pocketsphinx between anchors that Whisper heard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from workers.pipelines.audio_annotation_reference.forced import FRAME, NARROW, WIDE, dictionary, force
from workers.pipelines.audio_annotation_reference.pronunciation import plain, pronunciations
from workers.pipelines.audio_annotation_reference.recognition import SPEECH_RATE, Heard, Recognition
from workers.pipelines.audio_annotation_reference.spectra import Step
from workers.sound import Samples

Source = Literal["aligned", "recognised", "interpolated"]
Times = Mapping[int, tuple[float, float]]
"""Start and end of words by their place in the text."""

_USUAL_CHUNK = 12.0
_LONE = 3.0
"""Seconds before the first heard word and after the last one within which neighbours that were heard end."""
_LONGEST_WIDE = 40.0
"""Seconds: wide beams take several times as long, and help where a word is said oddly, not where many are missing."""
_AHEAD = 3
_SECONDS_AHEAD = 2.5
_MARGIN = 0.35
_FARTHEST = 0.8
"""Seconds between an aligned word and the same word as heard, in the median of a chunk, beyond which the alignment
went astray."""
_FASTEST_LETTER = 0.03
_LEAST_VOICE = 0.3
_SURE_PARTNER = 0.8
_UNHEARD = 0.3
"""The confidence of a word that only the alignment vouches for."""
_GUESSED = 0.15
_QUIET_RANGE = 6.0
"""Decibels above the quietest moment."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One word of the text with its time, seconds."""

    start: float
    end: float
    confidence: float
    source: Source


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """For each word its place or None, and what happened on the way."""

    words: Sequence[Placed | None]
    chunks: int
    refused: int
    """Chunks that the aligner could not place or placed nowhere near what was heard."""
    unpronounced: int


@dataclass(frozen=True, kw_only=True)
class _Anchor:
    """A word of the text that was heard."""

    heard: Heard
    alike: float


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Words, by place in the text, that are said between two moments."""

    places: Sequence[int]
    start: float
    stop: float


def align(
    words: Sequence[str],
    *,
    anchors: Sequence[tuple[int, float] | None],
    recognition: Recognition,
    speech: Samples,
    folder: Path,
    step: Step,
) -> Alignment:
    """Place `words` in a mono sound at `SPEECH_RATE`.

    `anchors` tells for each word which heard word it is. Between two anchors a word is placed only where there is time
    and voice enough for it. `folder` takes small files that the aligner reads.

    Raises:
        EngineFailed: pocketsphinx is not installed.
    """
    heard = [_Anchor(heard=recognition.words[anchor[0]], alike=anchor[1]) if anchor else None for anchor in anchors]
    seconds = speech.shape[1] / SPEECH_RATE
    present = _present(words, heard, recognition=recognition, seconds=seconds)
    spoken = [place for place in range(len(words)) if present[place]]
    placed: list[Placed | None] = [None] * len(words)
    if not spoken:
        return Alignment(words=placed, chunks=0, refused=0, unpronounced=0)
    sounds = pronunciations([words[place] for place in spoken], dictionary=dictionary())
    sayable = {place: sounds[plain(words[place])] for place in spoken if plain(words[place]) in sounds}
    chunks = _cut(spoken, heard, speech=speech[0], seconds=seconds)
    refused = 0
    for number, (chunk, following) in enumerate(zip(chunks, [*chunks[1:], None], strict=True)):
        attend = partial(step, number / len(chunks))
        aligned = _fit(chunk, following, sayable=sayable, speech=speech[0], folder=folder, attend=attend)
        if not aligned or _astray(aligned, heard):
            refused += 1
            aligned = {}
        for place, found in _settle(chunk, aligned, heard).items():
            placed[place] = found
    return Alignment(
        words=_ordered(placed, seconds),
        chunks=len(chunks),
        refused=refused,
        unpronounced=len(spoken) - len(sayable),
    )


def _present(
    words: Sequence[str], heard: Sequence[_Anchor | None], *, recognition: Recognition, seconds: float
) -> list[bool]:
    """Whether each word can have been said: heard, or between heard ones where there is time and voice for it."""
    present = [anchor is not None for anchor in heard]
    known = [place for place, anchor in enumerate(heard) if anchor]
    if not known:
        return present
    for before, after in zip([-1, *known], [*known, len(words)], strict=True):
        between = range(before + 1, after)
        left, right = heard[before] if before >= 0 else None, heard[after] if after < len(words) else None
        start = left.heard.end if left else 0.0
        stop = right.heard.start if right else seconds
        needed = _FASTEST_LETTER * sum(len(words[place]) for place in between)
        # Words are missed one at a time within a phrase; a whole missing phrase needs a voice that says it.
        few = len(between) <= 3 and left is not None and right is not None
        if few or (
            needed <= stop - start
            and recognition.voiced_seconds(start - _MARGIN, stop + _MARGIN) >= max(needed, _LEAST_VOICE)
        ):
            for place in between:
                present[place] = True
    return present


def _cut(spoken: Sequence[int], heard: Sequence[_Anchor | None], *, speech: np.ndarray, seconds: float) -> list[_Chunk]:
    """The words in chunks that end at pauses between two heard neighbours; the outer ones reach to the sound's ends."""
    cuts: list[tuple[int, float]] = []
    begun = 0.0
    for number in range(1, len(spoken)):
        left, right = heard[spoken[number - 1]], heard[spoken[number]]
        if left is None or right is None or min(left.alike, right.alike) < _SURE_PARTNER:
            continue
        gap = right.heard.start - left.heard.end
        length = right.heard.start - begun
        if length < _USUAL_CHUNK / 2 or (gap < 0.15 and length < 2 * _USUAL_CHUNK):
            continue
        begun = _quietest(speech, (left.heard.start + left.heard.end) / 2, (right.heard.start + right.heard.end) / 2)
        cuts.append((number, begun))
    first, last = heard[spoken[0]], heard[spoken[-1]]
    edges = [
        (0, max(0.0, first.heard.start - _LONE) if first else 0.0),
        *cuts,
        (len(spoken), min(seconds, last.heard.end + _LONE) if last else seconds),
    ]
    return [
        _Chunk(places=spoken[number:end], start=start, stop=stop) for (number, start), (end, stop) in pairwise(edges)
    ]


def _quietest(speech: np.ndarray, start: float, stop: float) -> float:
    """The middle of the longest quiet stretch between two moments."""
    width = round(FRAME * SPEECH_RATE)
    frames = speech[round(start * SPEECH_RATE) : round(stop * SPEECH_RATE)]
    frames = frames[: len(frames) // width * width].reshape(-1, width)
    if not len(frames):
        return (start + stop) / 2
    level = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-7)
    quiet = level < level.min() + _QUIET_RANGE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    return start + FRAME * float(begins[longest] + ends[longest]) / 2


def _fit(
    chunk: _Chunk,
    following: _Chunk | None,
    *,
    sayable: Mapping[int, Sequence[str]],
    speech: np.ndarray,
    folder: Path,
    attend: Callable[[], None],
) -> Times:
    """The times of the chunk's words that can be pronounced, as far as the aligner comes.

    It sometimes takes a last word for silence, never one with others after it: where that happens, the first words
    of the following chunk are said too and then left away.
    """
    places = [place for place in chunk.places if place in sayable]
    ahead = [place for place in following.places[:_AHEAD] if place in sayable] if following else []
    farther = min(chunk.stop + _SECONDS_AHEAD, following.stop) if following else chunk.stop
    best: list[tuple[float, float]] = []
    for more, stop, beams in (([], chunk.stop, NARROW), (ahead, farther, NARROW), (ahead, farther, WIDE)):
        attend()
        if beams is WIDE and stop - chunk.start > _LONGEST_WIDE:
            break
        times = force(
            [sayable[place] for place in (*places, *more)],
            sound=speech[round(chunk.start * SPEECH_RATE) : round(stop * SPEECH_RATE)],
            folder=folder,
            beams=beams,
        )
        if len(times) >= len(places):
            best = times[: len(places)]
            break
        # The last word it came to may have swallowed those after it.
        best = max(best, times[:-1], key=len)
    return {place: (chunk.start + start, chunk.start + end) for place, (start, end) in zip(places, best, strict=False)}


def _astray(aligned: Times, heard: Sequence[_Anchor | None]) -> bool:
    """Whether the alignment contradicts what was heard."""
    distances = [abs(start - anchor.heard.start) for place, (start, _) in aligned.items() if (anchor := heard[place])]
    return bool(distances) and float(np.median(distances)) > _FARTHEST


def _settle(chunk: _Chunk, aligned: Times, heard: Sequence[_Anchor | None]) -> dict[int, Placed]:
    """A time for every word of a chunk: the aligner's, else the heard word's, else a share of the room between."""
    settled: dict[int, Placed] = {}
    guesses: dict[int, Placed] = {}
    for place in chunk.places:
        anchor = heard[place]
        confidence = anchor.heard.probability * anchor.alike if anchor else _UNHEARD
        if place in aligned:
            start, end = aligned[place]
            settled[place] = Placed(start=start, end=end, confidence=confidence, source="aligned")
        elif anchor:
            settled[place] = Placed(
                start=anchor.heard.start, end=anchor.heard.end, confidence=confidence, source="recognised"
            )
    moment = chunk.start
    for known, run in groupby(chunk.places, key=settled.__contains__):
        together = list(run)
        if known:
            moment = settled[together[-1]].end
            continue
        stop = min((settled[place].start for place in settled if place > together[-1]), default=chunk.stop)
        share = max(stop - moment, 0.0) / len(together)
        for number, place in enumerate(together):
            start = moment + share * number
            guesses[place] = Placed(start=start, end=start + share, confidence=_GUESSED, source="interpolated")
    return settled | guesses


def _ordered(placed: Sequence[Placed | None], seconds: float) -> list[Placed | None]:
    """The same words, none before an earlier one, all within the sound."""
    ordered: list[Placed | None] = []
    earliest = 0.0
    for word in placed:
        if word is None:
            ordered.append(None)
            continue
        start = min(max(word.start, earliest), seconds)
        end = min(max(word.end, start), seconds)
        ordered.append(Placed(start=start, end=end, confidence=word.confidence, source=word.source))
        earliest = start
    for place, word in enumerate(ordered):
        following = next((later for later in ordered[place + 1 :] if later), None)
        if word and following and word.end > following.start:
            ordered[place] = Placed(
                start=word.start, end=following.start, confidence=word.confidence, source=word.source
            )
    return ordered
