"""What moss.sound.effect's modifiers do: distance, room, speed, number, size, material, force, order, place."""

import numpy as np
import pytest

from tests.workers.pipelines.foley import Studio
from tests.workers.pipelines.hearing import RATE, centroid, envelope, fall, level, onsets, pitches, rhythm, share


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("foley"))


@pytest.mark.parametrize("event", ["gunshot", "dog barking", "explosion", "siren", "rain", "church bell"])
def test_distance_takes_highs_and_level(studio: Studio, event: str) -> None:
    close, plain = studio.hear(f"close-up {event}", 4), studio.hear(event, 4)
    distant, farther = studio.hear(f"distant {event}", 4), studio.hear(f"{event} very far away", 4)
    assert level(close) >= level(plain) - 0.5
    assert level(distant) < level(plain) - 2.5
    assert level(farther) < level(distant) - 1
    # A bell is low already, and few partials leave it to chance which of them the air's echo favours.
    assert centroid(distant) < (1.0 if event == "church bell" else 0.8) * centroid(plain)
    assert centroid(farther) < centroid(distant)


def test_distance_can_be_said_before_and_behind(studio: Studio) -> None:
    for prompt in ("distant thunder", "thunder in the distance", "thunder far away", "faraway thunder"):
        assert studio.make(prompt, 2)[1]["events"][0]["modifiers"] == ["distant"], prompt


def test_rooms_ring_as_long_as_they_are_large(studio: Studio) -> None:
    rooms = ("dry", "in a small room", "in a hall", "in a cathedral")
    lengths = [fall(studio.hear(f"a single hand clap {room}", 6), 40) for room in rooms]
    assert lengths == sorted(lengths)
    assert lengths[0] < 0.1
    assert lengths[1] < 0.5
    assert lengths[2] > 0.7
    assert lengths[3] > 1.6


def test_a_canyon_answers_with_echoes(studio: Studio) -> None:
    sound = studio.hear("a single hand clap in a canyon", 5)
    dry = studio.hear("a single hand clap, dry", 5)
    moments = onsets(sound, gap=0.25, rise=3.5, floor=-40)
    assert len(onsets(dry, gap=0.25, rise=3.5, floor=-40)) == 1
    for echo in (0.42, 0.83, 1.31):
        assert np.min(np.abs(moments - moments[0] - echo)) < 0.08, (echo, moments)
    assert fall(sound, 30) > 3 * fall(dry, 30)


def test_water_walls_and_loudspeakers_take_their_part_of_the_spectrum(studio: Studio) -> None:
    plain = studio.hear("a crowd", 4)
    assert share(studio.hear("a crowd underwater", 4), 1500, 20_000) < 0.1 * share(plain, 1500, 20_000)
    assert share(studio.hear("a muffled crowd", 4), 1200, 20_000) < 0.1 * share(plain, 1200, 20_000)
    radio = studio.hear("rain over the radio", 4)
    assert share(radio, 400, 3300) > 0.85


def test_speed_is_the_rate_of_events(studio: Studio) -> None:
    slow, plain, fast = (
        len(onsets(studio.hear(f"{speed}footsteps, dry", 6), gap=0.2)) for speed in ("slow ", "", "fast ")
    )
    assert slow == pytest.approx(0.6 * plain, abs=1)
    assert fast == pytest.approx(1.7 * plain, abs=1.5)
    assert rhythm(studio.hear("a fast helicopter", 4), 6, 30) == pytest.approx(11.5 * 1.7, rel=0.12)
    assert np.median(pitches(studio.hear("a fast electric motor", 3), 80, 260, size=16384)) > 1.4 * np.median(
        pitches(studio.hear("an electric motor", 3), 80, 260, size=16384)
    )


def test_accelerating_and_slowing(studio: Studio) -> None:
    quickening = np.diff(onsets(studio.hear("a heartbeat getting faster, dry", 8), gap=0.15, rise=6))
    assert quickening[-4:].sum() < 0.75 * quickening[:4].sum()
    knocks = np.diff(onsets(studio.hear("eight knocks slowing down, dry", 8), gap=0.1))
    assert len(knocks) == 7
    assert knocks[-1] > 1.7 * knocks[0]
    engine = studio.hear("an accelerating motorcycle", 6)
    assert centroid(engine[:, -2 * RATE :]) > 1.2 * centroid(engine[:, : 2 * RATE])


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("a single knock", 1), ("one gunshot", 1), ("two gunshots", 2), ("a gunshot twice", 2), ("three knocks", 3),
        ("knock four times", 4), ("5 claps", 5), ("a couple of barks", 2), ("several claps", 4), ("gunshots", 3),
        ("a dozen knocks", 12), ("2x beep", 2), ("seven footsteps", 7), ("20 clicks", 20),
    ],
)  # fmt: skip
def test_a_number_is_that_many_onsets(studio: Studio, prompt: str, count: int) -> None:
    assert len(onsets(studio.hear(f"{prompt}, dry", 6), gap=0.1)) == count


def test_many_knocks_fill_the_time(studio: Studio) -> None:
    moments = onsets(studio.hear("many knocks, dry", 6), gap=0.1)
    assert len(moments) > 15
    assert moments[-1] > 5


def test_a_number_that_hardly_fits_is_still_met(studio: Studio) -> None:
    assert len(onsets(studio.hear("ten claps, dry", 1), gap=0.05, rise=6)) == 10


@pytest.mark.parametrize("event", ["bell", "dog barking", "explosion", "door slam", "engine", "metal clang"])
def test_size_is_pitch(studio: Studio, event: str) -> None:
    small, plain, big = (centroid(studio.hear(f"{size} {event}, dry", 3)) for size in ("small", "", "big"))
    if event != "bell":  # a small bell is another bell
        assert small > 1.1 * plain
    assert big < 0.95 * plain


def test_force_is_level_and_density(studio: Studio) -> None:
    for event in ("rain", "footsteps", "knock"):
        soft, plain, loud = (level(studio.hear(f"{force} {event}", 4)) for force in ("soft", "", "loud"))
        assert soft < plain - 2 < plain + 1 < loud, event


def test_materials_are_told_apart(studio: Studio) -> None:
    rings = [
        fall(studio.hear(f"a single knock on {material}, dry", 2), 25)
        for material in ("stone", "wood", "glass", "metal")
    ]
    assert rings == sorted(rings)
    assert rings[3] > 5 * rings[1]
    assert centroid(studio.hear("rain on a tin roof", 4)) != pytest.approx(
        centroid(studio.hear("rain on a tent", 4)), rel=0.2
    )


def test_short_and_long(studio: Studio) -> None:
    lengths = [
        np.count_nonzero(envelope(studio.hear(f"a {word} beep", 2)) > 0.02) * 0.005 for word in ("short", "", "long")
    ]
    assert lengths[0] < 0.75 * lengths[1] < 0.75 * 0.75 * lengths[2]


def test_dark_and_bright(studio: Studio) -> None:
    dark, plain, bright = (centroid(studio.hear(f"a {tone} gong", 3)) for tone in ("dark", "", "bright"))
    assert dark < plain < bright


@pytest.mark.parametrize("event", ["knock", "rain", "an owl", "a motor"])
def test_left_and_right(studio: Studio, event: str) -> None:
    left, right = studio.hear(f"{event} on the left", 3), studio.hear(f"{event} on the right", 3)
    assert level(left[:1]) > level(left[1:]) + 6
    assert level(right[1:]) > level(right[:1]) + 6


@pytest.mark.parametrize("event", ["a train", "a horse galloping", "a whoosh", "wind"])
def test_from_left_to_right(studio: Studio, event: str) -> None:
    sound = studio.hear(f"{event} from left to right", 4)
    loud = envelope(sound[:1], 960), envelope(sound[1:], 960)
    heard = np.flatnonzero(loud[0] + loud[1] > 0.1 * (loud[0] + loud[1]).max())
    lean = 20 * np.log10((loud[0] + 1e-6) / (loud[1] + 1e-6))[heard]
    quarter = max(1, heard.size // 4)
    assert lean[:quarter].mean() > 4
    assert lean[-quarter:].mean() < -4


def test_approaching_grows_and_receding_fades(studio: Studio) -> None:
    near = studio.hear("a helicopter approaching", 4)
    far = studio.hear("a helicopter moving away", 4)
    assert level(near[:, 5 * RATE // 2 : 7 * RATE // 2]) > level(near[:, :RATE]) + 6
    assert level(far[:, :RATE]) > level(far[:, 5 * RATE // 2 : 7 * RATE // 2]) + 6


def test_one_after_the_other(studio: Studio) -> None:
    """Low thunder, then high birds: the halves are of different kinds."""
    for prompt in (
        "thunder, then birds chirping",
        "birds chirping after thunder",
        "thunder followed by birds",
        "thunder before birds chirp",
    ):
        _, info = studio.make(prompt, 6)
        start = {event["name"]: event["start"] for event in info["events"]}
        assert start["thunder"] < 0.2, prompt
        assert start["bird chirp"] > 1.5, prompt
    sound = studio.hear("thunder, then birds chirping", 6)
    assert share(sound[:, : 2 * RATE], 2000, 9000) < 0.1
    assert share(sound[:, -RATE:], 2000, 9000) > 0.8


def test_a_shot_then_a_click(studio: Studio) -> None:
    _, info = studio.make("a pistol shot, then a mechanical click", 5)
    assert [event["name"] for event in info["events"]] == ["pistol shot", "gun click"]
    sound = studio.hear("a pistol shot, then a mechanical click", 5)
    moments = onsets(sound, gap=0.3, floor=-45)
    assert len(moments) == 2
    click = sound[:, int((moments[1] - 0.01) * RATE) : int((moments[1] + 0.1) * RATE)]
    shot = sound[:, : RATE // 2]
    assert level(click) < level(shot)
    assert centroid(click) > 1.5 * centroid(shot)


def test_what_is_in_the_background_is_quieter_and_lasts_throughout(studio: Studio) -> None:
    _, info = studio.make("three knocks with rain in the background", 5)
    knocks, rain = info["events"]
    assert (rain["start"], rain["seconds"], rain["modifiers"]) == (0.0, 5.0, ["background"])
    both, alone = studio.hear("three knocks with rain in the background", 5), studio.hear("rain", 5)
    end = slice(3 * RATE, 4 * RATE)
    assert level(alone[:, end]) - 14 < level(both[:, end]) < level(alone[:, end]) - 4
    assert knocks["start"] < 0.2


def test_layers_sound_together(studio: Studio) -> None:
    sound = studio.hear("wind and a cricket", 4)
    assert share(sound, 4000, 5400) > 0.02
    assert share(sound, 50, 1500) > 0.3


def test_without_leaves_out(studio: Studio) -> None:
    _, info = studio.make("a river without birds and no thunder", 2)
    assert [event["name"] for event in info["events"]] == ["stream"]
