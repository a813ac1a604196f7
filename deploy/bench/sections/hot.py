"""One hot account: what it reaches itself, and what the others feel of it."""

from deploy.bench import load, traffic
from deploy.bench.load import Load
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.series import Contest, Series
from deploy.bench.size import Size
from deploy.bench.stage import HOT_ACCOUNT, OTHERS, Stage

CLIENTS = 16
OTHER_CLIENTS = 2
ALONE, BESIDE_MANY, BESIDE_HOT = "alone", "beside many accounts", "beside the hot account"


def hot(stage: Stage, size: Size) -> Section:
    """pgbench, bare Django and the platform with every client on one account; then others beside such a load."""
    hot_key = stage.keys[HOT_ACCOUNT]
    found = Contest(
        size.rounds,
        {
            "pgbench": lambda: stage.pgbench.run(stage.scripts["hot"], clients=CLIENTS, seconds=size.seconds),
            "bare Django": lambda: load.run(
                stage.floor_port, traffic.bare_submits([HOT_ACCOUNT] * CLIENTS), seconds=size.seconds
            ),
            "platform": lambda: load.run(stage.port, traffic.submits([hot_key] * CLIENTS), seconds=size.seconds),
        },
    )
    reached = Table(
        title=f"One hot account, {CLIENTS} clients",
        columns=("", *FIGURE_COLUMNS, "÷ pgbench"),
        rows=[
            [name, *figure_cells(one), number(found.ratio(name, "pgbench"))] for name, one in found.medians().items()
        ],
    )
    felt = Contest(
        size.rounds,
        {
            ALONE: lambda: _others(stage, size, []),
            BESIDE_MANY: lambda: _others(stage, size, stage.keys[1 : CLIENTS + 1]),
            BESIDE_HOT: lambda: _others(stage, size, [hot_key] * CLIENTS),
        },
    )
    beside = Table(
        title=f"Other accounts' submits ({OTHER_CLIENTS} clients) beside {CLIENTS} busy ones",
        columns=("", *FIGURE_COLUMNS),
        rows=[[name, *figure_cells(one)] for name, one in felt.medians().items()],
        notes=[
            f"The {CLIENTS} busy clients take processors in either case: a hot account does no harm where the last "
            "two rows are alike."
        ],
    )
    return Section(
        tables=[reached, beside],
        targets=[
            Target(
                name="hot account ÷ pgbench's hot account",
                measured=found.ratio("platform", "pgbench"),
                wanted=1.0,
            ),
            Target(
                name="others' p50 beside the hot account ÷ beside many accounts",
                measured=felt.ratio(BESIDE_HOT, BESIDE_MANY, "p50"),
                wanted=1.1,
                at_most=True,
            ),
        ],
        figures={"reached": found.medians(), "others": felt.medians()},
    )


def _others(stage: Stage, size: Size, busy: list[str]) -> Series:
    keys = stage.keys[OTHERS : OTHERS + OTHER_CLIENTS]
    # The busy ones begin earlier and end later than what is measured.
    beside = Load(stage.port, traffic.submits(busy), seconds=size.seconds + 1.5).start() if busy else None
    measured = Load(stage.port, traffic.submits(keys), seconds=size.seconds, warmup=1.0).start().finish()
    if beside is not None:
        beside.finish()
    return measured
