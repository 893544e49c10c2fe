"""How thorough a run is, what it found, and the table that shows it."""

import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SMALLEST = 1e-12  # what a loss of 0 counts as in a ratio


@dataclass(frozen=True)
class Plan:
    """How thorough, and with what.

    Attributes:
        size, large: sides of the (square) pictures in pixels.
        rounds: of each time measurement. steps: of every optimisation. frames: of each clip.
        pairs: how many photos and paintings are paired where Gatys paints them, too; many: where he does not.
        photo: width and height of the photo whose memory is measured. letters: targets of each test set of letters.
        judged: whether the course's promises hold for these sizes.
        judge: a SqueezeNet 1.0 checkpoint, or None: then no other network looks at the pastiches.
        teacher: a checkpoint of vgg19_16x, or None: then `mini` is not compared with it.
        folder: with content/ and style/ inside; None: the course's own pictures.
        baseline: what `benchmarks.zi2zi` wrote, or None.
    """

    size: int = 256
    large: int = 512
    rounds: int = 15
    steps: int = 300
    frames: int = 8
    pairs: int = 16
    many: int = 100
    photo: tuple[int, int] = (4000, 3000)
    letters: int = 384
    judged: bool = True
    judge: Path | None = None
    teacher: Path | None = None
    folder: Path | None = None
    baseline: Path | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The numbers, without any path."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int | tuple)}


QUICK = Plan(
    size=64, large=96, rounds=2, steps=5, frames=2, pairs=2, many=2, photo=(200, 150), letters=2,
    judged=False,
)  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """One line of the table.

    Attributes:
        value: None where it could not be measured here; then `note` says why. unit: "s", "/s", "dB", "×", "MB", "%".
        at_least, at_most: what the course promises, if it promises anything.
    """

    name: str
    value: float | None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept; None if there is none, or nothing was measured."""
        if self.value is None or (self.at_least is None and self.at_most is None):
            return None
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    @property
    def promised(self) -> str:
        """ "≥ 10 ×", "≤ 100 ms" or nothing, in the unit in which the value is shown."""
        limit = self.at_least if self.at_least is not None else self.at_most
        if limit is None:
            return ""
        return f"{'≤' if self.at_least is None else '≥'} {show(limit, self.unit, like=self.value)}"


Group = Callable[[Plan], Iterator[Measurement]]  # raises RuntimeError where it cannot go on


def table(found: Sequence[tuple[str, Measurement]], judged: bool = True) -> Iterator[str]:
    """The lines of a table of measurements, each given with the title of its group."""
    rows = [("", "measured", "promised", "", "")]
    for group, lines in itertools.groupby(found, key=lambda line: line[0]):
        rows.append((group, "", "", "", ""))
        for _, each in lines:
            met = {True: "met", False: "MISSED", None: ""}[each.met if judged else None]
            rows.append((f"  {each.name}", show(each.value, each.unit), each.promised, met, each.note))
    aligned = (str.ljust, str.rjust, str.rjust, str.ljust, str.ljust)
    columns = [
        [align(cell, max(map(len, column))) for cell in column]
        for align, column in zip(aligned, zip(*rows, strict=True), strict=True)
    ]
    yield from ("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def show(value: float | None, unit: str, like: float | None = None) -> str:
    """A value with its unit, in as many digits as make sense; seconds as those of `like`, in s or in ms."""
    if value is None:
        return "—"
    if unit == "s":
        return f"{value:.3g} s" if (value if like is None else like) >= 1 else f"{value * 1000:.3g} ms"
    digits = {"dB": ".1f", "MB": ".0f", "%": ".1f"}.get(unit, ".3g")
    return f"{value:{digits}} {unit}".strip()


def over(ours: float, theirs: float) -> float:
    """ours / theirs; a loss of nearly 0 is not divided by."""
    return max(ours, SMALLEST) / max(theirs, SMALLEST)


def mean(ratios: Sequence[float]) -> float:
    """The geometric mean: twice as much and half as much make 1."""
    return statistics.geometric_mean(max(value, SMALLEST) for value in ratios)
