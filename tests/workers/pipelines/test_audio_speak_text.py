"""What audio.speak makes of a written text: words, phonemes, accents, breaths the model can take."""

import pytest

from workers.pipelines.audio_speak.accents import ACCENTS
from workers.pipelines.audio_speak.kokoro import MAX_PHONEMES, spoken_symbols
from workers.pipelines.audio_speak.number_words import cardinal, decimal, ordinal, plural, year
from workers.pipelines.audio_speak.phonemes import breaths
from workers.pipelines.audio_speak.verbalize import unspoken, verbalize
from workers.protocol.inputs.audio_speak import VOICE_TAGS


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It cost $3.50.", "It cost three dollars and fifty cents."),
        (
            "€1.2 million, £5k, $1, $0.99",
            "one point two million euros, five thousand pounds, one dollar, ninety nine cents",
        ),
        ("20 USD or ¥500", "twenty dollars or five hundred yen"),
        ("$5-10", "five to ten dollars"),
        ("At 10:30 a.m. on Monday.", "At ten thirty ay em on Monday."),
        ("Be here at 9:00.", "Be here at nine o'clock."),
        ("It closes at 10 p.m. The bar stays open.", "It closes at ten pee em. The bar stays open."),
        ("6:05 PM, 17:45, 3pm", "six oh five pee em, seventeen forty five, three pee em"),
        ("May 3rd, 2024", "May third, twenty twenty four"),
        (
            "on 5/3/2024 and 2024-12-25",
            "on May third, twenty twenty four and December twenty fifth, twenty twenty four",
        ),
        ("25/12/1999", "December twenty fifth, nineteen ninety nine"),
        ("12 May 2001", "the twelfth of May, two thousand one"),
        ("I may 5 times march 3 miles", "I may five times march three miles"),
        ("in 1905, the 1990s and 1500 men", "in nineteen oh five, the nineteen nineties and fifteen hundred men"),
        ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
        ("3.14 and -5 and 007", "three point one four and minus five and zero zero seven"),
        ("50% off, 1/2 cup, 3 3/4 miles", "fifty percent off, one half cup, three and three quarters miles"),
        ("No. 7, #3, 21st", "number seven, number three, twenty first"),
        ("5 kg, 1 km, 60 mph, 20 °C", "five kilograms, one kilometer, sixty miles per hour, twenty degrees Celsius"),
        ("pages 10–20", "pages ten to twenty"),
        ("v3.11.2", "version three point eleven point two"),
        ("1" * 60, "a number of sixty digits"),
        ("Call 555-0199", "Call five five five, zero one nine nine"),
        ("Dr. Smith vs. Mr. Jones, e.g. here", "Doctor Smith versus Mister Jones, for example here"),
        ("St. Peter of Main St. is near St. Mary's", "Saint Peter of Main Street is near Saint Mary's"),
        ("Apples, etc. Then go.", "Apples, et cetera. Then go."),
        ("the U.S. team, the US, it", "the yoo ess team, the yoo ess, it"),
        ("Henry VIII and World War II", "Henry the eighth and World War two"),
        ("see https://example.com/a_b", "see example dot com slash ay underscore bee"),
        ("mail me@example.org!", "mail me at example dot org!"),
        ("“Hi” — naïve café…", '"Hi" — naive cafe…'),
        ("# Title\n- one\n- **two**", "Title\none\ntwo"),
        ("a + b = c, 2² and α", "a plus b equals c, two squared and alpha"),
        ("Wait!!! What?!", "Wait! What?"),
    ],
)
def test_written_english_becomes_the_words_a_reader_says(written: str, spoken: str) -> None:
    assert verbalize(written) == spoken


def test_numbers_in_words() -> None:
    assert cardinal(0) == "zero"
    assert cardinal(-1_000_001) == "minus one million one"
    assert cardinal(999_999) == "nine hundred ninety nine thousand nine hundred ninety nine"
    assert cardinal(10**21) == "one" + " zero" * 21
    assert [ordinal(number) for number in (1, 12, 20, 103)] == ["first", "twelfth", "twentieth", "one hundred third"]
    assert [year(number) for number in (1066, 1900, 2000, 2010)] == [
        "ten sixty six",
        "nineteen hundred",
        "two thousand",
        "twenty ten",
    ]
    assert decimal("1,200.05") == "one thousand two hundred point zero five"
    assert [plural(word) for word in ("eighty", "six", "seven")] == ["eighties", "sixes", "sevens"]


def test_what_no_english_reader_can_say_is_named() -> None:
    assert unspoken("Tokyo is 東京, ok 😀 — 5° π €5 naïve") == ["東", "京", "😀"]
    assert verbalize("東京 😀") == ""
    assert breaths("東京 😀") == []


SENTENCE = "The water in the north harbor was very cold, so Father asked a new dancer to go home with thirty bottles."


def _phonemes(accent: str) -> str:
    return " ".join(breath.phonemes for breath in breaths(SENTENCE, ACCENTS[accent]))


def test_each_accent_of_the_vocabulary_speaks_other_phonemes() -> None:
    assert set(ACCENTS) == set(VOICE_TAGS["accent"])
    spoken = {accent: _phonemes(accent) for accent in ACCENTS}
    assert len(set(spoken.values())) == 10
    for phonemes in spoken.values():
        assert spoken_symbols(phonemes) == phonemes


def test_accents_do_what_they_are_known_for() -> None:
    american, british = _phonemes("american accent"), _phonemes("british accent")
    assert "nˈɔɹθ" in american
    assert "nˈɔːθ" in british
    assert "hˈɑɹbəɹ" in american
    assert "hˈɑːbə " in british
    assert "wˈɔːtəɹ ɪn" in british, "the r links to a vowel"
    assert "ˈɑːskt" in british
    assert "dˈɑːnsə" in british
    assert "njˈuː" in british
    assert "nˈu" in american
    assert "ɡˌQ hˈQm" in british
    assert "ɡˌO hˈOm" in american
    assert "bˈɒt" in british
    assert "bˈɑT" in american
    australian = _phonemes("australian accent")
    assert "dˈaːnsɐ" in australian
    assert "hˈɐʊm" in australian
    assert "θ" not in _phonemes("chinese accent")
    assert "v" not in _phonemes("chinese accent")
    indian = _phonemes("indian accent")
    assert "ʈ" in indian
    assert "ʋˈɛɾi" in indian
    assert "ɹ" not in indian
    japanese = _phonemes("japanese accent")
    assert not set("lɹθðvæʌ") & set(japanese)
    assert "ɾ" in japanese
    korean = _phonemes("korean accent")
    assert not set("fvz") & set(korean)
    assert "bˈɛɾi" in korean
    assert "kˈOud" in _phonemes("portuguese accent")
    assert "tˈɜɹɾi" in _phonemes("portuguese accent")
    russian = _phonemes("russian accent")
    assert "vˈɔtər" in russian
    assert "w" not in russian
    assert "xˈom" in russian
    canadian = " ".join(breath.phonemes for breath in breaths("About the house, sorry.", ACCENTS["canadian accent"]))
    assert canadian == "əbˈʌʊt ðə hˈʌʊs, sˈɔɹi."


def test_a_long_text_is_cut_where_a_reader_breathes_and_loses_nothing() -> None:
    sentence = (
        "When the last of the autumn light had gone, the keeper climbed the narrow stairs of the tower, and he lit the "
        "great lamp, because the ships that were still at sea would need it before the storm, which everybody could "
        "smell in the wind, came in over the rocks. Nobody spoke."
    )
    text = (sentence + " ") * 20
    assert 5_000 < len(text) < 6_000
    found = breaths(text)
    assert all(0 < len(breath.phonemes) <= MAX_PHONEMES for breath in found)
    whole = "".join(breath.phonemes for breath in breaths(sentence)).replace(" ", "")
    assert "".join(breath.phonemes for breath in found).replace(" ", "") == whole * 20
    first = breaths(sentence)
    assert len(first) >= 3
    assert all(breath.phonemes[-1] in ",." for breath in first), "cut at commas and stops"
    assert first[-2].pause > first[0].pause, "a sentence's end rests longer than a clause's"


@pytest.mark.parametrize(
    "text", ["a" * 6000, "word" * 1500, "Hm, " * 1500, "1" * 6000, "?!" * 2900 + " yes", "https://" + "x/" * 2900]
)
def test_hostile_texts_stay_within_the_models_limit(text: str) -> None:
    found = breaths(text)
    assert found
    assert all(0 < len(breath.phonemes) <= MAX_PHONEMES for breath in found)
