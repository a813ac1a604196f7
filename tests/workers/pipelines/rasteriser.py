"""A small z-buffer: what a textured shape looks like from where one stands, to compare it with its picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Shape:
    """A triangle mesh with its texture, as read back from a file."""

    vertices: Any
    faces: Any
    normals: Any
    uv: Any
    """v upward."""
    texture: Any
    """(size, size, 3) uint8."""


@dataclass(frozen=True)
class View:
    """`color` (size, size, 3) float 0..1, `covered` (size, size) bool, `normal` (size, size, 3)."""

    color: Any
    covered: Any
    normal: Any


def load(path: Any) -> Shape:
    """The one mesh of a GLB file."""
    import trimesh

    scene = trimesh.load_scene(path, process=False)
    [mesh] = scene.dump()
    return Shape(
        vertices=np.asarray(mesh.vertices),
        faces=np.asarray(mesh.faces),
        normals=np.asarray(mesh.vertex_normals),
        uv=np.asarray(mesh.visual.uv),
        texture=np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")),
    )


def look(shape: Shape, *, turn: float = 0.0, lean: float = 0.0, size: int = 256, extent: float = 1.0) -> View:
    """An orthographic view of `extent` metres, turned `turn` degrees about y, then leant `lean` about x, unlit.

    Each face is covered with samples closer together than a pixel; the nearest sample of a pixel is what is seen.
    """
    turn, lean = np.radians(turn), np.radians(lean)
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    rotation = about_x @ about_y
    corners = (shape.vertices @ rotation.T)[shape.faces]
    pixels = np.stack([(corners[..., 0] / extent + 0.5) * size, (0.5 - corners[..., 1] / extent) * size], axis=-1)
    longest = np.linalg.norm(pixels - np.roll(pixels, 1, axis=1), axis=-1).max(axis=1)
    steps = np.minimum(np.ceil(longest * 1.6).astype(int) + 1, 200)
    depth_of = np.full(size * size, -np.inf)
    color = np.zeros((size * size, 3))
    normal = np.zeros((size * size, 3))
    texture = shape.texture.astype(np.float64) / 255
    turned = shape.normals @ rotation.T
    for step in np.unique(steps):
        rows, columns = np.tril_indices(step + 1)
        weights = np.stack([step - rows, rows - columns, columns], axis=1) / step
        chosen = np.nonzero(steps == step)[0]
        for part in np.array_split(chosen, max(1, len(chosen) * len(weights) // 2_000_000)):
            at = np.einsum("kc,fcd->fkd", weights, pixels[part]).reshape(-1, 2)
            depth = np.einsum("kc,fc->fk", weights, corners[part][..., 2]).ravel()
            spot = np.floor(at).astype(int)
            fits = ((spot >= 0) & (spot < size)).all(axis=1)
            cell = (spot[:, 1] * size + spot[:, 0])[fits]
            depth = depth[fits]
            order = np.lexsort([depth, cell])
            last = order[np.r_[np.diff(cell[order]) != 0, True]]
            nearer = last[depth[last] > depth_of[cell[last]]]
            depth_of[cell[nearer]] = depth[nearer]
            kept = np.nonzero(fits)[0][nearer]
            face, sample = part[kept // len(weights)], weights[kept % len(weights)]
            uv = np.einsum("kc,kcd->kd", sample, shape.uv[shape.faces[face]])
            height, width = texture.shape[:2]
            x = np.clip(np.floor(uv[:, 0] * width).astype(int), 0, width - 1)
            y = np.clip(np.floor((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
            color[cell[nearer]] = texture[y, x]
            normal[cell[nearer]] = np.einsum("kc,kcd->kd", sample, turned[shape.faces[face]])
    covered = np.isfinite(depth_of).reshape(size, size)
    return View(color=color.reshape(size, size, 3), covered=covered, normal=normal.reshape(size, size, 3))
