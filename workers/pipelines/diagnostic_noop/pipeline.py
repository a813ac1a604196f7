"""One byte out: what the platform costs without any engine."""

from workers.pipelines.base import OutputFile, PipelineResult, RunContext


class Noop:
    """Writes one byte."""

    engine = "noop"

    def run(self, context: RunContext) -> PipelineResult:
        """The byte 0."""
        path = context.workdir / "output_0001.bin"
        path.write_bytes(b"\0")
        return PipelineResult(
            outputs=[OutputFile(path=path, media_type="application/octet-stream")], info={"engine": self.engine}
        )


PIPELINE = Noop()
