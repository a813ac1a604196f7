"""What a prompt asks of the camera, the air, the light and the figures; and which of its words said nothing to us."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.pipelines.image_generate.lexicon import find
from workers.pipelines.image_generate.reading import phrases
from workers.pipelines.image_generate.vocabulary import FILLER
from workers.pipelines.video_generate.phrasebook import (
    ACTIONS,
    EFFECTS,
    IN_THE_AIR_ONLY,
    MOVES,
    PACE,
    SAID_FOR_NOTHING,
    WEATHER_ACTS,
)

_WORD = re.compile(r"[^\W_][\w'’-]*")


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something a figure does, and where in the prompt it was said."""

    kind: str
    at: int
    toward: int
    """-1 to the left, 1 to the right, 0 where the prompt does not say."""


@dataclass(frozen=True, kw_only=True)
class Direction:
    """A prompt, read as a director would."""

    moves: Sequence[str]
    handheld: bool
    static: bool
    pace: str
    effects: Sequence[str]
    actions: Sequence[Action] = field(default_factory=tuple)
    scene_prompt: str = ""
    """The prompt without what was said of the camera: "crane up" is no bird."""
    words: Sequence[str] = ()
    """Every word that is neither filler nor said of camera, pace or effects."""


def direct(prompt: str) -> Direction:
    """Read a prompt. Never fails: what is not understood is listed."""
    text = prompt.lower()
    left, moves = text, list[str]()
    for move, pattern in MOVES:
        left, count = re.subn(pattern, lambda found: " " * len(found[0]), left)
        if count and move not in moves and _opposite(move) not in moves:
            moves.append(move)
    paces = [pace for pace, pattern in PACE.items() if re.search(pattern, text)]
    effects = [effect for effect, pattern in EFFECTS.items() if re.search(rf"\b(?:{pattern})\b", left)]
    if "storm" in effects and "rain" not in effects:
        effects.append("rain")
    unsaid = left
    for pattern in (*PACE.values(), *(rf"\b(?:{each})\b" for each in EFFECTS.values())):
        unsaid = re.sub(pattern, lambda found: " " * len(found[0]), unsaid)
    words = [
        word for word in dict.fromkeys(_WORD.findall(unsaid)) if word not in SAID_FOR_NOTHING and not _is_filler(word)
    ]
    return Direction(
        moves=[move for move in moves if move not in {"static", "handheld"}],
        handheld="handheld" in moves,
        static="static" in moves and len(set(moves) - {"static", "handheld"}) == 0,
        pace=paces[0] if paces else "normal",
        effects=effects,
        actions=_actions(WEATHER_ACTS.sub(lambda found: " " * len(found[0]), left)),
        scene_prompt=_tidied(_without_verbs(IN_THE_AIR_ONLY.sub(" ", left))),
        words=words,
    )


def _tidied(text: str) -> str:
    return re.sub(r"(?:\s*[,;]\s*)+", ", ", re.sub(r"\s+", " ", text)).strip(" ,.;")


def _is_filler(word: str) -> bool:
    """Small words, and those that say where things stand, which in a given picture they do already."""
    kinds = {kind for kind, _ in phrases().get(word, ())}
    return word in FILLER or "relation" in kinds or "number" in kinds


def _without_verbs(text: str) -> str:
    """Without what figures do, where the composer would draw it: "a fish swimming" is not a fish and a swimmer."""
    words = text.split()
    kept = []
    for place, word in enumerate(words):
        bare = word.strip(",.;:!?")
        doers = [before for before in words[max(0, place - 4) : place] if find(before) and not action_word(before)]
        if not (doers and action_word(bare) and find(bare)):
            kept.append(word)
        elif word != bare:
            kept.append(word[len(bare) :])
    return " ".join(kept)


def known_to_the_composer(word: str) -> bool:
    """Whether a word means something to the scene composer."""
    return word in phrases() or find(word) is not None


def action_word(word: str) -> bool:
    """Whether a word is something that figures do."""
    return any(re.fullmatch(pattern, word) for pattern in ACTIONS.values())


def _opposite(move: str) -> str:
    pairs = (("in", "out"), ("left", "right"), ("up", "down"))
    for one, other in pairs:
        if move.endswith("-" + one):
            return move[: -len(one)] + other
        if move.endswith("-" + other):
            return move[: -len(other)] + one
    return ""


def _actions(text: str) -> list[Action]:
    found = []
    for kind, pattern in ACTIONS.items():
        for match in re.finditer(rf"\b(?:{pattern})\b", text):
            after = text[match.end() : match.end() + 32]
            toward = (
                -1
                if re.match(r"\W+(?:\w+\W+){0,3}left\b", after)
                else 1
                if re.match(r"\W+(?:\w+\W+){0,3}right\b", after)
                else 0
            )
            found.append(Action(kind=kind, at=match.start(), toward=toward))
    return sorted(found, key=lambda action: action.at)
