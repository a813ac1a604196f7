"""State machines as tables, moved by compare-and-set.

A status is one text column. Nothing assigns it: `Transitions.apply` runs
`UPDATE … SET status = <target> WHERE pk = … AND status IN (<allowed>)` and says whether it moved.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models


class UnknownTransition(LookupError):
    """The state machine has no transition of this name: a programming error."""


class Transitions:
    """Named transitions of one status column: name → (allowed sources, target)."""

    def __init__(self, table: Mapping[str, tuple[str | tuple[str, ...], str]]) -> None:
        self._table = {
            name: ((sources,) if isinstance(sources, str) else tuple(sources), target)
            for name, (sources, target) in table.items()
        }

    @property
    def names(self) -> Iterable[str]:
        """Every transition's name."""
        return self._table.keys()

    def sources(self, name: str) -> tuple[str, ...]:
        """The statuses that `name` may leave from."""
        return self._edge(name)[0]

    def target(self, name: str) -> str:
        """The status that `name` leads to."""
        return self._edge(name)[1]

    def apply(self, name: str, queryset: "models.QuerySet[Any]", **changes: Any) -> bool:
        """Move the one row of `queryset` along `name`, setting `changes` with it.

        Returns False when the row was not in an allowed status: somebody else moved it first. That is an
        outcome to act on, not an error.
        """
        sources, target = self._edge(name)
        return queryset.filter(status__in=sources).update(status=target, **changes) == 1

    def _edge(self, name: str) -> tuple[tuple[str, ...], str]:
        try:
            return self._table[name]
        except KeyError:
            raise UnknownTransition(name) from None
