"""Accents as rules on the phonemes of words: what speakers of each do to American English sounds.

The rules follow J. C. Wells, "Accents of English" (1982), and common descriptions of second-language English. They
change sounds; the melody and the rhythm of an accent are beyond them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workers.pipelines.audio_speak.native_accents import australian, british, canadian, drop_final_r
from workers.pipelines.audio_speak.phonemes import Word
from workers.pipelines.audio_speak.second_language import CHINESE, INDIAN, JAPANESE, KOREAN, PORTUGUESE, RUSSIAN


@dataclass(frozen=True, kw_only=True)
class AccentRules:
    """One accent: what it does, in words for the client, and to a word's phonemes."""

    does: tuple[str, ...]
    word: Callable[[str, str], str]
    """(the word as written in small letters, its phonemes) → its phonemes."""
    linking_r: bool = False
    """Whether a final r falls silent unless the next word begins with a vowel."""

    def __call__(self, words: Sequence[Word]) -> list[Word]:
        """The accent on one sentence."""
        if self.linking_r:
            words = drop_final_r(words)
        return [replace(word, phonemes=self.word(word.text.lower(), word.phonemes)) for word in words]


def _spoken(rules: Callable[[str], str]) -> Callable[[str, str], str]:
    return lambda written, phonemes: rules(phonemes)


ACCENTS: dict[str, AccentRules] = {
    "american accent": AccentRules(does=("the voice's own English: nothing is changed",), word=lambda _, p: p),
    "british accent": AccentRules(
        does=(
            "r is silent before consonants and pauses",
            "long a in words like bath, dance, ask",
            "rounded o in words like lot, cloth",
            "goat begins in the middle of the mouth",
            "t is never tapped",
            "a y-sound in words like new, tune",
            "British forms of words like schedule, tomato, either",
        ),
        word=british,
        linking_r=True,
    ),
    "australian accent": AccentRules(
        does=(
            "r is silent before consonants and pauses",
            "broad face, price, goat, mouth and fleece",
            "fronted a in words like bath, start",
            "final -er is open",
            "t between vowels is tapped",
        ),
        word=australian,
        linking_r=True,
    ),
    "canadian accent": AccentRules(
        does=(
            "raised vowels in words like price, about before voiceless sounds",
            "cot and caught have one rounded vowel",
            "Canadian forms of words like sorry, been, process",
        ),
        word=canadian,
    ),
    "indian accent": AccentRules(
        does=(
            "t and d are retroflex",
            "v and w are one sound",
            "th becomes a dental t or d",
            "tapped r",
            "face and goat are single long vowels",
        ),
        word=_spoken(INDIAN),
    ),
    "chinese accent": AccentRules(
        does=(
            "th becomes s or z",
            "v becomes w",
            "l after a vowel becomes a vowel",
            "final b, d, g, z are voiceless",
            "ship and sheep have one vowel",
            "retroflex r and sh",
        ),
        word=_spoken(CHINESE),
    ),
    "korean accent": AccentRules(
        does=(
            "f becomes p, v becomes b, z becomes j",
            "th becomes s or d",
            "tapped r before vowels, none after them",
            "a short vowel after some final stops and after s",
            "ship and sheep have one vowel",
        ),
        word=_spoken(KOREAN),
    ),
    "japanese accent": AccentRules(
        does=(
            "r and l are one tapped sound",
            "th becomes s or z, v becomes b, f is made with both lips",
            "a vowel after final stops and l",
            "si, ti become shi, chi",
            "five full vowels",
        ),
        word=_spoken(JAPANESE),
    ),
    "portuguese accent": AccentRules(
        does=(
            "th becomes t or d",
            "ti and di become chi and ji",
            "a short i after final k, p, g, b and before s with a consonant",
            "l after a vowel becomes w",
            "r at a word's start is an h, between vowels a tap",
            "nasal final vowels",
        ),
        word=_spoken(PORTUGUESE),
    ),
    "russian accent": AccentRules(
        does=(
            "w becomes v",
            "th becomes s or z",
            "rolled r",
            "h is rough",
            "final b, d, g, v, z are voiceless",
            "consonants are soft before a stressed i",
            "ship and sheep have one vowel",
        ),
        word=_spoken(RUSSIAN),
    ),
}
"""By the tag of `voiceDescription`."""

BEYOND_RULES = "the accent's melody and rhythm: only its sounds are changed, by rules on the phonemes"
