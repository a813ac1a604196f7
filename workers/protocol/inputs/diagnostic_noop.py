"""diagnostic.noop: one byte out. Operators and the benchmark send it to time the platform itself."""

from workers.protocol.inputs.base import Wire


class DiagnosticNoopInput(Wire):
    """What a client sends: nothing."""


class DiagnosticNoopParams(Wire):
    """What the worker gets: nothing."""
