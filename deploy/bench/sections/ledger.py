"""The ledger's services against pgbench doing the same statements: spread over accounts, and on one hot account."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.series import Contest, RunInvalid, Series
from deploy.bench.size import Size
from deploy.bench.stage import FLOOR_DATABASE, WEB_THREADS, WEB_WORKERS, Stage
from deploy.platform.programs import ROOT

CLIENTS = WEB_WORKERS * WEB_THREADS
PGBENCH, OURS = "pgbench", "services"
TRANSFERS = 4
"""Of a round (deploy.bench.ledger): deposit, hold, capture, release."""
WANTED = 0.6
WARMUP = 2.0
"""Of both: a connection plans each statement some ten times at first, which those of a server have long behind them."""
FIRST_ACCOUNT = 1
"""Of the module that is measured."""


def ledger(stage: Stage, size: Size) -> Section:
    """Both contenders on the floor's database: the same tables, the same accounts."""
    scripts = stage.told("deploy.bench.ledger", "script", database=FLOOR_DATABASE)
    found = {
        title: Contest(
            size.rounds,
            {
                PGBENCH: partial(_counted, stage, partial(_pgbench, stage, size, scripts[name])),
                OURS: partial(_counted, stage, partial(_services, stage, size, accounts)),
            },
        )
        for title, name, accounts in (
            (f"{CLIENTS} accounts", "spread", list(range(FIRST_ACCOUNT, FIRST_ACCOUNT + CLIENTS))),
            ("one hot account", "hot", [FIRST_ACCOUNT] * CLIENTS),
        )
    }
    table = Table(
        title=f"Money: rounds of deposit, hold and settlement, {CLIENTS} clients",
        columns=("", "transfers /s", *FIGURE_COLUMNS, "÷ pgbench", "services CPU ms"),
        rows=[
            [
                f"{title}, {name}",
                number(one.rate * TRANSFERS),
                *figure_cells(one),
                number(contest.ratio(name, PGBENCH)),
                number(contest.cost(name, OURS)) if name == OURS else "",
            ]
            for title, contest in found.items()
            for name, one in contest.medians().items()
        ],
        notes=[
            f"A round is {TRANSFERS} transfers in 3 transactions, each on disk before the next begins; the other "
            f"figures are of rounds. {size.rounds} × {size.seconds:g} s each, taken in turn; medians.",
            f"The services run in {WEB_WORKERS} processes × {WEB_THREADS} threads, as a web server runs them; "
            "pgbench sends the statements that one real round sent.",
        ],
    )
    return Section(
        tables=[table],
        targets=[
            Target(name=f"transfers, {title} ÷ pgbench", measured=contest.ratio(OURS, PGBENCH), wanted=WANTED)
            for title, contest in found.items()
        ],
        figures={title: contest.medians() for title, contest in found.items()},
    )


def _pgbench(stage: Stage, size: Size, script: str) -> Series:
    return stage.pgbench.run(script, clients=CLIENTS, seconds=size.seconds, warmup=WARMUP)


def _services(stage: Stage, size: Size, accounts: list[int]) -> Series:
    """Processes of so many threads each, begun at one moment."""
    shares = [accounts[first : first + WEB_THREADS] for first in range(0, len(accounts), WEB_THREADS)]
    processes = [_start(stage, size, share) for share in shares]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RunInvalid(f"the services do not start:\n{process.communicate()[1][-2000:]}")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        ended = [process.communicate(timeout=size.seconds + WARMUP + 60) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    broken = [complaints for process, (_, complaints) in zip(processes, ended, strict=True) if process.returncode]
    if broken:
        raise RunInvalid(f"the services failed:\n{broken[0][-2000:]}")
    told = [json.loads(printed) for printed, _ in ended]
    return Series(
        latencies=[latency for one in told for latency in one["latencies"]],
        seconds=size.seconds,
        requests=sum(one["rounds"] for one in told),
        generator_cpu_seconds=sum(one["cpu_seconds"] for one in told),
    )


def _start(stage: Stage, size: Size, accounts: list[int]) -> subprocess.Popen[str]:
    plan = json.dumps([accounts, size.seconds, WARMUP])
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.bench.ledger", "run", plan],
        env=stage.environment(FLOOR_DATABASE),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _counted(stage: Stage, run: Callable[[], Series]) -> Series:
    """The run with its cost, once the ledger has a row for each transfer of its every round.

    Raises:
        RunInvalid: it has another number: what was measured moved no money.
    """
    before = _transfers(stage)
    series = stage.costed(run)
    own = {OURS: series.generator_cpu_seconds * 1000 / series.requests}
    series = replace(series, cost={**series.cost, **own})
    written = _transfers(stage) - before
    # A transaction that pgbench's end broke off was in none of its figures and may have left up to three transfers.
    if not 0 <= written - series.requests * TRANSFERS <= CLIENTS * (TRANSFERS - 1):
        raise RunInvalid(f"{series.requests} rounds left {written} transfers")
    return series


def _transfers(stage: Stage) -> int:
    with stage.database(FLOOR_DATABASE) as connection:
        row = connection.execute("SELECT count(*) FROM billing_transfer").fetchone()
    assert row is not None
    return int(row[0])
