"""What a benchmark found: a table for people, and one line of JSON for everything else."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Number = float | int


@dataclass(frozen=True)
class Target:
    """What a figure must be: at most, at least, or exactly `limit`."""

    what: str
    found: Number
    relation: str  # one of < <= >= ==
    limit: Number

    @property
    def met(self) -> bool:
        """Whether the figure is as it must be."""
        return {
            "<": self.found < self.limit,
            "<=": self.found <= self.limit,
            ">=": self.found >= self.limit,
            "==": self.found == self.limit,
        }[self.relation]

    def line(self) -> str:
        """Return the target as the table shows it."""
        verdict = "met" if self.met else "MISSED"
        found = f"{self.found:.4f}" if self.relation == "==" else show(self.found)
        return f"{verdict:<7}{self.what}: {found} (must be {self.relation} {self.limit})"


@dataclass(frozen=True)
class Report:
    """The figures of one benchmark; units are in their names."""

    name: str
    figures: dict[str, Number]
    baseline: dict[str, Number]
    ratios: dict[str, Number]  # and differences, to the baseline
    targets: tuple[Target, ...]
    columns: tuple[str, ...] = ()
    rows: list[tuple[str | Number, ...]] = field(default_factory=list)
    conditions: tuple[str, ...] = ()

    def table(self) -> str:
        """Return everything, to be read by a person."""
        cells = [self.columns, *[tuple(map(show, row)) for row in self.rows]]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [_line(row, widths) for row in cells]
        lines.insert(1, "-" * len(lines[0]))
        return "\n".join([*lines, "", *self.conditions, *(t.line() for t in self.targets), ""])

    def as_json(self) -> str:
        """Return everything in one line."""
        targets = {t.what: {**asdict(t), "met": t.met} for t in self.targets}
        return json.dumps(
            {
                "name": self.name,
                "figures": _rounded(self.figures),
                "baseline": _rounded(self.baseline),
                "ratios": _rounded(self.ratios),
                "targets": targets,
                "targets_met": all(t.met for t in self.targets),
                "python": platform.python_version(),
                "cores": os.cpu_count(),
            }
        )


def quantile(values: Sequence[float], q: float) -> float:
    """Return the value below which the share `q` of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """Return the middle of the values."""
    return statistics.median(values)


def progress(text: str) -> None:
    """Say on standard error what is being measured."""
    print(f"… {text}", file=sys.stderr, flush=True)


def show(value: str | Number) -> str:
    """Return a number with as many digits as mean something."""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return "  ".join([f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)])


def _rounded(figures: dict[str, Number]) -> dict[str, Number]:
    return {name: round(value, 3) for name, value in figures.items()}
