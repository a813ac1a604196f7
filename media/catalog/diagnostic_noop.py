"""diagnostic.noop in the catalogue: offered only where settings.DIAGNOSTIC_TASKS is on."""

from collections.abc import Mapping

from media.catalog.task import Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.diagnostic_noop import DiagnosticNoopInput, DiagnosticNoopParams


def _sources(task_input: DiagnosticNoopInput) -> list[Source]:
    return []


def _normalise(task_input: DiagnosticNoopInput, facts: Mapping[str, Facts]) -> Normalised:
    return Normalised(params=DiagnosticNoopParams(), effective_input={}, units={})


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    return coefficients["flat"]


TASK = Task(
    name=names.DIAGNOSTIC_NOOP,
    title="One byte, to time the platform",
    input_model=DiagnosticNoopInput,
    example_input={},
    params_model=DiagnosticNoopParams,
    sources=_sources,
    normalise=_normalise,
    formula="noop.v1",
    prices={"noop.v1": _price_v1},
    coefficients={"flat": 1},
    explanation="flat",
    floor_micros=1,
    estimate_seconds=lambda units: 0.1,
    eta_range=(0.1, 1),
    output_names=lambda params: ["output_0001.bin"],
)
