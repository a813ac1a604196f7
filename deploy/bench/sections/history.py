"""A long history: submits and status reads before and after a million finished jobs lie in the tables."""

import time
from pathlib import Path

from deploy.bench import load, traffic
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.sections.status import readers
from deploy.bench.sections.submit import BARE, JUDGED_AT, OURS
from deploy.bench.series import Contest
from deploy.bench.size import Size
from deploy.bench.stage import ACCOUNTS, Stage

_FILL = Path(__file__).with_name("history.sql").read_text()
_BATCH = 100_000
_TABLES = ("media_job", "media_attempt", "media_jobevent", "billing_transfer")


def history(stage: Stage, size: Size) -> Section:
    """The same runs before and after the fill; bare Django, whose tables stay small, tells what the machine did."""
    before = _measure(stage, size)
    seconds = _fill(stage, size.history_jobs)
    after = _measure(stage, size)
    rows = []
    targets = []
    for what, contest in before.items():
        later = after[what].medians()
        for name, one in contest.medians().items():
            rows.append([f"{what}, {name}, before", *figure_cells(one), ""])
            rows.append([f"{what}, {name}, after", *figure_cells(later[name]), number(later[name].rate / one.rate)])
        # Bare Django's tables have not grown: what became of its rate is what became of the machine.
        kept = after[what].ratio(OURS, BARE) / contest.ratio(OURS, BARE)
        rows.append([f"{what}, platform ÷ bare Django's drift", "", "", "", "", number(kept)])
        targets.append(
            Target(
                name=f"{what} with {number(size.history_jobs)} finished jobs ÷ without, drift taken out",
                measured=kept,
                wanted=0.8,
            )
        )
    table = Table(
        title=f"With {number(size.history_jobs)} finished jobs in the tables, {JUDGED_AT} clients",
        columns=("", *FIGURE_COLUMNS, "after ÷ before"),
        rows=rows,
        notes=[f"The fill with ANALYZE and CHECKPOINT took {seconds:.0f} s; bare Django's own tables are not filled."],
    )
    return Section(
        tables=[table],
        targets=targets,
        figures={
            "before": {what: one.medians() for what, one in before.items()},
            "after": {what: one.medians() for what, one in after.items()},
            "fill_seconds": seconds,
        },
    )


def _measure(stage: Stage, size: Size) -> dict[str, Contest]:
    ours, bare = readers(stage, JUDGED_AT)
    seconds = size.seconds
    return {
        "submits": Contest(
            size.rounds,
            {
                BARE: lambda: load.run(stage.floor_port, traffic.bare_submits(range(JUDGED_AT)), seconds=seconds),
                OURS: lambda: load.run(stage.port, traffic.submits(stage.keys[:JUDGED_AT]), seconds=seconds),
            },
        ),
        "status reads": Contest(
            size.rounds,
            {
                BARE: lambda: load.run(stage.floor_port, bare, seconds=seconds),
                OURS: lambda: load.run(stage.port, ours, seconds=seconds),
            },
        ),
    }


def _fill(stage: Stage, jobs: int) -> float:
    started = time.perf_counter()
    with stage.database() as connection:
        # The triggers would move balances by the captures of jobs that never were; the transfers come in pairs
        # that a real job would have written, spread over all accounts, and the balances stay as they are.
        connection.execute("SET session_replication_role = replica")
        for table in _TABLES:  # or autovacuum would go through each several times while it fills
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
        for first in range(0, jobs, _BATCH):
            last = min(first + _BATCH, jobs)
            connection.execute(_FILL.encode(), {"first": first, "last": last, "accounts": ACCOUNTS})
        connection.execute("SET session_replication_role = origin")
        for table in _TABLES:
            connection.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)".encode())
            connection.execute(f"VACUUM (ANALYZE) {table}".encode())
        connection.execute("CHECKPOINT")
    return time.perf_counter() - started
