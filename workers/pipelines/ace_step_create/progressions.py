"""Chord progressions by taste and mode; a dash shares one bar between two chords."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Taste:
    """What a style's sections are harmonised with, the most usual first."""

    verse: tuple[str, ...]
    chorus: tuple[str, ...]
    bridge: tuple[str, ...]
    last: str
    """The chord the song ends on."""


TASTES: dict[str, tuple[Taste, Taste]] = {
    # (major, minor)
    "pop": (
        Taste(
            ("I V vi IV", "I vi IV V", "I IV vi V", "I IV ii V", "I IV I V"),
            ("I V vi IV", "IV V I vi", "I IV V IV", "I V IV V"),
            ("vi IV I V", "IV V vi V", "ii IV vi V"),
            "I",
        ),
        Taste(
            ("i VI III VII", "i iv VI VII", "i VII VI VII", "i III VII VI"),
            ("i VI III VII", "VI VII i i", "i VI iv VII", "i III iv VI"),
            ("iv VI i VII", "VI iv i V", "VI VII i III"),
            "i",
        ),
    ),
    "rock": (
        Taste(
            ("I IV I V", "I V IV I", "I bVII IV I", "I IV V IV"),
            ("I V vi IV", "I IV V V", "I bVII IV IV"),
            ("vi IV V V", "IV I V I"),
            "I",
        ),
        Taste(
            ("i VII VI VII", "i VI VII i", "i III VII i", "i i VI VII"),
            ("i VI III VII", "i iv VII III", "VI VII i i"),
            ("iv iv VI VII", "VI VI VII V"),
            "i",
        ),
    ),
    "heavy": (
        Taste(("I bVII IV I", "I IV V I"), ("I V vi IV", "I IV I V"), ("vi IV V V",), "I"),
        Taste(
            ("i i VI VII", "i VI i VII", "i III iv VI"),
            ("i VI III VII", "i VI iv V", "VI VII i i"),
            ("iv VI i V", "i i iv VII"),
            "i",
        ),
    ),
    "jazz": (
        Taste(
            ("I6 vi7 ii7 V7-I6", "I6 IVmaj7 ii7-V7 Imaj7", "ii7 V7 I6 I6", "I6 IV6 ii7-V7 I6"),
            ("ii7 V7 I6 I6", "ii7 V7 I6 vi7", "IV6 V7 I6 Imaj7"),
            ("iii7 vi7 ii7 V7", "IVmaj7 IVmaj7 ii7 V7"),
            "Imaj9",
        ),
        Taste(
            ("i7 iv7 iiø-V7 i7", "i7 VImaj7 iiø-V7 i7", "i7 i6 iv7-V7 i7"),
            ("iv7 V7 i7 i7", "iiø V7 i7 i6", "iv7-V7 i7 VImaj7 i7"),
            ("VImaj7 VImaj7 iiø V7", "iv7 iv7 i7 V7"),
            "i9",
        ),
    ),
    "lo-fi": (
        Taste(
            ("I6 vi7 ii7-V7 Imaj7", "IVmaj7 I6 ii7 I6", "I6 IVmaj7 I6 ii7-V7"),
            ("IVmaj7 V7 I6 vi7", "I6 vi7 IVmaj7 V7"),
            ("ii7 iii7 IVmaj7 V7",),
            "Imaj9",
        ),
        Taste(
            ("i7 VImaj7 IIImaj7 VII", "i7 iv7 VImaj7 VII", "i9 iv9 i9 VImaj7"),
            ("VImaj7 VII i7 i7", "iv7 VII IIImaj7 VImaj7"),
            ("iv7 i7 VImaj7 V7",),
            "i9",
        ),
    ),
    "blues": (
        Taste(
            ("I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7", "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7"),
            ("I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 I7",),
            ("IV7 IV7 I7 I7 IV7 IV7 V7 V7",),
            "I",
        ),
        Taste(
            ("i7 i7 i7 i7 iv7 iv7 i7 i7 VI7 V7 i7 i7",),
            ("i7 iv7 i7 i7 iv7 iv7 i7 i7 VI7 V7 i7 i7",),
            ("iv7 iv7 i7 i7 iv7 iv7 V7 V7",),
            "i7",
        ),
    ),
    "soul": (
        Taste(
            ("I iii7 IVmaj7 V7", "Imaj7 vi7 ii7 V7", "I I7 IV iv", "I V vi7 IVmaj7"),
            ("IVmaj7 V7 iii7 vi7", "I IV I-V I", "IV I ii7-V7 I"),
            ("vi7 iii7 IVmaj7 V7", "IV IV iii7-vi7 ii7-V7"),
            "I",
        ),
        Taste(
            ("i7 iv7 i7 V7", "i7 VImaj7 iv7 V7"),
            ("VImaj7 VII i7 i7", "i7 IIImaj7 iv7 V7"),
            ("iv7 VII IIImaj7 V7",),
            "i",
        ),
    ),
    "funk": (
        Taste(("I7 I7 IV7 I7", "I9 I9 I9 IV9"), ("IV7 IV7 I7 V7", "ii7 V7 I7 I7"), ("vi7 ii7 V7 V7",), "I"),
        Taste(("i7 i7 iv7 i7", "i7 VII VI VII", "i7 iv7 i7 iv7"), ("VI VII i7 i7", "iv7 VII i7 i7"),
        ("iv7 VI i7 V7",), "i7"),
    ),
    "dance": (
        Taste(("vi IV I V", "I V vi IV", "IV I V vi"), ("IV V vi I", "I V vi IV", "vi IV I V"), ("IV vi V V",), "I"),
        Taste(
            ("i VI III VII", "i i VI VII", "i VII iv VI"),
            ("VI VII i i", "i VI III VII", "i III VII iv"),
            ("iv VI VII VII", "VI VI VII VII"),
            "i",
        ),
    ),
    "dark": (
        Taste(("I vi IV I", "I IV vi V"), ("vi IV V I", "I vi IV V"), ("IV iv I V",), "I"),
        Taste(("i i VI VI", "i VI i V", "i iv i VII"), ("i VI iv V", "VI VII i i"), ("iv iv VI V",), "i"),
    ),
    "ambient": (
        Taste(("Imaj7 IVmaj7", "Iadd9 vi7 IVmaj7 IVmaj7", "I V IVmaj7 IVmaj7"), ("IVmaj7 Iadd9 vi7 V",),
        ("vi7 IVmaj7",), "Iadd9"),
        Taste(("iadd9 VImaj7", "i VImaj7 III VII", "i iv7 VImaj7 i"), ("VImaj7 III VII i", "i VII VImaj7 iv"),
        ("iv7 VImaj7",), "iadd9"),
    ),
    "cinematic": (
        Taste(("I vi IV V", "I IV vi V", "I IV vi I"), ("I V vi IV", "IV I V vi", "I bVII IV I"), ("vi ii IV V",
        "ii IV vi V"), "I"),
        Taste(("i VI III VII", "i VI iv V", "i v VI iv"), ("i VI III VII", "VI VII i v", "i III VI VII"),
        ("iv i VI V", "VI III iv V"), "i"),
    ),
    "folk": (
        Taste(("I V vi IV", "I IV I V", "I I IV V", "I iii IV I"), ("IV I V vi", "IV V I vi", "I V IV I"),
        ("vi IV V V", "ii V I IV"), "I"),
        Taste(("i VII i VII", "i III VII iv", "i VI VII i"), ("III VII i VI", "VI VII i i"), ("iv VII III V",), "i"),
    ),
    "country": (
        Taste(("I I IV I", "I IV V I", "I V IV V"), ("IV I V I", "I IV I V", "IV V I I"), ("vi IV I V", "ii ii V V"),
        "I"),
        Taste(("i VII VI VII", "i iv i V"), ("VI VII i i",), ("iv VI V V",), "i"),
    ),
    "reggae": (
        Taste(("I IV I IV", "I V vi IV", "I ii I ii", "I vi IV V"), ("I V vi IV", "IV V I I"), ("ii V ii V",), "I"),
        Taste(("i iv i iv", "i VII i VII", "i VI VII i"), ("VI VII i i", "i iv VII III"), ("iv i iv V",), "i"),
    ),
    "bossa": (
        Taste(
            ("I6 ii7-V7 I6 IV6", "I6 vi7 ii7-V7 I6", "I6 IV6 ii7-V7 Imaj7"),
            ("ii7 V7 Imaj7 I6", "IVmaj7 iv6 I6 I6"),
            ("IVmaj7 V7 Imaj7 V7",),
            "Imaj9",
        ),
        Taste(("i7 iv7 V7 i7", "i6 iiø-V7 i6 i7", "i7 VImaj7 iiø-V7 i7"), ("iv7 V7 i7 i7", "iv7 VII7-V7 i7 i6"),
        ("VImaj7 iiø V7 V7",), "i9"),
    ),
    "latin": (
        Taste(("I IV V IV", "I vi ii V7"), ("IV V I vi", "I V7 I V7"), ("ii V7 I vi",), "I"),
        Taste(("i iv V7 i", "i VII VI V", "i VI VII V"), ("iv VII III V", "i iv VII III"), ("VI V i V",), "i"),
    ),
    "classical": (
        Taste(
            ("I IV I V7 I IV V7 I", "I vi IV V7-I", "I IV V7 I", "I IV I-V7 I"),
            ("IV V7 I I", "I ii V7 I", "IV I ii-V7 I"),
            ("vi ii IV V7", "ii V7 I vi"),
            "I",
        ),
        Taste(
            ("i iv V7 i", "i VI iv V7", "i VII III V7", "i V i iv i-V i"),
            ("VI III iv V7", "iv V7 i VI"),
            ("III VII VI V", "iv i VI V7"),
            "i",
        ),
    ),
}  # fmt: skip
