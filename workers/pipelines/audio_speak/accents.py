"""Accents as rules on the phonemes of words: what speakers of each do to American English sounds.

The rules follow J. C. Wells, "Accents of English" (1982), and common descriptions of second-language English. They
change sounds; the melody and the rhythm of an accent are beyond them. Kokoro's alphabet writes the diphthongs of
face, price, goat (American), goat (British), mouth, choice as A I O Q W Y, and a tapped t as T.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workers.pipelines.audio_speak.phonemes import Word

VOWELS = "AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻøœɨɯɤɚ"
_V = f"[{VOWELS}]"
_STRESS = "[ˈˌ]?"
_VOICELESS = "ptkfsθʃʧ"


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
            words = _drop_final_r(words)
        return [replace(word, phonemes=self.word(word.text.lower(), word.phonemes)) for word in words]


def _subs(*pairs: tuple[str, str]) -> Callable[[str], str]:
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in pairs]

    def substitute(phonemes: str) -> str:
        for pattern, replacement in compiled:
            phonemes = pattern.sub(replacement, phonemes)
        return phonemes

    return substitute


# --- Non-rhotic English: British and Australian ---------------------------------------------------------------------


def _drop_final_r(words: Sequence[Word]) -> list[Word]:
    """A final r is marked with `~` where it is silent; `_non_rhotic` makes its vowel long."""
    marked = []
    for place, word in enumerate(words):
        following = words[place + 1].phonemes.lstrip("ˈˌ") if place + 1 < len(words) and word.space else ""
        silent = not following or following[0] not in VOWELS
        marked.append(
            replace(word, phonemes=word.phonemes[:-1] + "~") if silent and word.phonemes.endswith("ɹ") else word
        )
    return marked


_non_rhotic = _subs(
    (rf"ɹ(?={_STRESS}[^{VOWELS}ˈˌ~\s])", "~"),
    ("ɜ~", "ɜː"),
    ("ɛ~", "ɛː"),
    ("ɪ~", "ɪə"),
    ("i~", "ɪə"),
    ("ʊ~", "ɔː"),
    ("ɑ~", "ɑː"),
    ("[ɔO]~", "ɔː"),
    ("ə~", "ə"),
    ("~", "ə"),
    (rf"ɜɹ(?={_STRESS}{_V})", "ɜːɹ"),
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
_southern = _subs(
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


def _british(written: str, phonemes: str) -> str:
    if written in _BRITISH_WORDS:
        return _BRITISH_WORDS[written]
    return _southern(_non_rhotic(_southern_vowels(written, phonemes)))


_broad = _subs(
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


def _australian(written: str, phonemes: str) -> str:
    tapped = "T" in phonemes
    made = _broad(_british(written, phonemes))
    return re.sub(rf"(?<={_V})t(?=[əɪiɐᵊ])", "T", made) if tapped else made


# --- Canada ---------------------------------------------------------------------------------------------------------

_raised = _subs(
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


def _canadian(written: str, phonemes: str) -> str:
    return _CANADIAN_WORDS.get(written) or _raised(phonemes)


# --- English as a second language -----------------------------------------------------------------------------------

_indian = _subs(
    ("[Tt]", "ʈ"),
    ("d", "ɖ"),
    ("θ", "tʰ"),
    ("ð", "d"),
    ("[vw]", "ʋ"),
    ("ɹ", "ɾ"),
    ("A", "eː"),
    ("[OQ]", "oː"),
    ("ɔ", "ɒː"),
    ("ɜ", "ə"),
    ("ʌ", "ə"),
    ("æ", "ɛ"),
    ("ʒ", "ʃ"),
    ("ᵻ", "ɪ"),
)
_chinese = _subs(
    ("T", "t"),
    ("θ", "s"),
    ("ð", "z"),
    ("v", "w"),
    (rf"(?<={_V})l(?={_STRESS}[^{VOWELS}ˈˌ]|$)", "ɤ"),
    ("ᵊl", "ɤ"),
    ("ɪ(?!ə)", "i"),
    ("ʊ", "u"),
    ("æ", "ɛ"),
    ("ʃ", "ʂ"),
    ("ʒ", "ɻ"),
    ("d$", "t"),
    ("ɡ$", "k"),
    ("b$", "p"),
    ("z$", "s"),
    ("ɹ", "ɻ"),
    ("A", "ɛi"),
    ("O", "ou"),
)
_korean = _subs(
    ("f", "p"),
    ("v", "b"),
    ("θ", "s"),
    ("ð", "d"),
    ("z$", "ʤɨ"),
    ("z", "ʤ"),
    ("ʒ", "ʤ"),
    ("T", "ɾ"),
    (rf"(?<={_V})ɹ(?={_STRESS}{_V})", "ɾ"),
    (rf"ɹ(?={_STRESS}{_V})", "ɾ"),
    (rf"(?<={_V})ɹ", ""),
    ("([ʧʤʃ])$", r"\1i"),
    (r"s(?=[tkp])", "sɨ"),
    (r"([kɡtd])$", r"\1ɨ"),
    ("æ", "ɛ"),
    ("ɪ", "i"),
    ("ʊ", "u"),
    ("A", "ɛi"),
    ("O", "o"),
    ("ɔ", "o"),
    ("ɜ", "ʌ"),
)
_japanese = _subs(
    ("ᵊl", "ɯɾɯ"),
    ("T", "t"),
    (rf"ɜɹ|əɹ(?={_STRESS}[^{VOWELS}ˈˌ]|$)", "aː"),
    (rf"(?<=[ɑɔ])ɹ(?={_STRESS}[^{VOWELS}ˈˌ]|$)", "ː"),
    (rf"(?<={_V})ɹ(?={_STRESS}[^{VOWELS}ˈˌ]|$)", "a"),
    ("[ɹl]", "ɾ"),
    ("θ", "s"),
    ("ð", "z"),
    ("v", "b"),
    ("f", "ɸ"),
    ("s(?=[ˈˌ]?[iɪ])", "ɕ"),
    ("t(?=[ˈˌ]?[iɪ])", "ʨ"),
    ("d(?=[ˈˌ]?[iɪ])", "ʥ"),
    ("ʃ", "ɕ"),
    ("ʧ", "ʨ"),
    ("ʤ", "ʥ"),
    ("([td])(?=[^AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻˈˌjɾʰs]|$)", r"\1o"),
    ("([kɡpb])(?=[^AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻˈˌjɯːɾ]|$)", r"\1ɯ"),
    ("(ʨ|ʥ)(?=[^AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻˈˌjː]|$)", r"\1i"),
    ("ɾ(?=[^AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻˈˌjɯ]|$)", "ɾɯ"),
    ("n(?=[^AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻˈˌj]|$)", "ɴ"),
    ("A", "eː"),
    ("[OQ]", "oː"),
    ("I", "ai"),
    ("W", "aɯ"),
    ("Y", "oi"),
    ("[æʌəɐɑᵊ]", "a"),
    ("ɔ", "oː"),
    ("ɛ", "e"),
    ("[ɪᵻ]", "i"),
    ("[ʊu]", "ɯ"),
    ("ːː+", "ː"),
)
_portuguese = _subs(
    ("T", "ɾ"),
    ("θ", "t"),
    ("ð", "d"),
    (rf"(?<={_V})l(?={_STRESS}[^{VOWELS}ˈˌ]|$)", "ʊ"),
    ("ᵊl", "ʊ"),
    ("^h", "χ"),
    ("t(?=[ˈˌ]?[iɪ])", "ʧ"),
    ("d(?=[ˈˌ]?[iɪ])", "ʤ"),
    ("([ptkbdɡ])$", r"\1i"),
    (rf"^(ˈ|ˌ)?ɹ(?={_V})", r"\1h"),
    (rf"^ɹ(?={_STRESS}{_V})", "h"),
    (rf"(?<={_V})ɹ(?={_STRESS}{_V})", "ɾ"),
    ("^s(?=[ptkmnl])", "is"),
    ("^(ˈ|ˌ)s(?=[ptkmnl])", r"i\1s"),
    ("æ", "ɛ"),
    ("[ɪᵻ]", "i"),
    ("ʊ", "u"),
    ("ʌ", "a"),
    ("ə", "ɐ"),
    ("([aɐɛiou])([mn])$", r"\1̃"),
    ("z$", "s"),
)
_russian = _subs(
    ("T", "t"),
    ("w", "v"),
    ("θ", "s"),
    ("ð", "z"),
    ("ɹ", "r"),
    ("h", "x"),
    ("ɜ", "ɛ"),
    ("ŋ", "nɡ"),
    ("æ", "ɛ"),
    ("([tdnlszpbm])(?=[ˈˌ]?[iɪ])", r"\1ʲ"),
    ("ʲ([ˈˌ]?)[ɪ]", r"ʲ\1i"),
    ("[ɪᵻ]", "i"),
    ("ʌ", "a"),
    ("ʊ", "u"),
    ("[OQ]", "o"),
    ("A", "ɛj"),
    ("ə", "a"),
    ("b$", "p"),
    ("d$", "t"),
    ("ɡ$", "k"),
    ("v$", "f"),
    ("z$", "s"),
)


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
        word=_british,
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
        word=_australian,
        linking_r=True,
    ),
    "canadian accent": AccentRules(
        does=(
            "raised vowels in words like price, about before voiceless sounds",
            "cot and caught have one rounded vowel",
            "Canadian forms of words like sorry, been, process",
        ),
        word=_canadian,
    ),
    "indian accent": AccentRules(
        does=(
            "t and d are retroflex",
            "v and w are one sound",
            "th becomes a dental t or d",
            "tapped r",
            "face and goat are single long vowels",
        ),
        word=_spoken(_indian),
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
        word=_spoken(_chinese),
    ),
    "korean accent": AccentRules(
        does=(
            "f becomes p, v becomes b, z becomes j",
            "th becomes s or d",
            "tapped r before vowels, none after them",
            "a short vowel after final stops and in clusters",
            "ship and sheep have one vowel",
        ),
        word=_spoken(_korean),
    ),
    "japanese accent": AccentRules(
        does=(
            "r and l are one tapped sound",
            "th becomes s or z, v becomes b, f is made with both lips",
            "vowels between consonants and after final ones",
            "si, ti become shi, chi",
            "five vowels",
        ),
        word=_spoken(_japanese),
    ),
    "portuguese accent": AccentRules(
        does=(
            "th becomes t or d",
            "ti and di become chi and ji",
            "a short i after final stops and before s with a consonant",
            "l after a vowel becomes w",
            "r at a word's start is an h, between vowels a tap",
            "nasal final vowels",
        ),
        word=_spoken(_portuguese),
    ),
    "russian accent": AccentRules(
        does=(
            "w becomes v",
            "th becomes s or z",
            "rolled r",
            "h is rough",
            "final b, d, g, v, z are voiceless",
            "consonants are soft before i",
            "ship and sheep have one vowel",
        ),
        word=_spoken(_russian),
    ),
}
"""By the tag of `voiceDescription`."""

BEYOND_RULES = "the accent's melody and rhythm: only its sounds are changed, by rules on the phonemes"
