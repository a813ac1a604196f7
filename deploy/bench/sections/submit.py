"""Submits: the platform against pgbench and against bare Django, all doing the same statements."""

from collections.abc import Callable

from deploy.bench import load, traffic
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.series import Figures, Series, interleaved
from deploy.bench.size import Size
from deploy.bench.stage import Stage

PGBENCH, BARE, OURS = "pgbench", "bare Django", "platform"
JUDGED_AT = 16
"""The number of clients at which the targets are set."""


def floors(stage: Stage, size: Size) -> Section:
    """Only the floors."""
    return _measure(stage, size, contenders=(PGBENCH, BARE))


def submit(stage: Stage, size: Size) -> Section:
    """The floors and the platform."""
    return _measure(stage, size, contenders=(PGBENCH, BARE, OURS))


def _measure(stage: Stage, size: Size, *, contenders: tuple[str, ...]) -> Section:
    found: dict[int, dict[str, Figures]] = {}
    for clients in sorted({*size.clients, *size.floor_clients}):
        wanted = [PGBENCH] if clients in size.floor_clients else []
        wanted += [name for name in (BARE, OURS) if clients in size.clients]
        runs = _runs(stage, size, clients)
        chosen = {name: run for name, run in runs.items() if name in wanted and name in contenders}
        found[clients] = interleaved(size.rounds, chosen)
    rows = [
        [f"{clients} {'client' if clients == 1 else 'clients'}, {name}", *figure_cells(one), *_ratios(one, at)]
        for clients, at in found.items()
        for name, one in at.items()
    ]
    table = Table(
        title="Submits (every client its own account)",
        columns=("", *FIGURE_COLUMNS, "÷ pgbench", "÷ bare Django"),
        rows=rows,
        notes=[
            f"{size.rounds} × {size.seconds:g} s each, taken in turn; medians. "
            f"The same {len(stage.captured['submit'])} statements between BEGIN and COMMIT, fsync on.",
            "The platform also authenticates, limits, validates, prices, logs and counts each request, and sends "
            f"{len(stage.captured['submit_beside'])} statement(s) outside the transaction.",
        ],
    )
    section = Section(tables=[table], figures={str(clients): at for clients, at in found.items()})
    judged = found.get(JUDGED_AT, {})
    if OURS in judged:
        ours, bare = judged[OURS], judged[BARE]
        section.targets += [
            Target(name=f"submits, {JUDGED_AT} clients ÷ bare Django", measured=ours.rate / bare.rate, wanted=0.7),
            Target(
                name=f"submits, {JUDGED_AT} clients, p99 ÷ bare Django's",
                measured=ours.p99 / bare.p99,
                wanted=1.5,
                at_most=True,
            ),
        ]
    return section


def _runs(stage: Stage, size: Size, clients: int) -> dict[str, Callable[[], Series]]:
    accounts = range(clients)
    return {
        PGBENCH: lambda: stage.pgbench.run(stage.scripts["spread"], clients=clients, seconds=size.seconds),
        BARE: lambda: load.run(stage.floor_port, traffic.bare_submits(accounts), seconds=size.seconds),
        OURS: lambda: load.run(stage.port, traffic.submits(stage.keys[:clients]), seconds=size.seconds),
    }


def _ratios(one: Figures, at: dict[str, Figures]) -> list[str]:
    return [number(one.relative_to(at[floor])) if floor in at else "" for floor in (PGBENCH, BARE)]
