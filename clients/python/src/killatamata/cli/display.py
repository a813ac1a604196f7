"""What the terminal shows. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from killatamata.models import Job, Submitted


def plain(value: object) -> str:
    """A text of the server's without what could drive a terminal."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def dollars(amount: Decimal) -> str:
    """Exact dollars, with two decimals at least."""
    text = f"{amount:f}"
    whole, _, part = text.partition(".")
    return f"${whole}.{part.ljust(2, '0')}"


class Display:
    """One command's output: for people, or with `as_json` JSON and nothing else."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def json(self, value: Any, *, line: bool = False) -> None:
        """One JSON document; on one line where more will follow."""
        sys.stdout.write(json.dumps(value, indent=None if line else 2) + "\n")
        sys.stdout.flush()

    def say(self, *sentences: object) -> None:
        """Part of the result, for people."""
        if not self.as_json:
            for sentence in sentences:
                self._out.print(plain(sentence))

    def note(self, *sentences: object, style: str = "") -> None:
        """What is worth knowing beside the result, for people."""
        if not self.as_json:
            for sentence in sentences:
                self._err.print(Text(plain(sentence), style=style))

    def warn(self, sentence: object, *, style: str = "") -> None:
        """What must be seen even where only JSON is wanted."""
        self._err.print(Text(plain(sentence), style=style))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table, for people."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text("" if cell is None else plain(cell)) for cell in row))
        if not self.as_json:
            self._out.print(table, soft_wrap=False)

    def pairs(self, rows: Iterable[tuple[str, object]]) -> None:
        """Names and values, for people; what is None is left out."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in rows:
            if value is not None:
                table.add_row(name, Text(plain(value)))
        if not self.as_json:
            self._out.print(table, soft_wrap=False)

    @contextmanager
    def watching(self, submitted: Submitted | None = None) -> Iterator[Watch]:
        """A live bar for one job."""
        price = dollars(submitted.usd_charged) if submitted else ""
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[about]}", markup=False),
            console=self._err,
            disable=self.as_json,
        )
        with bar:
            yield Watch(bar, price)


class Watch:
    """The bar's one line; give it to `Client.wait` as `on_progress`."""

    def __init__(self, bar: Progress, price: str) -> None:
        self._bar = bar
        self._price = price
        self._row = bar.add_task("submitted", total=1.0, about=price)

    def __call__(self, job: Job) -> None:
        """Show the job as it is now."""
        self._bar.update(
            self._row, description=plain(job.status), completed=job.progress, about=plain(about(job, self._price))
        )


def about(job: Job, price: str) -> str:
    """The end of a job's line: its place while it waits, how long it will take, its price."""
    parts = []
    if job.status == "queued" and job.queue_position is not None:
        parts.append(f"position {job.queue_position}")
    if not job.ended and job.eta_seconds is not None:
        parts.append(f"about {duration(job.eta_seconds)} left")
    if job.cancel_requested and not job.ended:
        parts.append("stopping")
    if not price and job.billing is not None:
        price = dollars(job.billing.usd_charged)
    if price:
        parts.append(price if job.status not in {"failed", "canceled", "terminated"} else "not billed")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def silence_output() -> None:
    """Let nothing more be written to a pipe whose reader has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
