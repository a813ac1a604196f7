"""Pools: which tasks share a queue and a kind of machine. The one routing table of the platform."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Pool:
    """One pool of workers."""

    name: str
    tasks: tuple[str, ...]
    prefetch: int
    """How many attempts beyond the live slots may wait in the broker."""
    scalable: bool
    """Whether nodes can be started on demand, so that a submit is accepted while none lives."""
    cold_start_seconds: int


@cache
def pools() -> dict[str, Pool]:
    """Every pool by name, from pools.toml beside this module."""
    table = tomllib.loads(Path(__file__).with_name("pools.toml").read_text())
    return {
        name: Pool(
            name=name,
            tasks=tuple(entry["tasks"]),
            prefetch=entry.get("prefetch", 1),
            scalable=entry.get("scalable", False),
            cold_start_seconds=entry.get("cold_start_seconds", 0),
        )
        for name, entry in table.items()
    }


@cache
def pool_of(task: str) -> Pool:
    """The pool that runs `task`.

    Raises:
        LookupError: no pool does.
    """
    for pool in pools().values():
        if task in pool.tasks:
            return pool
    raise LookupError(f"no pool in pools.toml runs {task}")
