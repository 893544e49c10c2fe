"""What a comparison found, and how it is written down: rows, the paper's table beside ours, cost against pixels."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from stylelearn.evaluation.markdown import markdown
from stylelearn.evaluation.metrics import MEASURES
from stylelearn.evaluation.timing import machine
from stylelearn.painting import count_styles
from stylelearn.registry import METHODS


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing: the middle one, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """That of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Row:
    """What one method made of one pair at one size, and what it cost.

    Attributes:
        method: one of `METHODS`. size: pixels a side.
        picture: the pastiche of the first seed, (1, 3, H, W) in [0, 1]; None where the method cannot paint the pair.
        seconds: a photo, its style being known already. None where it was not timed.
        with_style: the same with encoding the style; None where styles are in the weights ("N/A" in the paper).
        memory: the most that a process of its own held beyond what it began with, in MB; None where not measured.
        styles: how many styles: "1", "14", "∞".
        measures: by name, as `metrics.MEASURES`; spread over the seeds. Empty where it cannot paint the pair.
        note: why something is missing, or how seconds were found.
    """

    method: str
    size: int
    picture: Tensor | None = field(repr=False)
    seconds: Spread | None = None
    with_style: Spread | None = None
    memory: float | None = None
    styles: str = "∞"
    measures: Mapping[str, Spread] = field(default_factory=dict)
    note: str = ""


def _in_brackets(seconds: float | None, with_style: float | None, digits: int = 3) -> str:
    """The paper's layout: "0.018 (0.027)", "0.011 (N/A)"."""
    if seconds is None:
        return "—"
    return f"{seconds:.{digits}g} ({'N/A' if with_style is None else f'{with_style:.{digits}g}'})"


def _medians(row: Row | None) -> tuple[float | None, float | None]:
    both = (None, None) if row is None else (row.seconds, row.with_style)
    return tuple(None if each is None else each.median for each in both)  # type: ignore[return-value]


def table(rows: Iterable[Row]) -> str:
    """Rows as a Markdown table: method, size, seconds (with style), styles, and notes below.

    Memory and each measure have a column if a row has them; a dash is what was not measured.
    """
    rows = list(rows)
    names = [name for name in MEASURES if any(name in row.measures for row in rows)]
    memory = ["memory, MB"] if any(row.memory is not None for row in rows) else []
    heads = ["method", "px", "seconds (with style)", *memory, "styles", *(MEASURES[name].title for name in names)]
    lines = [heads]
    for row in rows:
        cells = [METHODS[row.method].title, str(row.size), _in_brackets(*_medians(row))]
        cells += ["—" if row.memory is None else f"{row.memory:.0f}" for _ in memory] + [row.styles]
        cells += [f"{row.measures[name].median:.3g}" if name in row.measures else "—" for name in names]
        lines.append(cells)
    notes = dict.fromkeys(f"{METHODS[row.method].title}: {row.note}" for row in rows if row.note)
    return "\n".join([markdown(lines, range(1, len(heads))), *(f"\n{note}" for note in notes)])


# Table 1 of Huang & Belongie 2017: name, our method, seconds at 256 and 512 px (without, with the style), styles
HUANG: tuple[tuple[str, str, tuple[tuple[float, float | None], ...], str], ...] = (
    ("Gatys et al.", "gatys", ((14.17, 14.19), (46.75, 46.79)), "∞"),
    ("Chen and Schmidt", "swap_inverted", ((0.171, 0.407), (3.214, 4.144)), "∞"),
    ("Ulyanov et al.", "johnson", ((0.011, None), (0.038, None)), "1"),
    ("Dumoulin et al.", "cin", ((0.011, None), (0.038, None)), "32"),
    ("Huang and Belongie (AdaIN)", "adain", ((0.018, 0.027), (0.065, 0.098)), "∞"),
)
HUANG_HARDWARE = "Pascal Titan X, VGG-19, mean of 100 pictures"


def huang_table(rows: Iterable[Row]) -> str:
    """The paper's table and, beside it, that of these rows in the same layout, as Markdown; the hardware is named.

    Args:
        rows: of `compare`. The paper's sizes, 256 and 512, are shown; what is missing is a dash. Without any row of
            these sizes, the largest two take their place.
    """
    ours = {(row.method, row.size): row for row in rows}
    sizes = sorted({size for _, size in ours})
    ours_sizes = [256, 512] if not sizes or {256, 512} & {*sizes} else sizes[-2:]
    found = machine()
    hardware = found.get("gpu") or f"{found['processor']}, {found['threads']} thread{'s' * (found['threads'] > 1)}"
    heads = ["method", *(f"paper, {size} px" for size in (256, 512)), "# styles"]
    heads += [*(f"here, {size} px" for size in ours_sizes), "# styles here"]
    lines = [heads]
    for name, method, seconds, styles in HUANG:
        paper = [_in_brackets(*pair, digits=4) for pair in seconds]
        here = [_in_brackets(*_medians(ours.get((method, size)))) for size in ours_sizes]
        lines.append([name, *paper, styles, *here, count_styles(method)])
    note = "Seconds for one picture, in brackets with encoding the style."
    note = f"{note} Paper: {HUANG_HARDWARE}. Here: {hardware}, mini, median."
    return f"{markdown(lines, range(1, len(heads)))}\n\n{note}"


# --- cost against pixels ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """seconds = scale · (pixels / 10⁶)^exponent."""

    scale: float
    exponent: float

    def seconds(self, pixels: float) -> float:
        """The fitted seconds for this number of pixels."""
        return self.scale * (pixels / 1e6) ** self.exponent


def fit_cost(pixels: Sequence[float], seconds: Sequence[float]) -> Cost:
    """The straight line through log pixels and log seconds, by least squares.

    Args:
        pixels: H · W of each picture, at least two different ones. seconds: > 0, one for each.
    Raises:
        ValueError: fewer than two sizes, numbers that are not above 0, lists of different lengths.
    """
    if len(pixels) != len(seconds) or len(set(pixels)) < 2:
        raise ValueError(f"give seconds for at least two sizes, one each; got {len(pixels)} and {len(seconds)} numbers")
    if not (min(*pixels, *seconds) > 0 and np.isfinite([*pixels, *seconds]).all()):
        raise ValueError(f"pixels and seconds must be above 0; got {list(pixels)} and {list(seconds)}")
    exponent, level = np.polyfit(np.log(np.divide(pixels, 1e6)), np.log(seconds), 1)
    return Cost(float(np.exp(level)), float(exponent))


def costs(rows: Iterable[Row]) -> dict[str, tuple[list[float], list[float]]]:
    """Pixels and seconds by method, as `fit_cost` and `figures.plot_costs` take them.

    Of several times the shortest counts: other work on the machine made the others longer.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        if row.seconds is not None:
            pixels, seconds = found.setdefault(row.method, ([], []))
            pixels.append(float(row.size**2))
            seconds.append(row.seconds.low)
    return found
