"""Rules on a phoneme string, and what they are written with.

Kokoro's alphabet writes the diphthongs of face, price, goat (American), goat (British), mouth, choice as
A I O Q W Y, and a tapped t as T.
"""

import re
from collections.abc import Callable

VOWELS = "AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻøœɨɯɤɚ"
VOWEL = f"[{VOWELS}]"
STRESS = "[ˈˌ]?"


def changes(*pairs: tuple[str, str]) -> Callable[[str], str]:
    """All the replacements (pattern, replacement), one after the other."""
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in pairs]

    def substitute(phonemes: str) -> str:
        for pattern, replacement in compiled:
            phonemes = pattern.sub(replacement, phonemes)
        return phonemes

    return substitute
