"""Reading tags: style, instruments, moods, voice, tempo, key and metre words, and what was not understood."""

import re
from dataclasses import dataclass, field

from workers.pipelines.ace_step_create.instruments import WORDS as INSTRUMENT_WORDS
from workers.pipelines.ace_step_create.style import Style
from workers.pipelines.ace_step_create.styles import BY_NAME, STYLES


@dataclass(frozen=True)
class Mood:
    """How a word colours a song: chance of minor moved, tempo as a factor, energy added, tilt and reverb of the mix."""

    minor: float = 0.0
    tempo: float = 1.0
    energy: float = 0.0
    tilt: float = 0.0
    wet: float = 0.0


_MOODS: dict[str, Mood] = {
    "happy joyful cheerful bright sunny fun playful feel-good optimistic upbeat summer festive silly": Mood(
        -0.6, 1.06, 0.1, 1.0
    ),
    "sad melancholic melancholy heartbreak heartbroken sorrowful lonely somber mournful tragic nostalgic "
    "bittersweet grief "
    "rainy crying": Mood(0.6, 0.92, -0.12, -1.0, 0.04),
    "dark sinister evil gloomy brooding moody ominous menacing gothic scary horror haunting spooky mysterious night "
    "midnight noir": Mood(0.7, 0.97, 0.0, -1.5, 0.04),
    "angry aggressive intense brutal furious rage fierce raw": Mood(0.5, 1.08, 0.15, 0.5),
    "calm peaceful relaxed relaxing gentle soft mellow soothing quiet tender serene chill chilled laid-back warm cozy "
    "intimate sleepy delicate": Mood(-0.1, 0.92, -0.15, -1.5, 0.04),
    "epic powerful heroic triumphant anthemic anthem massive grand majestic big huge inspiring inspirational "
    "motivational victorious": Mood(0.0, 1.0, 0.15, 0.3, 0.06),
    "romantic love sensual sexy sweet dreamy dream ethereal floating hazy": Mood(-0.1, 0.95, -0.05, -0.3, 0.08),
    "energetic fast uptempo up-tempo driving powerful-drums exciting wild hype banger workout racing pumping": Mood(
        0.0, 1.1, 0.15, 0.8
    ),
    "slow downtempo-feel slowly": Mood(0.0, 0.84, -0.05),
    "hopeful uplifting emotional heartfelt soulful passionate": Mood(-0.15, 1.0, 0.03, 0.3, 0.02),
    "suspenseful tense dramatic anxious urgent": Mood(0.6, 1.03, 0.08, 0.0, 0.04),
    "minor": Mood(1.0),
    "major": Mood(-1.0),
}
MOODS = {word: mood for words, mood in _MOODS.items() for word in words.split()}
VOICES = {
    "female": "female", "woman": "female", "girl": "female", "female vocals": "female", "female vocal": "female",
    "female voice": "female", "soprano": "female", "alto": "female", "diva": "female", "female singer": "female",
    "male": "male", "man": "male", "boy": "male", "male vocals": "male", "male vocal": "male", "male voice": "male",
    "tenor": "male", "baritone": "male", "male singer": "male", "deep voice": "male",
    "vocals": "any", "vocal": "any", "voice": "any", "singer": "any", "singing": "any", "sung": "any", "duet": "any",
    "harmonies": "any", "backing vocals": "any", "a cappella": "any", "acapella": "any",
}  # fmt: skip
_DRUM_WORDS = frozenset(
    ["drums", "drum", "percussion", "beat", "drumming", "drummer", "kick", "snare", "hi-hats", "hats", "claps", "909"]
)
_BASS_WORDS = frozenset(["bass", "bassline", "heavy bass"])
_QUIET_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "the",
        "with",
        "of",
        "in",
        "on",
        "for",
        "to",
        "by",
        "or",
        "but",
        "from",
        "as",
        "is",
        "are",
        "at",
        "like",
        "very",
        "really",
        "some",
        "more",
        "less",
        "plus",
        "style",
        "styled",
        "song",
        "music",
        "track",
        "tune",
        "beat",
        "piece",
        "feel",
        "vibe",
        "vibes",
        "mood",
        "sound",
        "sounds",
        "inspired",
        "influenced",
        "modern",
        "contemporary",
        "instrumental",
        "version",
        "featuring",
        "feat",
        "era",
        "lead",
        "solo",
        "melody",
        "melodic",
        "rhythm",
        "rhythmic",
        "heavy",
        "light",
        "catchy",
        "production",
        "produced",
        "polished",
        "studio",
        "high",
        "quality",
        "hi-fi",
        "professional",
        "mix",
        "mixed",
        "mastered",
        "bpm",
        "key",
        "tempo",
        "time",
        "signature",
        "english",
        "lyrics",
        "layered",
        "lush",
        "rich",
        "deep",
        "full",
        "smooth",
        "clean",
        "crisp",
        "hook",
        "hooks",
        "chorus",
        "verse",
        "intro",
        "outro",
        "section",
        "s",
        "t",
        "it",
        "this",
        "that",
        "my",
        "your",
        "strong",
        "subtle",
        "acoustic-drums",
        "arrangement",
        "arranged",
    ]
)
_TEMPO = re.compile(
    r"\b(\d{2,3})\s*-?\s*bpm\b|\bbpm\s*[:=]?\s*(\d{2,3})\b|\btempo\s*[:=]?\s*(\d{2,3})\b", re.IGNORECASE
)
_KEY = re.compile(r"\b(?:key\s*(?:of|:)\s*)?([A-Ga-g](?:#|b|♯|♭)?)[\s-]+(major|minor|maj|min)\b", re.IGNORECASE)
_METER = re.compile(r"\b([2-7])\s*/\s*(4|8)\b")
_WORDS = re.compile(r"[a-z0-9&'’\-]+", re.IGNORECASE)
_LONGEST = 3


@dataclass
class Wishes:
    """What the tags ask for."""

    style: Style
    influences: list[Style] = field(default_factory=list)
    instruments: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    voice: str | None = None
    without: set[str] = field(default_factory=set)
    instrumental: bool = False
    bpm: int | None = None
    key: str | None = None
    meter: int | None = None
    unknown: list[str] = field(default_factory=list)
    style_named: bool = False

    def mood(self) -> Mood:
        """All moods together."""
        moods = [MOODS[word] for word in self.moods] or [Mood()]
        tempo = 1.0
        for mood in moods[:3]:
            tempo *= mood.tempo
        return Mood(
            sum(mood.minor for mood in moods),
            tempo,
            max(-0.2, min(0.2, sum(mood.energy for mood in moods))),
            max(-3.0, min(2.0, sum(mood.tilt for mood in moods))),
            max(0.0, min(0.12, sum(mood.wet for mood in moods))),
        )


_STYLE_WORDS = {word: style for style in reversed(STYLES) for word in style.words.split("|")}


def read_tags(tags: str) -> Wishes:
    """Longest phrases first: `solo piano` is a style, `piano` alone an instrument; the first style named leads."""
    wishes = Wishes(style=BY_NAME["pop"])
    text = tags.replace("♯", "#").replace("♭", "b")
    if match := _TEMPO.search(text):
        beats = int(next(group for group in match.groups() if group))
        wishes.bpm = beats if 40 <= beats <= 240 else None
        text = _TEMPO.sub(" , ", text)
    if match := _KEY.search(text):
        mode = "minor" if match[2].lower().startswith("min") else "major"
        wishes.key = f"{match[1][0].upper()}{match[1][1:]} {mode}"
        text = _KEY.sub(" , ", text)
    if match := _METER.search(text):
        wishes.meter = int(match[1])
        text = _METER.sub(" , ", text)
    styles: list[Style] = []
    for phrase in re.split(r"[,;/\n|.()\[\]:!?]+", text):
        _read_phrase(_WORDS.findall(phrase.lower().replace("’", "'")), wishes, styles)
    if styles:
        wishes.style, wishes.style_named = styles[0], True
        wishes.influences = [style for style in dict.fromkeys(styles[1:]) if style is not styles[0]]
    elif wishes.instruments:
        wishes.style = _style_for(wishes.instruments, wishes.moods)
    elif wishes.moods:
        wishes.style = BY_NAME["ballad" if wishes.mood().energy < -0.1 else "pop"]
    wishes.instruments = list(dict.fromkeys(wishes.instruments))
    wishes.moods = list(dict.fromkeys(wishes.moods))
    wishes.unknown = list(dict.fromkeys(wishes.unknown))
    return wishes


def _read_phrase(words: list[str], wishes: Wishes, styles: list[Style]) -> None:
    place = 0
    negated = False
    while place < len(words):
        for length in range(min(_LONGEST, len(words) - place), 0, -1):
            candidate = " ".join(words[place : place + length])
            if _take(candidate, wishes, styles, negated=negated):
                negated = False
                break
        else:
            length, word = 1, words[place]
            if word in ("no", "without", "not", "non", "minus"):
                negated = True
            elif word in ("instrumental", "wordless"):
                wishes.instrumental = True
            elif word not in _QUIET_WORDS and not word.isdigit():
                wishes.unknown.append(word)
        place += length


def _take(candidate: str, wishes: Wishes, styles: list[Style], *, negated: bool) -> bool:
    """Whether the phrase means something; notes what."""
    if candidate in ("instrumental only", "no lyrics"):
        wishes.instrumental = True
    elif candidate in VOICES:
        if negated:
            wishes.instrumental = True
        elif wishes.voice in (None, "any"):
            wishes.voice = VOICES[candidate]
        if "cappella" in candidate or candidate == "acapella":
            wishes.without |= {"drums", "bass"}
    elif candidate in _DRUM_WORDS or candidate in _BASS_WORDS:
        if negated:
            wishes.without.add("drums" if candidate in _DRUM_WORDS else "bass")
    elif candidate in _STYLE_WORDS:
        if not negated:
            styles.append(_STYLE_WORDS[candidate])
            if candidate in MOODS:
                wishes.moods.append(candidate)
    elif candidate in INSTRUMENT_WORDS:
        (wishes.without.add if negated else wishes.instruments.append)(INSTRUMENT_WORDS[candidate])
    elif candidate in MOODS:
        if not negated:
            wishes.moods.append(candidate)
    else:
        return False
    return True


def _style_for(instruments: list[str], moods: list[str]) -> Style:
    """The style that instruments alone suggest."""
    by_instrument = {
        "piano": "classical" if len(instruments) == 1 else "ballad",
        "acoustic guitar": "folk", "nylon guitar": "folk", "banjo": "country", "fiddle": "folk", "harmonica": "blues",
        "strings": "cinematic", "choir": "cinematic", "brass": "funk", "tenor saxophone": "jazz", "trumpet": "jazz",
        "upright bass": "jazz", "distorted guitar": "metal", "overdriven guitar": "rock", "electric guitar": "rock",
        "808 bass": "trap", "synth pad": "ambient", "glass pad": "ambient", "synth lead": "electro-pop",
        "supersaw": "house", "synth pluck": "electro-pop", "accordion": "waltz", "organ": "soul",
        "harpsichord": "classical",
        "church organ": "classical", "steel drums": "reggae", "slap bass": "funk", "acid bass": "techno",
    }  # fmt: skip
    found = next((by_instrument[name] for name in instruments if name in by_instrument), "pop")
    return BY_NAME["cinematic" if "epic" in moods and found == "classical" else found]
