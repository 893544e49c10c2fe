"""What the plots share: axes with a title, looks that need no colour, plain numbers on a logarithmic axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stylelearn.figures.display import POINTS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Line style and marker differ as well as colour. The colours are Okabe & Ito's, for colour-blind readers.
LOOKS = [
    ("#0072b2", "-", "o"), ("#d55e00", "--", "s"), ("#009e73", "-.", "^"), ("#cc79a7", ":", "D"),
    ("#000000", "-", "v"), ("#e69f00", "--", "P"), ("#56b4e9", "-.", "X"), ("#5b3a91", ":", "*"),
]  # fmt: skip


def new_axes(width: int, height: int, title: str | None) -> tuple[Figure, Axes]:
    """A white figure, width and height in pixels, with one pair of axes."""
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.set_title(title or "", size=POINTS, weight="bold")
    return figure, axes


def mark_logarithm(axis: Axis) -> None:
    """Label a logarithmic axis at 1, 2, 5, 10, …, or at powers of ten where it is long."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    # Plain numbers: mathematical notation (10⁻³) needs a parser that threads would share.
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def legend_beside(axes: Axes, **options: Any) -> None:
    """The legend at the right of the axes, where it covers nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, **options)
