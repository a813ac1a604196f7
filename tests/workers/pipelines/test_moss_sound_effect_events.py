"""Every word of moss.sound.effect's vocabulary sounds like itself and like nothing else."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.workers.pipelines.foley import Studio
from tests.workers.pipelines.hearing import (
    RATE,
    centroid,
    envelope,
    fall,
    flatness,
    level,
    onsets,
    pitches,
    portrait,
    rhythm,
    share,
    steadiness,
)
from workers.pipelines.moss_sound_effect.reading import read
from workers.pipelines.moss_sound_effect.vocabulary import EVENTS, by_family

pytestmark = pytest.mark.soak
LEAST_DIFFERENCE = 2.0
"""How far two events' portraits are apart at least; two takes of one event are mostly 1.4 apart."""
SAMPLE = EVENTS[::5]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("foley"))


@pytest.fixture(scope="module")
def portraits(studio: Studio) -> NDArray[np.float64]:
    return np.array([portrait(studio.hear(event.name, 2, seed=1)) for event in EVENTS])


def test_there_are_many_events_and_each_has_many_words() -> None:
    assert len(EVENTS) >= 200
    assert len({event.name for event in EVENTS}) == len(EVENTS)
    assert sum(len(event.words.split()) for event in EVENTS) >= 1200
    assert min(len(event.words.split()) for event in EVENTS) >= 3


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_an_event_is_called_by_its_name_and_its_words(event) -> None:  # type: ignore[no-untyped-def]
    assert [said.event.name for said in read(f"the sound of a {event.name}").events] == [event.name]
    words = [word.rstrip("?~").replace("_", " ") for word in event.words.split()]
    found = [[said.event.name for said in read(word).events] == [event.name] for word in words]
    assert all(found), [word for word, right in zip(words, found, strict=True) if not right]


def test_every_event_is_heard(studio: Studio, portraits: NDArray[np.float64]) -> None:
    assert np.all(np.isfinite(portraits))
    for event in EVENTS:
        _, info = studio.make(event.name, 2, seed=1)
        assert [item["name"] for item in info["events"]] == [event.name]
        sound = studio.hear(event.name, 2, seed=1)
        assert np.max(np.abs(sound)) < 10 ** (-1 / 20), event.name
        assert np.max(np.abs(sound)) > 0.02, event.name


def test_no_two_events_sound_alike(portraits: NDArray[np.float64]) -> None:
    apart = np.linalg.norm(portraits[:, None] - portraits[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argmin(apart, axis=1)
    alike = [
        (EVENTS[k].name, EVENTS[int(other)].name)
        for k, other in enumerate(nearest)
        if apart[k, other] < LEAST_DIFFERENCE
    ]
    assert alike == []


def test_another_take_is_recognised_among_all_events(studio: Studio, portraits: NDArray[np.float64]) -> None:
    missed = []
    for event in SAMPLE:
        take = portrait(studio.hear(event.name, 2, seed=2))
        nearest = EVENTS[int(np.argmin(np.linalg.norm(portraits - take, axis=1)))]
        if nearest is not event:
            missed.append((event.name, nearest.name))
    assert len(missed) <= len(SAMPLE) * 0.08, missed


def test_rain_is_broadband_and_steady(studio: Studio) -> None:
    sound = studio.hear("rain", 5)
    assert flatness(sound, 1000, 10_000) > 0.3
    assert steadiness(sound[:, RATE // 4 : -RATE // 2]) < 1.0
    assert share(sound, 1500, 16_000) > 0.7
    ears = np.corrcoef(sound)[0, 1]
    assert abs(ears) < 0.3  # it surrounds


def test_thunder_is_low_and_dies_away(studio: Studio) -> None:
    sound = studio.hear("thunder", 5)
    assert share(sound, 20, 400) > 0.8
    assert level(sound[:, :RATE]) > level(sound[:, -RATE:]) + 8


def test_wind_comes_in_gusts_and_waves_come_and_go(studio: Studio) -> None:
    assert steadiness(studio.hear("wind", 10)) > 1.5
    swell = envelope(studio.hear("ocean waves", 20), 4800)
    assert swell.max() / np.median(swell) > 1.8
    assert 0.1 < rhythm(studio.hear("ocean waves", 20), 0.08, 0.6) < 0.25


def test_hail_is_spikier_than_rain(studio: Studio) -> None:
    def spikes(sound: NDArray[np.float32]) -> float:
        return float(np.max(np.abs(sound)) / np.sqrt(np.mean(sound**2)))

    assert spikes(studio.hear("hail", 5)) > 1.5 * spikes(studio.hear("rain", 5))


def test_a_waterfall_roars_lower_than_a_stream_babbles(studio: Studio) -> None:
    assert share(studio.hear("waterfall", 5), 20, 300) > 3 * share(studio.hear("a babbling brook", 5), 20, 300)


def test_a_clock_ticks_once_a_second(studio: Studio) -> None:
    moments = onsets(studio.hear("a clock ticking", 5), gap=0.3)
    assert len(moments) == 5
    assert np.allclose(np.diff(moments), 1.0, atol=0.03)


def test_a_siren_sweeps_over_an_octave(studio: Studio) -> None:
    sweep = pitches(studio.hear("a police siren", 6), 500, 1500)
    assert sweep.min() < 680
    assert sweep.max() > 1200
    assert np.max(np.abs(np.diff(sweep))) < 200  # it glides


def test_an_ambulance_has_two_pitches(studio: Studio) -> None:
    heard = pitches(studio.hear("an ambulance", 5), 380, 650)
    low, high = np.median(heard[heard < 500]), np.median(heard[heard > 500])
    assert high / low == pytest.approx(4 / 3, rel=0.03)
    assert np.mean((np.abs(heard - low) < 20) | (np.abs(heard - high) < 20)) > 0.85


def test_a_knock_knocks_three_times(studio: Studio) -> None:
    assert len(onsets(studio.hear("a knock on the door", 3), gap=0.15)) == 3


def test_a_horse_gallops_in_triplets(studio: Studio) -> None:
    moments = onsets(studio.hear("a horse galloping, dry", 5), gap=0.07)
    gaps = np.diff(moments)
    short, long = gaps[gaps < 0.18], gaps[gaps >= 0.18]
    assert len(short) / len(long) == pytest.approx(2.0, abs=0.25)
    assert np.median(short) == pytest.approx(0.118, abs=0.015)
    assert np.median(long) == pytest.approx(0.265, abs=0.03)


def test_a_heart_beats_in_pairs_and_low(studio: Studio) -> None:
    sound = studio.hear("a heartbeat", 6)
    assert share(sound, 20, 250) > 0.9
    moments = onsets(sound, gap=0.2, rise=6)
    assert np.median(np.diff(moments)[::2]) == pytest.approx(0.29, abs=0.05)
    assert np.median(moments[2::2] - moments[:-2:2]) == pytest.approx(0.92, abs=0.06)


def test_a_dog_barks_short_and_a_cow_moos_long_and_low(studio: Studio) -> None:
    assert len(onsets(studio.hear("dog barking", 5), gap=0.25)) >= 4
    bark = studio.hear("a single dog bark, dry", 3)
    moo = studio.hear("a single cow moo, dry", 3)
    assert fall(bark, 20) < 0.3
    assert np.count_nonzero(envelope(moo) > 0.1 * envelope(moo).max()) / 200 > 1.0
    assert np.median(pitches(moo, 80, 200, size=16384)) < 170 < np.median(pitches(bark, 250, 900))


def test_birds_sing_high_and_owls_hoot_low(studio: Studio) -> None:
    assert share(studio.hear("birds chirping", 5), 2000, 9000) > 0.9
    assert share(studio.hear("an owl", 5), 250, 800) > 0.9


def test_a_cricket_is_a_pulsed_tone_near_4_600_hz(studio: Studio) -> None:
    sound = studio.hear("a cricket", 5)
    assert share(sound, 3800, 5400) > 0.9
    assert rhythm(sound, 1, 4) == pytest.approx(1 / 0.45, rel=0.1)


def test_a_wolf_howls_up_and_down(studio: Studio) -> None:
    glide = pitches(studio.hear("a wolf howling", 4), 200, 900)
    top = int(np.argmax(glide))
    assert glide[top] > 1.5 * glide[0]
    assert glide[top] > 1.2 * glide[-1]
    assert 0 < top < glide.size - 1


def test_a_lion_roars_low_and_rough_and_a_snake_hisses_high(studio: Studio) -> None:
    assert centroid(studio.hear("a lion roar", 3)) < 1300
    assert share(studio.hear("a snake hissing", 3), 4000, 14_000) > 0.85


def test_glass_shatters_bright_and_for_a_while(studio: Studio) -> None:
    sound = studio.hear("glass breaking", 3)
    assert share(sound, 2000, 20_000) > 0.7
    assert 0.15 < fall(sound, 25) < 1.6


def test_metal_rings_longer_than_wood(studio: Studio) -> None:
    assert fall(studio.hear("a metal clang, dry", 3), 30) > 4 * fall(studio.hear("a single wood knock, dry", 3), 30)


def test_a_gunshot_is_sudden_and_an_explosion_rolls_on(studio: Studio) -> None:
    shot, blast = studio.hear("a pistol shot", 5), studio.hear("an explosion", 5)
    assert fall(shot, 30) < 0.9 < fall(blast, 30)
    assert int(np.argmax(envelope(shot, 240))) * 240 / RATE < 0.12
    assert centroid(blast) < centroid(shot)


def test_a_machine_gun_fires_ten_times_a_second(studio: Studio) -> None:
    assert rhythm(studio.hear("a machine gun", 4), 5, 20) == pytest.approx(10.5, rel=0.1)


def test_firearms_grow_lower_with_their_bore(studio: Studio) -> None:
    lows = [share(studio.hear(name, 3), 20, 150) for name in ("a pistol", "a shotgun", "a cannon")]
    assert lows == sorted(lows)


def test_a_helicopter_chops_and_a_motor_hums(studio: Studio) -> None:
    assert rhythm(studio.hear("a helicopter", 5), 6, 18) == pytest.approx(11.5, rel=0.12)
    assert flatness(studio.hear("an electric motor", 4)) < 0.2


def test_a_train_clatters_in_pairs_and_a_printer_goes_to_and_fro(studio: Studio) -> None:
    beat = rhythm(studio.hear("a train", 8), 0.9, 3.2)
    assert min(abs(beat - k / 0.82) for k in (1, 2)) < 0.15
    beat = rhythm(studio.hear("a printer", 6), 0.7, 4)
    assert min(abs(beat - k / 0.62) for k in (1, 2)) < 0.2


def test_a_passing_car_swells_moves_and_falls_in_pitch(studio: Studio) -> None:
    sound = studio.hear("a race car passes", 3)
    first, middle, last = sound[:, :RATE], sound[:, RATE : 2 * RATE], sound[:, 2 * RATE :]
    assert level(middle) > level(first) + 3
    assert level(middle) > level(last) + 3
    assert level(first[:1]) > level(first[1:]) + 3
    assert level(last[1:]) > level(last[:1]) + 3
    assert np.median(pitches(first, 150, 800)) > 1.15 * np.median(pitches(last, 150, 800))


def test_a_laser_falls_and_a_power_up_rises(studio: Studio) -> None:
    fall_ = pitches(studio.hear("a laser shot, dry", 1), 150, 4000, size=2048)
    assert fall_[0] > 2.5 * fall_[-1]
    rise = pitches(studio.hear("power up, dry", 3), 40, 520)
    assert rise[-2] > 3 * rise[1]


def test_interface_sounds_have_their_pitches(studio: Studio) -> None:
    beep = pitches(studio.hear("a beep", 1), 300, 3000, size=8192)
    assert np.median(beep) == pytest.approx(1000, rel=0.04)
    coin = pitches(studio.hear("a coin", 1), 700, 1600, size=2048)
    assert coin[-1] / coin[0] == pytest.approx(4 / 3, rel=0.05)


def test_applause_is_many_claps_and_a_clap_is_one(studio: Studio) -> None:
    assert len(onsets(studio.hear("a clap", 2), gap=0.2)) == 1
    crowd = studio.hear("applause", 4)
    assert steadiness(crowd[:, : 3 * RATE]) < 2
    assert share(crowd, 700, 5000) > 0.6


def test_breath_goes_in_and_out(studio: Studio) -> None:
    sound = studio.hear("breathing", 6)
    inward, outward = sound[:, int(0.2 * RATE) : int(0.9 * RATE)], sound[:, int(1.3 * RATE) : int(2.0 * RATE)]
    assert centroid(inward) > 1.4 * centroid(outward)


def test_a_bell_has_the_partials_of_a_bell(studio: Studio) -> None:
    sound = studio.hear("a church bell, dry, once", 5)
    hum = float(np.median(pitches(sound[:, 2 * RATE :], 150, 260, size=16384)))
    prime = float(np.median(pitches(sound[:, RATE : 3 * RATE], 330, 470, size=16384)))
    tierce = float(np.median(pitches(sound[:, :RATE], 470, 540, size=16384)))
    assert prime / hum == pytest.approx(2.0, rel=0.02)
    assert tierce / prime == pytest.approx(1.2, rel=0.02)
    assert fall(sound, 25) > 1.0


def test_a_drum_roll_is_fast_and_a_typewriter_is_uneven(studio: Studio) -> None:
    assert rhythm(studio.hear("a drum roll", 4), 12, 30) == pytest.approx(21, rel=0.12)
    gaps = np.diff(onsets(studio.hear("a typewriter", 5), gap=0.1))
    assert np.std(gaps) / np.mean(gaps) > 0.15


def test_floors_sound_apart(studio: Studio) -> None:
    floors = ("wood", "gravel", "snow", "water", "metal", "carpet", "leaves", "mud")
    prints = [portrait(studio.hear(f"footsteps on {floor}", 4)) for floor in floors]
    apart = [np.linalg.norm(a - b) for k, a in enumerate(prints) for b in prints[k + 1 :]]
    assert min(apart) > LEAST_DIFFERENCE
    assert centroid(studio.hear("footsteps on leaves", 4)) > 2 * centroid(studio.hear("footsteps on carpet", 4))


def test_the_vocabulary_can_be_printed_by_family() -> None:
    families = by_family()
    assert sum(len(events) for events in families.values()) == len(EVENTS)
    assert len(families) == 10
    rain = next(event for event in families["weather and elements"] if event["name"] == "rain")
    assert rain["gives"] == "goes on"
    assert "downpour" in rain["words"]
    gun = next(event for event in families["impacts and weapons"] if event["name"] == "knock")
    assert gun["gives"] == "3 times"
    for one, other in pairwise(sorted(families)):
        assert one != other
