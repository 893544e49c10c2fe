"""Pictures and curves in a notebook, with titles and a text for those who cannot see them.

    show(image)   grid(images, titles)   plot_curves({"loss": [0.9, 0.5, 0.3]})
    view = LivePicture(); view.update(image)     # one picture that changes while somebody watches

A figure is white with black letters, in light and in dark themes alike.
"""

from stylelearn.figures.curves import curves_figure, describe_curves, plot_curves
from stylelearn.figures.pictures import PAGE, SMALLEST, LivePicture, grid, show

__all__ = ["PAGE", "SMALLEST", "LivePicture", "curves_figure", "describe_curves", "grid", "plot_curves", "show"]
