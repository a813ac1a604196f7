"""What every engine implements and what it is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class EngineFailed(Exception):
    """The engine could not make the output; the message is a sentence for the client.

    `retryable` says whether another attempt could succeed (memory, a lost child process), as opposed to
    an input that will never work.
    """

    def __init__(self, message: str, *, code: str = "engine_failed", retryable: bool = False) -> None:
        self.message, self.code, self.retryable = message, code, retryable
        super().__init__(message)


class Canceled(Exception):
    """The client or the operator asked for the job to stop; raised by `RunContext.step`."""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Everything one run may use."""

    params: Mapping[str, Any]
    """The task's `…Params` model as wire JSON (camelCase)."""
    files: Mapping[str, Sequence[Path]]
    """Staged inputs by field name, in the client's order, already checked and on local disk."""
    seed: int
    """Drawn once per job and kept there: the same seed and inputs give the same bytes."""
    workdir: Path
    """An empty folder of this run's own, removed afterwards."""
    step: Callable[[float, str], None]
    """Report progress: fraction done 0..1 and a word for the phase. Cheap to call often; raises Canceled."""


@dataclass(frozen=True, kw_only=True)
class OutputFile:
    """One finished file under the run's workdir."""

    path: Path
    media_type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class PipelineResult:
    """What a run made."""

    outputs: Sequence[OutputFile]
    info: Mapping[str, Any] = field(default_factory=dict)
    """Shown to the client as the upstream result: the engine's honest name, what it could not do, attributions."""


class Pipeline(Protocol):
    """One engine of one task. A module in `workers/pipelines/<task>/` exposes it as `PIPELINE`."""

    engine: str

    def run(self, context: RunContext) -> PipelineResult:
        """Make the outputs.

        Raises:
            EngineFailed: with a sentence a person understands.
            Canceled: passed through from `context.step`.
        """
        ...
