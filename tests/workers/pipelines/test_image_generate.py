"""image.generate's scene composer: exact canvases, the same bytes again, and pictures that follow their prompt."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workers.pipelines.base import Canceled, EngineFailed, OutputFile, RunContext
from workers.pipelines.image_generate.figures import figure_of, rasterise, waterline
from workers.pipelines.image_generate.lexicon import find, glyph_paths, index
from workers.pipelines.image_generate.pipeline import PIPELINE
from workers.pipelines.image_generate.reading import read
from workers.pipelines.image_generate.styles import PASSES
from workers.pipelines.image_generate.vocabulary import SETTINGS, STYLES

NOUNS = """
cat dog fox wolf bear panda koala tiger lion leopard horse zebra unicorn deer moose donkey bison ox cow pig boar sheep
goat camel llama giraffe elephant mammoth rhino hippo mouse rat hamster rabbit squirrel beaver hedgehog bat sloth
otter skunk kangaroo badger raccoon monkey gorilla orangutan turkey hen rooster chick penguin peacock flamingo goose
frog crocodile turtle lizard snake dragon dinosaur t-rex snail caterpillar ant beetle ladybug spider scorpion worm
robot ghost snowman person dancer runner car taxi bus ambulance truck tractor motorcycle scooter bicycle skateboard
train tram house castle church mosque temple stadium tent fountain lighthouse tree pine oak palm cactus sunflower
tulip rose daisy mushroom rock log fire chair sofa bed door mirror bathtub ladder mailbox barrel piano anchor lantern
alien astronaut wizard detective prince princess vampire ninja firefighter student chef artist scientist doctor farmer
teacher mechanic singer pilot knight superhero fairy elf zombie genie clown cowboy bride baby bird crow dove eagle
duck swan owl parrot bee butterfly mosquito airplane helicopter ufo rocket satellite parachute balloon kite star comet
planet earth sailboat canoe ship surfer swimmer seal fish shark whale dolphin octopus squid jellyfish crab lobster
shrimp coral seashell mermaid apple pear lemon banana watermelon grapes strawberry melon cherry peach mango pineapple
coconut kiwi tomato avocado eggplant potato carrot corn pepper cucumber broccoli garlic onion bread croissant baguette
pretzel pancake waffle cheese bacon burger pizza sandwich taco burrito egg soup salad popcorn rice spaghetti sushi
doughnut cookie cake pie chocolate candy lollipop honey milk coffee mug teapot tea wine cocktail beer bowl fork spoon
knife vase phone laptop camera television candle bulb flashlight book scroll newspaper coin diamond envelope pencil
scissors lock key hammer axe dagger sword bow shield wrench gear magnet microscope telescope broom basket bucket soap
glasses sunglasses tie shirt jeans scarf gloves coat dress backpack shoe boots crown hat ring gift trophy medal
football basketball guitar violin trumpet drum clock hourglass compass map suitcase umbrella bone heart bell
""".split()  # noqa: SIM905


def run(
    folder: Path,
    prompt: str,
    *,
    seed: int = 7,
    width: int = 256,
    height: int = 256,
    output_format: str = "png",
    high_detail: bool = False,
    upscale: bool = False,
    references: Sequence[Path] = (),
    step: Callable[[float, str], None] = lambda fraction, phase: None,
) -> tuple[OutputFile, dict[str, Any]]:
    """One real run in a fresh folder under `folder`."""
    workdir = folder / f"run{len(list(folder.iterdir()))}"
    workdir.mkdir()
    params = {
        "prompt": prompt,
        "width": width,
        "height": height,
        "outputFormat": output_format,
        "highDetail": high_detail,
        "upscale": upscale,
    }
    context = RunContext(
        params=params, files={"referenceImages": list(references)}, seed=seed, workdir=workdir, step=step
    )
    result = PIPELINE.run(context)
    assert len(result.outputs) == 1
    assert [path.name for path in workdir.iterdir()] == [result.outputs[0].path.name]
    return result.outputs[0], dict(result.info)


def pixels(output: OutputFile) -> np.ndarray:
    with Image.open(output.path) as image:
        return np.asarray(image.convert("RGB"), np.float64)


@pytest.mark.parametrize(
    ("output_format", "pillow_name", "media_type"),
    [("webp", "WEBP", "image/webp"), ("png", "PNG", "image/png"), ("jpg", "JPEG", "image/jpeg")],
)
def test_the_canvas_and_the_format_are_exactly_as_asked(
    tmp_path: Path, output_format: str, pillow_name: str, media_type: str
) -> None:
    output, _ = run(tmp_path, "a fox in a forest", width=320, height=192, output_format=output_format)
    assert (output.path.name, output.media_type) == (f"output_0001.{output_format}", media_type)
    with Image.open(output.path) as image:
        assert (image.format, image.size, image.mode) == (pillow_name, (320, 192), "RGB")
    assert (output.width, output.height) == (320, 192)


@pytest.mark.parametrize("size", [(32, 32), (2048, 32), (32, 1024), (224, 288)])
def test_every_shape_of_canvas_is_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    for prompt in ("three cats in the rain, watercolor", "qwrtz", "a knight and a ship on the sea"):
        output, _ = run(tmp_path, prompt, width=size[0], height=size[1])
        with Image.open(output.path) as image:
            assert image.size == size


def test_upscale_is_the_same_scene_with_half_as_much_again_a_side(tmp_path: Path) -> None:
    plain, plain_info = run(tmp_path, "a sailboat on the sea at sunset", width=320, height=320)
    large, large_info = run(tmp_path, "a sailboat on the sea at sunset", width=320, height=320, upscale=True)
    assert (large.width, large.height) == (480, 480)
    assert large_info["placed"] == plain_info["placed"]
    with Image.open(large.path) as image:
        assert image.size == (480, 480)
        reduced = np.asarray(image.convert("RGB").resize((320, 320), Image.Resampling.BOX), np.float64)
    assert np.abs(reduced - pixels(plain)).mean() < 8


def test_high_detail_keeps_the_layout_and_changes_the_pixels(tmp_path: Path) -> None:
    plain, plain_info = run(tmp_path, "a cow in a meadow")
    fine, fine_info = run(tmp_path, "a cow in a meadow", high_detail=True)
    assert fine_info["placed"] == plain_info["placed"]
    assert (fine.width, fine.height) == (256, 256)
    difference = np.abs(pixels(fine) - pixels(plain)).mean()
    assert 0.5 < difference < 20


@pytest.mark.parametrize("prompt", ["three cats in a city at night, oil painting", "qwrtz plonk", "a fox, low poly"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture(tmp_path: Path, prompt: str) -> None:
    first, _ = run(tmp_path, prompt, seed=5, output_format="webp")
    again, _ = run(tmp_path, prompt, seed=5, output_format="webp")
    other, _ = run(tmp_path, prompt, seed=6, output_format="webp")
    assert first.path.read_bytes() == again.path.read_bytes()
    assert np.abs(pixels(first) - pixels(other)).mean() > 4


def test_another_seed_places_the_objects_elsewhere(tmp_path: Path) -> None:
    _, first = run(tmp_path, "two dogs and a tree in a meadow", seed=1)
    _, other = run(tmp_path, "two dogs and a tree in a meadow", seed=2)
    assert [placed["name"] for placed in first["placed"]] != [] != [placed["name"] for placed in other["placed"]]
    assert first["placed"] != other["placed"]


def test_a_count_is_recorded_and_placed(tmp_path: Path) -> None:
    _, info = run(tmp_path, "three cats and two blue mugs")
    assert info["objects"] == [{"name": "cat", "count": 3}, {"name": "blue mug", "count": 2}]
    names = [placed["name"] for placed in info["placed"]]
    assert (names.count("cat"), names.count("blue mug"), len(names)) == (3, 2, 5)


def test_a_colour_word_colours_the_object(tmp_path: Path) -> None:
    redness = {}
    for color in ("red", "green"):
        output, info = run(tmp_path, f"a {color} car on a table")
        (placed,) = info["placed"]
        image = pixels(output)
        middle = round((placed["base"] - placed["height"] * 0.45) * 256)
        patch = image[middle - 8 : middle + 8, round(placed["x"] * 256) - 24 : round(placed["x"] * 256) + 24]
        redness[color] = float((patch[..., 0] - patch[..., 1]).mean())
    assert redness["red"] > 40
    assert redness["green"] < -10


def test_a_red_apple_is_redder_than_a_green_one(tmp_path: Path) -> None:
    red, red_info = run(tmp_path, "a red apple")
    green, green_info = run(tmp_path, "a green apple")
    assert red_info["placed"][0]["name"] == "red apple"
    assert green_info["placed"][0]["name"] == "green apple"
    difference = [
        (pixels(image)[64:224, 64:192, 0] - pixels(image)[64:224, 64:192, 1]).mean() for image in (red, green)
    ]
    assert difference[0] - difference[1] > 30


def test_night_is_darker_than_noon_and_fog_flatter_than_clear(tmp_path: Path) -> None:
    noon, _ = run(tmp_path, "a horse in a meadow at noon")
    night, _ = run(tmp_path, "a horse in a meadow at night")
    fog, _ = run(tmp_path, "a horse in a meadow at noon in fog")
    assert pixels(night).mean() < 0.6 * pixels(noon).mean()
    assert pixels(fog).std() < pixels(noon).std()


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_every_setting_is_a_picture_of_its_own(tmp_path: Path, setting: str) -> None:
    phrase = SETTINGS[setting].split()[0].replace("_", " ")
    output, info = run(tmp_path, f"a fox, {phrase}")
    assert info["setting"] == setting
    assert info["notUnderstood"] == []
    assert pixels(output).std() > 12


@pytest.mark.parametrize("style", sorted(PASSES))
def test_every_style_changes_the_picture_and_repeats_itself(tmp_path: Path, style: str) -> None:
    phrase = STYLES[style].split()[0].replace("_", " ")
    plain, plain_info = run(tmp_path, "a fox in a meadow at noon")
    styled, info = run(tmp_path, f"a fox in a meadow at noon, {phrase}")
    again, _ = run(tmp_path, f"a fox in a meadow at noon, {phrase}")
    assert (plain_info["styles"], info["styles"]) == ([], [style])
    assert np.abs(pixels(plain) - pixels(styled)).mean() > 3
    assert styled.path.read_bytes() == again.path.read_bytes()


def test_noir_has_no_colour_and_pixel_art_few_colours(tmp_path: Path) -> None:
    noir, _ = run(tmp_path, "a detective in the city, film noir")
    pixel, _ = run(tmp_path, "a castle in the mountains, pixel art")
    image = pixels(noir)
    assert np.abs(image.max(-1) - image.min(-1)).mean() < 6
    assert len(np.unique(pixels(pixel).reshape(-1, 3), axis=0)) <= 32


def test_the_quickstart_prompt_is_a_fox_in_an_astronauts_suit_in_space(tmp_path: Path) -> None:
    output, info = run(tmp_path, "cinematic fox astronaut")
    assert info["objects"] == [{"name": "fox astronaut", "count": 1}]
    assert (info["setting"], info["styles"], info["notUnderstood"]) == ("space", ["cinematic"], [])
    (placed,) = info["placed"]
    image = pixels(output)
    face_row = round((placed["base"] - placed["height"] * 0.5) * 256)
    face = image[face_row - 40 : face_row + 24, round(placed["x"] * 256) - 30 : round(placed["x"] * 256) + 30]
    orange = (face[..., 0] > face[..., 1] + 40) & (face[..., 1] > face[..., 2] + 10)
    assert orange.mean() > 0.15
    sky = image[:40]
    assert sky.mean() < 90


def test_a_prompt_without_a_known_word_is_a_composition_of_its_own(tmp_path: Path) -> None:
    first, info = run(tmp_path, "glorbix frumious")
    other, _ = run(tmp_path, "snazzwick borogove")
    assert (info["objects"], info["notUnderstood"]) == ([], ["glorbix", "frumious"])
    assert pixels(first).std() > 20
    assert np.abs(pixels(first) - pixels(other)).mean() > 8


def test_words_not_understood_are_a_bounded_list(tmp_path: Path) -> None:
    _, info = run(tmp_path, " ".join(f"zzq{number}x" for number in range(200)) + " " + "y" * 300)
    assert len(info["notUnderstood"]) == 24
    assert all(len(word) <= 40 for word in info["notUnderstood"])


@pytest.mark.parametrize("color", [(196, 40, 48), (30, 90, 190), (60, 140, 70)])
def test_references_pull_the_palette_towards_their_colours(tmp_path: Path, color: tuple[int, int, int]) -> None:
    reference = tmp_path / "reference.png"
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:] = color
    stripes[:, 40:] = [round(channel * 0.5 + 100) for channel in color]
    Image.fromarray(stripes).save(reference)
    goal = stripes.reshape(-1, 3).mean(0)
    folder = tmp_path / "runs"
    folder.mkdir()
    plain, plain_info = run(folder, "a castle in the mountains at noon")
    steered, info = run(folder, "a castle in the mountains at noon", references=[reference])
    distance = [np.linalg.norm(pixels(image) - goal, axis=-1).mean() for image in (plain, steered)]
    assert distance[1] < 0.7 * distance[0]
    assert plain_info["palette"]["references"] == []
    assert 1 <= len(info["palette"]["references"]) <= 6
    assert pixels(steered).std() > 10


def test_a_broken_reference_fails_with_a_sentence_and_no_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    folder = tmp_path / "runs"
    folder.mkdir()
    with pytest.raises(EngineFailed) as caught:
        run(folder, "a fox", references=[broken])
    assert (caught.value.code, caught.value.retryable) == ("invalid_reference_image", False)
    assert list((folder / "run0").iterdir()) == []


def test_steps_only_rise_and_each_of_them_can_cancel(tmp_path: Path) -> None:
    seen: list[float] = []
    run(tmp_path, "three cats in a meadow, oil painting", width=96, height=96, step=lambda done, _: seen.append(done))
    assert len(seen) >= 8
    assert seen == sorted(seen)
    assert (seen[0] < 0.1, seen[-1]) == (True, 1.0)
    for stop in range(len(seen)):
        calls: list[float] = []

        def step(done: float, _: str, calls: list[float] = calls, stop: int = stop) -> None:
            calls.append(done)
            if len(calls) == stop + 1:
                raise Canceled

        folder = tmp_path / f"cancel{stop}"
        folder.mkdir()
        with pytest.raises(Canceled):
            run(folder, "three cats in a meadow, oil painting", width=96, height=96, step=step)
        assert len(calls) == stop + 1
        assert list((folder / "run0").iterdir()) == []


def test_hundreds_of_nouns_have_a_drawing() -> None:
    unresolved = [noun for noun in NOUNS if find(noun) is None]
    assert unresolved == []
    assert len(set(NOUNS)) > 300
    assert len({(entry.whole, entry.face) for entry in map(find, NOUNS) if entry}) > 280


@pytest.mark.soak
def test_each_noun_is_a_figure_of_its_own_drawn_from_the_lexicon() -> None:
    """Not a fallback: the noun is read as one thing, and its drawing is hardly any other noun's."""
    seen: set[bytes] = set()
    for noun in dict.fromkeys(NOUNS):
        (thing,) = read(f"a {noun}").things
        assert thing.entry is find(noun)
        raster = rasterise(figure_of(thing, variant=0), 40)
        solid = raster[..., 3] > 0.9
        assert solid.mean() > 0.06, noun
        seen.add(raster.tobytes())
    assert len(seen) > 290


def test_every_glyph_of_the_lexicon_exists() -> None:
    codes = {code for entry in index().values() for code in (entry.whole, entry.face) if code}
    assert codes - glyph_paths().keys() == set()
    assert len(codes) > 700


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("foxes", "fox"), ("wolves", "wolf"), ("cherries", "cherry"), ("mice", "mouse"), ("geese", "goose"),
        ("children", "child"), ("knives", "knife"), ("buses", "bus"), ("butterflies", "butterfly"),
    ],
)  # fmt: skip
def test_plurals_mean_the_same_object_and_more_than_one(plural: str, singular: str) -> None:
    assert find(plural) is find(singular)
    assert find(plural) is not None
    assert read(f"two {plural}").things[0].count == 2


def test_reading_positions_relations_and_what_is_not_wanted() -> None:
    scene = read("a small cat on the left, a huge dragon above a castle, no trees, in the snow at dawn, watercolor")
    assert [thing.label for thing in scene.things] == ["cat", "dragon", "castle"]
    cat, dragon, _ = scene.things
    assert (cat.places, cat.size < 1 < dragon.size) == ({"left"}, True)
    assert dragon.relation is not None
    assert (dragon.relation.kind, dragon.relation.target) == ("above", 2)
    assert (scene.setting, scene.hour, scene.styles, scene.unknown) == ("snow", "dawn", ["watercolor"], [])


def test_clothes_are_worn_not_laid_beside() -> None:
    (cat,) = read("a cat wearing a top hat and sunglasses").things
    assert [entry.name for entry in cat.worn] == ["top hat", "sunglasses"]
    (penguin,) = read("a wizard penguin").things
    assert (penguin.entry.name, penguin.costume.name if penguin.costume else None) == ("penguin", "wizard")


@pytest.mark.parametrize(
    ("prompt", "left", "right"),
    [
        ("a dog to the left of a cat", "dog", "cat"),
        ("a dog to the right of a cat", "cat", "dog"),
        ("a dog on the left and a cat on the right", "dog", "cat"),
    ],
)
def test_left_and_right_are_kept(tmp_path: Path, prompt: str, left: str, right: str) -> None:
    for seed in range(4):
        _, info = run(tmp_path, prompt, seed=seed, width=96, height=64)
        x = {placed["name"]: placed["x"] for placed in info["placed"]}
        assert x[left] + 0.1 < x[right]


def test_above_and_in_the_background_are_kept(tmp_path: Path) -> None:
    for seed in range(4):
        _, info = run(tmp_path, "an eagle above a house", seed=seed, width=96, height=96)
        placed = {item["name"]: item for item in info["placed"]}
        assert placed["eagle"]["base"] < placed["house"]["base"] - placed["house"]["height"] + 0.02
        _, info = run(tmp_path, "a cow, a castle in the background", seed=seed, width=96, height=96)
        placed = {item["name"]: item for item in info["placed"]}
        assert placed["castle"]["base"] < placed["cow"]["base"]


def test_a_boat_floats_without_the_water_drawn_on_its_glyph() -> None:
    boat, car = find("sailboat"), find("car")
    assert boat is not None
    assert car is not None
    assert 40 < (waterline(boat.whole or "") or 0) < 60
    assert waterline(car.whole or "") is None


def test_the_result_says_what_it_is_and_whose_drawings_it_uses(tmp_path: Path) -> None:
    _, info = run(tmp_path, "a fox", seed=99)
    assert (PIPELINE.engine, info["engine"], info["seed"]) == ("scene-composer", "scene-composer", 99)
    assert "No diffusion model" in info["method"]
    assert "OpenMoji" in info["attribution"]
    assert "CC BY-SA 4.0" in info["attribution"]


def test_a_megapixel_takes_seconds_not_minutes(tmp_path: Path) -> None:
    run(tmp_path, "a fox")
    started = time.process_time()
    run(tmp_path, "cinematic fox astronaut", width=1024, height=1024, output_format="webp")
    assert time.process_time() - started < 6


@pytest.mark.parametrize(
    ("words", "count"),
    [("two", 2), ("three", 3), ("a dozen", 12), ("a pair of", 2), ("several", 5), ("7", 7), ("a flock of", 7)],
)
def test_count_words_are_that_many_figures_inside_the_picture(tmp_path: Path, words: str, count: int) -> None:
    for rest in ("", " above a castle"):
        _, info = run(tmp_path, f"{words} red balloons{rest}", width=96, height=96)
        placed = [item for item in info["placed"] if item["name"] == "red balloon"]
        assert len(placed) == count
        assert all(0.02 < item["x"] < 0.98 and 0.05 < item["base"] < 1.01 for item in placed)
        places = np.array([(item["x"], item["base"]) for item in placed])
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(count)
        assert gaps.min() > 0.02


@pytest.mark.parametrize(
    "prompt", ["a cat between two trees", "a cat between a tree and a house", "a cat between a house and a tree"]
)
def test_between_is_between(tmp_path: Path, prompt: str) -> None:
    for seed in range(4):
        _, info = run(tmp_path, prompt, seed=seed, width=96, height=64)
        (cat,) = (item["x"] for item in info["placed"] if item["name"] == "cat")
        others = sorted(item["x"] for item in info["placed"] if item["name"] != "cat")
        assert len(others) == 2
        assert others[0] + 0.1 < cat < others[1] - 0.1


def test_under_behind_and_on_are_kept(tmp_path: Path) -> None:
    for seed in range(4):
        _, info = run(tmp_path, "a dog under a balloon", seed=seed, width=96, height=96)
        placed = {item["name"]: item for item in info["placed"]}
        assert placed["dog"]["base"] - placed["dog"]["height"] > placed["balloon"]["base"] - 0.2
        assert placed["dog"]["base"] > placed["balloon"]["base"]
        _, info = run(tmp_path, "a penguin behind a snowman", seed=seed, width=96, height=96)
        assert [item["name"] for item in info["placed"]] == ["penguin", "snowman"]  # drawn in this order
        placed = {item["name"]: item for item in info["placed"]}
        assert placed["penguin"]["base"] < placed["snowman"]["base"]
        _, info = run(tmp_path, "three frogs on a log", seed=seed, width=96, height=96)
        (log,) = (item for item in info["placed"] if item["name"] == "log")
        for frog in (item for item in info["placed"] if item["name"] == "frog"):
            assert abs(frog["x"] - log["x"]) < log["height"] * 0.6
            assert log["base"] - log["height"] - 0.02 < frog["base"] < log["base"]


def test_the_issues_own_prompt_comes_out_right(tmp_path: Path) -> None:
    """A red fox left of two blue mugs at night, watercolor."""
    output, info = run(tmp_path, "a red fox left of two blue mugs at night, watercolor", width=384, height=384)
    assert info["objects"] == [{"name": "red fox", "count": 1}, {"name": "blue mug", "count": 2}]
    assert (info["timeOfDay"], info["styles"], info["notUnderstood"]) == ("night", ["watercolor"], [])
    image = pixels(output)
    fox, *mugs = sorted(info["placed"], key=lambda item: item["x"])
    assert [fox["name"], *(mug["name"] for mug in mugs)] == ["red fox", "blue mug", "blue mug"]

    def patch(item: dict[str, Any], up: float) -> np.ndarray:
        row, column = round((item["base"] - item["height"] * up) * 384), round(item["x"] * 384)
        return image[row - 6 : row + 6, column - 6 : column + 6].reshape(-1, 3).mean(0)

    red = patch(fox, 0.72)
    assert red[0] > red[1] + 50
    assert red[0] > red[2] + 50
    blue = patch(max(mugs, key=lambda item: item["base"]), 0.4)
    assert blue[2] > blue[0] + 50
    assert image[40:90, 60:320].mean() < 110
    assert image[:6].mean() > 235  # the paper's white deckle


@pytest.mark.soak
def test_ten_styles_are_ten_different_pictures(tmp_path: Path) -> None:
    """Each pair differs, after brightness is taken out, in its pixels or its texture."""
    styles = (
        "watercolor",
        "oil",
        "pointillism",
        "pencil",
        "pixel",
        "noir",
        "pop",
        "lowpoly",
        "stainedglass",
        "woodblock",
    )
    made = {}
    for style in styles:
        phrase = STYLES[style].split()[0].replace("_", " ")
        made[style] = pixels(run(tmp_path, f"a fox in a meadow at noon, {phrase}")[0])
    for number, first in enumerate(styles):
        for second in styles[number + 1 :]:
            pair = [made[style] - made[style].mean() for style in (first, second)]
            assert np.abs(pair[0] - pair[1]).mean() > 8, (first, second)


def test_a_helping_of_something_is_one_thing_and_a_counted_word_is_no_setting() -> None:
    assert [thing.label for thing in read("a cup of coffee and a slice of pizza").things] == ["coffee", "pizza"]
    scene = read("two trees beside a house")
    assert ([thing.label for thing in scene.things], scene.setting) == (["tree", "house"], None)


def test_clouds_have_no_seam_at_the_pictures_edge(tmp_path: Path) -> None:
    for seed in range(3):
        image = pixels(run(tmp_path, "mountains at noon", seed=seed, width=256, height=256)[0])
        across = np.abs(np.diff(image[:100, :12].mean((0, 2))))
        down = np.abs(np.diff(image[:12].mean((1, 2))))
        assert max(across.max(), down.max()) < 2
