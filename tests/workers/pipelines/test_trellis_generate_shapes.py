"""The pieces of trellis.generate against what is known of them: membranes, closed surfaces, collapses."""

import numpy as np
import pytest
import trimesh

from workers.pipelines.trellis_generate.atlas import lay_out
from workers.pipelines.trellis_generate.inflation import inflate
from workers.pipelines.trellis_generate.reduction import is_closed, merge_close, part_shared_edges, reduce_faces
from workers.pipelines.trellis_generate.surface import close_surface


def field_of(distance: np.ndarray) -> np.ndarray:
    return distance.astype(np.float32)


def test_a_disc_becomes_a_hemisphere_the_better_the_more_sweeps() -> None:
    ys, xs = np.mgrid[:161, :161] - 80.0
    distance = 70.3 - np.hypot(xs, ys)
    sphere = np.sqrt(np.maximum(70.3**2 - xs**2 - ys**2, 0))
    heights = [inflate(field_of(distance), sweeps=sweeps, step=lambda: None) for sweeps in (8, 12, 20, 300)]
    assert all((height[distance <= 0] == 0).all() for height in heights)
    errors = [float(np.abs(height - sphere)[distance > 2].max()) for height in heights]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.04 * 70.3
    assert errors[-1] < 0.01 * 70.3


def test_a_long_strip_becomes_a_bar() -> None:
    ys, _ = np.mgrid[:41, :400] - 20.0
    field = field_of(15.5 - np.abs(ys))
    field[:, [0, -1]] = -1
    height = inflate(field, sweeps=20, step=lambda: None)
    assert height[20, 200] == pytest.approx(15.5 * np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_any_outline_gives_a_closed_surface(seed: int) -> None:
    """Noise has every case of a cell, the doubtful ones too."""
    field = np.random.default_rng(seed).normal(size=(24, 31)).astype(np.float32)
    field[[0, -1]] = field[:, [0, -1]] = -1
    height = np.maximum(field, 0)
    vertices, faces = close_surface(field, height, height)
    assert is_closed(faces)
    mesh = trimesh.Trimesh(vertices * [1, -1, 1], faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0


def test_closed_means_every_edge_twice_and_once_each_way() -> None:
    faces = trimesh.creation.icosphere(1).faces.astype(np.int64)
    assert is_closed(faces)
    assert not is_closed(faces[1:])
    assert not is_closed(np.vstack([faces, faces[:1], faces[:1, ::-1]]))
    turned = faces.copy()
    turned[0] = turned[0, ::-1]
    assert not is_closed(turned)


def test_two_bodies_that_share_an_edge_are_parted_for_two_faces() -> None:
    points = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0.5], [0, 1, 0.5], [-1, 0, 0.5], [0, -1, 0.5]], float)
    one = [[0, 1, 2], [1, 0, 3], [0, 2, 3], [1, 3, 2]]
    two = [[0, 1, 4], [1, 0, 5], [0, 4, 5], [1, 5, 4]]
    faces = np.array(one + two)
    assert not is_closed(faces)
    vertices, parted = part_shared_edges(points, faces)
    assert is_closed(parted)
    assert len(parted) == len(faces) + 2
    assert len(vertices) == len(points) + 1


def test_reduction_keeps_a_pinched_surface_closed_at_the_exact_count() -> None:
    field = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32)
    field[[0, -1]] = field[:, [0, -1]] = -1
    vertices, faces = close_surface(field, np.maximum(field, 0), np.maximum(field, 0))
    _, fewer = reduce_faces(vertices, faces, at_most=len(faces) // 2)
    assert len(faces) // 2 - 8 <= len(fewer) <= len(faces) // 2
    assert is_closed(fewer)


def test_fewer_faces_than_asked_are_left_alone() -> None:
    mesh = trimesh.creation.icosphere(2)
    vertices, faces = reduce_faces(mesh.vertices, mesh.faces, at_most=1000)
    assert faces is mesh.faces
    assert vertices is mesh.vertices


def test_close_vertices_are_merged_and_the_surface_stays_closed() -> None:
    mesh = trimesh.creation.icosphere(3)
    vertices, faces = np.array(mesh.vertices), np.array(mesh.faces, np.int64)
    one, other = faces[100, :2]
    vertices[other] = vertices[one] + (vertices[other] - vertices[one]) * 1e-5
    merged_vertices, merged_faces, count = merge_close(vertices, faces, epsilon=1e-4)
    assert count == 1
    assert len(merged_faces) == len(faces) - 2
    assert len(merged_vertices) == len(vertices) - 1
    assert is_closed(merged_faces)
    untouched = merge_close(vertices, faces, epsilon=1e-7)
    assert untouched[2] == 0
    assert untouched[1] is faces


def test_a_body_smaller_than_epsilon_is_not_folded_flat() -> None:
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) * 1e-6
    _, faces, count = merge_close(points, tetrahedron, epsilon=1.0)
    assert count == 0
    assert faces.tolist() == tetrahedron.tolist()


@pytest.mark.parametrize(("width", "height"), [(100, 100), (400, 100), (100, 400), (130, 100), (3, 500)])
def test_charts_lie_inside_the_texture_and_apart(width: int, height: int) -> None:
    front, back = lay_out(width, height, 512)
    boxes = [
        (chart.left, chart.top, chart.left + width * chart.scale, chart.top + height * chart.scale)
        for chart in (front, back)
    ]
    for box in boxes:
        assert min(box[:2]) >= 4 - 1e-9
        assert max(box[2:]) <= 508 + 1e-9
    apart = max(boxes[1][0] - boxes[0][2], boxes[1][1] - boxes[0][3])
    assert apart >= 8 - 1e-9
    assert max(boxes[0][2:]) > 300
