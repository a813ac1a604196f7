"""Keys: what authentication adds to a request, beside one trip to the database."""

from deploy.bench.report import Section, Table, Target, number
from deploy.bench.size import Size
from deploy.bench.stage import Stage

MOST_MS = 1.0
MOST_HASH_MS = 0.1
"""Far below what would be felt by another request of the process: no slow hash runs on a request's way."""


def keys(stage: Stage, size: Size) -> Section:
    """In a process of its own with the platform's settings."""
    found = stage.told("deploy.bench.keys", stage.keys[0])
    table = Table(
        title="Recognising a key",
        columns=("", "p50 ms", "p95 ms"),
        rows=[[name, number(one["p50"]), number(one["p95"])] for name, one in found.items()],
        notes=["A process looks a key up with one query and remembers it for a second."],
    )
    targets = [
        Target(name=f"{name}, p50", measured=found[name]["p50"], wanted=wanted, at_most=True, unit="ms")
        for name, wanted in (("key looked up", MOST_MS), ("key remembered", MOST_MS), ("key hashed", MOST_HASH_MS))
    ]
    return Section(tables=[table], targets=targets, figures=found)
