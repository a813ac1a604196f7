"""From a dense mesh to the number of faces asked for, still closed."""

from collections import defaultdict
from typing import Any

import numpy as np

_PACES = (7.0, 6.0, 5.0, 8.0)
"""How fast the allowed error grows from round to round, in the order in which paces are tried."""


def reduce_faces(vertices: Any, faces: Any, *, at_most: int) -> tuple[Any, Any]:
    """At most `at_most` faces, near it where the mesh has as many, by quadric error collapses (Garland, Heckbert 1997).

    A collapse may press two edges together into one that four faces share. Each such edge costs two faces to part
    again, so as many are aimed below `at_most`, and a closed mesh stays closed.
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
    return without_unused(*best) if best else (vertices, faces)


def part_shared_edges(vertices: Any, faces: Any) -> tuple[Any, Any]:
    """Give every edge that four faces share a twin with a point of its own in the middle, two faces for each.

    The point lies where the edge's middle is, moved a thousandth of the edge into the solid between its two faces.
    """
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    key = np.minimum(start, end).astype(np.int64) << 32 | np.maximum(start, end)
    values, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    crowded = np.nonzero(counts == 4)[0]
    if not len(crowded):
        return vertices, faces
    changed: dict[int, list[tuple[int, ...]]] = {}
    points = list(vertices)
    unit = _normals(vertices[faces])
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-30)
    members = {int(edge): np.nonzero(inverse == edge)[0] for edge in crowded}
    for edge in crowded:
        halves = members[int(edge)]
        low, high = int(values[edge] >> 32), int(values[edge] & 0xFFFFFFFF)
        forward = [int(half) // 3 for half in halves if start[half] == low]
        backward = [int(half) // 3 for half in halves if start[half] == high]
        if len(forward) != 2 or len(backward) != 2:
            continue
        # The two faces that continue each other most smoothly stay together.
        first = max(backward, key=lambda face: float(unit[forward[0]] @ unit[face]))
        middle = (vertices[low] + vertices[high]) / 2
        inward = -(unit[forward[0]] + unit[first])
        points.append(middle + inward * 5e-4 * np.linalg.norm(vertices[high] - vertices[low]))
        for face in (forward[0], first):
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
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    if (start == end).any():
        return False
    forward = np.unique(start.astype(np.int64) << 32 | end)
    backward = np.unique(end.astype(np.int64) << 32 | start)
    return len(forward) == faces.size and np.array_equal(forward, backward)


def without_unused(vertices: Any, faces: Any) -> tuple[Any, Any]:
    """The same faces over only the vertices they use."""
    used = np.zeros(len(vertices), bool)
    used[faces.ravel()] = True
    number = np.cumsum(used) - 1
    return vertices[used], number[faces]


def merge_close(vertices: Any, faces: Any, *, epsilon: float) -> tuple[Any, Any, int]:
    """Collapse edges shorter than `epsilon`, where that keeps the surface a surface; how many were collapsed.

    An edge may go when its ends share exactly the two vertices opposite to it (the link condition), and no face turns
    over by it.
    """
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges = np.unique(edges, axis=0)
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
        ring_keep = {v for face in around[keep] for v in faces[face].tolist()} - {keep, drop}
        ring_drop = {v for face in around[drop] for v in faces[face].tolist()} - {keep, drop}
        if len(shared) != 2 or len(ring_keep & ring_drop) != 2:
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
