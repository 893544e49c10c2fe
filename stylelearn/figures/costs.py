"""Seconds against pixels, both axes logarithmic: a straight line is a power, and its slope the exponent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stylelearn.figures.curves import LOOKS
from stylelearn.figures.display import POINTS, display_figure, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = tuple[Sequence[float], Sequence[float]]
"""Pixels, and the seconds that they took."""


def plot_costs(
    costs: Mapping[str, Points],
    fits: Mapping[str, Callable[[float], float]] | None = None,
    title: str | None = "Seconds for one picture",
    alt: str | None = None,
) -> None:
    """Plot measured seconds as marks, and a fitted law as a line through them.

    Args:
        costs: name -> (pixels, seconds), as `compare.costs` gives them.
        fits: name -> seconds for so many pixels, such as `Cost.seconds`; without one the marks are joined.
        title: a line above. alt: what the plot shows, in words; by default first and last point of each.
    Raises:
        ValueError: nothing to plot.
    """
    display_figure(costs_figure(costs, fits, title), alt or describe_costs(costs, title))


def costs_figure(
    costs: Mapping[str, Points], fits: Mapping[str, Callable[[float], float]] | None = None, title: str | None = None
) -> Figure:
    """The plot of `plot_costs` as a matplotlib figure of its own; arguments and errors as there."""
    _some(costs)
    figure = new_figure(720, 420)
    axes = figure.add_subplot(xlabel="pixels a side (both axes grow by factors)", ylabel="seconds")
    axes.set_title(title or "", size=POINTS, weight="bold")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for i, (name, (pixels, seconds)) in enumerate(costs.items()):
        colour, line, marker = LOOKS[i % len(LOOKS)]
        look: Any = {"color": colour, "marker": marker, "markersize": 5, "label": name}
        fit = (fits or {}).get(name)
        axes.plot(pixels, seconds, linestyle="none" if fit else line, **look)
        if fit:
            axes.plot(pixels, [fit(count) for count in pixels], color=colour, linestyle=line, linewidth=1.2)
    sizes = sorted({count for pixels, _ in costs.values() for count in pixels})
    axes.set_xticks(sizes, [f"{count**0.5:.0f}" for count in sizes])
    # Plain numbers: mathematical notation (10⁻³) needs a parser that threads would share.
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(lambda value, _: "")
    axes.grid(True, alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=9)
    return figure


def describe_costs(costs: Mapping[str, Points], title: str | None = None) -> str:
    """The plot in words: seconds at the smallest and at the largest size of each."""
    found = []
    for name, (pixels, seconds) in _some(costs).items():
        (few, short), (many, long) = (pick(zip(pixels, seconds, strict=True)) for pick in (min, max))
        found.append(f"{name} takes {short:.3g} s at {few**0.5:.0f} px and {long:.3g} s at {many**0.5:.0f} px")
    return f"{title or 'Seconds by pixels'}. {'; '.join(found)}"


def _some(costs: Mapping[str, Points]) -> Mapping[str, Points]:
    if not costs:
        raise ValueError("there is no cost to plot; give at least one, such as {'gatys': ([4096, 16384], [0.5, 2.0])}")
    for name, (pixels, seconds) in costs.items():
        if len(pixels) == 0 or len(pixels) != len(seconds):
            raise ValueError(f"{name!r} has {len(pixels)} sizes and {len(seconds)} times; give one time for each size")
    return costs
