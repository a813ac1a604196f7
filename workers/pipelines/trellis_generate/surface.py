"""Marching squares twice over: a front and a back that share the outline, so the surface is closed by construction."""

from typing import Any

import numpy as np

_LEVEL = 1e-4
"""A field value of exactly 0 would put the outline onto a node."""


def _triangles_by_case() -> list[list[tuple[int, int, int]]]:
    """For each of the 16 ways a cell's corners can lie inside, its triangles.

    Corners 0..3 run round the cell (top left, top right, bottom right, bottom left); points 4..7 are the crossings
    on the edges 0-1, 1-2, 2-3, 3-0. Cells with two opposite corners inside keep them apart.
    """
    cases: list[list[tuple[int, int, int]]] = []
    for case in range(16):
        inside = [bool(case >> corner & 1) for corner in range(4)]
        if sum(inside) == 2 and inside[0] == inside[2]:
            pair = [corner for corner in range(4) if inside[corner]]
            cases.append([(corner, 4 + corner, 4 + (corner + 3) % 4) for corner in pair])
            continue
        ring: list[int] = []
        for corner in range(4):
            if inside[corner]:
                ring.append(corner)
            if inside[corner] != inside[(corner + 1) % 4]:
                ring.append(4 + corner)
        cases.append([(ring[0], ring[at], ring[at + 1]) for at in range(1, len(ring) - 1)])
    return cases


_CASES = _triangles_by_case()


def close_surface(field: Any, front: Any, back: Any) -> tuple[Any, Any]:
    """Vertices (n, 3) float64 and faces (m, 3) int32 of the body between z = front and z = −back.

    The arrays are (rows, columns) on grid nodes; x is the column, y the row (downward), z towards the viewer.
    `field` > 0 is inside; faces are wound outward for a y axis that is turned up afterwards.
    """
    values = np.where(np.abs(field) < _LEVEL, -_LEVEL, field)
    inside = values > 0
    rows, columns = values.shape
    node = np.full(values.shape, -1, np.int64)
    count = int(inside.sum())
    node[inside] = np.arange(count)
    ys, xs = np.nonzero(inside)

    across = inside[:, :-1] != inside[:, 1:]
    down = inside[:-1] != inside[1:]
    crossing_across = np.full(across.shape, -1, np.int64)
    crossing_down = np.full(down.shape, -1, np.int64)
    crossing_across[across] = 2 * count + np.arange(across.sum())
    crossing_down[down] = 2 * count + across.sum() + np.arange(down.sum())
    ay, ax = np.nonzero(across)
    dy, dx = np.nonzero(down)
    share_across = values[ay, ax] / (values[ay, ax] - values[ay, ax + 1])
    share_down = values[dy, dx] / (values[dy, dx] - values[dy + 1, dx])
    least = 1e-3 * max(rows, columns) / 256
    vertices = np.concatenate(
        [
            np.column_stack([xs, ys, np.maximum(front[inside], least)]),
            np.column_stack([xs, ys, -np.maximum(back[inside], least)]),
            np.column_stack([ax + share_across, ay, np.zeros(len(ax))]),
            np.column_stack([dx, dy + share_down, np.zeros(len(dx))]),
        ]
    ).astype(np.float64)

    corners = np.stack([node[:-1, :-1], node[:-1, 1:], node[1:, 1:], node[1:, :-1]], axis=-1)
    edges = np.stack([crossing_across[:-1], crossing_down[:, 1:], crossing_across[1:], crossing_down[:, :-1]], axis=-1)
    points = np.concatenate([corners, edges], axis=-1)
    case = (inside[:-1, :-1] * 1 + inside[:-1, 1:] * 2 + inside[1:, 1:] * 4 + inside[1:, :-1] * 8).astype(np.int64)
    odd = np.add.outer(np.arange(rows - 1), np.arange(columns - 1)) % 2 == 1
    found = []
    for number in range(1, 16):
        if number == 15:
            # Diagonals alternate, or the surface would show a grain.
            for chosen, triangles in ((~odd, ((0, 1, 2), (0, 2, 3))), (odd, ((0, 1, 3), (1, 2, 3)))):
                cells = points[(case == 15) & chosen]
                found += [cells[:, list(triangle)] for triangle in triangles]
            continue
        cells = points[case == number]
        found += [cells[:, list(triangle)] for triangle in _CASES[number]]
    # The cases run clockwise on the screen; seen from outside, faces run counter-clockwise.
    upper = np.concatenate(found)[:, ::-1]
    lower = np.where(upper < count, upper + count, upper)[:, ::-1]
    return vertices, np.concatenate([upper, lower]).astype(np.int32)
