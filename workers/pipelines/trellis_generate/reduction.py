"""From a dense mesh to the number of faces asked for, still closed."""

from collections import defaultdict
from typing import Any

import numpy as np

from workers.pipelines.base import EngineFailed

_PACES = (7.0, 6.0, 5.0, 8.0)
"""How fast the allowed error grows from round to round, in the order in which paces are tried."""


def reduce_faces(vertices: Any, faces: Any, *, at_most: int) -> tuple[Any, Any]:
    """At most `at_most` faces, near it where the mesh has as many, by quadric error collapses (Garland, Heckbert 1997).

    A collapse may press two edges together into one that four faces share. Each such edge costs two faces to part
    again, so as many are aimed below `at_most`, and a closed mesh stays closed.

    Raises:
        EngineFailed: `reduction_failed`, when no pace reaches the number.
    """
    import fast_simplification

    if len(faces) <= at_most:
        return vertices, faces
    best = None
    spare = 0
    for pace in _PACES:
        points, triangles = fast_simplification.simplify(
            np.ascontiguousarray(vertices, np.float64),
            np.ascontiguousarray(faces, np.int32),
            target_count=at_most - spare,
            agg=pace,
        )
        points, triangles = part_shared_edges(np.asarray(points), np.asarray(triangles, np.int64))
        if len(triangles) <= at_most:
            if is_closed(triangles):
                return without_unused(points, triangles)
            best = best or (points, triangles)
        spare += max(0, len(triangles) - at_most)
    if best is None:
        raise EngineFailed(f"The surface could not be reduced to {at_most} faces.", code="reduction_failed")
    return without_unused(*best)


def part_shared_edges(vertices: Any, faces: Any) -> tuple[Any, Any]:
    """Give every edge that four faces share a twin with a point of its own in the middle, two faces for each.

    The point lies where the edge's middle is, moved a thousandth of the edge into the solid between its two faces.
    """
    start, end, order = _half_edges(faces)
    key = _undirected(start, end)[order]
    first = np.nonzero(np.r_[True, key[1:] != key[:-1]])[0]
    crowded = first[np.diff(np.r_[first, len(key)]) == 4]
    if not len(crowded):
        return vertices, faces
    changed: dict[int, list[tuple[int, ...]]] = {}
    points = list(vertices)
    unit = _normals(vertices[faces])
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-30)
    for run in crowded:
        halves = order[run : run + 4].tolist()
        low, high = sorted((int(start[halves[0]]), int(end[halves[0]])))
        forward = [half // 3 for half in halves if start[half] == low]
        backward = [half // 3 for half in halves if start[half] == high]
        if len(forward) != 2 or len(backward) != 2:
            continue
        # The two faces that continue each other most smoothly stay together.
        mate = max(backward, key=lambda face: float(unit[forward[0]] @ unit[face]))
        middle = (vertices[low] + vertices[high]) / 2
        inward = -(unit[forward[0]] + unit[mate])
        points.append(middle + inward * 5e-4 * np.linalg.norm(vertices[high] - vertices[low]))
        for face in (forward[0], mate):
            pieces = changed.setdefault(face, [tuple(int(v) for v in faces[face])])
            changed[face] = [part for piece in pieces for part in _halved(piece, low, high, len(points) - 1)]
    kept = np.ones(len(faces), bool)
    kept[list(changed)] = False
    added = [piece for pieces in changed.values() for piece in pieces]
    return np.asarray(points), np.concatenate([faces[kept], np.asarray(added, np.int64).reshape(-1, 3)])


def _halved(piece: tuple[int, ...], low: int, high: int, middle: int) -> list[tuple[int, ...]]:
    """The face cut from the middle of its edge to the opposite corner; itself, where it has no such edge."""
    for at in range(3):
        one, two, opposite = piece[at], piece[(at + 1) % 3], piece[(at + 2) % 3]
        if {one, two} == {low, high}:
            return [(one, middle, opposite), (middle, two, opposite)]
    return [piece]


def is_closed(faces: Any) -> bool:
    """Whether every edge is run through exactly once in each direction."""
    if not len(faces) or faces.size % 2:
        return False
    start, end, order = _half_edges(faces)
    one, other = order[0::2], order[1::2]
    twins = (start[one] == end[other]) & (end[one] == start[other]) & (start[one] != end[one])
    key = _undirected(start[one], end[one])
    return bool(twins.all() and (key[1:] != key[:-1]).all())


def _half_edges(faces: Any) -> tuple[Any, Any, Any]:
    """Start and end of each face's three edges, and an order in which those of one edge are neighbours."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    return start, end, np.argsort(_undirected(start, end), kind="stable")


def _undirected(start: Any, end: Any) -> Any:
    return np.minimum(start, end).astype(np.int64) << 32 | np.maximum(start, end)


def without_unused(vertices: Any, faces: Any) -> tuple[Any, Any]:
    """The same faces over only the vertices they use."""
    used = np.zeros(len(vertices), bool)
    used[faces.ravel()] = True
    number = np.cumsum(used) - 1
    return vertices[used], number[faces]


def merge_close(vertices: Any, faces: Any, *, epsilon: float) -> tuple[Any, Any, int]:
    """Collapse edges shorter than `epsilon`, where that keeps the surface a surface; how many were collapsed.

    An edge may go when its ends share exactly the two vertices opposite to it and no edge between neighbours (the
    link condition), and no face turns over by it.
    """
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    edges = np.column_stack([start, end])[start < end]  # of the two that run along an edge, the upward one
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    short = edges[length < epsilon][np.argsort(length[length < epsilon], kind="stable")]
    if not len(short):
        return vertices, faces, 0
    vertices, faces = vertices.copy(), faces.copy()
    around: dict[int, set[int]] = defaultdict(set)
    concerned = np.isin(faces, short.ravel()).any(axis=1)
    near = np.isin(faces, faces[concerned].ravel()).any(axis=1)
    for face in np.nonzero(near)[0].tolist():
        for corner in faces[face].tolist():
            around[corner].add(face)
    gone: set[int] = set()
    alive = np.ones(len(faces), bool)
    collapsed = 0
    for keep, drop in short.tolist():
        if keep in gone or drop in gone:
            continue
        shared = around[keep] & around[drop]
        opposite_keep = [frozenset(faces[face].tolist()) - {keep} for face in around[keep] - shared]
        opposite_drop = [frozenset(faces[face].tolist()) - {drop} for face in around[drop] - shared]
        in_common = frozenset().union(*opposite_keep) & frozenset().union(*opposite_drop)
        if len(shared) != 2 or len(in_common) != 2 or set(opposite_keep) & set(opposite_drop):
            continue
        moving = sorted(around[drop] - shared)
        if _turns_over(vertices, faces[moving], drop, keep):
            continue
        for face in shared:
            alive[face] = False
            for corner in faces[face].tolist():
                around[corner].discard(face)
        for face in moving:
            faces[face][faces[face] == drop] = keep
            around[keep].add(face)
        gone.add(drop)
        collapsed += 1
    vertices, faces = without_unused(vertices, faces[alive])
    return vertices, faces, collapsed


def _turns_over(vertices: Any, triangles: Any, drop: int, keep: int) -> bool:
    if not len(triangles):
        return False
    before = _normals(vertices[triangles])
    after = _normals(vertices[np.where(triangles == drop, keep, triangles)])
    return bool((np.einsum("ij,ij->i", before, after) <= 0).any())


def _normals(corners: Any) -> Any:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
