"""Seconds against pixels, both axes logarithmic: a straight line is a power, and its slope the exponent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stylelearn.figures.axes import LOOKS, mark_logarithm, new_axes
from stylelearn.figures.display import displayed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def costs_figure(
    costs: Mapping[str, tuple[Sequence[float], Sequence[float]]], fits: Mapping[str, Callable[[float], float]]
) -> Figure:
    """Measured seconds as marks, and a fitted law as a line through them.

    Args:
        costs: name -> (pixels, seconds), as `tables.costs` gives them.
        fits: name -> seconds as a function of pixels, such as `Cost.seconds`.
    Raises:
        ValueError: nothing to plot.
    """
    if not costs:
        raise ValueError("there is no cost to plot; give at least one, such as {'gatys': ([4096, 16384], [0.5, 2.0])}")
    title = "Seconds for one picture"
    figure, axes = new_axes(720, 420, title)
    axes.set(xlabel="pixels a side (both axes grow by factors)", ylabel="seconds", xscale="log", yscale="log")
    said = []
    for i, (name, (pixels, seconds)) in enumerate(costs.items()):
        colour, line, marker = LOOKS[i % len(LOOKS)]
        hollow = {"markersize": 8, "markerfacecolor": "none", "markeredgewidth": 1.6}  # what lies below stays seen
        look: Any = {"color": colour, "marker": marker, "label": name, **hollow}
        axes.plot(pixels, seconds, linestyle="none", **look)
        axes.plot(pixels, [fits[name](count) for count in pixels], color=colour, linestyle=line, linewidth=1.2)
        (few, short), (many, long) = (pick(zip(pixels, seconds, strict=True)) for pick in (min, max))
        said.append(f"{name} takes {short:.3g} s at {few**0.5:.0f} px and {long:.3g} s at {many**0.5:.0f} px")
    mark_logarithm(axes.yaxis)
    sizes = sorted({count for pixels, _ in costs.values() for count in pixels})
    axes.set_xticks(sizes, [f"{count**0.5:.0f}" for count in sizes])
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    axes.grid(True, alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=9)
    figure.set_label(f"{title}. {'; '.join(said)}")
    return figure


plot_costs = displayed(costs_figure)
