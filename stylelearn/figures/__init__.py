"""Pictures and curves in a notebook, with titles and a text for those who cannot see them.

    show(image)   grid(images, titles)   plot_curves({"loss": [0.9, 0.5, 0.3]})
    plot_intervals({"liked": {"adain": (3, 2, 4)}})   plot_points({"adain": (0.1, 2)}, "s", "Gram", {"adain": "∞"})
    plot_tree(Ask("Wait?", {"yes": "lesson 02", "no": "lesson 05"}))
    view = LivePicture(); view.update(image)     # one picture that is replaced in place

A figure is white with black letters, in light and in dark themes alike.
"""

from stylelearn.figures.costs import plot_costs as plot_costs
from stylelearn.figures.curves import plot_curves as plot_curves
from stylelearn.figures.glyphs import show_glyphs as show_glyphs
from stylelearn.figures.marks import plot_intervals as plot_intervals
from stylelearn.figures.marks import plot_points as plot_points
from stylelearn.figures.pictures import LivePicture as LivePicture
from stylelearn.figures.pictures import grid as grid
from stylelearn.figures.pictures import show as show
from stylelearn.figures.tree import Ask as Ask
from stylelearn.figures.tree import plot_tree as plot_tree
