"""Writing the shape as a binary glTF file, the same bytes for the same shape."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

NAME = "shape"
ROUGHNESS = 0.72
GENERATOR = "Killa Tamata silhouette-inflation"
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
_QUALITY = 93


class _Encoded:
    """An image that is stored as it was encoded here: trimesh would encode a JPEG anew at its own quality."""

    format = "JPEG"

    def __init__(self, pixels: Any) -> None:
        held = io.BytesIO()
        Image.fromarray(pixels).save(held, format="JPEG", quality=_QUALITY, subsampling=0, optimize=True)
        self.data = held.getvalue()
        self.size = (pixels.shape[1], pixels.shape[0])

    def save(self, file: Any, **_: Any) -> None:
        file.write(self.data)

    def tobytes(self) -> bytes:
        return self.data


def write_glb(path: Path, *, vertices: Any, faces: Any, normals: Any, coordinates: Any, texture: Any) -> None:
    """One mesh, one PBR material, one embedded texture. Metres, y up, the front towards +z as glTF has it."""
    import trimesh

    material = trimesh.visual.material.PBRMaterial(
        name=NAME,
        baseColorTexture=_Encoded(texture),
        metallicFactor=0.0,
        roughnessFactor=ROUGHNESS,
        doubleSided=False,
    )
    mesh = trimesh.Trimesh(
        vertices=vertices,
        faces=faces,
        vertex_normals=normals,
        visual=trimesh.visual.TextureVisuals(uv=coordinates, material=material),
        process=False,
        validate=False,
    )
    scene = trimesh.Scene()
    scene.add_geometry(mesh, node_name=NAME, geom_name=NAME)
    path.write_bytes(scene.export(file_type="glb", include_normals=True, tree_postprocessor=_name_buffers))


def _name_buffers(tree: dict[str, Any]) -> None:
    """Say which views hold vertices and which hold indices, as the format advises, and what wrote the file."""
    tree["asset"]["generator"] = GENERATOR
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            for accessor, target in [(primitive["indices"], ELEMENT_ARRAY_BUFFER)] + [
                (accessor, ARRAY_BUFFER) for accessor in primitive["attributes"].values()
            ]:
                tree["bufferViews"][tree["accessors"][accessor]["bufferView"]]["target"] = target
