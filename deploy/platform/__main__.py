"""`python -m deploy.platform up | down`: the platform in the foreground, and how to stop it from elsewhere."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from urllib.request import urlopen

import psutil
from rich.console import Console
from rich.table import Table

from deploy.embedded import DataFolderInUse
from deploy.platform.platform import Platform
from deploy.platform.programs import ROOT
from deploy.process import StartFailed, remembered

STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_SECONDS = 20
console = Console(highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.platform", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--data", type=Path, default=ROOT / "var", help="where the data live (default: var/)")
    parser.add_argument("--web-workers", type=int, default=int(os.environ.get("WEB_WORKERS") or 2))
    parser.add_argument("--worker-concurrency", type=int, default=int(os.environ.get("WORKER_CONCURRENCY") or 2))
    options = parser.parse_args()
    if options.action == "down":
        return down(options.data)
    return up(options.data, web_workers=options.web_workers, worker_concurrency=options.worker_concurrency)


def up(data_dir: Path, *, web_workers: int, worker_concurrency: int) -> int:
    """Run until Ctrl-C or SIGTERM, also during the start."""
    platform = Platform(data_dir, web_workers=web_workers, worker_concurrency=worker_concurrency)
    stop_asked = threading.Event()
    starting = True

    def on_signal(number: int, frame: FrameType | None) -> None:
        again = stop_asked.is_set()
        stop_asked.set()
        if starting and not again:  # an impatient second Ctrl-C must not interrupt the stopping
            raise KeyboardInterrupt

    for stopper in STOPPERS:
        signal.signal(stopper, on_signal)
    try:
        platform.start()
        starting = False
    except DataFolderInUse:
        console.print(f"[yellow]The platform already runs[/]{where(data_dir)}; `make down` stops it.")
        return 1
    except StartFailed as error:
        console.print(f"[red]The platform did not start.[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped while starting.")
        return 130
    show(platform)
    if platform.mail is not None:
        threading.Thread(target=report_mail, args=[platform.mail, stop_asked], daemon=True).start()
    while not stop_asked.wait(3600):
        pass
    console.print("Stopping …")
    platform.stop()
    console.print("Stopped. The data are kept.")
    return 0


def down(data_dir: Path) -> int:
    """Stop the platform that runs on this folder and wait until it is gone."""
    supervisor = remembered(data_dir / "supervisor.pid")
    if supervisor is None:
        console.print("The platform does not run.")
        return 0
    supervisor.send_signal(signal.SIGTERM)
    try:
        supervisor.wait(90)
    except psutil.TimeoutExpired:
        console.print(f"[red]It is still stopping after 90 s[/] (pid {supervisor.pid}); see {data_dir / 'log'}.")
        return 1
    console.print("The platform is stopped. The data are kept.")
    return 0


def where(data_dir: Path) -> str:
    """The address of a running platform, as far as it is known."""
    try:
        return f" at {json.loads((data_dir / 'run.json').read_text())['api_base']}"
    except (FileNotFoundError, PermissionError):  # it is still starting, or it is another user's
        return ""


def report_mail(page: str, stop_asked: threading.Event) -> None:
    """Print each message that the catcher takes: its subject, its recipients, the line with its code."""
    seen = 0
    while not stop_asked.is_set():
        try:
            with urlopen(f"{page}/messages.json?after={seen}&wait={POLL_SECONDS}", timeout=POLL_SECONDS + 5) as answer:
                messages = json.load(answer)["messages"]
        except (OSError, ValueError):  # it was restarted, and counts from 1 again
            seen = 0
            stop_asked.wait(1)
            continue
        for message in messages:
            seen = message["number"]
            lines = [f"mail to {', '.join(message['recipients'])}: {message['subject']}", message["code_line"]]
            console.out(*(line for line in lines if line), sep="\n  ", highlight=False)


def show(platform: Platform) -> None:
    """The addresses and the key, as a table."""
    run = json.loads((platform.data_dir / "run.json").read_text())
    table = Table(title="The platform runs", title_justify="left", show_header=False, title_style="bold green")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("API", run["api_base"])
    table.add_row("API key", run["api_key"] or "shown when it was made; `manage.py mint_key` makes a new one")
    table.add_row("Admin", run["admin"]["url"])
    for name in ("email", "password"):
        if name in run["admin"]:
            table.add_row(f"  {name}", run["admin"][name])
    if run["flower"]:
        table.add_row("Queues", run["flower"])
        user, _, password = run["flower_login"].partition(":")
        table.add_row("  user", user)
        table.add_row("  password", password)
    table.add_row("Sign in", f"{run['site']}/sign-in")
    if run["mail"]:
        table.add_row("Mail", run["mail"])
    if run["sandboxes"]:
        table.add_row(
            "Payments", f"{run['sandboxes']} (sandbox for {', '.join(run['sandboxed'])}: no real money moves)"
        )
    table.add_row("Media", run["cdn_base"])
    table.add_row("Logs", os.path.relpath(run["logs"]))
    console.print(table)
    console.print("All of this is in run.json beside the logs' folder. Ctrl-C or `make down` stops it.")


if __name__ == "__main__":
    sys.exit(main())
