"""Measuring fairly on a machine that does other things too, and a table of what was found.

Two numbers are taken of each piece of work: the seconds on the clock, and the seconds that processors spent on it
(user + system time of this process). The first is what somebody waits for; the second hardly changes when others use
the machine, so ratios are made of it. On a GPU only the clock means anything.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from stylelearn import __version__


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
        """ "≥ 10", "≤ 0.08" or nothing."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""


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


@dataclass(frozen=True)
class Timing:
    """Medians of one piece of work, in seconds: on the clock, and of processor time."""

    clock: float
    processor: float
    runs: tuple[float, ...]  # what ratios are made of: processor seconds, on a GPU those of the clock


def take_turns(work: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, Timing]:
    """Run each piece of work `rounds` times, in turn: whatever disturbs the machine disturbs all of them alike.

    Args:
        work: name -> what to do; it may return whatever it likes.
        rounds: at least 1. `warm_up`: rounds before, that are not counted.
    """
    clock: dict[str, list[float]] = {name: [] for name in work}
    processor: dict[str, list[float]] = {name: [] for name in work}
    for number in range(warm_up + rounds):
        for name, do in work.items():
            _wait_for_gpu()
            before = time.perf_counter(), time.process_time()
            do()
            _wait_for_gpu()
            after = time.perf_counter(), time.process_time()
            if number >= warm_up:
                clock[name].append(after[0] - before[0])
                processor[name].append(after[1] - before[1])
    counts = clock if torch.cuda.is_initialized() else processor
    return {
        name: Timing(statistics.median(clock[name]), statistics.median(processor[name]), tuple(counts[name]))
        for name in work
    }


def _wait_for_gpu() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def ratio(a: Timing, b: Timing) -> float:
    """How many times longer a takes than b: the median over the rounds of the ratio within each."""
    return statistics.median(x / max(y, 1e-9) for x, y in zip(a.runs, b.runs, strict=True))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    found = {
        "processor": processor_name(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "stylelearn": __version__,
        "date": time.strftime("%Y-%m-%d"),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        return os.cpu_count() or 1


def processor_name() -> str:
    """The model of the processor, as the system calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def show(value: float | None, unit: str) -> str:
    """A figure with its unit, in as many digits as make sense."""
    if value is None:
        return "—"
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"
    digits = {"dB": ".1f", "MB": ".0f", "%": ".1f"}.get(unit, ".3g")
    return f"{value:{digits}} {unit}".strip()


def table(report: Report) -> Iterator[str]:
    """The lines of one table with all figures, under the name of the machine."""
    yield " · ".join(f"{name} {value}" for name, value in report.machine.items())
    rows = [("", "figure", "asked", "", "")]
    group = ""
    for figure in report.figures:
        if figure.group != group:
            group = figure.group
            rows.append((group, "", "", "", ""))
        met = {True: "met", False: "MISSED", None: ""}[report.met(figure)]
        rows.append((f"  {figure.name}", show(figure.value, figure.unit), figure.asked, met, figure.note))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in (1, 2)), row[3].ljust(widths[3]), row[4]]
        yield "  ".join(cells).rstrip()
