"""ace.step.create on paper: what tags, lyrics and numbers become before any sound is made."""

import itertools
import time

import pytest

from workers.pipelines.ace_step_create.composition import Composition, compose
from workers.pipelines.ace_step_create.dice import Dice, Variety
from workers.pipelines.ace_step_create.drumming import PITCHES
from workers.pipelines.ace_step_create.grooves import GROOVES, bar_of
from workers.pipelines.ace_step_create.lyrics import read_lyrics
from workers.pipelines.ace_step_create.progressions import TASTES
from workers.pipelines.ace_step_create.reading import read_tags
from workers.pipelines.ace_step_create.styles import STYLES, check_styles
from workers.pipelines.ace_step_create.syllables import syllables_of_line, syllables_of_word
from workers.pipelines.ace_step_create.theory import Meter, chord_of, parse_key, voice

LYRICS = """[Intro]

[Verse 1]
Walking down the empty street tonight
Neon signs are burning in the rain
Every window holds a little light
Every shadow whispers out your name

[Pre-Chorus]
And I know, I know it's over

[Chorus]
Hold me like the fire in the sky
Never let the morning say goodbye

[Guitar Solo]

[Bridge: soft]
Slowly, slowly

[Final Chorus]

[Outro]
"""


def song(
    tags: str = "pop",
    lyrics: str = LYRICS,
    *,
    seconds: float = 60,
    seed: int = 1,
    variety: Variety | None = None,
    bpm: int | None = None,
    beats: int | None = None,
    key: str | None = None,
) -> Composition:
    return compose(
        tags=tags,
        lyrics=lyrics,
        seconds=seconds,
        seed=seed,
        variety=variety or Variety(),
        bpm=bpm,
        beats=beats,
        key=key,
    )


def everything(composition: Composition) -> list[tuple[str, float, float, int, int]]:
    return [
        (track.name, note.start, note.length, note.pitch, note.velocity)
        for track in composition.score.tracks
        for note in track.notes
    ]


# --- theory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "roman", "name", "tones"),
    [
        ("C major", "I", "C", (0, 4, 7)),
        ("C major", "vi7", "Am7", (9, 0, 4, 7)),
        ("Bb major", "ii7", "Cm7", (0, 3, 7, 10)),
        ("Eb major", "IV", "Ab", (8, 0, 3)),
        ("A minor", "VI", "F", (5, 9, 0)),
        ("A minor", "V7", "E7", (4, 8, 11, 2)),
        ("C minor", "iiø", "Dm7b5", (2, 5, 8, 0)),
        ("D major", "bVII", "C", (0, 4, 7)),
        ("F# minor", "i5", "F#5", (6, 1)),
    ],
)
def test_roman_numerals_become_the_chords_they_mean(key: str, roman: str, name: str, tones: tuple[int, ...]) -> None:
    chord = chord_of(parse_key(key), roman)
    assert (chord.name, chord.tones) == (name, tones)


def test_every_progression_can_be_spelled_in_every_key() -> None:
    for key in [f"{letter} {mode}" for letter in ("C", "F#", "Bb", "E") for mode in ("major", "minor")]:
        for tastes in TASTES.values():
            taste = tastes[1 if key.endswith("minor") else 0]
            for line in (*taste.verse, *taste.chorus, *taste.bridge, taste.last):
                for roman in line.replace("-", " ").split():
                    assert chord_of(parse_key(key), roman).tones


def test_voices_move_little_from_chord_to_chord() -> None:
    key = parse_key("C major")
    first = voice(chord_of(key, "I"), 60)
    second = voice(chord_of(key, "IV"), 60, first)
    assert {pitch % 12 for pitch in second} == {5, 9, 0}
    assert sum(min(abs(pitch - other) for other in first) for pitch in second) <= 3


@pytest.mark.parametrize(
    ("beats", "groups"), [(2, (2,)), (3, (3,)), (4, (2, 2)), (5, (3, 2)), (6, (3, 3)), (7, (4, 3))]
)
def test_a_bar_is_heaviest_on_its_first_beat(beats: int, groups: tuple[int, ...]) -> None:
    meter = Meter(beats)
    assert meter.groups == groups
    weights = [meter.weight(beat) for beat in range(beats)]
    assert weights[0] == 1.0 > max(weights[1:])
    assert meter.weight(beats) == 1.0


def test_every_groove_fills_every_metre_to_the_sixteenth() -> None:
    for groove in GROOVES.values():
        for beats in range(2, 8):
            for layer in ("light", "full", "peak"):
                for bar in (0, 1):
                    for signs in bar_of(groove, layer, beats, bar=bar).values():
                        assert len(signs) == 4 * beats


# --- reading --------------------------------------------------------------------------------------------------------


def test_there_are_many_styles_and_all_they_name_exists() -> None:
    check_styles()
    assert len(STYLES) == 28


@pytest.mark.parametrize(
    ("tags", "style"),
    [
        ("electro-pop, catchy", "electro-pop"), ("hard rock", "rock"), ("pop punk", "punk"), ("thrash metal", "metal"),
        ("smooth jazz", "jazz"), ("lofi beats", "lo-fi hip hop"), ("boom bap rap", "hip hop"), ("dark trap", "trap"),
        ("deep house", "house"), ("minimal techno", "techno"), ("dnb", "drum and bass"), ("80s retro", "synthwave"),
        ("ambient drone", "ambient"), ("epic orchestral trailer", "cinematic"), ("indie folk", "folk"),
        ("honky tonk", "country"), ("roots reggae", "reggae"), ("bossa nova", "bossa nova"), ("salsa", "latin"),
        ("funky", "funk"), ("disco", "disco"), ("solo piano", "classical"), ("viennese waltz", "waltz"),
        ("delta blues", "blues"), ("gospel choir", "soul"), ("reggaeton", "reggaeton"), ("power ballad", "ballad"),
        ("acoustic guitar", "folk"), ("saxophone", "jazz"), ("A slow, sad love song", "ballad"),
    ],
)  # fmt: skip
def test_tags_name_a_style(tags: str, style: str) -> None:
    assert read_tags(tags).style.name == style


def test_tags_are_read_for_everything_they_say() -> None:
    wishes = read_tags("dark synthwave with saxophone, female vocals, 104 BPM, F# minor, 6/8, no drums, zorbulous")
    assert (wishes.style.name, wishes.instruments, wishes.moods) == ("synthwave", ["tenor saxophone"], ["dark"])
    assert (wishes.voice, wishes.bpm, wishes.key, wishes.meter) == ("female", 104, "F# minor", 6)
    assert wishes.without == {"drums"}
    assert wishes.unknown == ["zorbulous"]


def test_moods_change_tempo_and_mode() -> None:
    happy = [song("happy pop", seed=seed) for seed in range(6)]
    sad = [song("sad pop", seed=seed) for seed in range(6)]
    assert sum(composition.key.minor for composition in happy) == 0
    assert sum(composition.key.minor for composition in sad) >= 4
    assert sum(composition.bpm for composition in happy) > sum(composition.bpm for composition in sad) + 6 * 8


def test_section_tags_and_lines() -> None:
    parts = read_lyrics(
        "[Verse 1: soft]\nOne two\n\n(Chorus)\nLa la (hey)\n[Chorus x2]\nBridge:\nslowly\n[Zzz]\n"
    ).parts
    assert [(part.kind, part.lines) for part in parts] == [
        ("verse", ("One two",)),
        ("chorus", ("La la (hey)",)),
        ("chorus", ("La la (hey)",)),
        ("chorus", ("La la (hey)",)),
        ("bridge", ("slowly",)),
    ]
    assert parts[0].hints == ("soft",)
    assert read_lyrics("[Verse]\nla\n[Zzz]\n").unknown_tags == ["Zzz"]


def test_untagged_stanzas_get_a_form() -> None:
    twice = read_lyrics("come on\nlet us go\n\nsome words\nmore words\n\ncome on\nlet us go").parts
    assert [part.kind for part in twice] == ["intro", "chorus", "verse", "chorus", "outro"]
    plain = read_lyrics("one\n\ntwo\n\nthree").parts
    assert [part.kind for part in plain] == ["intro", "verse", "chorus", "verse", "chorus", "outro"]


@pytest.mark.parametrize(
    ("word", "stresses"),
    [("fire", [2, 0]), ("beautiful", [2, 0, 0]), ("tonight", [0, 2]), ("don't", [2]), ("everything", [2, 0, 0, 1])],
)
def test_words_fall_into_stressed_syllables(word: str, stresses: list[int]) -> None:
    assert [syllable.stress for syllable in syllables_of_word(word)] == stresses
    assert [syllable.ends_word for syllable in syllables_of_word(word)] == [False] * (len(stresses) - 1) + [True]


def test_no_word_is_without_a_syllable() -> None:
    for word in ("qwrtz", "Привет", "世界", "2024", "x", "ñandú", "hmm", "١٢", "a'b"):
        assert syllables_of_word(word)
    assert syllables_of_line("!!! 🎉 ...") == []


# --- form -----------------------------------------------------------------------------------------------------------


def test_sections_follow_the_lyrics_tags_in_order() -> None:
    composed = song(seconds=90)
    assert [(section.kind, section.label) for section in composed.form.sections] == [
        ("intro", "Intro"),
        ("verse", "Verse 1"),
        ("prechorus", "Pre-Chorus"),
        ("chorus", "Chorus"),
        ("solo", "Guitar Solo"),
        ("bridge", "Bridge"),
        ("chorus", "Final Chorus"),
        ("outro", "Outro"),
    ]
    assert sum(section.bars for section in composed.form.sections) == composed.form.bars
    spans = [composed.section_span(section) for section in composed.form.sections]
    assert spans[0][0] == 0.0
    assert spans[-1][1] == 90
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    loud = {section.label: section.intensity for section in composed.form.sections}
    assert loud["Intro"] < loud["Verse 1"] < loud["Pre-Chorus"] < loud["Chorus"] < loud["Final Chorus"]
    assert loud["Bridge"] < loud["Verse 1"]


@pytest.mark.parametrize("seconds", [15, 20, 31, 60, 108, 240])
@pytest.mark.parametrize("tags", ["pop", "punk", "ambient", "waltz"])
def test_the_form_fills_the_time_and_ends_with_a_chord_that_rings(seconds: int, tags: str) -> None:
    composed = song(tags, seconds=seconds)
    assert 1.2 < seconds - composed.ends_at < 4
    assert composed.form.sections[0].start_bar == 0
    for section in composed.form.sections:
        assert section.bars >= 1
        for line in section.lines:
            assert line.start + line.beats <= section.bars * composed.meter.beats + 1e-9
    if seconds >= 60:
        assert composed.form.lines_left_out == 0
    assert max(note.start for track in composed.score.tracks for note in track.notes) >= (
        composed.form.bars * composed.meter.beats
    )


@pytest.mark.parametrize(("bpm", "beats"), [(40, 7), (40, 2), (240, 2), (240, 7), (97, 5)])
@pytest.mark.parametrize("seconds", [15, 240])
def test_extreme_tempi_and_metres_are_composed_as_asked(bpm: int, beats: int, seconds: int) -> None:
    composed = song("rock", seconds=seconds, bpm=bpm, beats=beats)
    assert (composed.bpm, composed.meter.beats) == (bpm, beats)
    assert 1.2 < seconds - composed.ends_at <= 1.4 + beats * 60 / bpm


ODD = {
    "punctuation": "!!! ... ?? ---",
    "emoji": "🎉🔥💃 ❤️",
    "one line": "Only this one line",
    "one word": "hey",
    "12 000 characters": ("somewhere over the hills we wander and sing of the light " * 300)[:12_000],
    "12 000 letters": "a" * 12_000,
    "only tags": "[Verse]\n[Chorus]\n[Outro]",
    "unknown tags": "[Foo]\n[Bar]",
    "not english": "Привет мир\n世界你好\nمرحبا",
    "brackets": "[[[[]]]] ((( <<< {{{",
    "blank": "\n\n \t\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_lyrics_make_a_song(name: str) -> None:
    began = time.monotonic()
    composed = song(lyrics=ODD[name], seconds=40)
    assert composed.score.tracks
    assert sum(section.bars for section in composed.form.sections) == composed.form.bars
    wordless = name in ("punctuation", "emoji", "only tags", "unknown tags", "brackets", "blank")
    assert composed.reading.has_words is not wordless
    assert (composed.voice is None) is wordless
    assert any(composed.tunes)
    assert time.monotonic() - began < 60


def test_short_lyrics_come_back_until_the_time_is_filled() -> None:
    composed = song(lyrics="[Verse]\nOne little line\n[Chorus]\nAnd another", seconds=180)
    assert composed.form.lines_left_out == 0
    assert sum(section.kind == "chorus" for section in composed.form.sections) >= 2
    assert any(section.repeats for section in composed.form.sections)
    assert not any(section.repeats for section in composed.form.sections if section.start_bar == 0 and section.lines)


# --- melody ---------------------------------------------------------------------------------------------------------


def test_each_syllable_has_a_note_in_its_line_and_stresses_fall_on_stronger_beats() -> None:
    composed = song(seconds=80, seed=3)
    strong, weak = [], []
    for section, tune in zip(composed.form.sections, composed.tunes, strict=True):
        if not section.lines:
            continue
        assert len(tune) == sum(len(line.syllables) for line in section.lines)
        origin = section.start_bar * composed.meter.beats
        for order, line in enumerate(section.lines):
            own = [note for note in tune if note.line == order]
            assert [note.syllable for note in own] == list(line.syllables)
            assert own[0].start >= origin + line.start - 1e-9
            assert own[-1].start < origin + line.start + line.beats
            assert all(a.start + a.length <= b.start + 1e-6 for a, b in itertools.pairwise(own))
            for note, syllable in zip(own, line.syllables, strict=True):
                (strong if syllable.stress == 2 else weak).append(composed.meter.weight(note.start))
    assert sum(strong) / len(strong) > sum(weak) / len(weak) + 0.1


@pytest.mark.parametrize("key", ["C major", "F# minor", "Bb major", "E minor"])
def test_tunes_and_basses_stay_in_the_key(key: str) -> None:
    for tags in ("pop", "rock", "house", "folk"):
        composed = song(tags, key=key)
        assert composed.key.name == key
        pitches = [note.pitch % 12 for tune in composed.tunes for note in tune]
        inside = sum(pitch in composed.key.scale for pitch in pitches) / len(pitches)
        assert inside > 0.93
        bass = next(track for track in composed.score.tracks if track.role == "bass")
        assert bass.notes[-1].pitch % 12 == composed.key.tonic


def test_melodies_move_by_steps_and_choruses_lie_higher() -> None:
    composed = song(seconds=80, seed=5)
    by_kind: dict[str, list[int]] = {}
    leaps = []
    for section, tune in zip(composed.form.sections, composed.tunes, strict=True):
        by_kind.setdefault(section.kind, []).extend(note.pitch for note in tune)
        leaps += [abs(a.pitch - b.pitch) for a, b in itertools.pairwise(tune) if a.line == b.line]
    assert sum(leap <= 4 for leap in leaps) / len(leaps) > 0.8
    assert max(leaps) <= 12
    verse, chorus = by_kind["verse"], by_kind["chorus"]
    assert sum(chorus) / len(chorus) > sum(verse) / len(verse) + 1


# --- band -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beats", [2, 3, 4, 5, 6, 7])
def test_drums_accent_the_first_beat_of_every_metre(beats: int) -> None:
    composed = song("rock", beats=beats, bpm=120)
    drums = next(track for track in composed.score.tracks if track.kit)
    force = [0.0] * beats
    for note in drums.notes:
        if note.pitch == PITCHES["K"] and abs(note.start - round(note.start)) < 1e-6:
            force[round(note.start) % beats] += note.velocity
    assert force[0] == max(force)
    assert composed.score.meter.beats == beats


@pytest.mark.parametrize("word", ["piano", "strings", "acoustic guitar", "brass", "choir", "harp", "organ", "cello"])
def test_instruments_named_in_the_tags_play(word: str) -> None:
    composed = song(f"electro-pop, {word}")
    assert any(
        track.instrument is not None and track.instrument.name == word and len(track.notes) > 8
        for track in composed.score.tracks
    )


def test_what_the_tags_forbid_stays_out() -> None:
    composed = song("rock, no drums, without bass, no distorted guitar")
    roles = {track.role for track in composed.score.tracks}
    assert "drums" not in roles
    assert "bass" not in roles
    assert all(
        track.instrument is None or track.instrument.name != "distorted guitar" for track in composed.score.tracks
    )
    assert song("pop, instrumental").voice is None


def test_styles_differ_in_tempo_band_and_groove() -> None:
    composed = {style.name: song(style.name, seed=2) for style in STYLES}
    bands = {
        name: frozenset(track.instrument.name for track in one.score.tracks if track.instrument)
        for name, one in composed.items()
    }
    assert len(set(bands.values())) == len(STYLES)
    for style in STYLES:
        slow, _, fast = style.bpm
        assert slow * 0.9 <= composed[style.name].bpm <= fast * 1.12
    assert len({style.groove for style in STYLES}) >= 22
    assert composed["metal"].bpm > composed["ballad"].bpm * 1.6
    assert composed["waltz"].meter.beats == 3


# --- seeds ----------------------------------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_song_and_another_is_another() -> None:
    assert everything(song(seed=4)) == everything(song(seed=4))
    assert everything(song(seed=4)) != everything(song(seed=5))
    assert len({(one.key.name, one.bpm) for one in (song(seed=seed) for seed in range(8))}) >= 5


def test_sampler_words_widen_and_narrow_the_choices() -> None:
    options = tuple(range(10))
    narrow = {Dice(seed, Variety(top_k=1)).pick(options) for seed in range(60)}
    nucleus = {Dice(seed, Variety(top_p=0.3)).pick(options) for seed in range(60)}
    cold = {Dice(seed, Variety(temperature=0.1)).pick(options) for seed in range(60)}
    hot = {Dice(seed, Variety(temperature=2.0)).pick(options) for seed in range(60)}
    floor = {Dice(seed, Variety(min_p=0.5)).pick(options) for seed in range(60)}
    assert narrow == {0}
    assert nucleus == {0, 1}
    assert len(cold) <= 4 < len(hot)
    assert floor == {0, 1, 2, 3}
    assert {Dice(seed, Variety(top_p=0.0)).pick(options) for seed in range(20)} == {0}
    progressions = {
        tuple(stretch.chord.name for stretch in song(seed=seed, key="C major", variety=Variety(top_k=1)).harmony[1])[:4]
        for seed in range(6)
    }
    assert progressions == {("C", "G", "Am", "F")}
