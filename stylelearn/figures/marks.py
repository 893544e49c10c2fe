"""Marks with names in a notebook: scores with their confidence intervals, and things placed by two numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stylelearn.figures.curves import LOOKS
from stylelearn.figures.display import POINTS, display_figure, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Range = tuple[float, float, float]  # mean, low, high; NaN where the interval is not known
_WIDTH, _ROW = 640, 34  # pixels: of a figure, and of a line of it
_AROUND = [(7, 0), (-7, 0), (9, 13), (9, -13), (-9, 13), (-9, -13), (9, 25), (9, -25), (-9, 25), (-9, -25)]  # points
_AROUND += [(9, 38), (9, -38)]  # the last one is taken whatever it hides: at the right there is room for a name


def plot_intervals(
    groups: Mapping[str, Mapping[str, Range]],
    x: str = "mean score",
    title: str | None = None,
    alt: str | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Plot means with their intervals, a line for each name and a mark for each group.

    Args:
        groups: what is asked -> name -> (mean, low, high).
        x: what the axis shows. limits: its ends.
        title: a line above. alt: what the plot shows, in words; by default all the numbers.
    Raises:
        ValueError: nothing to plot.
    """
    figure = intervals_figure(groups, x=x, title=title, limits=limits)
    display_figure(figure, alt or describe_intervals(groups, title))


def intervals_figure(
    groups: Mapping[str, Mapping[str, Range]],
    *,
    x: str = "mean score",
    title: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """The plot of `plot_intervals` as a matplotlib figure of its own."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    if not names:
        raise ValueError("there is no score to plot; give at least one, such as {'faithful': {'adain': (3, 2, 4)}}")
    figure, axes = _figure(_WIDTH, 90 + _ROW * max(2, len(names)), title)
    for i, (group, values) in enumerate(groups.items()):
        colour, _, marker = LOOKS[i % len(LOOKS)]
        rows = [names.index(name) + 0.16 * (2 * i + 1 - len(groups)) for name in values]
        means = [mean for mean, *_ in values.values()]
        half = [0.0 if math.isnan(low) else mean - low for mean, low, _ in values.values()]
        axes.errorbar(means, rows, xerr=half, fmt=marker, color=colour, capsize=3, markersize=6, label=group)
    axes.set(xlabel=x, yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    if limits:
        axes.set_xlim(*limits)
    axes.grid(True, axis="x", alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


def describe_intervals(groups: Mapping[str, Mapping[str, Range]], title: str | None = None) -> str:
    """All means and intervals in words."""
    parts = []
    for group, values in groups.items():
        said = (
            f"{name} {mean:.2f}" + ("" if math.isnan(low) else f" ({low:.2f} to {high:.2f})")
            for name, (mean, low, high) in values.items()
        )
        parts.append(f"{group}: {', '.join(said)}")
    return f"{title or 'Means with their intervals'}. " + "; ".join(parts)


def plot_points(
    points: Mapping[str, tuple[float, float]],
    x: str,
    y: str,
    kinds: Mapping[str, str] | None = None,
    title: str | None = None,
    alt: str | None = None,
    log: tuple[bool, bool] = (False, False),
) -> None:
    """Place names by two numbers; a third thing is told by the shape of the mark.

    Args:
        points: name -> (x, y). x, y: what the axes show.
        kinds: name -> what kind it is; each kind has a mark and a colour.
        title: a line above. alt: what the plot shows, in words; by default all the numbers.
        log: whether the axes are logarithmic.
    Raises:
        ValueError: nothing to plot.
    """
    figure = points_figure(points, x=x, y=y, kinds=kinds, title=title, log=log)
    said = "; ".join(
        f"{name}{f' ({kinds[name]})' if kinds else ''} at {x} {a:.3g}, {y} {b:.3g}" for name, (a, b) in points.items()
    )
    display_figure(figure, alt or f"{title or 'Names placed by two numbers'}. {said}")


def points_figure(
    points: Mapping[str, tuple[float, float]],
    *,
    x: str,
    y: str,
    kinds: Mapping[str, str] | None = None,
    title: str | None = None,
    log: tuple[bool, bool] = (False, False),
) -> Figure:
    """The plot of `plot_points` as a matplotlib figure of its own."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if not points:
        raise ValueError("there is nothing to plot; give at least one point, such as {'adain': (0.1, 2.0)}")
    figure, axes = _figure(_WIDTH, 420, title)
    kind_of = kinds or dict.fromkeys(points, "")
    for i, kind in enumerate(dict.fromkeys(kind_of[name] for name in points)):
        colour, _, marker = LOOKS[i % len(LOOKS)]
        chosen = [point for name, point in points.items() if kind_of[name] == kind]
        axes.plot(*zip(*chosen, strict=True), linestyle="", marker=marker, color=colour, markersize=9, label=kind)
    axes.set(xlabel=x, ylabel=y, xscale="log" if log[0] else "linear", yscale="log" if log[1] else "linear")
    for axis, logarithmic in ((axes.xaxis, log[0]), (axes.yaxis, log[1])):
        if logarithmic:  # plain numbers, as in `curves`
            low, high = axis.get_view_interval()
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
            axis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.set_minor_formatter(NullFormatter())
    axes.margins(0.16, 0.14)
    axes.grid(True, alpha=0.3)
    if kinds:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    _name(figure, axes, points)
    return figure


def _name(figure: Figure, axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write each name beside its mark, at the first place around it where it hides nothing."""
    figure.draw_without_rendering()
    taken: list[Any] = []
    for point in points.values():
        x, y = axes.transData.transform(point)
        taken.append(_box(x, y, 5))
    for name, point in sorted(points.items(), key=lambda item: -item[1][1]):  # from the top: upper names go up
        for across, up in _AROUND:
            text = axes.annotate(
                name, point, xytext=(across, up), textcoords="offset points", size=9,
                ha="left" if across > 0 else "right" if across < 0 else "center", va="center",
            )  # fmt: skip
            text.set_in_layout(False)
            box = text.get_window_extent()
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            if (inside and not any(box.overlaps(other) for other in taken)) or (across, up) == _AROUND[-1]:
                taken.append(box)
                if up:  # a thin line tells whose name it is
                    line = {"arrowstyle": "-", "linewidth": 0.6, "color": "#555555", "shrinkA": 0, "shrinkB": 3}
                    axes.annotate("", point, (across, up), textcoords="offset points", arrowprops=line)
                break
            text.remove()


def _box(x: float, y: float, half: float) -> Any:
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _figure(width: int, height: int, title: str | None) -> tuple[Figure, Axes]:
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.set_title(title or "", size=POINTS, weight="bold")
    return figure, axes
