"""The grammar of edits: regular expressions made of the vocabulary, shared by the reader's rules."""

import re
from functools import lru_cache

from workers.pipelines.image_edit import vocabulary as words
from workers.pipelines.image_edit.picture import Rgb
from workers.pipelines.image_generate.vocabulary import COLORS, SHADES

COLOR_HEX = {name.replace("_colored", "").replace("_", " "): value for name, value in COLORS.items()}
COLOR_HEX |= {"lime": "#9bd12f", "olive": "#77802f", "lavender": "#b9a5e3", "rose": "#f06f92", "tan": "#cfae84"}
EXTRA_SHADES = {"soft": 0.35, "hot": 0.02, "royal": -0.15, "sky": 0.25, "baby": 0.45, "lime": 0.1, "dusty": 0.2}
SHADE = {**SHADES, **EXTRA_SHADES}


def either(phrases: "list[str] | tuple[str, ...]") -> str:
    """A pattern of phrases, the longest first."""
    return "|".join(re.escape(phrase).replace("\\ ", r"\s+") for phrase in sorted(phrases, key=len, reverse=True))


def spoken(table: dict[str, str]) -> dict[str, str]:
    """Phrase → term of a vocabulary table."""
    return {phrase.replace("_", " "): term for term, listed in table.items() for phrase in listed.split()}


EFFECT_OF = spoken(words.EFFECTS) | {phrase: "style " + term for phrase, term in spoken(words.STYLE_PHRASES).items()}
POSITION_OF = spoken(words.POSITIONS)
REGION_OF = spoken(words.REGIONS)

COLOR = rf"(?:#[0-9a-f]{{6}}\b|(?:(?:{either(list(SHADE))})\s+)?(?:{either(list(COLOR_HEX))})\b)"
POSITION = rf"(?:{either(list(POSITION_OF))})\b"
PLACE = rf"(?:at|in|on|near|along|across|into|to)\s+(?:the\s+)?(?:very\s+)?(?P<position>{POSITION})"
PLACE += r"(?:\s+(?:corner|side|edge|part|half))?(?:\s+of\s+(?:the\s+)?(?:image|picture|photo|canvas|frame|page|it))?"
EFFECT = rf"(?:{either(list(EFFECT_OF))})(?![\w'-])"
DIAL = rf"(?:{either(list(words.DIALS))})(?![\w'-])"
VERBS = (
    "make|add|turn|remove|change|blur|crop|put|place|write|replace|convert|apply|give|sharpen|brighten|darken|rotate"
    "|flip|mirror|zoom|increase|decrease|reduce|boost|raise|lower|paint|erase|delete|insert|set|tint|isolate|cut"
    "|recolor|recolour|colorize|swap|switch|enhance|soften|denoise|desaturate|saturate|warm|cool|render|style"
    "|transform|keep|also|then|it|frame|draw|include|use|lighten|straighten|vignette"
)
END = rf"(?=\s*(?:[,.;!\n]|$)|\s+(?:and|then|but|plus|while)\s+(?:{VERBS})\b|\s+then\b|\s+at\s+night\b)"
ARTICLE = r"(?:(?:the|a|an|some|its|his|her|my|their|this|that|all|all\s+the|any|every|those|these)\s+)?"
NOUN = r"(?!(?:the|a|an|it|its|some|all|more|less|and|very|much|any)\b)[\w'’][\w'’ -]{0,38}?"
IMAGE = rf"(?:(?:the|this|my|whole|entire)\s+)*(?:{either(words.IMAGE_WORDS)})\b"
REFERENCE = (
    r"(?:(?:the|this|that|my|a|an|attached|given|supplied|provided|other|second|first)\s+)*"
    r"(?:references?|style|second|other|attached|inspiration)(?:\s+(?:images?|pictures?|photos?|paintings?))?"
)


@lru_cache(maxsize=256)
def color_of(said: str) -> Rgb:
    """ "dark blue" or "#1a2b3c" as sRGB."""
    if said.startswith("#"):
        return _rgb(said)
    parts = said.split()
    for start in range(len(parts)):
        name = " ".join(parts[start:])
        if name in COLOR_HEX:
            red, green, blue = _rgb(COLOR_HEX[name])
            shift = SHADE.get(" ".join(parts[:start]), 0.0)
            goal = 1.0 if shift > 0 else 0.0
            share = abs(shift)
            return (red + (goal - red) * share, green + (goal - green) * share, blue + (goal - blue) * share)
    raise KeyError(said)


def _rgb(value: str) -> Rgb:
    number = int(value.lstrip("#"), 16)
    return (number >> 16) / 255, (number >> 8 & 255) / 255, (number & 255) / 255


def region_of(said: str) -> str:
    """The region a noun phrase names; nouns without a method of their own are the subject."""
    for word in [said, *reversed(said.split())]:
        for form in (word, word.removesuffix("s"), word.removesuffix("es")):
            if form in REGION_OF:
                return REGION_OF[form]
    return "subject"
