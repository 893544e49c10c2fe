"""Marks with names in a notebook: scores with their confidence intervals, and things placed by two numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stylelearn.figures.axes import LOOKS, legend_beside, mark_logarithm, new_axes
from stylelearn.figures.display import displayed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Range = tuple[float, float, float]  # mean, low, high; NaN where the interval is not known
_WIDTH, _ROW = 832, 34  # pixels: of a figure, and of a line of it
_AROUND = [(7, 0), (-7, 0), (9, 13), (9, -13), (-9, 13), (-9, -13), (9, 25), (9, -25), (-9, 25), (-9, -25)]  # points
_AROUND += [(9, 38), (9, -38)]  # the last one is taken whatever it hides: at the right there is room for a name
# So that a mark on another one is seen.
_HOLLOW: dict[str, Any] = {"markersize": 9, "markerfacecolor": "none", "markeredgewidth": 2}


def intervals_figure(
    groups: Mapping[str, Mapping[str, Range]],
    x: str = "mean score",
    title: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Means with their intervals, a line for each name and a mark for each group.

    Args:
        groups: what is asked -> name -> (mean, low, high).
        x: what the axis shows. limits: its ends.
        title: a line above.
    Raises:
        ValueError: nothing to plot.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    if not names:
        raise ValueError("there is no score to plot; give at least one, such as {'faithful': {'adain': (3, 2, 4)}}")
    figure, axes = new_axes(_WIDTH, 90 + _ROW * max(2, len(names)), title)
    said = []
    for i, (group, values) in enumerate(groups.items()):
        colour, _, marker = LOOKS[i % len(LOOKS)]
        rows = [names.index(name) + 0.16 * (2 * i + 1 - len(groups)) for name in values]
        means = [mean for mean, *_ in values.values()]
        half = [0.0 if math.isnan(low) else mean - low for mean, low, _ in values.values()]
        axes.errorbar(means, rows, xerr=half, fmt=marker, color=colour, capsize=3, markersize=6, label=group)
        numbers = (
            f"{name} {mean:.2f}" + ("" if math.isnan(low) else f" ({low:.2f} to {high:.2f})")
            for name, (mean, low, high) in values.items()
        )
        said.append(f"{group}: {', '.join(numbers)}")
    axes.set(xlabel=x, yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    if limits:
        axes.set_xlim(*limits)
    axes.grid(True, axis="x", alpha=0.3)
    legend_beside(axes)
    figure.set_label(f"{title or 'Means with their intervals'}. {'; '.join(said)}")
    return figure


plot_intervals = displayed(intervals_figure)


def points_figure(
    points: Mapping[str, tuple[float, float]],
    x: str,
    y: str,
    kinds: Mapping[str, str],
    title: str | None = None,
    log: tuple[bool, bool] = (False, False),
) -> Figure:
    """Names placed by two numbers; the shape of a mark says of what kind it is.

    Args:
        points: name -> (x, y). x, y: what the axes show.
        kinds: name -> what kind it is; each kind has a mark and a colour.
        title: a line above.
        log: whether the axes are logarithmic.
    Raises:
        ValueError: nothing to plot.
    """
    if not points:
        raise ValueError("there is nothing to plot; give at least one point, such as {'adain': (0.1, 2.0)}")
    figure, axes = new_axes(_WIDTH, 460, title)
    for i, kind in enumerate(dict.fromkeys(kinds[name] for name in points)):
        colour, _, marker = LOOKS[i % len(LOOKS)]
        chosen = [point for name, point in points.items() if kinds[name] == kind]
        axes.plot(*zip(*chosen, strict=True), linestyle="", marker=marker, color=colour, label=kind, **_HOLLOW)
    axes.set(xlabel=x, ylabel=y, xscale="log" if log[0] else "linear", yscale="log" if log[1] else "linear")
    for axis, logarithmic in zip((axes.xaxis, axes.yaxis), log, strict=True):
        if logarithmic:
            mark_logarithm(axis)
    axes.margins(0.22, 0.14)
    axes.grid(True, alpha=0.3)
    legend_beside(axes)
    _name(figure, axes, points)
    numbers = (f"{name} ({kinds[name]}) at {x} {a:.3g}, {y} {b:.3g}" for name, (a, b) in points.items())
    figure.set_label(f"{title or 'Names placed by two numbers'}. {'; '.join(numbers)}")
    return figure


plot_points = displayed(points_figure)


def _name(figure: Figure, axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write each name beside its mark, at the first place around it where it hides nothing."""
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    places = [axes.transData.transform(point) for point in points.values()]
    taken: list[Any] = [Bbox.from_extents(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    for name, point in sorted(points.items(), key=lambda item: -item[1][1]):  # from the top: upper names go up
        for across, up in _AROUND:
            text = axes.annotate(
                name, point, xytext=(across, up), textcoords="offset points", size=9,
                ha="left" if across > 0 else "right" if across < 0 else "center", va="center",
            )  # fmt: skip
            text.set_in_layout(False)
            box = text.get_window_extent().padded(2)  # pixels, so that names do not touch, either
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            if (inside and not any(box.overlaps(other) for other in taken)) or (across, up) == _AROUND[-1]:
                taken.append(box)
                if up:  # a thin line tells whose name it is
                    line = {"arrowstyle": "-", "linewidth": 0.6, "color": "#555555", "shrinkA": 0, "shrinkB": 3}
                    axes.annotate("", point, (across, up), textcoords="offset points", arrowprops=line)
                break
            text.remove()
