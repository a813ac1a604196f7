"""The parts of a piece: where one ends and another begins, which are alike, and which section mark is which.

Novelty is Foote's checkerboard kernel along the self-similarity matrix of bars (J. Foote, "Automatic audio
segmentation using a measure of audio novelty", 2000).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.fft import dct

from workers.pipelines.audio_annotation_reference.beats import Curve
from workers.pipelines.audio_annotation_reference.meter import between_beats
from workers.pipelines.audio_annotation_reference.spectra import HARMONY_HOP, RHYTHM_HOP, Frames

SectionSource = Literal["words", "music", "guess"]

_TIMBRE = 13
_KERNEL_BARS = 4
_SHORTEST = 6.0
"""Seconds of the shortest part that music alone is cut into."""
_SALIENT = 0.22
_LEAST_CHANGE = 0.25
"""The change, in cosine similarity, that counts as a great one even where nothing greater happens."""
_SAME_PART = 0.55
_LATE, _EARLY = 3.0, 1.0
"""What it costs a section to begin a bar after its first word, or a bar before."""
_PICKUP = 0.35
"""The share of a bar by which words may come before their section: an upbeat."""
_LENGTH = 1.5
_UNLIKE = 1.0
_LEARNING_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Part:
    """One stretch of the piece."""

    label: str
    start: float
    end: float
    source: SectionSource


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A section mark of the transcript, and what is known of its words."""

    label: str
    lines: int
    first_word: float | None
    last_word: float | None
    """When its first word begins and its last one ends; None where none of them was found."""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """The grid that parts begin on: moments from 0 on, and how new what follows each is against what went before."""

    starts: Curve
    novelty: Curve
    features: Frames
    seconds: float

    @property
    def length(self) -> float:
        """Seconds a bar, the median."""
        return float(np.median(np.diff(np.append(self.starts, self.seconds))))


def bars_of(downbeats: Curve, *, mel: Frames, chroma: Frames, seconds: float) -> Bars:
    """What every bar sounds like. What comes before the first downbeat belongs to a bar of its own."""
    starts = downbeats if len(downbeats) and downbeats[0] < 0.05 else np.append(0.0, downbeats)
    # An upbeat of a few notes is part of the first bar.
    if len(starts) > 2 and starts[1] - starts[0] < 0.6 * (starts[2] - starts[1]):
        starts = np.delete(starts, 1)
    starts = np.append(0.0, starts[1:])
    loudness = np.log(between_beats(mel, starts, hop=RHYTHM_HOP) + 1e-4)
    timbre = dct(loudness, norm="ortho", axis=1)[:, :_TIMBRE]
    harmony = between_beats(chroma, starts, hop=HARMONY_HOP)
    features = np.hstack([_scaled(timbre), 0.6 * _scaled(harmony)]).astype(np.float32)
    return Bars(starts=starts, novelty=_novelty(features), features=features, seconds=seconds)


def parts_of(bars: Bars) -> list[Part]:
    """The piece cut where it changes most; parts that sound alike share a letter, from A on."""
    apart = max(2, round(_SHORTEST / bars.length))
    cuts = [0]
    for place in np.argsort(-bars.novelty, kind="stable"):
        if bars.novelty[place] < _SALIENT:
            break
        if all(abs(place - cut) >= apart for cut in cuts) and len(bars.starts) - place >= min(apart, 2):
            cuts.append(int(place))
    cuts.sort()
    edges = [*cuts, len(bars.starts)]
    means = [bars.features[first:end].mean(axis=0) for first, end in pairwise(edges)]
    letters: list[int] = []
    spread = float(np.mean([np.linalg.norm(row - bars.features.mean(axis=0)) for row in bars.features])) or 1.0
    for place, mean in enumerate(means):
        distances = [float(np.linalg.norm(mean - means[other])) / spread for other in range(place)]
        nearest = int(np.argmin(distances)) if distances else -1
        alike = nearest >= 0 and distances[nearest] < _SAME_PART
        letters.append(letters[nearest] if alike else max(letters, default=-1) + 1)
    ends = [*bars.starts[cuts[1:]], bars.seconds]
    return [
        Part(label=_letter(letter), start=float(bars.starts[first]), end=float(end), source="music")
        for letter, first, end in zip(letters, cuts, ends, strict=True)
    ]


def place_marks(marks: Sequence[Mark], *, bars: Bars) -> list[Part]:
    """Where each marked section begins: near its first word, else where the music changes, in the marks' order.

    Sections of one label should sound alike: what each label sounds like is learnt from a first placing, and the
    marks are placed again by it.
    """
    if len(bars.starts) < len(marks):
        return _evenly(marks, bars.seconds)
    expected = _expected_seconds(marks, bars)
    unlike = np.zeros((len(marks), len(bars.starts)))
    places = _cheapest(marks, bars=bars, expected=expected, unlike=unlike)
    for _ in range(_LEARNING_ROUNDS):
        unlike = _unlikeness(marks, places, bars)
        places = _cheapest(marks, bars=bars, expected=expected, unlike=unlike)
    begins = [float(bars.starts[place]) for place in places]
    return [
        Part(
            label=mark.label,
            start=begin,
            end=end,
            source="words" if mark.first_word is not None else "music" if bars.novelty[place] >= _SALIENT else "guess",
        )
        for mark, place, begin, end in zip(marks, places, begins, [*begins[1:], bars.seconds], strict=True)
    ]


def _cheapest(marks: Sequence[Mark], *, bars: Bars, expected: Sequence[float], unlike: Curve) -> list[int]:
    """The bars on which the marks begin, by dynamic programming: each later than the one before.

    `unlike` says for every mark and bar what it costs that the bar is part of the mark's section.
    """
    starts, count = bars.starts, len(bars.starts)
    within = np.hstack([np.zeros((len(marks), 1)), np.cumsum(unlike, axis=1)])
    costs = np.full((len(marks), count), np.inf)
    ways = np.zeros((len(marks), count), np.int64)
    for number, mark in enumerate(marks):
        own = _cost_of_starting(mark, bars)
        if number == 0:
            costs[0] = own if mark.first_word is not None else np.where(starts == 0, 0.0, np.inf)
            continue
        before = marks[number - 1]
        for place in range(number, count):
            lengths = starts[place] - starts[:place]
            total = costs[number - 1, :place] + _cost_of_length(before, lengths, expected[number - 1])
            total = total + within[number - 1, place] - within[number - 1, :place]
            if before.last_word is not None:
                total = total + _LATE * max(0.0, before.last_word - starts[place] - _PICKUP * bars.length) / bars.length
            ways[number, place] = int(np.argmin(total))
            costs[number, place] = total[ways[number, place]] + own[place]
    final = costs[-1] + _cost_of_length(marks[-1], bars.seconds - starts, expected[-1])
    final = final + within[-1, -1] - within[-1, :-1]
    places = [int(np.argmin(final))]
    for number in range(len(marks) - 1, 0, -1):
        places.append(int(ways[number, places[-1]]))
    return places[::-1]


def _unlikeness(marks: Sequence[Mark], places: Sequence[int], bars: Bars) -> Curve:
    """For every mark and bar how far the bar is from what the mark's label sounds like, less the nearest label's."""
    members: dict[str, list[int]] = {}
    for mark, (first, end) in zip(marks, pairwise([*places, len(bars.starts)]), strict=True):
        members.setdefault(_kind(mark.label), []).extend(range(first, end))
    kinds = list(members)
    means = np.array([bars.features[members[kind]].mean(axis=0) for kind in kinds])
    distances = ((bars.features[None] - means[:, None]) ** 2).sum(axis=2)
    distances -= distances.min(axis=0)
    return _UNLIKE * np.array([distances[kinds.index(_kind(mark.label))] for mark in marks])


def _kind(label: str) -> str:
    """What sections of one kind share: "Verse 2: quietly" is a verse."""
    return re.sub(r"[^a-z]+", " ", label.lower().split(":")[0]).strip() or label


def place_marks_in_speech(marks: Sequence[Mark], *, seconds: float) -> list[Part]:
    """Sections of speech begin with their first word; those without known words share what lies between."""
    begins = [mark.first_word or 0.0 for mark in marks]
    known = [place for place, mark in enumerate(marks) if place == 0 or mark.first_word is not None]
    for left, right in pairwise([*known, len(marks)]):
        last, until = marks[left].last_word, begins[right] if right < len(marks) else seconds
        since = last if last is not None else begins[left]
        # A section whose own words are known is over after them; one without takes its share like those after it.
        first = left + 1 if last is not None else left
        for place in range(left + 1, right):
            begins[place] = since + (until - since) * (place - first) / (right - first)
    # Words found out of order must not turn sections around.
    ordered = np.maximum.accumulate(begins)
    return [
        Part(
            label=mark.label,
            start=float(begin),
            end=float(end),
            source="words" if mark.first_word is not None else "guess",
        )
        for mark, begin, end in zip(marks, ordered, [*ordered[1:], seconds], strict=True)
    ]


def _scaled(columns: Frames) -> Frames:
    """Columns about 0, the whole block of mean square length 1."""
    centred = columns - columns.mean(axis=0)
    length = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    return centred / length if length > 1e-9 else centred


def _novelty(features: Frames) -> Curve:
    """0 where a bar continues those before it, 1 at its greatest changes; the first bar's is 0."""
    lengths = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    alike = (features / lengths) @ (features / lengths).T
    count = len(features)
    novelty = np.zeros(count)
    for place in range(1, count):
        before = slice(max(0, place - _KERNEL_BARS), place)
        after = slice(place, min(count, place + _KERNEL_BARS))
        within = (alike[before, before].mean() + alike[after, after].mean()) / 2
        reach = min(before.stop - before.start, after.stop - after.start)
        # Near the ends the kernel is small and its noise large.
        novelty[place] = max(0.0, within - alike[before, after].mean()) * min(1.0, reach / 2)
    peaks = np.array(
        [value if value == novelty[max(0, at - 1) : at + 2].max() else 0.0 for at, value in enumerate(novelty)]
    )
    # Against the second greatest: one last chord after the band must not make every other change look small.
    usual = np.sort(peaks)[-2] if count > 1 else 0.0
    return np.minimum(peaks / max(usual, _LEAST_CHANGE), 1.0)


def _cost_of_starting(mark: Mark, bars: Bars) -> Curve:
    cost = -bars.novelty
    if mark.first_word is None:
        return cost
    late = (bars.starts - mark.first_word) / bars.length
    too_late, too_early = np.maximum(late - _PICKUP, 0), np.maximum(-1 - late, 0)
    return np.asarray(cost + 0.1 * np.abs(late) + _LATE * too_late + _EARLY * too_early)


def _cost_of_length(mark: Mark, lengths: Curve, expected: float) -> Curve:
    """Sections whose words are known end where the next one's begin; the length of others is a guess."""
    if mark.last_word is not None:
        return np.zeros(len(lengths))
    return _LENGTH * np.log(np.maximum(lengths, 0.01) / expected) ** 2


def _expected_seconds(marks: Sequence[Mark], bars: Bars) -> list[float]:
    known = [
        (mark.last_word - mark.first_word) / mark.lines
        for mark in marks
        if mark.lines and mark.first_word is not None and mark.last_word is not None
    ]
    if known:
        line = float(np.median(known))
    else:
        lines = sum(max(mark.lines, 2) for mark in marks)
        line = bars.seconds / lines
    return [max(line * (mark.lines or 2), bars.length) for mark in marks]


def _evenly(marks: Sequence[Mark], seconds: float) -> list[Part]:
    edges = np.linspace(0, seconds, len(marks) + 1)
    return [
        Part(label=mark.label, start=float(start), end=float(end), source="guess")
        for mark, start, end in zip(marks, edges[:-1], edges[1:], strict=True)
    ]


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"Z{number - 25}"
