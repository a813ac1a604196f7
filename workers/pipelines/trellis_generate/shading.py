"""Vertex normals: smooth across faces that meet gently, broken where they meet at a crease."""

from typing import Any

import numpy as np


def split_at_creases(vertices: Any, faces: Any, chart: Any, *, crease_degrees: float) -> tuple[Any, Any, Any, Any]:
    """Corners become vertices of their own where a crease or a chart's border runs through them.

    `chart` is a number a face. Returns each new vertex's position (by index into `vertices`), its normal, its chart,
    and the faces over the new vertices. A chart's border splits the vertex but not its normal, so it does not show.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    corners = vertices[faces]
    area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    unit = area / np.maximum(np.linalg.norm(area, axis=1, keepdims=True), 1e-30)
    angles = _corner_angles(corners)

    count = len(faces)
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    # Half-edge k of face f runs from its corner k to corner k + 1; its twin runs the other way.
    order = np.argsort(np.minimum(start, end).astype(np.int64) << 32 | np.maximum(start, end), kind="stable")
    one, other = order[0::2], order[1::2]
    cosine = np.einsum("ij,ij->i", unit[one // 3], unit[other // 3])
    smooth = cosine >= np.cos(np.radians(crease_degrees)) - 1e-9
    one, other = one[smooth], other[smooth]
    following = np.arange(3 * count).reshape(count, 3)[:, [1, 2, 0]].ravel()
    joined = np.concatenate([np.stack([one, following[other]]), np.stack([following[one], other])], axis=1)
    graph = coo_array((np.ones(joined.shape[1], np.int8), joined), shape=(3 * count, 3 * count))
    groups, group = connected_components(graph, directed=False)

    weighted = (unit[:, None, :] * angles[..., None]).reshape(-1, 3)
    normals = np.stack([np.bincount(group, weights=weighted[:, axis], minlength=groups) for axis in range(3)], axis=1)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)

    charts = np.repeat(chart, 3)
    key = group.astype(np.int64) * (int(chart.max()) + 1) + charts
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    lost = np.linalg.norm(normals[group[first]], axis=1) < 0.5
    chosen = normals[group[first]]
    chosen[lost] = unit[first[lost] // 3]
    return start[first], chosen, charts[first], number.reshape(count, 3)


def _corner_angles(corners: Any) -> Any:
    """The angle at each corner, by which its face's normal counts (Thürmer and Wüthrich 1998)."""
    angles = []
    for at in range(3):
        left = corners[:, (at + 1) % 3] - corners[:, at]
        right = corners[:, (at + 2) % 3] - corners[:, at]
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        cosine = np.einsum("ij,ij->i", left, right) / np.maximum(lengths, 1e-30)
        angles.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.stack(angles, axis=1)
