"""How moss.sound.effect's prompts are understood: a table of prompts and what is to be heard."""

import pytest

from workers.pipelines.moss_sound_effect.modifiers import IMPLIED, IN_CONTEXT, MODIFIERS
from workers.pipelines.moss_sound_effect.reading import read, stem
from workers.pipelines.moss_sound_effect.rooms import ROOMS
from workers.pipelines.moss_sound_effect.vocabulary import EVENTS


def heard(prompt: str) -> str:
    """Events in order of their stage: `name(modifiers) + name > name @ room`; `+` together, `>` afterwards."""
    understood = read(prompt)
    stages = sorted({item.stage for item in understood.events})
    parts = []
    for stage in stages:
        names = []
        for item in understood.events:
            if item.stage == stage:
                names.append(item.event.name + (f"({', '.join(item.names.values())})" if item.names else ""))
        parts.append(" + ".join(names))
    return " > ".join(parts) + (f" @ {understood.room}" if understood.room else "")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a pistol shot, then a mechanical click", "pistol shot > gun click"),
        ("Heavy rain on a tin roof with distant thunder rolling", "rain(loud, metal) + thunder(distant)"),
        ("A dog barking twice in the distance", "dog bark(two, distant)"),
        (
            "footsteps on gravel, slow and heavy, then a wooden door creaks open",
            "footsteps(gravel, slow, loud) > door creak(wood)",
        ),
        ("a glass bottle shattering on concrete", "glass breaking(stone)"),
        ("horse galloping past from left to right", "horse gallop(left to right)"),
        ("spaceship door opening followed by a power-up hum", "sci-fi door > power up"),
        ("Church bells ringing far away, birds in the background", "church bell(distant) + bird chirp(background)"),
        ("an old telephone ringing three times", "telephone(three)"),
        ("wolf howling at night in a canyon", "wolf howl @ canyon"),
        ("someone walking through deep snow", "footsteps(big, snow)"),
        ("wind howling through trees", "howling wind"),
        ("A sword being drawn from its sheath, then two swords clashing", "sword draw > sword clash(two)"),
        ("big metal gong in a cathedral", "gong(big, metal) @ cathedral"),
        ("no thunder, only soft rain", "rain(soft)"),
        ("without any birds, a river flows", "stream"),
        ("after the explosion, people scream", "explosion > scream"),
        ("a scream after a gunshot", "pistol shot > scream"),
        ("rain -> thunder → birds", "rain > thunder > bird chirp"),
        ("water dripping in a cave", "drip @ cave"),
        ("3 knocks on a wooden door", "knock(3, wood)"),
        ("knock on the door 5 times", "knock(5)"),
        ("10 seconds of rain", "rain"),
        ("a train passing through a tunnel with its horn blowing", "train + train whistle @ tunnel"),
        ("camera shutter clicks", "camera shutter"),
        ("crickets chirping", "cricket"),
        ("the sound of waves crashing on a beach with seagulls", "waves + seagull"),
        ("wooden ship creaking at sea", "ship creak + waves"),
        ("old car engine starting and then idling", "engine start > engine"),
        ("a very loud explosion very far away", "explosion(very loud, very distant)"),
        ("motorbike accelerating from left to right", "motorcycle(accelerating, left to right)"),
        ("a race car passing by", "race car"),
        ("baby crying in the next room", "baby cry(muffled)"),
        ("light rain", "rain(soft)"),
        ("a light switch", "switch"),
        ("downpour", "rain(loud)"),
        ("a big wooden crate falling", "thud(big, wood)"),
        ("a door opens, then closes", "door creak > door slam"),
        ("a gun fires", "pistol shot"),
        ("metal", "clang(metal)"),
        ("snow", "footsteps(snow)"),
        ("BIRDS!!! and   RAIN???", "bird chirp + rain"),
        ("gunshots", "pistol shot(several)"),
        ("soft footsteps on wood floor, left side", "footsteps(soft, wood, left)"),
    ],
)
def test_a_prompt_is_understood(prompt: str, expected: str) -> None:
    assert heard(prompt) == expected


def test_words_without_a_meaning_are_listed_once_and_stop_words_are_not() -> None:
    assert read("the sound of a frobnicating dog, frobnicating at the quuxes").unknown == ["frobnicating", "quuxes"]


@pytest.mark.parametrize(
    ("forms", "base"),
    [
        (("barks", "barked", "barking"), "bark"),
        (("slams", "slammed", "slamming"), "slam"),
        (("breathes", "breathing", "breath"), "breathe"),
        (("flies",), "fly"),
        (("bees",), "bee"),
        (("horses",), "horse"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms: tuple[str, ...], base: str) -> None:
    assert {stem(form) for form in forms} == {stem(base)}


def test_the_tables_fit_each_other() -> None:
    names = {event.name for event in EVENTS}
    assert {event for event, _ in IN_CONTEXT} | set(IN_CONTEXT.values()) <= names
    known = {(modifier.kind, modifier.name) for modifier in MODIFIERS}
    assert {pair for pairs in IMPLIED.values() for pair in pairs} <= known
    assert {modifier.value for modifier in MODIFIERS if modifier.kind == "room"} <= {"dry", *ROOMS}
