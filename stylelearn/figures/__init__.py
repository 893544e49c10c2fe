"""Pictures and curves in a notebook, with titles and a text for those who cannot see them.

    show(image)   grid(images, titles)   plot_curves({"loss": [0.9, 0.5, 0.3]})
    plot_intervals({"liked": {"adain": (3, 2, 4)}})   plot_points({"adain": (0.1, 2)}, "seconds", "distance")
    plot_tree(Ask("Wait?", {"yes": "lesson 02", "no": "lesson 05"}))
    view = LivePicture(); view.update(image)     # one picture that is replaced in place

A figure is white with black letters, in light and in dark themes alike.
"""

from stylelearn.figures.costs import costs_figure, describe_costs, plot_costs
from stylelearn.figures.curves import curves_figure, describe_curves, plot_curves
from stylelearn.figures.glyphs import glyph_rows, show_glyphs
from stylelearn.figures.marks import plot_intervals, plot_points
from stylelearn.figures.pictures import PAGE, SMALLEST, LivePicture, grid, grid_figure, show
from stylelearn.figures.tree import Ask, plot_tree

__all__ = [
    "PAGE",
    "SMALLEST",
    "Ask",
    "LivePicture",
    "costs_figure",
    "curves_figure",
    "describe_costs",
    "describe_curves",
    "glyph_rows",
    "grid",
    "grid_figure",
    "plot_costs",
    "plot_curves",
    "plot_intervals",
    "plot_points",
    "plot_tree",
    "show",
    "show_glyphs",
]
