"""trellis.generate: valid files, closed shapes that look like their picture, from silhouettes found in it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.workers.pipelines.gltf_validator import validate
from tests.workers.pipelines.rasteriser import look
from tests.workers.pipelines.trellis_pictures import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    Made,
    creature,
    disc,
    fitted,
    make,
    on_busy,
    on_plain,
    overlap,
)
from workers.pipelines.base import Canceled, EngineFailed
from workers.pipelines.trellis_generate.pipeline import WITHOUT_EFFECT

LONGEST = 1 - 2 * 8 / 512
VIEW = 256


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The creature with alpha, at the balanced preset's faces and texture."""
    return make(
        tmp_path_factory.mktemp("made"), creature(), targetFaceCount=20_000, textureSize=1024, meshResolution=512
    )


def closed(made: Made) -> trimesh.Trimesh:
    """The shape with the vertices joined that only differ in normal or texture coordinate."""
    mesh = trimesh.Trimesh(made.shape.vertices, made.shape.faces, process=False)
    mesh.merge_vertices()
    return mesh


def test_the_validator_finds_nothing_to_say(made: Made) -> None:
    report = validate(made.path)
    assert report["issues"]["messages"] == []
    assert report["info"]["totalTriangleCount"] == 20_000
    assert report["info"]["materialCount"] == report["info"]["drawCallCount"] == 1
    [image] = [resource["image"] for resource in report["info"]["resources"] if "image" in resource]
    assert (image["width"], image["height"]) == (1024, 1024)
    assert not [
        resource for resource in report["info"]["resources"] if resource["storage"] not in ("glb", "buffer-view")
    ]


def test_the_validator_can_complain(made: Made, tmp_path: Path) -> None:
    broken = bytearray(made.path.read_bytes())
    at = broken.index(b'"TEXCOORD_0"')
    broken[at : at + 12] = b'"TEXCOORD_9"'
    (tmp_path / "broken.glb").write_bytes(broken)
    assert validate(tmp_path / "broken.glb")["issues"]["numErrors"] > 0


def test_what_the_result_says_is_what_the_file_holds(made: Made) -> None:
    assert made.result.outputs[0].media_type == "model/gltf-binary"
    assert made.path.name == "output_0001.glb"
    assert made.info["engine"] == "silhouette-inflation"
    assert made.info["seed"] == 7
    assert made.info["faces"] == len(made.shape.faces) == 20_000
    assert made.info["vertices"] == len(made.shape.vertices)
    assert made.info["textureSize"] == 1024
    assert made.info["silhouetteFrom"] == "alpha"
    assert made.info["watertight"] is True
    assert made.info["sizeMetres"] == pytest.approx(np.ptp(made.shape.vertices, axis=0), abs=1e-4)
    assert set(made.info["fieldsWithoutEffect"]) == {
        "maxViews",
        "remeshRemoveInnerFaces",
        "meshClusterConeHalfAngleRad",
        "seed",
    }


def test_the_shape_is_closed_and_solid(made: Made) -> None:
    mesh = closed(made)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    low, high = mesh.bounds
    assert 0.25 * np.prod(high - low) < mesh.volume < 0.7 * np.prod(high - low)


def test_it_stands_upright_in_the_middle_of_a_metre(made: Made) -> None:
    low, high = made.shape.vertices.min(axis=0), made.shape.vertices.max(axis=0)
    assert low + high == pytest.approx([0, 0, 0], abs=1e-6)
    assert (high - low).max() == pytest.approx(LONGEST, abs=1e-6)
    assert 0.25 < (high - low)[2] / (high - low)[:2].max() < 0.62
    front = look(made.shape, size=VIEW)
    head = front.covered & (np.abs(front.color - np.array(YELLOW) / 255).max(axis=2) < 0.08)
    foot = front.covered & (np.abs(front.color - np.array(BLUE) / 255).max(axis=2) < 0.08)
    (head_y, head_x), (foot_y, foot_x) = (np.argwhere(part).mean(axis=0) for part in (head, foot))
    assert head_y < VIEW / 2 < foot_y
    assert head_x < VIEW / 2
    assert head_x < foot_x


def test_the_front_shows_the_picture(made: Made) -> None:
    colors, mask = fitted(creature(), size=VIEW, longest=LONGEST)
    front = look(made.shape, size=VIEW)
    assert overlap(front.covered, mask) > 0.98
    seen = front.covered & mask
    error = np.abs(front.color - colors)[seen]
    assert error.mean() < 0.02
    assert front.normal[seen][:, 2].min() > -0.2  # what is seen from the front faces the front


def test_the_back_is_the_mirrored_outline_in_the_picture_s_colors(made: Made) -> None:
    colors, mask = fitted(creature(), size=VIEW, longest=LONGEST)
    back = look(made.shape, turn=180, size=VIEW)
    assert overlap(back.covered, mask[:, ::-1]) > 0.97
    seen = back.covered & mask[:, ::-1]
    assert np.abs(back.color - colors[:, ::-1])[seen].mean() < 0.08


def test_the_sides_are_the_body_s_colors_without_streaks(made: Made) -> None:
    side = look(made.shape, turn=-90, size=VIEW)
    assert side.covered.mean() > 0.08
    nearest = np.min([np.abs(side.color - np.array(color) / 255).mean(axis=2) for color in (RED, YELLOW, BLUE)], axis=0)
    assert np.quantile(nearest[side.covered], 0.95) < 0.16
    # Along a row runs the depth: there is nothing in the picture that could change quickly there.
    row = side.color[VIEW // 2][side.covered[VIEW // 2]]
    assert np.abs(np.diff(row, axis=0)).max() < 0.1


def test_normals_are_unit_and_point_out(made: Made) -> None:
    shape = made.shape
    assert np.linalg.norm(shape.normals, axis=1) == pytest.approx(1, abs=1e-4)
    corners = shape.vertices[shape.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    agreement = np.einsum("ij,ij->i", flat, shape.normals[shape.faces].mean(axis=1))
    assert (agreement > 0).mean() > 0.999


def test_texture_coordinates_do_not_overlap(made: Made) -> None:
    uv, faces = made.shape.uv, made.shape.faces
    assert uv.min() >= 0
    assert uv.max() <= 1
    corners = uv[faces]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    laid_out = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum() / 2
    flat = type(made.shape)(
        vertices=np.column_stack([uv - 0.5, np.zeros(len(uv))]),
        faces=faces,
        normals=made.shape.normals,
        uv=uv,
        texture=made.shape.texture,
    )
    covered = look(flat, size=1024).covered
    assert laid_out == pytest.approx(covered.mean(), rel=0.02)
    assert covered.mean() > 0.25
    # The charts are islands with room between them.
    import cv2

    grown = cv2.dilate(covered.astype(np.uint8), np.ones((13, 13), np.uint8))
    assert cv2.connectedComponents(grown)[0] - 1 == 2


@pytest.mark.parametrize("target", [1_000, 4_321, 50_000])
def test_faces_are_as_many_as_asked(target: int, tmp_path: Path) -> None:
    some = make(tmp_path, creature(), targetFaceCount=target, meshResolution=128)
    assert target - 2 <= len(some.shape.faces) <= target
    assert closed(some).is_watertight


def test_half_a_million_faces(tmp_path: Path) -> None:
    most = make(tmp_path, disc(), targetFaceCount=500_000)
    assert 495_000 <= len(most.shape.faces) <= 500_000
    assert most.info["watertight"] is True


@pytest.mark.parametrize("size", [512, 2048])
def test_the_texture_has_the_size_asked(size: int, tmp_path: Path) -> None:
    some = make(tmp_path, creature(), textureSize=size, targetFaceCount=1000)
    assert some.shape.texture.shape == (size, size, 3)


def test_presets_make_different_files(tmp_path: Path) -> None:
    rough = {"targetFaceCount": 10_000, "meshResolution": 256, "postprocessNormalCreaseDeg": 60.0}
    fine = {"targetFaceCount": 30_000, "meshResolution": 512, "postprocessNormalCreaseDeg": 30.0, "textureSize": 1024}
    files = [make(tmp_path / name, creature(), **some) for name, some in (("rough", rough), ("fine", fine))]
    assert [made.info["faces"] for made in files] == [10_000, 30_000]
    assert files[0].info["gridCells"] < files[1].info["gridCells"]


@pytest.mark.parametrize(
    "changed",
    [
        {"sparseStructureSteps": 20},
        {"shapeSteps": 8},
        {"textureSteps": 20},
        {"refinerResolution": 1024},
        {"refinerDownsampling": 64},
        {"padding": 20},
        {"postprocessNormalCreaseDeg": 5.0},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_fields_that_act(changed: dict[str, Any], tmp_path: Path, plain_bytes: bytes) -> None:
    assert make(tmp_path, creature(), **changed).path.read_bytes() != plain_bytes


def test_fields_without_effect_have_none_and_the_same_input_gives_the_same_bytes(
    tmp_path: Path, plain_bytes: bytes
) -> None:
    others = {
        "maxViews": 6,
        "remeshRemoveInnerFaces": False,
        "meshClusterConeHalfAngleRad": 85.0,
        "seed": 8,
    }
    assert set(others) == set(WITHOUT_EFFECT)
    assert make(tmp_path, creature(), **others).path.read_bytes() == plain_bytes


@pytest.fixture(scope="module")
def plain_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make(tmp_path_factory.mktemp("plain"), creature()).path.read_bytes()


def test_two_at_once_give_the_same_bytes_as_one_alone(tmp_path: Path) -> None:
    picture = on_busy(creature())
    alone = make(tmp_path / "alone", picture).path.read_bytes()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda name: make(tmp_path / name, picture).path.read_bytes(), ["one", "two"]))
    assert both == [alone, alone]


@pytest.mark.parametrize(
    ("padding", "longest"),
    [(0, 1.0), (64, 0.75)],
)
def test_padding_is_room_around_the_shape(padding: int, longest: float, tmp_path: Path) -> None:
    some = make(tmp_path, creature(), padding=padding, targetFaceCount=1000)
    assert np.ptp(some.shape.vertices, axis=0).max() == pytest.approx(longest, abs=1e-6)


@pytest.mark.parametrize(
    ("behind", "method", "least"),
    [(on_plain, "background-estimate", 0.97), (on_busy, "grab-cut", 0.95)],
    ids=["plain", "busy"],
)
def test_the_background_is_removed(behind: Any, method: str, least: float, tmp_path: Path) -> None:
    some = make(tmp_path, behind(creature()))
    assert some.info["silhouetteFrom"] == method
    _, mask = fitted(creature(), size=VIEW, longest=LONGEST)
    front = look(some.shape, size=VIEW)
    assert overlap(front.covered, mask) > least
    for turn in (0, 90, 180, 270):
        seen = look(some.shape, turn=turn, size=VIEW)
        colors = seen.color[seen.covered]
        greenish = colors[:, 1] > np.maximum(colors[:, 0], colors[:, 2]) + 0.08
        assert greenish.mean() < 0.005


def test_a_background_that_stays_makes_a_plate_of_the_whole_picture(tmp_path: Path) -> None:
    picture = on_plain(creature()).crop((0, 0, 400, 300))
    some = make(tmp_path, picture, removeBackground=False, padding=0)
    assert some.info["silhouetteFrom"] == "whole-picture"
    assert some.info["shape"] == "relief plate"
    width, height, depth = np.ptp(some.shape.vertices, axis=0)
    assert (width, height) == pytest.approx((1.0, 0.75), abs=0.005)
    assert 0.05 < depth < 0.11
    front = look(some.shape, size=VIEW)
    expected = np.asarray(picture.resize((256, 192)), dtype=np.float64) / 255
    inner = np.s_[8:-8, 8:-8]
    assert front.covered[32:224][inner].all()
    assert np.abs(front.color[32:224] - expected)[inner].mean() < 0.03
    assert closed(some).is_watertight


def test_alpha_is_believed_when_the_background_is_to_stay(tmp_path: Path) -> None:
    some = make(tmp_path, creature(), removeBackground=False, targetFaceCount=1000)
    assert some.info["silhouetteFrom"] == "alpha"
    assert some.info["shape"] == "inflated body"


def test_a_ring_keeps_its_hole(tmp_path: Path) -> None:
    ring = make(tmp_path, disc(hole=0.2))
    assert ring.info["holes"] == 1
    mesh = closed(ring)
    assert mesh.is_watertight
    assert mesh.euler_number == 0
    view = look(ring.shape, size=VIEW)
    assert not view.covered[VIEW // 2 - 30 : VIEW // 2 + 30, VIEW // 2 - 30 : VIEW // 2 + 30].any()


@pytest.mark.parametrize(
    ("changed", "holes"),
    [
        ({"remeshFillHolesMaxPerimeter": 0.2}, 0),
        ({"remeshFillHolesMaxPerimeter": 0.1}, 1),
        ({"remeshFillHoles": False, "remeshFillHolesMaxPerimeter": 0.2}, 1),
    ],
)
def test_holes_are_filled_up_to_a_perimeter(changed: dict[str, Any], holes: int, tmp_path: Path) -> None:
    # A hole of radius 0.02 in a disc of radius 0.4 has a perimeter of 0.15 of the disc's diameter.
    some = make(tmp_path, disc(hole=0.02), **changed)
    assert some.info["holes"] == holes
    assert some.info["holesFilled"] == 1 - holes
    assert closed(some).euler_number == 2 - 2 * holes


def test_floaters_are_removed_or_stay(tmp_path: Path) -> None:
    picture = disc(dots=((0.08, 0.08, 0.05),))
    without = make(tmp_path / "without", picture)
    assert (without.info["parts"], without.info["floatersRemoved"]) == (1, 1)
    assert closed(without).body_count == 1
    assert not look(without.shape, size=VIEW).covered[:24, :24].any()
    with_floater = make(tmp_path / "with", picture, remeshRemoveFloaters=False)
    assert (with_floater.info["parts"], with_floater.info["floatersRemoved"]) == (2, 0)
    assert closed(with_floater).body_count == 2
    assert look(with_floater.shape, size=VIEW).covered[:40, :40].any()


def test_a_crease_angle_decides_where_normals_break(tmp_path: Path) -> None:
    picture = disc()
    smooth = make(tmp_path / "smooth", picture, postprocessNormalCreaseDeg=180.0, targetFaceCount=2000)
    sharp = make(tmp_path / "sharp", picture, postprocessNormalCreaseDeg=1.0, targetFaceCount=2000)
    assert len(smooth.shape.faces) == len(sharp.shape.faces) == 2000
    seam = len(smooth.shape.vertices) - 1002  # a closed surface of 2 000 faces has 1 002 vertices
    assert 0 < seam < 250
    assert len(sharp.shape.vertices) > 5000


@pytest.mark.parametrize("at", [0, 3, 12, -1])
def test_a_cancel_leaves_nothing_behind(at: int, tmp_path: Path) -> None:
    calls: list[float] = []
    make(tmp_path / "counted", creature(), targetFaceCount=1000, step=lambda fraction, phase: calls.append(fraction))
    assert calls == sorted(calls)
    assert calls[-1] == 1.0
    stop_at = at % len(calls)
    seen: list[str] = []

    def step(fraction: float, phase: str) -> None:
        seen.append(phase)
        if len(seen) > stop_at:
            raise Canceled

    with pytest.raises(Canceled):
        make(tmp_path / "stopped", creature(), targetFaceCount=1000, step=step)
    assert len(seen) == stop_at + 1
    assert list((tmp_path / "stopped" / "work").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no picture at all", "cut"], ids=["empty", "text", "cut short"])
def test_a_file_that_is_no_picture_is_refused(content: bytes | str, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    if isinstance(content, str):
        creature().save(source)
        content = source.read_bytes()[:600]
    source.write_bytes(content)
    with pytest.raises(EngineFailed) as refusal:
        make(tmp_path, source)
    assert refusal.value.code == "invalid_source_image"
    assert refusal.value.message == "The source image could not be read."
    assert not refusal.value.retryable
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (Image.new("RGB", (300, 200), "white"), "Nothing in the picture stands out from its background"),
        (Image.new("RGBA", (300, 200), (255, 0, 0, 0)), "The picture is transparent everywhere"),
    ],
    ids=["blank", "transparent"],
)
def test_a_picture_with_nothing_in_it_is_refused(picture: Image.Image, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed) as refusal:
        make(tmp_path, picture)
    assert refusal.value.code == "empty_silhouette"
    assert refusal.value.message.startswith(sentence)
    assert not refusal.value.retryable


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "LA"])
def test_pictures_in_other_modes(mode: str, tmp_path: Path) -> None:
    grey = np.asarray(disc(128).getchannel("A"))
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "LA":
        picture = Image.merge("LA", [Image.fromarray(255 - grey // 2), Image.fromarray(grey)])
    else:
        picture = Image.fromarray(grey).convert("RGB").convert(mode)
    source = tmp_path / ("source.tif" if mode in ("CMYK", "I;16") else "source.png")
    picture.save(source)
    some = make(tmp_path, source, targetFaceCount=1000)
    _, mask = fitted(disc(128), size=VIEW, longest=LONGEST)
    assert overlap(look(some.shape, size=VIEW).covered, mask) > 0.95


def test_a_picture_lying_on_its_side_by_exif_is_turned_up(tmp_path: Path) -> None:
    lying = on_plain(creature()).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "source.jpg", exif=exif, quality=95)
    some = make(tmp_path, tmp_path / "source.jpg", targetFaceCount=4000)
    _, mask = fitted(creature(), size=VIEW, longest=LONGEST)
    assert overlap(look(some.shape, size=VIEW).covered, mask) > 0.95


def test_the_background_color_is_nowhere_on_the_shape(tmp_path: Path) -> None:
    some = make(tmp_path, on_plain(creature(), GREEN))
    corner = np.asarray(on_plain(creature(), GREEN))[2, 2] / 255
    used = look(
        type(some.shape)(
            vertices=np.column_stack([some.shape.uv - 0.5, np.zeros(len(some.shape.uv))]),
            faces=some.shape.faces,
            normals=some.shape.normals,
            uv=some.shape.uv,
            texture=some.shape.texture,
        ),
        size=512,
    )
    assert np.abs(used.color[used.covered] - corner).max(axis=1).min() > 0.3
