"""Curves in a notebook: what a loss does from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stylelearn.figures.axes import LOOKS, legend_beside, mark_logarithm, new_axes
from stylelearn.figures.display import displayed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves_figure(
    curves: Mapping[str, Sequence[float]],
    x: str = "step",
    y: str = "loss",
    title: str | None = None,
    log: bool = True,
    at: Sequence[float] | Sequence[str] | None = None,
    beside: bool = False,
) -> Figure:
    """One or several curves; each has its own line style and marker, besides its colour.

    Args:
        curves: name -> values, one for each step; NaN where there is none.
        x, y: what the axes show.
        title: a line above.
        log: logarithmic y axis; values ≤ 0 are then left out.
        at: the positions on the x axis, numbers or names, the same for all curves; by default 1, 2, 3, …
        beside: put the names of the curves beside the plot, where these leave no room inside.
    Raises:
        ValueError: no curve, an empty one, or more values than positions.
    """
    from matplotlib.ticker import MaxNLocator

    if not curves:
        raise ValueError("there is no curve to plot; give at least one, such as {'loss': [0.9, 0.5, 0.3]}")
    figure, axes = new_axes(640, 340, title)
    axes.set(xlabel=x, ylabel=y)
    positions, said = set(), []
    for i, (name, values) in enumerate(curves.items()):
        places = [*range(1, len(values) + 1)] if at is None else [*at][: len(values)]
        if len(values) == 0 or len(places) < len(values):
            raise ValueError(
                f"the curve {name!r} has {len(values)} values for {len(places)} positions; give one for each"
            )
        heights = [float(value) for value in values]
        colour, line, marker = LOOKS[i % len(LOOKS)]
        axes.plot(
            places, heights, label=name, color=colour, linestyle=line, linewidth=1.6,
            marker=marker, markersize=5, markevery=max(1, len(places) // 10),
        )  # fmt: skip
        positions |= set(places)
        said.append(_in_words(name, [*zip(heights, places, strict=True)], x))
    if log:
        axes.set_yscale("log", nonpositive="mask")
        mark_logarithm(axes.yaxis)
    if any(isinstance(place, str) for place in positions):
        axes.tick_params("x", rotation=45 if len(positions) > 6 else 0)
    elif all(float(place).is_integer() for place in positions):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, alpha=0.3)
    if beside:
        legend_beside(axes, handlelength=3.5)
    else:
        axes.legend(handlelength=3.5)
    figure.set_label(f"{title or 'Curves'}. {y} by {x}: " + "; ".join(said))
    return figure


plot_curves = displayed(curves_figure)


def _in_words(name: str, points: list[tuple[float, float | str]], x: str) -> str:
    """Where a curve starts, where it ends, and its lowest point; of (value, position)."""
    known = [point for point in points if point[0] == point[0]]
    if not known:
        return f"{name} has no values"
    first, last, lowest = (
        f"{value:.3g} ({x} {place})" for value, place in (known[0], known[-1], min(known, key=lambda point: point[0]))
    )
    return f"{name} starts at {first}, ends at {last}, lowest {lowest}"
