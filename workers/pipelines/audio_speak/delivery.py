"""What the tags of a voice description do: which voice speaks, how high, how fast, and what the vocoder changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.pipelines.audio_speak.accents import ACCENTS, BEYOND_RULES, AccentRules

PITCH_STEPS = {
    "very low pitch": 0.70,
    "low pitch": 0.84,
    "moderate pitch": 1.0,
    "high pitch": 1.2,
    "very high pitch": 1.45,
}
"""Factor on the pitch that is usual for the gender and age; each step is three to four semitones."""


@dataclass(frozen=True, kw_only=True)
class _Age:
    voice: str
    pitch: float
    """Hz, what a moderate pitch is at that age (Titze, "Principles of Voice Production", rounded)."""
    formants: float = 1.0
    pace: float = 1.0
    breath: float = 0.0
    tremor: float = 0.0
    says: str = ""


_YOUNGER = "shorter vocal tract, higher, quicker"
_OLDER = "longer vocal tract, lower, calmer"
_AGES = {
    "female": {
        "": _Age(voice="jf_gongitsune", pitch=215),
        "child": _Age(
            voice="jf_tebukuro", pitch=300, formants=1.14, pace=0.96, says="shorter vocal tract, higher, a light voice"
        ),
        "teenager": _Age(voice="jf_nezumi", pitch=242, formants=1.06, pace=1.06, says=_YOUNGER),
        "young adult": _Age(
            voice="jf_gongitsune", pitch=222, pace=1.02, says="the voice's own age, a little higher and livelier"
        ),
        "middle-aged": _Age(voice="jf_gongitsune", pitch=196, formants=0.96, pace=0.95, says=_OLDER),
        "elderly": _Age(
            voice="jf_gongitsune",
            pitch=182,
            formants=0.94,
            pace=0.83,
            breath=0.22,
            tremor=0.022,
            says="lower, slower, breathy, with a tremor",
        ),
    },
    "male": {
        "": _Age(voice="jm_kumo", pitch=105),
        "child": _Age(
            voice="jf_nezumi",
            pitch=262,
            formants=1.07,
            pace=0.96,
            says="a boy's voice made from a woman's: shorter vocal tract, a child's pitch",
        ),
        "teenager": _Age(voice="jm_kumo", pitch=132, formants=1.08, pace=1.06, says=_YOUNGER),
        "young adult": _Age(voice="jm_kumo", pitch=112, formants=1.02, pace=1.03, says="a little higher and livelier"),
        "middle-aged": _Age(voice="jm_kumo", pitch=100, formants=0.97, pace=0.96, says=_OLDER),
        "elderly": _Age(
            voice="jm_kumo",
            pitch=118,
            formants=0.98,
            pace=0.83,
            breath=0.25,
            tremor=0.025,
            says="higher, as old men's voices are, slower, breathy, with a tremor",
        ),
    },
}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How a text is to be spoken."""

    voice: str
    pitch: float | None
    """Hz, the median to reach; None leaves the voice as it is."""
    pitch_factor: float = 1.0
    """The pitch tag's step alone, for a voice whose own pitch is known only when it has been heard."""
    formants: float = 1.0
    pace: float = 1.0
    breath: float = 0.0
    tremor: float = 0.0
    whisper: bool = False
    accent: AccentRules | None = None
    applied: Mapping[str, str] = field(default_factory=dict)
    """Tag → what was done for it, where that is all of it."""
    approximated: Mapping[str, str] = field(default_factory=dict)
    """Tag → what was done for it and what it lacks."""
    not_applied: Mapping[str, str] = field(default_factory=dict)
    """Tag → why nothing was done for it."""


def deliver(tags: Mapping[str, str], *, cloned: bool = False) -> Delivery:
    """The delivery that `tags` (group → tag) ask for; with `cloned`, on top of a voice taken from a reference."""
    applied: dict[str, str] = {}
    approximated: dict[str, str] = {}
    not_applied: dict[str, str] = {}
    gender, age_tag = tags.get("gender", "female"), tags.get("age", "")
    age = _AGES[gender][age_tag]
    usual = _AGES[gender][""]
    whisper = "style" in tags
    if "gender" in tags:
        if cloned:
            not_applied[gender] = "a cloned voice keeps the gender of its reference"
        else:
            applied[gender] = f"voice {age.voice}"
    if age_tag:
        approximated[age_tag] = f"{age.says}; the words and manner are the text's own"
    step = PITCH_STEPS[tags["pitch"]] if "pitch" in tags else 1.0
    if whisper:
        applied["whisper"] = "the voice's spectrum excited by noise, no voicing"
    if "pitch" in tags:
        if whisper:
            approximated[tags["pitch"]] = "a whisper has no pitch; the vocal tract was made longer or shorter instead"
        else:
            applied[tags["pitch"]] = f"{'the reference' if cloned else 'the usual'} pitch times {step:g}"
    accent = ACCENTS[tags["accent"]] if "accent" in tags else None
    if accent is not None and tags["accent"] == "american accent":
        applied["american accent"] = "; ".join(accent.does)
    elif accent is not None:
        approximated[tags["accent"]] = f"{'; '.join(accent.does)}. Not done: {BEYOND_RULES}"
    # A deeper voice comes from a longer vocal tract too, though less so than its pitch says.
    tract = step ** (0.35 if whisper else 0.15)
    if cloned:
        relative = age.pitch / usual.pitch if age_tag else 1.0
        return Delivery(
            voice="",
            pitch=None,
            pitch_factor=step * relative,
            formants=(age.formants if age_tag else 1.0) * tract,
            pace=age.pace,
            breath=age.breath,
            tremor=age.tremor,
            whisper=whisper,
            accent=accent,
            applied=applied,
            approximated=approximated,
            not_applied=not_applied,
        )
    natural = not age_tag and "pitch" not in tags
    return Delivery(
        voice=age.voice,
        pitch=None if natural else age.pitch * step,
        pitch_factor=step,
        formants=age.formants * tract,
        pace=age.pace,
        breath=age.breath,
        tremor=age.tremor,
        whisper=whisper,
        accent=accent,
        applied=applied,
        approximated=approximated,
        not_applied=not_applied,
    )
