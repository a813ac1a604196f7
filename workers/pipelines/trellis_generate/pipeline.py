"""The `silhouette-inflation` engine: one picture becomes a closed, textured shape. No model, no network."""

from typing import Any

import cv2
import numpy as np

from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.pipelines.trellis_generate import atlas, inflation, reduction, shading, surface
from workers.pipelines.trellis_generate.glb import write_glb
from workers.pipelines.trellis_generate.picture import read_picture
from workers.pipelines.trellis_generate.silhouette import Silhouette, find_silhouette, longest_side
from workers.protocol.inputs.trellis_generate import TrellisGenerateParams

METHOD = (
    "The subject's outline is blown up to a closed body of plausible thickness, with the picture on its front. "
    "No reconstruction model: what the picture does not show (depth, sides, back) is guessed, "
    "the back wears the picture's colours without its drawing."
)
WITHOUT_EFFECT = {
    "maxViews": "there is one picture, seen from one side",
    "remeshRemoveInnerFaces": "a body between a front and a back has none",
    "meshClusterConeHalfAngleRad": "the surface is cut at its outline into one front and one back chart",
    "seed": "nothing is drawn by chance",
}
"""Fields that steer only a diffusion model and its remeshing, and why they change nothing here."""
_PLATE = 0.035
"""Half the thickness of a whole picture, of its longest side."""
_SPARE = 1.06
"""A little more than the faces asked for, because the grid decides how many there are."""
_DENSEST, _MOST_SPARE = 8, 350_000
"""The first mesh has at most this many times the faces asked for, and at most so many more than them: a denser one
takes longer and changes nothing that is seen."""


class SilhouetteInflation:
    """Builds a shape from a picture's outline."""

    engine = "silhouette-inflation"

    def run(self, context: RunContext) -> PipelineResult:
        """Build the shape and write it as one GLB file. The same parameters and picture give the same bytes.

        Raises:
            EngineFailed: `invalid_source_image` or `empty_silhouette`.
            Canceled: passed through from `context.step`; no output file is left.
        """
        params = TrellisGenerateParams.model_validate(dict(context.params))
        paths = context.files.get("sourceImage", ())
        if not paths:
            raise EngineFailed("There is no source image.", code="invalid_source_image")
        context.step(0.02, "reading")
        picture = read_picture(paths[0], longest=max(1024, params.texture_resolution))
        context.step(0.08, "silhouette")
        silhouette = find_silhouette(
            picture,
            remove_background=params.remove_background,
            grab_cut_iterations=max(2, params.sparse_structure_steps // 3),
            padding=params.padding,
            remove_floaters=params.remesh_remove_floaters,
            fill_holes_up_to=params.remesh_fill_holes_max_perimeter if params.remesh_fill_holes else 0.0,
        )
        del picture
        context.step(0.25, "shape")
        body = _Body(silhouette, params, context)
        context.step(0.5, "faces")
        vertices, faces, merged = body.mesh()
        context.step(0.72, "texture")
        texture, charts = body.texture()
        context.step(0.86, "normals")
        facing_front = _faces_front(vertices, faces)
        chart_of_face = np.where(facing_front, atlas.FRONT, atlas.BACK)
        index, normals, chart, split_faces = shading.split_at_creases(
            body.upright(vertices), faces, chart_of_face, crease_degrees=params.postprocess_normal_crease_deg
        )
        coordinates = atlas.texture_coordinates(body.in_pixels(vertices[index]), chart, charts, params.texture_size)
        context.step(0.92, "writing")
        path = context.workdir / "output_0001.glb"
        positions = body.placed(vertices)
        write_glb(
            path,
            vertices=positions[index],
            faces=split_faces,
            normals=normals,
            coordinates=coordinates,
            texture=texture,
        )
        try:
            context.step(1.0, "done")
        except BaseException:
            path.unlink()
            raise
        size = positions.max(axis=0) - positions.min(axis=0)
        return PipelineResult(
            outputs=[OutputFile(path=path, media_type="model/gltf-binary")],
            info={
                "engine": self.engine,
                "method": METHOD,
                "seed": context.seed,
                "faces": len(faces),
                "vertices": len(index),
                "watertight": reduction.is_closed(faces),
                "sizeMetres": [round(float(side), 4) for side in size],
                "textureSize": params.texture_size,
                "silhouetteFrom": silhouette.found_by,
                "shape": "relief plate" if body.is_plate else "inflated body",
                "parts": silhouette.parts,
                "holes": silhouette.holes,
                "floatersRemoved": silhouette.floaters_removed,
                "holesFilled": silhouette.holes_filled,
                "verticesMerged": merged,
                "gridCells": body.cells,
                "fieldsWithoutEffect": WITHOUT_EFFECT,
            },
        )


class _Body:
    """The shape while it is made, in cells of its grid: x to the right, y down, z towards the viewer."""

    def __init__(self, silhouette: Silhouette, params: TrellisGenerateParams, context: RunContext) -> None:
        self.params, self.context = params, context
        self.is_plate = silhouette.found_by == "whole-picture"
        longest = max(silhouette.size)
        shrink = min(1.0, params.texture_resolution / longest)
        self.silhouette = silhouette
        self.picture = _scaled(silhouette.color, shrink)
        self.mask = _scaled(silhouette.mask, shrink)
        self.margin = silhouette.margin * shrink
        self.cells = self._cells(silhouette)
        self.cell = longest * shrink / self.cells
        """Pixels of `picture` a cell."""
        self.field = _field(self.mask, self.cell, passes=params.sparse_structure_steps)
        self.height = self._inflated()
        context.step(0.4, "relief")
        cushions = self._cushions()
        self.front = inflation.emboss(self.height, cushions)

    def _cells(self, silhouette: Silhouette) -> int:
        """Grid cells along the longest side: `meshResolution`, or what the faces asked for need."""
        width, height = silhouette.size
        covered = float((silhouette.mask > 0.5).sum()) / max(width, height) ** 2
        needed = np.sqrt(self.params.target_face_count * _SPARE / (4 * max(covered, 1e-3)))
        faces = self.params.target_face_count
        enough = np.sqrt(min(faces * _DENSEST, faces + _MOST_SPARE) / (4 * max(covered, 1e-3)))
        return int(np.ceil(min(max(self.params.mesh_resolution, needed), max(enough, 128), 2200)))

    def _inflated(self) -> Any:
        longest = max(self.silhouette.size) * (self.picture.shape[0] / self.silhouette.mask.shape[0]) / self.cell
        if self.is_plate:
            shortest = longest * min(self.silhouette.size) / max(self.silhouette.size)
            thickness = min(_PLATE * longest, 0.5 * shortest)
            return inflation.plate(self.field, thickness=thickness, rounding=1.2 * thickness)
        height = inflation.inflate(
            self.field, sweeps=self.params.shape_steps, step=lambda: self.context.step(0.3, "shape")
        )
        return inflation.settle_depth(height, longest=longest)

    def _cushions(self) -> Any:
        scale = min(1.0, self.params.refiner_resolution / max(self.picture.shape[:2]))
        color, mask = _scaled(self.picture, scale), _scaled(self.mask, scale)
        reach = 0.75 * self.params.refiner_downsampling * max(color.shape[:2]) / self.params.refiner_resolution
        cushions = inflation.relief(atlas.continued(color, mask, sure=0.8), mask, reach=max(2.0, reach))
        return _resampled(cushions, self.field.shape, self.cell * scale)

    def mesh(self) -> tuple[Any, Any, int]:
        """Vertices in cells and faces, at most as many as asked for, and how many vertices were merged."""
        vertices, faces = surface.close_surface(self.field, self.front, self.height)
        self.context.step(0.55, "faces")
        vertices, faces = reduction.reduce_faces(vertices, faces, at_most=self.params.target_face_count)
        self.context.step(0.68, "faces")
        metres = longest_side(self.params.padding) / float(np.ptp(vertices[:, :2], axis=0).max())
        return reduction.merge_close(vertices, faces, epsilon=self.params.postprocess_position_epsilon / metres)

    def texture(self) -> tuple[Any, tuple[atlas.Chart, atlas.Chart]]:
        """The painted texture and where front and back lie in it."""
        picture = atlas.continued(self.picture, self.mask, sure=0.9)
        self.context.step(0.76, "texture")
        body = atlas.body_color(picture, passes=self.params.texture_steps)
        facing = _scaled_to(_facing(self.height), self.mask.shape, self.cell)
        width = self.mask.shape[1] - 2 * self.margin
        height = self.mask.shape[0] - 2 * self.margin
        charts = atlas.lay_out(width, height, self.params.texture_size)
        texture = atlas.paint(picture, body, facing, charts, margin=self.margin, texture_size=self.params.texture_size)
        return texture, charts

    def upright(self, vertices: Any) -> Any:
        return vertices * np.array([1.0, -1.0, 1.0])

    def placed(self, vertices: Any) -> Any:
        """In metres, upright, the middle of the bounds at the origin, the longest side as `padding` leaves it."""
        points = self.upright(vertices)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = longest_side(self.params.padding) / float((high - low).max())
        return (points - (low + high) / 2) * scale

    def in_pixels(self, vertices: Any) -> Any:
        """x and y in pixels of `picture` from the bounds' top left corner."""
        return (vertices[:, :2] + 0.5) * self.cell - self.margin


def _field(mask: Any, cell: float, *, passes: int) -> Any:
    """The mask on the grid's nodes, −0.5..0.5, its outline smoothed by `passes` small steps."""
    shape = (round(mask.shape[0] / cell), round(mask.shape[1] / cell))
    on_grid = _resampled(mask, shape, cell)
    on_grid[[0, -1]] = 0
    on_grid[:, [0, -1]] = 0
    return cv2.GaussianBlur(on_grid, (0, 0), float(np.sqrt(0.3 + 0.04 * passes))) - np.float32(0.5)


def _resampled(values: Any, shape: tuple[int, int], cell: float) -> Any:
    """Pixel values at nodes `cell` pixels apart: node i lies at pixel (i + ½) · cell − ½."""
    if cell > 1:
        values = cv2.GaussianBlur(values, (0, 0), 0.4 * cell)
    x = ((np.arange(shape[1]) + 0.5) * cell - 0.5).astype(np.float32)
    y = ((np.arange(shape[0]) + 0.5) * cell - 0.5).astype(np.float32)
    map_x, map_y = np.meshgrid(x, y)
    return cv2.remap(values, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _scaled_to(values: Any, shape: tuple[int, int], cell: float) -> Any:
    """Node values at the pixels of a picture of `shape`."""
    x = ((np.arange(shape[1]) + 0.5) / cell - 0.5).astype(np.float32)
    y = ((np.arange(shape[0]) + 0.5) / cell - 0.5).astype(np.float32)
    map_x, map_y = np.meshgrid(x, y)
    return cv2.remap(values, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _scaled(values: Any, scale: float) -> Any:
    if scale == 1:
        return values
    size = (max(4, round(values.shape[1] * scale)), max(4, round(values.shape[0] * scale)))
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def _facing(height: Any) -> Any:
    """1 where the surface faces the viewer, falling to 0 where it is seen edge on."""
    down, across = np.gradient(height)
    cosine = 1 / np.sqrt(1 + down**2 + across**2)
    ramp = np.clip((cosine - 0.12) / 0.3, 0, 1)
    return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def _faces_front(vertices: Any, faces: Any) -> Any:
    """Whether each face belongs to the front: by its normal, with y still pointing down."""
    corners = vertices[faces]
    one, other = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0] < 0


PIPELINE = SilhouetteInflation()
