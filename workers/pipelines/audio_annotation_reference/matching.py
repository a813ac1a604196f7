"""Which heard word is which word of the transcript: the cheapest way to turn one row of words into the other."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from workers.pipelines.audio_annotation_reference.pronunciation import figures_spelled, plain

_WHOLE = 1000
"""The cost of two words that have nothing in common. Whole numbers: equal costs must compare equal on the way back."""
_GAP = 550
"""The cost of a word without a partner: two words that are less alike than this are two that were left out."""
_NEVER = np.iinfo(np.int64).max // 2
_ALIKE = 0.55
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def match(wanted: Sequence[str], heard: Sequence[str]) -> list[tuple[int, float] | None]:
    """For each wanted word the heard word it was matched to and how alike they are (0..1), or None.

    Partners stand in the same order in both rows.
    """
    rows, columns = [_letters(word) for word in wanted], [_letters(word) for word in heard]
    if not rows or not columns:
        return [None] * len(rows)
    alike, row_of, column_of = _likenesses(rows, columns)
    unlike = np.rint(_WHOLE * (1 - alike)).astype(np.int64)
    skipped = np.arange(len(columns) + 1) * _GAP
    costs = skipped.copy()
    paired, dropped = np.zeros((2, len(rows), len(columns) + 1), bool)
    for row in range(len(rows)):
        pairing = np.append(_NEVER, costs[:-1] + unlike[row_of[row], column_of])
        dropping = costs + _GAP
        best = np.minimum(pairing, dropping)
        # Skipping heard words costs the same for each: the cheapest number of skips is a running minimum.
        costs = np.minimum.accumulate(best - skipped) + skipped
        paired[row] = (pairing <= dropping) & (costs == best)
        dropped[row] = (dropping < pairing) & (costs == best)
    partners: list[tuple[int, float] | None] = [None] * len(rows)
    row, column = len(rows) - 1, len(columns)
    while row >= 0:
        if paired[row, column]:
            column -= 1
            likeness = float(alike[row_of[row], column_of[column]])
            if likeness >= _ALIKE:
                partners[row] = (column, likeness)
            row -= 1
        elif dropped[row, column]:
            row -= 1
        else:
            column -= 1
    return partners


def _letters(word: str) -> str:
    return figures_spelled("".join(letter for letter in plain(word) if letter.isalnum()))


def _likenesses(
    rows: Sequence[str], columns: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """How alike each different word of one row is to each of the other (difflib's ratio), and where the words are."""
    ours, theirs = sorted(set(rows)), sorted(set(columns))
    row_of, column_of = np.searchsorted(ours, rows), np.searchsorted(theirs, columns)
    our_counts, their_counts = _counts(ours), _counts(theirs)
    lengths = np.array([len(word) for word in ours])[:, None] + np.array([len(word) for word in theirs])
    alike = np.zeros((len(ours), len(theirs)))
    for row, word in enumerate(ours):
        # Letters in common, whatever their order, bound the ratio from above and cost much less.
        bound = 2 * np.minimum(our_counts[row], their_counts).sum(axis=1) / np.maximum(lengths[row], 1)
        for column in np.flatnonzero(bound >= _ALIKE):
            alike[row, column] = SequenceMatcher(None, word, theirs[column], autojunk=False).ratio()
    return alike, row_of, column_of


def _counts(words: Sequence[str]) -> NDArray[np.int16]:
    counts = np.zeros((len(words), len(_ALPHABET)), np.int16)
    for row, word in enumerate(words):
        for letter in word:
            place = _ALPHABET.find(letter)
            # Letters of other alphabets share the last place: the bound only grows.
            counts[row, place] += 1
    return counts
