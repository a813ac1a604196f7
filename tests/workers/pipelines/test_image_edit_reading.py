"""What the photo darkroom understands of a prompt, and its styles side by side."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workers.pipelines.darkroom import edit, street
from workers.pipelines.image_edit.operations import OPERATIONS
from workers.pipelines.image_edit.phrases import EFFECT_OF
from workers.pipelines.image_edit.reading import read


def names(prompt: str) -> list[str]:
    return [edit.name for edit in read(prompt).edits]


def args(prompt: str) -> dict[str, Any]:
    (only,) = read(prompt).edits
    return only.args


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Make it warmer and brighter, then crop to a square", ["warmer", "brighter", "crop"]),
        ("increase contrast, less noise, more saturation", ["contrast", "denoise", "vivid"]),
        ("turn the photo black and white", ["black and white"]),
        ("give it a vintage look with film grain", ["vintage", "grain"]),
        ("golden hour lighting with lens flare", ["golden hour", "lens flare"]),
        ("make it look like a rainy night", ["rain", "night"]),
        ("turn it into an oil painting in the style of van gogh", ["style oil", "starry night"]),
        ("blur the background", ["blur background"]),
        ("portrait mode", ["blur background"]),
        ("remove the haze", ["dehaze"]),
        ("remove the background and add a white border", ["remove background", "border"]),
        ("make the background transparent", ["remove background"]),
        ("put the cat in a forest", ["replace background"]),
        ("a mountain background", ["replace background"]),
        ("replace the sky with a starry night sky", ["replace sky"]),
        ("turn the sky purple", ["recolor"]),
        ("make it blue", ["tint"]),
        ("change red to blue", ["swap color"]),
        ("everything black and white except the red car", ["color splash"]),
        ("remove the person on the left", ["remove object"]),
        ("add a red balloon and a kite", ["add object"]),
        ("flip it vertically, rotate 15 degrees", ["flip", "rotate"]),
        ("in the style of the reference image", ["reference style"]),
        ("match the colors of the reference", ["reference palette"]),
        ("don't change the sky; sharpen", ["sharpen"]),
        ("make her hair blonde", ["part"]),
        ("noir poster", ["noir poster"]),
    ],
)
def test_an_order_is_the_operation_it_means(prompt: str, expected: list[str]) -> None:
    assert names(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("add the title 'Summer Sale' at the top", {"text": "Summer Sale", "role": "title", "position": "top"}),
        ("add the title Big Adventure at the bottom", {"text": "Big Adventure", "position": "bottom"}),
        ("write “SALE” in the top left corner", {"text": "SALE", "position": "top left"}),
        ("add a caption saying \"Hi\" below, small white text", {"text": "Hi", "position": "bottom", "looks": "small"}),
        ("replace the background with a beach at sunset", {"scene": "beach at sunset"}),
        ("change the background to a gradient from blue to pink", {"scene": "gradient from blue to pink"}),
        ("make the background darker", {"region": "background"}),
        ("sharpen the subject", {"region": "subject"}),
        ("crop to 16:9", {"what": "16:9"}),
        ("crop the left half", {"what": "left half"}),
        ("rotate 90 degrees counterclockwise", {"degrees": -90}),
        ("zoom in 2x", {"factor": 2.0}),
        ("remove the person on the left", {"what": "person on the left"}),
        ("add two birds in the sky", {"what": "two birds in the sky", "count": 2}),
    ],
)  # fmt: skip
def test_an_order_keeps_its_own_words(prompt: str, expected: dict[str, Any]) -> None:
    found = args(prompt)
    assert {name: found.get(name) for name in expected} == expected


def test_adverbs_and_percents_set_the_amount() -> None:
    amounts = [read(prompt).edits[0].amount for prompt in ("a bit warmer", "warmer", "much warmer", "warmer by 20%")]
    assert amounts == [0.5, 1.0, 1.7, 0.5]


def test_quoted_words_are_text_never_orders_and_keep_their_case() -> None:
    reading = read('write "Remove The Background, Please" at the bottom')
    assert [(edit.name, edit.args["text"]) for edit in reading.edits] == [("text", "Remove The Background, Please")]


def test_unknown_words_are_a_bounded_list_and_any_prompt_can_be_read() -> None:
    reading = read(" ".join(f"zzq{number}x" for number in range(200)) + " " + "y" * 300)
    assert (len(reading.unknown), reading.edits) == (24, [])
    assert all(len(word) <= 40 for word in reading.unknown)
    for prompt in (
        "",
        "   ",
        "«3»",
        '"',
        "''''",
        "İstanbul'da 'gece' 夜",
        "#ffffff",
        "add",
        "make the red",
        "to " * 900,
    ):
        assert len(read(prompt).edits) <= 16


def test_every_effect_that_can_be_said_has_an_operation() -> None:
    assert set(EFFECT_OF.values()) - set(OPERATIONS) == set()
    assert len(set(EFFECT_OF.values())) > 85


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "street.png"
    Image.fromarray(street()).save(path)
    return path


STYLES = (
    "watercolor", "oil painting", "pencil sketch", "comic", "pop art", "poster", "cyberpunk", "mosaic", "engraving",
    "line art", "halftone", "van gogh", "stained glass", "colored pencil",
)  # fmt: skip


def test_styles_are_as_many_different_pictures(tmp_path: Path, source: Path) -> None:
    """Each pair differs after brightness is taken out, and each from the picture itself."""
    made = {"none": street().astype(np.float64)}
    for style in STYLES:
        made[style] = edit(tmp_path, source, style).pixels
    listed = list(made)
    for number, first in enumerate(listed):
        for second in listed[number + 1 :]:
            pair = [made[style] - made[style].mean() for style in (first, second)]
            assert np.abs(pair[0] - pair[1]).mean() > 8, (first, second)


@pytest.mark.parametrize("effect", sorted(set(EFFECT_OF.values())))
def test_every_operation_that_a_phrase_names_leaves_a_picture(tmp_path: Path, source: Path, effect: str) -> None:
    """Each is run for real on a small picture with holes in it, too, and never silently does nothing."""
    phrase = next(phrase for phrase, name in EFFECT_OF.items() if name == effect)
    made = edit(tmp_path, source, phrase, width=128, height=96)
    assert made.operations == [effect]
    assert made.info["notUnderstood"] == []
    with Image.open(source) as image:
        plain = np.asarray(image.resize((128, 96), Image.Resampling.LANCZOS), np.float64)
    changed = np.abs(made.pixels - plain).mean() + np.abs(made.alpha - 255).mean()
    assert changed > 0.1
    holed = tmp_path / "holed.png"
    alpha = np.full((96, 128), 255, np.uint8)
    alpha[:30, :30] = 0
    Image.fromarray(np.dstack([plain.astype(np.uint8), alpha])).save(holed)
    folder = tmp_path / "holed"
    folder.mkdir()
    assert edit(folder, holed, phrase, width=128, height=96).output.width == 128


def test_two_threads_at_once_make_the_same_bytes_as_one(tmp_path: Path, source: Path) -> None:
    prompt = "blur the background, add the title 'NOON' at the top"
    alone = edit(tmp_path, source, prompt).output.path.read_bytes()
    folders = [tmp_path / name for name in ("a", "b", "c", "d")]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda folder: edit(folder, source, prompt).output.path.read_bytes(), folders))
    assert made == [alone] * 4
