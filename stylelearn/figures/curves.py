"""Curves in a notebook: what a loss does from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stylelearn.figures.display import POINTS, display_figure, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Line style and marker differ as well as colour. The colours are Okabe & Ito's, for colour-blind readers.
LOOKS = [
    ("#0072b2", "-", "o"), ("#d55e00", "--", "s"), ("#009e73", "-.", "^"), ("#cc79a7", ":", "D"),
    ("#000000", "-", "v"), ("#e69f00", "--", "P"), ("#56b4e9", "-.", "X"), ("#5b3a91", ":", "*"),
]  # fmt: skip


def plot_curves(
    curves: Mapping[str, Sequence[float]],
    x: str = "step",
    y: str = "loss",
    title: str | None = None,
    alt: str | None = None,
    log: bool = True,
    at: Sequence[float] | Sequence[str] | None = None,
    beside: bool = False,
) -> None:
    """Plot one or several curves; each has its own line style and marker, besides its colour.

    Args:
        curves: name -> values, one for each step; NaN where there is none.
        x, y: what the axes show.
        title: a line above.
        alt: what the plot shows, for those who cannot see it; by default start, end and lowest point of each curve.
        log: logarithmic y axis; values ≤ 0 are then left out.
        at: the positions on the x axis, numbers or names, the same for all curves; by default 1, 2, 3, …
        beside: put the names of the curves beside the plot, where these leave no room inside.
    Raises:
        ValueError: no curve, an empty one, or more values than positions.
    """
    alt = alt or describe_curves(curves, x=x, y=y, title=title, at=at)
    display_figure(curves_figure(curves, x=x, y=y, title=title, log=log, at=at, beside=beside), alt)


def curves_figure(
    curves: Mapping[str, Sequence[float]],
    *,
    x: str = "step",
    y: str = "loss",
    title: str | None = None,
    log: bool = True,
    at: Sequence[float] | Sequence[str] | None = None,
    beside: bool = False,
    marks: Sequence[float] = (),
    size: tuple[int, int] = (640, 340),
) -> Figure:
    """The plot of `plot_curves` as a matplotlib figure of its own (no pyplot: safe in threads, nothing to close).

    Args:
        marks: positions of vertical lines, such as steps after which something changed.
        size: width and height in pixels.
    """
    from matplotlib.ticker import MaxNLocator

    series = {name: _points(name, values, at) for name, values in _some(curves).items()}
    figure = new_figure(*size)
    axes = figure.add_subplot(xlabel=x, ylabel=y)
    axes.set_title(title or "", size=POINTS, weight="bold")
    for i, (name, points) in enumerate(series.items()):
        colour, line, marker = LOOKS[i % len(LOOKS)]
        axes.plot(
            *points, label=name, color=colour, linestyle=line, linewidth=1.6,
            marker=marker, markersize=5, markevery=max(1, len(points[0]) // 10),
        )  # fmt: skip
    for mark in marks:
        axes.axvline(mark, color="#7f7f7f", linewidth=0.8, linestyle=(0, (1, 3)))
    if log:
        _logarithmic(axes)
    places = [place for points in series.values() for place in points[0]]
    if isinstance(places[0], str):
        axes.tick_params("x", rotation=45 if len({*places}) > 6 else 0)
    elif all(float(place).is_integer() for place in places):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, alpha=0.3)
    place: Any = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False} if beside else {}
    axes.legend(handlelength=3.5, **place)
    return figure


def describe_curves(
    curves: Mapping[str, Sequence[float]],
    *,
    x: str = "step",
    y: str = "loss",
    title: str | None = None,
    at: Sequence[float] | Sequence[str] | None = None,
) -> str:
    """The curves in words: where each starts, where it ends, and its lowest point."""
    found = []
    for name, values in _some(curves).items():
        points = [(place, value) for place, value in zip(*_points(name, values, at), strict=True) if value == value]
        if not points:
            found.append(f"{name} has no values")
            continue
        where, lowest = min(points, key=lambda point: point[1])
        first, last = points[0], points[-1]
        found.append(
            f"{name} starts at {first[1]:.3g} ({x} {first[0]}), ends at {last[1]:.3g} ({x} {last[0]}), "
            f"lowest {lowest:.3g} ({x} {where})"
        )
    return f"{title or 'Curves'}. {y} by {x}: " + "; ".join(found)


def _some(curves: Mapping[str, Sequence[float]]) -> Mapping[str, Sequence[float]]:
    if not curves:
        raise ValueError("there is no curve to plot; give at least one, such as {'loss': [0.9, 0.5, 0.3]}")
    return curves


def _points(
    name: str, values: Sequence[float], at: Sequence[float] | Sequence[str] | None
) -> tuple[list[Any], list[float]]:
    """Positions and values, two lists of one length."""
    places = [*range(1, len(values) + 1)] if at is None else [*at][: len(values)]
    if len(values) == 0 or len(places) < len(values):
        raise ValueError(f"the curve {name!r} has {len(values)} values for {len(places)} positions; give one for each")
    return places, [float(value) for value in values]


def _logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log", nonpositive="mask")
    low, high = axes.get_ylim()
    # Plain numbers: mathematical notation (10⁻³) needs a parser that threads would share.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
