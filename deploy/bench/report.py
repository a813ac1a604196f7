"""Tables for people, JSON for programs: both from the same report."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from deploy.bench.series import Figures


@dataclass(frozen=True, kw_only=True)
class Table:
    """A titled table of texts; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.title!r} has not {len(self.columns)} cells")

    def markdown(self) -> str:
        """As a Markdown table, numbers to the right."""
        rule = [":---", *("---:" for _ in self.columns[1:])]
        lines = [f"### {self.title}", ""]
        lines += [f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows)]
        lines += [""] + [f"{note}  " for note in self.notes] + ([""] if self.notes else [])
        return "\n".join(lines)

    def rich(self) -> RichTable:
        """For the terminal."""
        table = RichTable(title=self.title, title_justify="left", title_style="bold", caption="\n".join(self.notes))
        table.caption_justify = "left"
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=not number)
        for row in self.rows:
            table.add_row(*row)
        return table


@dataclass(frozen=True, kw_only=True)
class Target:
    """A figure to reach: at least or at most `wanted`."""

    name: str
    measured: float
    wanted: float
    at_most: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    def row(self) -> list[str]:
        """Name, measured, wanted, verdict."""
        bound = "≤" if self.at_most else "≥"
        unit = f" {self.unit}" if self.unit else ""
        verdict = "met" if self.met else "missed"
        return [self.name, f"{number(self.measured)}{unit}", f"{bound} {number(self.wanted)}{unit}", verdict]


@dataclass(kw_only=True)
class Section:
    """What one section of the bench found."""

    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    """The raw numbers behind the tables."""


FIGURE_COLUMNS = ("rate /s", "p50 ms", "p95 ms", "p99 ms")


def figure_cells(figures: Figures) -> list[str]:
    """The four cells of FIGURE_COLUMNS."""
    return [number(figures.rate), number(figures.p50), number(figures.p95), number(figures.p99)]


def number(value: float) -> str:
    """Three significant digits, whole numbers from 100 on, thousands parted by a space."""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def targets_table(targets: Sequence[Target]) -> Table:
    """All the targets of a run."""
    return Table(title="Targets", columns=("figure", "measured", "wanted", ""), rows=[one.row() for one in targets])


def write(folder: Path, *, machine: dict[str, Any], sections: dict[str, Section]) -> tuple[Path, Path]:
    """`bench.md` and `bench.json` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [target for section in sections.values() for target in section.targets]
    tables = [table for section in sections.values() for table in section.tables]
    about = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    pages = ["## Benchmark", "", about, "", *(table.markdown() for table in [*tables, targets_table(targets)])]
    markdown, data = folder / "bench.md", folder / "bench.json"
    markdown.write_text("\n".join(pages).rstrip() + "\n")
    told = {
        "machine": machine,
        "sections": {name: section.figures for name, section in sections.items()},
        "targets": [{**asdict(target), "met": target.met} for target in targets],
    }
    data.write_text(json.dumps(told, indent=2, default=asdict) + "\n")
    return markdown, data


def show(console: Console, tables: Sequence[Table]) -> None:
    """Print them."""
    for table in tables:
        console.print(table.rich())
        console.print()
