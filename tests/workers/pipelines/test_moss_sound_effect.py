"""moss.sound.effect's procedural foley: exact lengths, the same bytes again, honest words about itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.workers.pipelines.foley import Studio
from tests.workers.pipelines.hearing import RATE, decibels, level, onsets
from workers.pipelines.base import Canceled, RunContext
from workers.pipelines.moss_sound_effect.pipeline import PIPELINE
from workers.pipelines.moss_sound_effect.rooms import loudness
from workers.sound import read_sound

HIGHEST_PEAK = 10 ** (-1 / 20)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("foley"))


@pytest.mark.parametrize("seconds", [1, 5, 30])
@pytest.mark.parametrize("prompt", ["heavy rain", "a pistol shot, then a mechanical click"])
def test_the_length_is_exact_to_the_sample(studio: Studio, prompt: str, seconds: int) -> None:
    output, _ = studio.make(prompt, seconds)
    assert (output.path.name, output.media_type, output.seconds) == ("output_0001.opus", "audio/ogg", seconds)
    assert studio.hear(prompt, seconds).shape == (2, seconds * RATE)


@pytest.mark.parametrize("seconds", range(1, 31))
def test_every_length_allowed_is_met_for_a_sound_that_repeats(studio: Studio, seconds: int) -> None:
    sound = studio.hear("a dry clock tick", seconds, quality="96k")
    assert sound.shape == (2, seconds * RATE)
    assert len(onsets(sound, gap=0.3)) == seconds


def test_quality_is_the_bitrate(studio: Studio) -> None:
    sizes = [
        studio.make("a waterfall", 10, quality=quality)[0].path.stat().st_size for quality in ("96k", "128k", "192k")
    ]
    assert sizes == sorted(sizes)
    for size, bits in zip(sizes, (96_000, 128_000, 192_000), strict=True):
        assert abs(size * 8 / 10 / bits - 1) < 0.15


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_take(studio: Studio) -> None:
    prompt = "a dog barking, thunder in the distance and footsteps on gravel in a cave"
    first, _ = studio.run(prompt, 4)
    second, _ = studio.run(prompt, 4)
    other, other_info = studio.run(prompt, 4, seed=8)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.read_bytes() != other.path.read_bytes()
    assert [event["name"] for event in other_info["events"]] == ["dog bark", "thunder", "footsteps"]


def test_runs_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    prompts = ["a crowd and a dog in a cave", "rain on a tin roof", "a siren, then a door slam", "a church bell"] * 2
    with ThreadPoolExecutor(4) as pool:
        studios = [Studio(tmp_path / str(k)) for k in range(len(prompts))]
        together = [made.path.read_bytes() for made, _ in pool.map(lambda k: studios[k].run(prompts[k], 2), range(8))]
    assert together[:4] == together[4:]
    alone = Studio(tmp_path / "alone")
    assert [alone.run(prompt, 2)[0].path.read_bytes() for prompt in prompts[:4]] == together[:4]


def test_nothing_clips_and_nothing_is_too_quiet(studio: Studio) -> None:
    for prompt in (
        "a gigantic explosion, an extremely loud thunderstorm, a cannon and a big gong",
        "a very loud chainsaw, a loud jet, a siren and a machine gun",
        "loud applause in a cathedral",
        "white noise",
        "a single soft click",
        "a very distant owl",
    ):
        for quality in ("96k", "192k"):
            sound = studio.hear(prompt, 4, quality=quality)
            assert np.max(np.abs(sound)) < HIGHEST_PEAK, prompt
            assert -38 < loudness(sound) < -11, prompt


def test_a_clip_begins_and_ends_in_silence_without_a_click(studio: Studio) -> None:
    for prompt in ("rain", "a motor", "a siren", "thunder", "a bell in a cathedral", "a crowd"):
        sound = studio.hear(prompt, 2)
        body = np.max(np.abs(sound))
        assert np.max(np.abs(sound[:, :24])) < 0.1 * body, prompt
        assert np.max(np.abs(sound[:, -96:])) < 0.02 * body, prompt
        # The last 60 ms sink; no step is larger than those inside.
        inner = np.max(np.abs(np.diff(sound[:, RATE // 2 : -RATE // 10])))
        assert np.max(np.abs(np.diff(sound[:, -RATE // 20 :]))) <= 1.05 * inner, prompt


def test_the_tail_of_a_single_event_stays_inside(studio: Studio) -> None:
    for prompt in ("a gunshot", "an explosion", "a church bell tolls once", "a door slams"):
        for seconds in (1, 2, 6):
            sound = studio.hear(prompt, seconds)
            head = level(sound[:, : RATE // 2])
            assert level(sound[:, -RATE // 50 :]) < head - 20, (prompt, seconds)


def test_info_says_what_it_is_and_what_it_heard(studio: Studio) -> None:
    _, info = studio.make("Three distant gunshots, then a zorblax clicking flurbily in a canyon", 5)
    assert info["engine"] == "procedural-foley"
    assert "No neural model" in info["method"]
    assert info["seed"] == 7
    assert info["room"] == "canyon"
    assert info["notUnderstood"] == ["zorblax", "flurbily"]
    assert info["fieldsWithoutEffect"] == ["topP", "topK", "repetitionPenalty", "maxNewTokens"]
    shots, click = info["events"]
    assert (shots["name"], shots["modifiers"]) == ("pistol shot", ["three", "distant"])
    assert click["name"] == "gun click"
    assert 0 <= shots["start"] < click["start"] < click["start"] + click["seconds"] <= 5
    assert shots["start"] + 2 * 0.6 < click["start"]


@pytest.mark.parametrize(
    "field",
    [{"topP": 0.1}, {"topK": 200}, {"repetitionPenalty": 2.5}, {"maxNewTokens": 4096}],
    ids=lambda field: next(iter(field)),
)
def test_fields_listed_as_without_effect_have_none(studio: Studio, field: dict[str, float]) -> None:
    plain, _ = studio.make("a horse galloping", 2)
    steered, _ = studio.make("a horse galloping", 2, **field)
    assert plain.path.read_bytes() == steered.path.read_bytes()


def test_temperature_widens_chance(studio: Studio) -> None:
    """The gaps between a dog's barks: the wilder, the more uneven."""

    def unevenness(temperature: float) -> float:
        gaps = np.concatenate(
            [
                np.diff(onsets(studio.hear("a dog barking", 8, seed=seed, temperature=temperature), gap=0.25))
                for seed in range(3)
            ]
        )
        return float(np.std(gaps) / np.mean(gaps))

    tame, ordinary, wild = unevenness(0.1), unevenness(1.0), unevenness(3.0)
    assert tame < 0.06
    assert 2 * tame < ordinary < wild


@pytest.mark.parametrize(
    "prompt",
    [
        "x",
        "?!…",
        "   .  ",
        "the of and with",
        "电话铃声",
        "blorpt " * 285,
        "\u0000\u202e🙂🙂🙂",
        "then then then after before followed by no no without",
        "three very loud distant small on the left in a cave",
    ],
    ids=[
        "letter",
        "marks",
        "blank",
        "stop-words",
        "another-script",
        "2000-unknown",
        "odd",
        "only-order",
        "only-adjectives",
    ],
)
def test_a_prompt_without_an_event_becomes_an_air_of_its_own(studio: Studio, prompt: str) -> None:
    output, info = studio.make(prompt[:2000], 2)
    assert info["standIn"] is True
    assert [event["name"] for event in info["events"]] == ["ambience"]
    sound = read_sound(output.path, rate=RATE, channels=2)
    assert sound.shape == (2, 2 * RATE)
    assert level(sound) > -45


def test_two_prompts_without_events_differ_with_the_same_seed(studio: Studio) -> None:
    first, _ = studio.make("blorpt", 2)
    second, _ = studio.make("frunk", 2)
    assert first.path.read_bytes() != second.path.read_bytes()


def test_two_thousand_characters_of_events_are_read_and_what_is_too_much_is_named(studio: Studio) -> None:
    events = (
        "rain, thunder, dogs, a bell, a gunshot, a horse gallops, a cat, footsteps, applause, wind, an owl, a frog, "
    )
    prompt = (events * 20)[:2000]
    output, info = studio.make(prompt, 5)
    assert len(info["events"]) == 10
    assert info["leftOut"][:2] == ["owl", "frog"]
    sound = read_sound(output.path, rate=RATE, channels=2)
    assert sound.shape == (2, 5 * RATE)
    assert np.max(np.abs(sound)) < HIGHEST_PEAK


def test_a_misspelt_word_is_taken_for_the_nearest_and_said_so(studio: Studio) -> None:
    _, info = studio.make("thundr and a helicoptor", 2)
    assert [event["name"] for event in info["events"]] == ["thunder", "helicopter"]
    assert info["takenFor"] == {"thundr": "thunder", "helicoptor": "helicopter"}
    assert info["notUnderstood"] == []


def test_progress_moves_on(studio: Studio) -> None:
    heard: list[tuple[float, str]] = []
    studio.run("rain, then thunder", 3, step=lambda fraction, phase: heard.append((fraction, phase)))
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert list(dict.fromkeys(phase for _, phase in heard)) == [
        "reading",
        "arranging",
        "synthesising",
        "encoding",
        "done",
    ]


@pytest.mark.parametrize("phase", ["reading", "arranging", "synthesising", "encoding", "done"])
def test_a_cancel_passes_through_and_leaves_nothing(tmp_path: Path, phase: str) -> None:
    def step(_: float, now: str) -> None:
        if now == phase:
            raise Canceled

    params = {
        "prompt": "rain", "durationSeconds": 2, "quality": "96k", "temperature": 1.0, "topP": 1.0, "topK": 1,
        "repetitionPenalty": 1.0, "maxNewTokens": 64,
    }  # fmt: skip
    with pytest.raises(Canceled):
        PIPELINE.run(RunContext(params=params, files={}, seed=1, workdir=tmp_path, step=step))
    assert list(tmp_path.iterdir()) == []


def test_loudness_is_that_of_the_standard() -> None:
    """BS.1770: a 997 Hz sine at full scale in one channel reads −3.01 LUFS, and 3 dB more in both."""
    sine = np.sin(2 * np.pi * 997 * np.arange(2 * RATE) / RATE).astype(np.float32)
    assert loudness(np.stack([sine, 0 * sine])) == pytest.approx(-3.01, abs=0.05)
    assert loudness(np.stack([sine, sine])) == pytest.approx(0.0, abs=0.05)
    assert decibels(1.0) == pytest.approx(0, abs=1e-6)
