"""`python -m deploy.bench`: start the platform and the floors, measure, print and write `var/bench/bench.md`."""

import argparse
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from deploy.bench import report
from deploy.bench.sections.dispatch import dispatch
from deploy.bench.sections.engines import engines
from deploy.bench.sections.history import history
from deploy.bench.sections.hot import hot
from deploy.bench.sections.jobs import jobs
from deploy.bench.sections.keys import keys
from deploy.bench.sections.ledger import ledger
from deploy.bench.sections.statements import statements
from deploy.bench.sections.status import status
from deploy.bench.sections.submit import floors, submit
from deploy.bench.sections.webhooks import webhooks
from deploy.bench.series import RunInvalid
from deploy.bench.size import DEFAULT, QUICK, Size
from deploy.bench.stage import WEB_THREADS, WEB_WORKERS, NotOurServers, Stage
from deploy.embedded import DataFolderInUse
from deploy.platform.programs import ROOT
from deploy.process import StartFailed

# In this order: the engines while nothing else happens, the worker's sections while no backlog waits, the filling of
# the tables late, and last the webhooks, which leave the steward events to judge.
SECTIONS: dict[str, Callable[[Stage, Size], report.Section]] = {
    "engines": engines,
    "keys": keys,
    "dispatch": dispatch,
    "jobs": jobs,
    "floors": floors,
    "submit": submit,
    "status": status,
    "hot": hot,
    "ledger": ledger,
    "statements": statements,
    "history": history,
    "webhooks": webhooks,
}
USUAL = [name for name in SECTIONS if name != "floors"]
"""`floors` is a part of `submit`."""
# Into a pipe or a log the tables keep their full width; a terminal has its own.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short: to see that all works, not for figures")
    parser.add_argument("--only", type=_names, default=None, help=f"comma-separated: {', '.join(SECTIONS)}")
    parser.add_argument("--keep", action="store_true", help="keep the data folder for a look into the logs")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench", help="where the reports go")
    options = parser.parse_args()
    chosen = options.only or USUAL
    size = QUICK if options.quick else DEFAULT
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: everything is stopped and removed
    try:
        return _bench([name for name in SECTIONS if name in chosen], size, options.out, keep=options.keep)
    except (NotOurServers, DataFolderInUse, StartFailed, RunInvalid) as error:
        console.print(f"[red]The benchmark did not finish.[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130


def _bench(names: list[str], size: Size, out: Path, *, keep: bool) -> int:
    begun = time.monotonic()
    data_dir = out / "data"
    found: dict[str, report.Section] = {}
    stage = Stage(data_dir, say=console.print)
    try:
        with stage:
            machine = _machine(stage)
            for name in names:
                console.print(f"measuring {name} …")
                found[name] = SECTIONS[name](stage, size)
                report.show(console, found[name].tables)
    finally:
        if not keep:
            stage.remove()
            shutil.rmtree(data_dir, ignore_errors=True)
    machine["took"] = f"{time.monotonic() - begun:.0f} s"
    targets = [target for section in found.values() for target in section.targets]
    if targets:
        report.show(console, [report.targets_table(targets)])
    markdown, data = report.write(out, machine=machine, sections=found)
    console.print(f"Written: {os.path.relpath(markdown)}, {os.path.relpath(data)} ({machine['took']})")
    return 0


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = sorted(set(names) - SECTIONS.keys())
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"no such section: {', '.join(unknown) or text!r}")
    return names


def _machine(stage: Stage) -> dict[str, Any]:
    settings = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
    with stage.database() as connection:
        shown = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in settings}
    return {
        "processors": f"{os.cpu_count()} ({platform.machine()}), load {os.getloadavg()[0]:.1f} at the start",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "PostgreSQL": ", ".join(f"{name} {row[0]}" for name, row in shown.items() if row),
        "web": f"{WEB_WORKERS} granian workers × {WEB_THREADS} threads, for the platform and for bare Django alike",
    }


if __name__ == "__main__":
    sys.exit(main())
