"""trellis.generate: an image becomes a textured shape."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, at_least_one, fault_of
from workers.protocol.inputs.media import Given, InlineImage, Seed, one_of

QualityPreset = Literal["performance", "balanced", "fidelity"]
TextureSize = Literal[512, 1024, 2048]
Resolution = Literal[512, 1024, 1536]
MeshResolution = Literal[128, 256, 512, 1024]
Downsampling = Literal[16, 32, 64]

PRESET_TEXTURE_SIZE: dict[QualityPreset, TextureSize] = {"performance": 512, "balanced": 1024, "fidelity": 2048}
"""The texture size of each preset, here because a rule over several fields needs the effective one."""
DEFAULT_PRESET: QualityPreset = "balanced"

Steps = Annotated[int, Field(ge=8, le=20)]


class TrellisGenerateInput(Wire, json_schema_extra=at_least_one("sourceImageUrl", "sourceImage")):
    """What a client sends. `sourceImage` is an object here, never a URL text."""

    source_image_url: Omissible[UrlText] = None
    """The image to build from, by URL."""
    source_image: Omissible[InlineImage] = None
    """The image to build from, as `{url}` or `{dataBase64, mimeType}`."""
    quality_preset: Omissible[QualityPreset] = None
    """Which values the fields below have where they are left out; balanced where nothing is said."""
    target_face_count: Omissible[Annotated[int, Field(ge=1000, le=500_000)]] = None
    """The most triangles that the shape may have."""
    texture_size: Omissible[TextureSize] = None
    """The texture's sides in pixels."""
    texture_resolution: Omissible[Resolution] = None
    """How finely the texture is baked; 1536 needs a `textureSize` of 2048."""
    max_views: Omissible[Annotated[int, Field(ge=2, le=6)]] = None
    """How many views the texture is blended from."""
    sparse_structure_steps: Omissible[Steps] = None
    """Steps of the first stage."""
    shape_steps: Omissible[Steps] = None
    """Steps of the shape's stage."""
    texture_steps: Omissible[Steps] = None
    """Steps of the texture's stage."""
    mesh_resolution: Omissible[MeshResolution] = None
    """Cells a side of the grid that the shape is taken from."""
    remove_background: Omissible[bool] = None
    """Whether the subject is cut out first."""
    padding: Omissible[Annotated[int, Field(ge=0, le=64)]] = None
    """Empty pixels kept around the subject."""
    refiner_resolution: Omissible[Resolution] = None
    """How finely the shape is refined; 1536 needs a `textureSize` of 2048."""
    refiner_downsampling: Omissible[Downsampling] = None
    """How coarsely the refiner looks."""
    remesh_fill_holes: Omissible[bool] = None
    """Whether small holes are closed."""
    remesh_fill_holes_max_perimeter: Omissible[Annotated[float, Field(ge=0.005, le=0.2)]] = None
    """The longest rim of a hole that is closed, in shares of the shape's size."""
    remesh_remove_floaters: Omissible[bool] = None
    """Whether loose parts are dropped."""
    remesh_remove_inner_faces: Omissible[bool] = None
    """Whether faces that nobody sees are dropped."""
    mesh_cluster_cone_half_angle_rad: Omissible[Annotated[float, Field(ge=35, le=85)]] = None
    """How far apart the normals of one texture chart may point, in degrees, whatever its name says."""
    postprocess_position_epsilon: Omissible[Annotated[float, Field(ge=1e-6, le=0.001)]] = None
    """Vertices nearer than this are one."""
    postprocess_normal_crease_deg: Omissible[Annotated[float, Field(ge=1, le=180)]] = None
    """Edges sharper than this angle, in degrees, stay sharp."""
    seed: Omissible[Seed] = None
    """The same seed and input give the same shape."""

    @model_validator(mode="after")
    def _source_and_texture(self) -> "TrellisGenerateInput":
        if self.source() is None:
            raise fault_of("sourceImage", "sourceImageUrl", reason="give sourceImage or sourceImageUrl")
        size = self.texture_size or PRESET_TEXTURE_SIZE[self.quality_preset or DEFAULT_PRESET]
        finest = {"textureResolution": self.texture_resolution, "refinerResolution": self.refiner_resolution}
        asked = [name for name, resolution in finest.items() if resolution == 1536]
        if asked and size != 2048:
            raise fault_of(*asked, reason=f"1536 needs a textureSize of 2048; here it is {size}")
        return self

    def source(self) -> Given | None:
        """The image to build from; never None once validated."""
        return one_of(sourceImage=self.source_image, sourceImageUrl=self.source_image_url)


class TrellisGenerateParams(Wire):
    """What the worker gets beside the image, which arrives as the file of the field `sourceImage`."""

    quality_preset: QualityPreset
    target_face_count: int
    texture_size: TextureSize
    texture_resolution: Resolution
    max_views: int
    sparse_structure_steps: int
    shape_steps: int
    texture_steps: int
    mesh_resolution: MeshResolution
    remove_background: bool
    padding: int
    refiner_resolution: Resolution
    refiner_downsampling: Downsampling
    remesh_fill_holes: bool
    remesh_fill_holes_max_perimeter: float
    remesh_remove_floaters: bool
    remesh_remove_inner_faces: bool
    mesh_cluster_cone_half_angle_rad: float
    """In degrees."""
    postprocess_position_epsilon: float
    postprocess_normal_crease_deg: float
