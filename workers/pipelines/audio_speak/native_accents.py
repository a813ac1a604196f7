"""British, Australian and Canadian English, word by word from American."""

import re
from collections.abc import Sequence
from dataclasses import replace

from workers.pipelines.audio_speak.phonemes import Word
from workers.pipelines.audio_speak.sound_changes import STRESS, VOWEL, VOWELS, changes

_VOICELESS = "ptkfsθʃʧ"


def drop_final_r(words: Sequence[Word]) -> list[Word]:
    """A final r is marked with `~` where it is silent; `_non_rhotic` makes its vowel long."""
    marked = []
    for place, word in enumerate(words):
        following = words[place + 1].phonemes.lstrip("ˈˌ") if place + 1 < len(words) and word.space else ""
        silent = not following or following[0] not in VOWELS
        marked.append(
            replace(word, phonemes=word.phonemes[:-1] + "~") if silent and word.phonemes.endswith("ɹ") else word
        )
    return marked


_non_rhotic = changes(
    (rf"ɹ(?={STRESS}[^{VOWELS}ˈˌ~\s])", "~"),
    ("ɜ~", "ɜː"),
    ("ɛ~", "ɛː"),
    ("ɪ~", "ɪə"),
    ("i~", "ɪə"),
    ("ʊ~", "ɔː"),
    ("ɑ~", "ɑː"),
    ("[ɔO]~", "ɔː"),
    ("ə~", "ə"),
    ("~", "ə"),
    (rf"ɜɹ(?={STRESS}{VOWEL})", "ɜːɹ"),
    ("ɪɹ(?=$)", "ɪəɹ"),
    ("ɛɹ(?=$)", "ɛːɹ"),
)

# The words whose short a is long in the south of England and, mostly, in Australia: the lexical set BATH.
_BATH = frozenset(
    """
    after afternoon afterward afterwards advance advanced advantage answer answered answers ask asked asking asks
    aunt basket basketball bath branch branches brass broadcast calf calm can't cast castle chance chances chant
    class classes clasp classroom command commander craft crafts dance danced dancer dancing demand demands
    disaster draft draught enhance example examples fast faster fastest fasten flask forecast france gasp ghastly
    giraffe glance glass glasses graft grant granted graph paragraph photograph grass half halves last lasted
    lasting laugh laughed laughing laughter mask master masters mast nasty overcast pass passed passes passing
    passport past pastor pasture path paths plant plants plaster raft rasp rather sample samples shaft slander
    slant staff task tasks telegraph vast
    """.split()  # noqa: SIM905
)
_BRITISH_WORDS = {
    "schedule": "ʃˈɛdjuːl",
    "tomato": "təmˈɑːtQ",
    "tomatoes": "təmˈɑːtQz",
    "privacy": "pɹˈɪvəsi",
    "leisure": "lˈɛʒə",
    "vase": "vˈɑːz",
    "vitamin": "vˈɪtəmɪn",
    "vitamins": "vˈɪtəmɪnz",
    "herb": "hˈɜːb",
    "herbs": "hˈɜːbz",
    "zee": "zˈɛd",
    "route": "ɹˈuːt",
    "garage": "ɡˈæɹɑːʒ",
    "aluminum": "ˌæljʊmˈɪnɪəm",
    "either": "ˈIðə",
    "neither": "nˈIðə",
    "advertisement": "ədvˈɜːtɪsmənt",
    "been": "biːn",
    "was": "wɒz",
    "what": "wˌɒt",
    "of": "ɒv",
    "from": "fɹɒm",
    "because": "bɪkˈɒz",
    "on": "ɒn",
    "gone": "ɡˈɒn",
    "sorry": "sˈɒɹi",
    "mobile": "mˈQbIl",
    "missile": "mˈɪsIl",
    "missiles": "mˈɪsIlz",
}
_southern = changes(
    ("T", "t"),
    ("O", "Q"),
    ("ᵻ", "ɪ"),
    ("(?<=[ˈˌ])i(?!ː)", "iː"),
    ("(?<=ˈ)([^AIOQWYɑæɐɒɔəɛɜɪʊʌui]*)i(?![ːə])(?=.)", r"\1iː"),
    ("u(?!ː)", "uː"),
)


def _southern_vowels(written: str, phonemes: str) -> str:
    if written in _BATH:
        phonemes = phonemes.replace("æ", "ɑː", 1)
    # From a written a, American ɑ is long (father, palm); from a written o it is short (lot).
    letters_o = re.search("o|wa|qua", written) is not None
    phonemes = re.sub("ɑ(?![ː~ɹ])", "ɒ" if letters_o else "ɑː", phonemes)
    # "cloth" has the vowel of "lot" there, "thought" a long one.
    cloth = re.search(r"o(?:ff|ss|st|th|ng|g|f)", written) and not re.search(
        r"ought|ost(?=[^aeiou]*$)(?<=most)", written
    )
    phonemes = re.sub("ɔ(?![ː~ɹ])", "ɒ" if cloth else "ɔː", phonemes)
    phonemes = re.sub(r"ɔɹ(?=[ˈˌ]?[AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻ])", "ɔːɹ", phonemes)
    if re.search("[tdns](?:u[^aioy]|ew|eu|ue)", written):
        phonemes = re.sub("([tdn])([ˈˌ]?)u(?!ː)", r"\1j\2u", phonemes)
    return phonemes


def british(written: str, phonemes: str) -> str:
    if written in _BRITISH_WORDS:
        return _BRITISH_WORDS[written]
    return _southern(_non_rhotic(_southern_vowels(written, phonemes)))


_broad = changes(
    ("A", "æɪ"),
    ("I", "ɑɪ"),
    ("Q", "ɐʊ"),
    ("W", "æɔ"),
    ("ɑː", "aː"),
    ("ʌ", "a"),
    ("iː", "əiː"),
    ("ɪ(?=[kŋ])", "i"),
    (r"(?<=[bdfɡhklmnpɹstvzʃʒʧʤθð])ə$", "ɐ"),
)


def australian(written: str, phonemes: str) -> str:
    tapped = "T" in phonemes
    made = _broad(british(written, phonemes))
    return re.sub(rf"(?<={VOWEL})t(?=[əɪiɐᵊ])", "T", made) if tapped else made


_raised = changes(
    (rf"I(?=[{_VOICELESS}T])", "ʌɪ"),
    (rf"W(?=[{_VOICELESS}T])", "ʌʊ"),
    ("ɔ(?!ɹ)", "ɒ"),
    ("ɑ(?!ɹ)", "ɒ"),
)
_CANADIAN_WORDS = {
    "sorry": "sˈɔɹi",
    "tomorrow": "təmˈɔɹO",
    "borrow": "bˈɔɹO",
    "been": "bin",
    "process": "pɹˈOsɛs",
    "progress": "pɹˈOɡɹɛs",
    "pasta": "pˈæstə",
    "drama": "dɹˈæmə",
    "again": "əɡˈAn",
    "against": "əɡˈAnst",
    "zee": "zˈɛd",
    "schedule": "ʃˈɛʤul",
}


def canadian(written: str, phonemes: str) -> str:
    return _CANADIAN_WORDS.get(written) or _raised(phonemes)
