"""A table of what was found, and the file that keeps it."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure of the table.

    Attributes:
        group: what it belongs to, such as "encoder speed".
        name: what was measured.
        value: None where it could not be measured here; then `note` says why.
        unit: "s", "dB", "×", "MB" or "".
        at_least, at_most: what the course asks for, if it asks for anything.
        note: how it was measured, in a few words.
    """

    group: str
    name: str
    value: float | None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure is as asked for; None if nothing was asked for, or nothing measured."""
        if self.value is None or (self.at_least is None and self.at_most is None):
            return None
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    @property
    def asked(self) -> str:
        """ "≥ 10 ×", "≤ 100 ms" or nothing, in the unit in which the value is shown."""
        wanted = self.at_least if self.at_least is not None else self.at_most
        if wanted is None:
            return ""
        return f"{'≤' if self.at_least is None else '≥'} {show(wanted, self.unit, like=self.value)}"

    @property
    def part(self) -> float | None:
        """The value over what is asked for: 0.5 is half of what is allowed, or half of what is wanted."""
        wanted = self.at_least if self.at_least is not None else self.at_most
        return None if self.value is None or not wanted else self.value / wanted


@dataclass
class Report:
    """All figures of a run; kept on disk as it grows."""

    settings: dict[str, Any]
    machine: dict[str, Any]
    path: Path | None = None
    judged: bool = True  # False: sizes were such that what the course asks for does not apply
    figures: list[Figure] = field(default_factory=list)

    def met(self, figure: Figure) -> bool | None:
        """`Figure.met`, if figures of this run are judged at all."""
        return figure.met if self.judged else None

    def add(self, figures: Sequence[Figure]) -> None:
        """Take up a group of figures, and write everything so far to `path`: whoever stops early keeps it."""
        self.figures += figures
        if self.path is not None:
            figures = [asdict(figure) | {"met": self.met(figure)} for figure in self.figures]
            whole = {"machine": self.machine, "settings": self.settings, "figures": figures}
            part = self.path.with_name(self.path.name + ".part")
            part.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            os.replace(part, self.path)


def show(value: float | None, unit: str, like: float | None = None) -> str:
    """A figure with its unit, in as many digits as make sense; seconds as those of `like`, in s or in ms."""
    if value is None:
        return "—"
    if unit == "s":
        return f"{value:.3g} s" if (value if like is None else like) >= 1 else f"{value * 1000:.3g} ms"
    digits = {"dB": ".1f", "MB": ".0f", "%": ".1f"}.get(unit, ".3g")
    return f"{value:{digits}} {unit}".strip()


def table(report: Report) -> Iterator[str]:
    """The lines of one table with all figures, under the name of the machine."""
    yield " · ".join(f"{name} {value}" for name, value in report.machine.items())
    if not report.judged:
        yield "tiny pictures and few rounds: these figures say that it runs, and nothing about what is wanted"
    rows = [("", "figure", "wanted", "÷ wanted", "", "")]
    group = ""
    for figure in report.figures:
        if figure.group != group:
            group = figure.group
            rows.append((group, "", "", "", "", ""))
        met = {True: "met", False: "MISSED", None: ""}[report.met(figure)]
        part = "" if figure.part is None or not report.judged else f"{figure.part:.2f}"
        shown = show(figure.value, figure.unit)
        rows.append((f"  {figure.name}", shown, figure.asked, part, met, figure.note))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        numbers = (row[i].rjust(widths[i]) for i in (1, 2, 3))
        yield "  ".join([row[0].ljust(widths[0]), *numbers, row[4].ljust(widths[4]), row[5]]).rstrip()
