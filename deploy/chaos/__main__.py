"""`python -m deploy.chaos`: the run, its gates as a table, an exit code."""

import argparse
import secrets
import sys
import time

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.chaos import plants
from deploy.chaos.gates import Verdict, judge
from deploy.chaos.run import FULL, SHORT, ChaosRun

FAULTS_SHOWN = 8
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round of strikes, about a minute")
    parser.add_argument(
        "--expect-violations", action="store_true", help="plant violations; pass if the gates name them"
    )
    parser.add_argument("--seed", type=int, default=None, help="repeat the draws of an earlier run")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    began = time.monotonic()
    console.print(f"seed {seed}")
    # The plants need a sound run to spoil, not a long one.
    size = SHORT if options.short or options.expect_violations else FULL
    with ChaosRun(size=size, seed=seed, say=console.print) as run:
        run.keep = options.keep
        run.crowds()
        run.storm()
        run.settle()
        evidence = run.evidence()
        verdicts = judge(evidence)
        show(verdicts)
        show_figures(run)
        sound = not any(verdict.faults for verdict in verdicts)
        if not sound:
            run.keep = True
        elif options.expect_violations:
            planted = plants.plant(evidence.books, run.platform.environment)
            verdicts = judge(run.evidence())
            show(verdicts)
            missed = plants.unseen(planted, verdicts)
            for plant in planted:
                seen = "[red]NOT seen[/]" if plant in missed else "seen"
                console.print(f"planted {plant.what} ({plant.victim}): {seen} by “{plant.gate}”")
            sound = not missed
    console.print(f"{'passed' if sound else '[red]FAILED[/]'} in {time.monotonic() - began:.0f} s, seed {seed}")
    return 0 if sound else 1


def show(verdicts: list[Verdict]) -> None:
    """The gates as a table, with the first faults of each that failed."""
    table = Table("gate", "figures", "verdict", title="Gates")
    for verdict in verdicts:
        faults = [escape(fault) for fault in verdict.faults[:FAULTS_SHOWN]]
        if len(verdict.faults) > FAULTS_SHOWN:
            faults.append(f"… and {len(verdict.faults) - FAULTS_SHOWN} more")
        table.add_row(verdict.name, verdict.figure, "[red]" + "\n".join(faults) + "[/]" if faults else "[green]pass[/]")
    console.print(table)


def show_figures(run: ChaosRun) -> None:
    """What happened to whom."""
    table = Table("figure", "", title="Run")
    calls = sum(run.wire.calls.values())
    twice, lost = run.wire.faults["twice"], run.wire.faults["lost"]
    table.add_row(
        "worker calls", f"{calls}, {twice} sent twice, {lost} answered and lost ({(twice + lost) / calls:.0%})"
    )
    table.add_row("killed or restarted", ", ".join(f"{name} {count}×" for name, count in run.strikes.kills.items()))
    table.add_row("clients repeated because of", ", ".join(f"{k} {n}×" for k, n in run.record.hitches.most_common()))
    table.add_row("cancels asked for", str(run.record.canceled))
    table.add_row("input leases moved on", str(run.leases_moved))
    table.add_row("quiet after the last strike", f"{run.settled_after:.1f} s")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
