"""Status reads of queued jobs: the platform against bare Django doing the same SELECT."""

from deploy.bench import load, traffic
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.sections.submit import BARE, COST_COLUMNS, JUDGED_AT, OURS, cost_cells, costs
from deploy.bench.series import Contest
from deploy.bench.size import Size
from deploy.bench.stage import FLOOR_DATABASE, Stage


def status(stage: Stage, size: Size) -> Section:
    """Both, at every number of clients."""
    most = max(size.clients)
    ours, bare = readers(stage, most)
    found: dict[int, Contest] = {}
    for clients in size.clients:
        found[clients] = _both(stage, size, ours[:clients], bare[:clients])
    rows = [
        [
            f"{clients} {'client' if clients == 1 else 'clients'}, {name}",
            *figure_cells(one),
            number(contest.ratio(name, BARE)),
            *cost_cells(contest, name),
        ]
        for clients, contest in found.items()
        for name, one in contest.medians().items()
    ]
    table = Table(
        title="Status reads",
        columns=("", *FIGURE_COLUMNS, "÷ bare Django", *COST_COLUMNS),
        rows=rows,
        notes=[
            f"{size.rounds} × {size.seconds:g} s each, taken in turn; medians, also of the ratios. "
            f"Each client reads {traffic.JOBS_A_READER} queued jobs of its own; both answer the same JSON.",
            "The load generator took at most "
            f"{max(one.generator_microseconds for one in found.values()):.0f} µs of CPU a request.",
        ],
    )
    section = Section(
        tables=[table],
        figures={str(clients): {"measured": one.medians(), "cpu_ms": costs(one)} for clients, one in found.items()},
    )
    if JUDGED_AT in found:
        judged = found[JUDGED_AT]
        section.targets.append(
            Target(
                name=f"status reads, {JUDGED_AT} clients ÷ bare Django",
                measured=judged.ratio(OURS, BARE),
                wanted=0.8,
            )
        )
    return section


def _both(stage: Stage, size: Size, ours: traffic.Streams, bare: traffic.Streams) -> Contest:
    return Contest(
        size.rounds,
        {
            BARE: lambda: stage.costed(lambda: load.run(stage.floor_port, bare, seconds=size.seconds)),
            OURS: lambda: stage.costed(lambda: load.run(stage.port, ours, seconds=size.seconds)),
        },
    )


def readers(stage: Stage, clients: int) -> tuple[traffic.Streams, traffic.Streams]:
    """Reading clients of the platform and of the floor, each with jobs to read; jobs are submitted first."""
    load.run(stage.floor_port, traffic.bare_submits(range(clients)), seconds=1)
    load.run(stage.port, traffic.submits(stage.keys[:clients]), seconds=1)
    with stage.database() as platform, stage.database(FLOOR_DATABASE) as floor:
        return traffic.reads(platform, stage.keys[:clients]), traffic.bare_reads(floor, clients)
