"""What video.generate's clips do: the camera moves asked for, smooth motion, living scenes, morphs and momentum."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.workers.pipelines.video_scenes import camera_move, changes, film, photo, psnr, saved, shown, window
from workers.pipelines.video_generate.camera import Camera, Framing, Lens, eased
from workers.pipelines.video_generate.composition import compose
from workers.pipelines.video_generate.depth import nearness_of
from workers.pipelines.video_generate.direction import direct
from workers.pipelines.video_generate.effects import IN_THE_AIR, Air
from workers.pipelines.video_generate.film import Timing
from workers.pipelines.video_generate.flow import between, motion_between, powered, registered
from workers.pipelines.video_generate.passage import morph_between
from workers.pipelines.video_generate.phrasebook import EFFECTS, MOVES

LARGE = photo(640, 420, seed=5)
VIEW = window(LARGE, 100, 60, 384, 224)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return saved(VIEW, tmp_path_factory.mktemp("given") / "start.png")


@pytest.fixture(scope="module")
def clips(tmp_path_factory, start):
    """Clips by prompt, each made once."""
    made: dict[str, list[np.ndarray]] = {}
    folder = tmp_path_factory.mktemp("clips")

    def clip(prompt: str) -> list[np.ndarray]:
        if prompt not in made:
            result = film(
                folder / str(len(made)), prompt, width=384, height=224, frames=25, fps=8, startFrameImage=[start]
            )
            made[prompt] = shown(result)
        return made[prompt]

    return clip


@pytest.mark.parametrize(
    ("prompt", "grows", "right", "down"),
    [
        ("slow push in", (1.03, 1.3), (-0.03, 0.03), (-0.03, 0.03)),
        ("camera zooms in quickly", (1.15, 1.6), (-0.02, 0.02), (-0.02, 0.02)),
        ("the camera pulls back", (0.75, 0.97), (-0.02, 0.02), (-0.03, 0.03)),
        ("pan left", (1.0, 1.25), (0.03, 0.12), (-0.02, 0.02)),
        ("pan right", (1.0, 1.25), (-0.12, -0.03), (-0.02, 0.02)),
        ("tilt up", (1.0, 1.3), (-0.02, 0.02), (0.02, 0.1)),
        ("tilt down", (1.0, 1.3), (-0.02, 0.02), (-0.1, -0.02)),
        ("camera moves left", (1.0, 1.25), (0.01, 0.12), (-0.03, 0.03)),
        ("camera moves right", (1.0, 1.25), (-0.12, -0.01), (-0.03, 0.03)),
        ("static camera", (0.995, 1.005), (-0.003, 0.003), (-0.003, 0.003)),
    ],
)
def test_the_camera_goes_where_the_prompt_sends_it(clips, prompt, grows, right, down):
    frames = clips(prompt)
    growth, aside, below = camera_move(frames[0], frames[-1])
    assert grows[0] <= growth <= grows[1]
    assert right[0] <= aside <= right[1]
    assert down[0] <= below <= down[1]


def test_fast_goes_farther_than_slow(clips):
    slow, fast = (camera_move(*clips(f"{pace} pan right")[::24])[1] for pace in ("slow", "fast"))
    assert fast < 1.6 * slow < 0


def test_near_things_move_more_than_far_ones(clips):
    """Under a travelling camera the ground in front runs past while the sky hardly moves; a pan moves both alike."""
    spread = {}
    for prompt in ("camera moves right", "pan right"):
        first, last = (cv2.cvtColor(clips(prompt)[place], cv2.COLOR_RGB2GRAY) for place in (0, -1))
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, last, None)[..., 0]
        columns = slice(150, 230)  # about the middle, where a growing picture moves least
        spread[prompt] = float(np.median(flow[195:215, columns]) - np.median(flow[50:85, columns]))
    assert spread["camera moves right"] < spread["pan right"] - 4


@pytest.mark.parametrize(
    "prompt", ["slow push in", "pan left", "orbit around", "handheld camera", "the camera pulls back"]
)
def test_motion_is_smooth_and_never_frozen(clips, prompt):
    steps = changes(clips(prompt))
    assert steps[2:-2].min() > 0.05
    assert steps.max() < 12
    jerks = np.abs(np.diff(steps[1:]))
    assert jerks.max() < max(1.2, 0.6 * steps.max())


def test_a_static_picture_still_breathes(clips):
    steps = changes(clips("static camera"))
    assert 0.01 < steps[3:].mean() < 2


def test_the_camera_leaves_a_given_frame_from_rest(clips):
    steps = changes(clips("fast pan right"))
    assert steps[0] < 0.5 * steps[10:16].mean()


@pytest.mark.parametrize(
    "effect", ["rain", "snow", "dust", "sparks", "fireflies", "petals", "leaves", "bubbles", "bokeh"]
)
def test_particles_move_and_leave_no_trace_at_no_strength(effect):
    air = Air([effect], width=320, height=180, seed=4)
    blank = np.full((180, 320, 3), 40, np.uint8)
    frames = [blank.copy() for _ in range(3)]
    for frame, seconds in zip(frames, (0.0, 0.1, 5.0), strict=True):
        air.draw(frame, seconds, 1.0)
        assert (frame != blank).any(-1).mean() > 0.001
    assert (frames[0] != frames[1]).any()
    assert (frames[0] != frames[2]).any()
    untouched = blank.copy()
    air.draw(untouched, 0.1, 0.0)
    assert (untouched == blank).all()


@pytest.mark.parametrize(("effect", "sign"), [("rain", 1), ("snow", 1), ("sparks", -1), ("bubbles", -1)])
def test_rain_falls_and_sparks_rise(effect, sign):
    air = Air([effect], width=320, height=320, seed=4)
    planes = []
    for seconds in (1.0, 1.0 + 1 / 120):
        frame = np.zeros((320, 320, 3), np.uint8)
        air.draw(frame, seconds, 1.0)
        planes.append(frame.max(-1).astype(np.float32))
    (_, down), _ = cv2.phaseCorrelate(planes[0], planes[1], cv2.createHanningWindow((320, 320), cv2.CV_32F))
    assert down * sign > 0.05


@pytest.mark.parametrize("effect", ["fog", "storm", "light-leaks"])
def test_veils_and_lights_change_over_time(effect):
    air = Air([effect], width=320, height=180, seed=4)
    means = []
    for seconds in np.arange(0, 3.2, 0.1):
        frame = np.full((180, 320, 3), 60, np.uint8)
        air.draw(frame, float(seconds), 1.0)
        means.append(frame.astype(float))
    assert np.std([frame.mean() for frame in means]) > 0.05
    assert max(frame.mean() for frame in means) > 62


def test_every_effect_is_made_somewhere_and_every_move_has_a_goal():
    from workers.pipelines.video_generate.camera import POINTS
    from workers.pipelines.video_generate.liveliness import ON_THE_PICTURE

    assert set(EFFECTS) <= {*IN_THE_AIR, *ON_THE_PICTURE}
    assert {move for move, _ in MOVES} <= {*POINTS, "static", "handheld"}


def test_a_scene_from_text_has_parallax_and_life(tmp_path):
    result = film(
        tmp_path / "run", "a red fox walks to the right through a forest, static camera", width=384, height=224,
        frames=25, fps=8,
    )  # fmt: skip
    frames = shown(result)
    assert result.info["mode"] == "text-to-video"
    assert result.info["scene"]["objects"] == [{"name": "red fox", "count": 1}]
    assert result.info["scene"]["actions"] == ["fox: walk"]
    assert result.info["notUnderstood"] == []
    assert "OpenMoji" in result.info["attribution"]
    reds = []
    for frame in (frames[2], frames[12], frames[22]):
        red, green, blue = (frame[..., channel].astype(int) for channel in range(3))
        fox = (red > 120) & (red > 2 * green) & (red > 2 * blue)
        assert fox.sum() > 300
        reds.append(float(np.flatnonzero(fox.any(0)).mean()) if fox.any() else 0.0)
    assert reds[0] + 10 < reds[1] < reds[2] - 10
    still = (slice(0, 40), slice(120, 260))
    assert np.abs(frames[2][still].astype(float) - frames[22][still]).mean() < 12


def test_a_rider_moves_with_what_carries_it():
    prompt = "a cat riding a horse gallops through a meadow"
    composition = compose(
        direct(prompt), prompt, width=256, height=160, seconds=4, seed=3, extreme=False, step=lambda share: None
    )
    carrier, rider = composition.world.layers[-2:]
    assert composition.acts == ("horse: run",)
    assert [carrier.pose(t) for t in (0, 1, 2)] == [rider.pose(t) for t in (0, 1, 2)]
    assert carrier.pose(0).right != carrier.pose(2).right
    assert (carrier.pivot, carrier.nearness) == (rider.pivot, rider.nearness)


def test_what_moves_nothing_is_listed(tmp_path, start):
    result = film(
        tmp_path / "run", "A woman blinks while the camera pans right slowly, light leaks, ocean waves", frames=9,
        startFrameImage=[start],
    )  # fmt: skip
    assert result.info["camera"] == {"moves": ["pan-right"], "pace": "slow"}
    assert result.info["notUnderstood"] == ["woman", "blinks"]
    assert result.info["effects"] == ["light-leaks"]
    assert result.info["effectsWithoutPlace"] == ["water"]


def test_related_frames_are_morphed_and_unrelated_ones_dissolved(tmp_path, start):
    there = saved(window(LARGE, 130, 76, 384, 224, size=0.9), tmp_path / "there.png")
    other = saved(photo(384, 224, seed=77)[::-1], tmp_path / "other.png")
    kinds = {}
    for name, final in (("there", there), ("other", other)):
        result = film(
            tmp_path / f"run {name}", "static camera", width=384, height=224, frames=17, fps=10,
            startFrameImage=[start], finalFrameImage=[final],
        )  # fmt: skip
        kinds[name] = result.info["transition"], shown(result)
    assert kinds["there"][0] == "optical-flow morph"
    assert kinds["other"][0] == "travelling cross-dissolve"
    growth, _, _ = camera_move(kinds["there"][1][0], kinds["there"][1][8])
    assert growth == pytest.approx(0.9**-0.5, abs=0.015)  # halfway, by an even growth
    sharp = [cv2.Laplacian(frame, cv2.CV_32F).std() for frame in kinds["there"][1]]
    assert sharp[8] > 0.6 * sharp[0]  # a mere cross-fade of shifted pictures would be a blur
    assert changes(kinds["there"][1]).max() < 12


def test_momentum_is_carried_on(tmp_path):
    """The overlap frames go right by 4 pixels a frame: the next new frame goes on, ever more slowly, without a jerk."""
    paths = [saved(window(LARGE, 80 + 4 * n, 60, 384, 224), tmp_path / f"{n}.png") for n in range(6)]
    result = film(
        tmp_path / "run", "static camera", width=384, height=224, frames=25, fps=12,
        startFrameImage=paths[:1], overlapFrameImages=paths[1:],
    )  # fmt: skip
    frames = shown(result)
    shifts = [-camera_move(a, b)[1] * 384 for a, b in pairwise(frames)]
    assert shifts[4] == pytest.approx(4, abs=0.4)
    assert 2.8 < shifts[5] < 4.4
    assert shifts[9] < shifts[6] < shifts[5] + 0.3
    assert shifts[20] < 1.6


def test_flow_finds_and_fills_the_way_between():
    one, other = VIEW, window(LARGE, 108, 64, 384, 224)
    motion = motion_between(one, other, fine=True)
    inner = motion.forward[30:-30, 30:-30].reshape(-1, 2).mean(0)
    assert inner == pytest.approx([-8, -4], abs=0.4)
    assert motion.reliability > 0.7
    middle = between(one, other, (motion.forward, motion.back), 0.5, interpolation=cv2.INTER_CUBIC)
    inside = (slice(16, -16), slice(16, -16))
    assert psnr(middle[inside], window(LARGE, 104, 62, 384, 224)[inside]) > 30
    assert between(one, other, (motion.forward, motion.back), 0.0, interpolation=cv2.INTER_CUBIC) is one
    assert between(one, other, (motion.forward, motion.back), 1.0, interpolation=cv2.INTER_CUBIC) is other


def test_registration_finds_large_moves_and_shares_of_them():
    found = registered(window(LARGE, 40, 40, 384, 224), window(LARGE, 120, 70, 384, 224, size=0.8))
    assert found is not None
    assert np.hypot(found[0, 0], found[1, 0]) == pytest.approx(1 / 0.8, abs=0.02)
    half = powered(found, 0.5)
    assert half @ half == pytest.approx(found, abs=1e-6)
    assert powered(found, 0) == pytest.approx(np.eye(3), abs=1e-9)
    assert registered(VIEW, photo(384, 224, seed=77)[::-1].copy()) is None


def test_a_morph_begins_and_ends_at_its_pictures():
    other = window(LARGE, 120, 70, 384, 224, size=0.92)
    lens = Lens(width=384, height=224)
    morph = morph_between(VIEW, other, lens=lens, fine=False, interpolation=cv2.INTER_CUBIC)
    assert morph is not None
    assert psnr(morph.at(0.0, Camera()), VIEW) > 38
    assert psnr(morph.at(1.0, Camera()), other) > 38


def test_depth_sets_sky_far_ground_near_and_the_subject_up():
    nearness, subject = nearness_of(VIEW)
    rows = len(nearness)
    assert nearness[: rows // 6].mean() < 0.1
    assert nearness[-rows // 12 :].mean() > 0.7
    assert 0.1 < subject < 0.2
    again, _ = nearness_of(VIEW)
    assert (nearness == again).all()
    flat, none = nearness_of(np.full((120, 200, 3), 90, np.uint8))
    assert none == 0
    assert np.isfinite(flat).all()


def test_a_lens_at_rest_looks_straight_ahead():
    lens = Lens(width=96, height=64)
    framing = Framing(unit=96, x=47.5, y=31.5)
    x, y = lens.looked_at(Camera(), np.full((16, 24), 0.5, np.float32), framing)
    assert x == pytest.approx(np.tile(np.arange(96), (64, 1)), abs=1e-3)
    assert y == pytest.approx(np.tile(np.arange(64)[:, None], (1, 96)), abs=1e-3)
    for pose in (Camera(right=0.1, forward=0.2), Camera(zoom=0.2, roll=0.1, turn=0.05), Camera(orbit=0.1, nod=0.02)):
        x, y = lens.looked_at(pose, np.full((16, 24), 0.6, np.float32), framing)
        affine = lens.backward(pose, 0.6, framing)
        for column, row in ((4, 4), (90, 58), (40, 20)):  # at the very edge the coarse plane is cut short
            assert (affine @ [column, row, 1])[:2] == pytest.approx([x[row, column], y[row, column]], abs=0.05)


@pytest.mark.parametrize(("at_start", "at_end"), [(0.3, 0.2), (0.0, 0.0), (0.5, 0.5), (0.2, 0.0)])
def test_easing_is_monotone_and_whole(at_start, at_end):
    way = np.array([eased(share, at_start=at_start, at_end=at_end) for share in np.linspace(0, 1, 201)])
    assert way[0] == pytest.approx(0, abs=1e-9)
    assert way[-1] == pytest.approx(1, abs=1e-9)
    assert (np.diff(way) > 0).all()
    if at_start:
        assert way[1] < 0.1 * (way[101] - way[100])


def test_the_clock():
    timing = Timing(frames=153, sampled_fps=30, output_fps=60)
    assert timing.output_frames == 306
    assert float(timing.seconds) == 5.1
    for frames in range(9, 258, 8):
        for sampled, output in ((1, 30), (7, 45), (24, 60), (29, 30), (50, 60), (50, 50), (23, 59)):
            timing = Timing(frames=frames, sampled_fps=sampled, output_fps=output)
            last = timing.output_frames - 1
            assert frames - 1 <= timing.sampled_at(last) < frames
            assert 0 <= timing.output_frames / output - timing.seconds < 1 / output


@pytest.mark.parametrize(
    ("prompt", "moves"),
    [
        ("The camera slowly pushes in toward the castle", ["push-in"]),
        ("zoom out", ["zoom-out"]),
        ("camera pans right quickly across the bay", ["pan-right"]),
        ("tilt up to the sky", ["tilt-up"]),
        ("the camera orbits around the statue", ["orbit-right"]),
        ("dolly zoom on a face", ["dolly-zoom"]),
        ("crane shot over a forest", ["crane-up"]),
        ("dolly left, then push in", ["push-in", "truck-left"]),
        ("a bird flying away over the sea", []),
        ("a pan on a stove", []),
        ("a crane standing in a lake", []),
        ("a truck drives to the left", []),
        ("a satellite in orbit around earth", []),
        ("a drone flies through the forest", []),
    ],
)
def test_cameras_are_told_from_cranes_and_pans(prompt, moves):
    assert direct(prompt).moves == moves


def test_weather_acts_for_itself():
    direction = direct("a dog in the park, rain falling, leaves drifting")
    assert direction.effects == ["rain", "leaves"]
    assert direction.actions == []
    assert "leaves" not in direction.scene_prompt
    assert [action.kind for action in direct("a dog jumps over a log").actions] == ["jump"]


def test_what_a_figure_does_is_not_drawn_beside_it():
    direction = direct("three fish swimming in the sea, a robot is dancing, swimming")
    assert direction.scene_prompt == "three fish in the sea, a robot is dancing"
    assert [action.kind for action in direction.actions] == ["swim", "dance", "swim"]
