"""Submits: the platform against pgbench and against bare Django, all doing the same statements."""

from collections.abc import Callable
from functools import partial

from deploy.bench import load, traffic
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.series import Contest, Series
from deploy.bench.size import Size
from deploy.bench.stage import FLOOR, Stage

PGBENCH, BARE, OURS = "pgbench", FLOOR, "platform"
COST_COLUMNS = ("web CPU ms", "database CPU ms")
_WEB_PROCESS = {BARE: FLOOR, OURS: "web"}
JUDGED_AT = 16
"""The number of clients at which the targets are set."""


def floors(stage: Stage, size: Size) -> Section:
    """Only the floors."""
    return _measure(stage, size, contenders=(PGBENCH, BARE))


def submit(stage: Stage, size: Size) -> Section:
    """The floors and the platform."""
    return _measure(stage, size, contenders=(PGBENCH, BARE, OURS))


def _measure(stage: Stage, size: Size, *, contenders: tuple[str, ...]) -> Section:
    found: dict[int, Contest] = {}
    for clients in sorted({*size.clients, *size.floor_clients}):
        wanted = [PGBENCH] if clients in size.floor_clients else []
        wanted += [name for name in (BARE, OURS) if clients in size.clients]
        runs = _runs(stage, size, clients)
        found[clients] = Contest(
            size.rounds, {name: run for name, run in runs.items() if name in wanted and name in contenders}
        )
    rows = [
        [
            f"{clients} {'client' if clients == 1 else 'clients'}, {name}",
            *figure_cells(one),
            *_ratios(contest, name),
            *cost_cells(contest, name),
        ]
        for clients, contest in found.items()
        for name, one in contest.medians().items()
    ]
    table = Table(
        title="Submits (every client its own account)",
        columns=("", *FIGURE_COLUMNS, "÷ pgbench", "÷ bare Django", *COST_COLUMNS),
        rows=rows,
        notes=[
            f"{size.rounds} × {size.seconds:g} s each, taken in turn; medians, also of the ratios. "
            f"The same {len(stage.captured['submit'])} statements between BEGIN and COMMIT, fsync on.",
            "The platform also authenticates, limits, validates, prices, logs and counts each request, and sends "
            f"{len(stage.captured['submit_beside'])} statement(s) outside the transaction.",
        ],
    )
    section = Section(
        tables=[table],
        figures={str(clients): {"measured": one.medians(), "cpu_ms": costs(one)} for clients, one in found.items()},
    )
    judged = found.get(JUDGED_AT)
    if judged is not None and OURS in judged:
        section.targets += [
            Target(name=f"submits, {JUDGED_AT} clients ÷ bare Django", measured=judged.ratio(OURS, BARE), wanted=0.7),
            Target(
                name=f"submits, {JUDGED_AT} clients, p99 ÷ bare Django's",
                measured=judged.ratio(OURS, BARE, "p99"),
                wanted=1.5,
                at_most=True,
            ),
        ]
    return section


def _runs(stage: Stage, size: Size, clients: int) -> dict[str, Callable[[], Series]]:
    accounts = range(clients)
    runs = {
        PGBENCH: lambda: stage.pgbench.run(stage.scripts["spread"], clients=clients, seconds=size.seconds),
        BARE: lambda: load.run(stage.floor_port, traffic.bare_submits(accounts), seconds=size.seconds),
        OURS: lambda: load.run(stage.port, traffic.submits(stage.keys[:clients]), seconds=size.seconds),
    }
    return {name: partial(stage.costed, run) for name, run in runs.items()}


def cost_cells(contest: Contest, name: str) -> list[str]:
    """The two cells of COST_COLUMNS: a request's CPU in the web process and in PostgreSQL."""
    web = number(contest.cost(name, _WEB_PROCESS[name])) if name in _WEB_PROCESS else ""
    return [web, number(contest.cost(name, "postgres"))]


def costs(contest: Contest) -> dict[str, dict[str, float]]:
    """The same as numbers."""
    return {
        name: {"web": contest.cost(name, _WEB_PROCESS.get(name, "")), "postgres": contest.cost(name, "postgres")}
        for name in contest.rounds
    }


def _ratios(contest: Contest, name: str) -> list[str]:
    return [number(contest.ratio(name, floor)) if floor in contest else "" for floor in (PGBENCH, BARE)]
