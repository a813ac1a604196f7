"""The small parts of audio.annotation.reference: transcripts, matching, pronunciation, the published schema."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from workers.pipelines.audio_annotation_reference.document import Section, Word, written_schema
from workers.pipelines.audio_annotation_reference.forced import dictionary
from workers.pipelines.audio_annotation_reference.lyrics import read_transcript
from workers.pipelines.audio_annotation_reference.matching import match
from workers.pipelines.audio_annotation_reference.pronunciation import plain, pronunciations, to_arpabet

SCHEMA = Path(__file__).parents[3] / "docs/reference/annotation.schema.json"


def test_the_published_schema_is_the_models():
    assert SCHEMA.read_text(encoding="utf-8") == written_schema(), (
        "python -m workers.pipelines.audio_annotation_reference.document > docs/reference/annotation.schema.json"
    )


def test_a_document_refuses_spans_that_end_before_they_start_and_unknown_fields():
    with pytest.raises(ValidationError, match="ends before it starts"):
        Section(label="A", start=2.0, end=1.0, source="music")
    with pytest.raises(ValidationError, match="extra"):
        Word.model_validate(
            {"text": "a", "start": 0.0, "end": 0.1, "confidence": 1.0, "source": "aligned", "line": 0, "pitch": 3}
        )


def test_marks_stand_alone_or_in_a_line_and_empty_ones_are_ignored():
    lyrics = read_transcript("Hey\n[Verse 1]\nOne two, [x2] three\n[]\n[Chorus]  Don’t stop\n\n* * *\n[Outro]")
    assert lyrics.sections == ["Verse 1", "x2", "Chorus", "Outro"]
    assert [(line.text, line.words, line.section) for line in lyrics.lines] == [
        ("Hey", ["Hey"], None),
        ("One two,", ["One", "two"], 0),
        ("three", ["three"], 1),
        ("Don’t stop", ["Don’t", "stop"], 2),
    ]
    assert lyrics.words == ["Hey", "One", "two", "three", "Don’t", "stop"]
    assert lyrics.line_of_word == [0, 1, 1, 2, 3, 3]


def test_words_are_matched_in_order_through_what_was_misheard_left_out_and_added():
    wanted = ["the", "harbour", "lights", "at", "seven", "shine", "on", "us"]
    heard = ["well", "the", "harbor", "lights", "at", "7", "shine", "honest"]
    assert [pair and heard[pair[0]] for pair in match(wanted, heard)] == [
        "the",
        "harbor",
        "lights",
        "at",
        "7",
        "shine",
        None,
        None,
    ]


def test_repeated_lines_are_matched_each_to_its_own():
    assert match(["la", "la", "la", "hey", "la", "la", "la"], ["la", "la", "la", "hey", "la", "la", "la"]) == [
        (place, 1.0) for place in range(7)
    ]


def test_long_texts_are_matched_to_their_ends():
    words = [f"{first}{second}" for first in ("ba", "ki", "lo", "mu", "ze") for second in ("nt", "rp", "st", "ck")] * 20
    heard = [word for place, word in enumerate(words) if place % 7 != 3]
    partners = match(words, heard)
    assert [partner and heard[partner[0]] for partner in partners] == [
        word if place % 7 != 3 else None for place, word in enumerate(words)
    ]


def test_nothing_in_common_is_matched_to_nothing():
    assert match(["quarks", "unify"], ["dog", "sleeps", "here"]) == [None, None]
    assert match(["word"], []) == [None]
    assert match([], ["word"]) == []


def test_dictionary_words_have_all_their_pronunciations():
    found = pronunciations(["The", "River"], dictionary=dictionary())
    assert found == {"the": ["DH AH", "DH IY"], "river": ["R IH V ER"]}


def test_new_words_numbers_and_joined_words_are_pronounced_too():
    found = pronunciations(["zorblatt", "7", "river-honey", "don’t", "日本"], dictionary=dictionary())
    assert found["zorblatt"] == ["Z AO R B L AE T"]
    assert found["7"] == ["S EH V AH N"]
    assert found["river-honey"] == ["R IH V ER HH AH N IY"]
    assert found["don't"][0] == "D OW N T"
    assert "日本" not in found


def test_misakis_phonemes_become_arpabet():
    assert to_arpabet("kˈʌmfɚtəbᵊl".replace("ɚ", "əɹ")) == "K AH M F ER T AH B AH L"
    assert to_arpabet("ʤˈʌʤ ʧˈɜɹʧ") == "JH AH JH CH ER CH"
    assert plain("’Twas-") == "twas"
