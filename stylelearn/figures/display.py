"""From a matplotlib figure to what a notebook displays: a JPEG and its text, which is the figure's label.

Where the text goes. nbconvert's classic template reads metadata["image/jpeg"]["alt"], JupyterLab 4 reads no alternative
text of an image output at all, and terminals show text/plain. So the text is put in both, and once more into a
paragraph that only screen readers get (JupyterLab's own class for that, and the same as a style for others).
"""

from __future__ import annotations

import base64
import functools
import html
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

DPI = 100
POINTS = 10.5  # of titles
QUALITY = 80
_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


def new_figure(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Figure:
    """An empty white figure, sizes in pixels; without pyplot it is safe in threads and needs no closing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    return figure


class Picture:
    """What IPython displays: the JPEG with its text, or the text alone where there are no pictures."""

    def __init__(self, data: bytes, alt: str) -> None:
        self.data, self.alt = data, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        bundle = {"image/jpeg": base64.b64encode(self.data).decode("ascii"), "text/plain": self.alt}
        return bundle, {"image/jpeg": {"alt": self.alt}}


class Description:
    """The text for screen readers; prints nothing where there is no HTML."""

    def __init__(self, alt: str) -> None:
        self.alt = alt

    def __repr__(self) -> str:
        return ""

    def _repr_html_(self) -> str:
        return f'<p class="jp-sr-only" style="{_HIDDEN}">{html.escape(self.alt)}</p>'


def pieces(figure: Figure, alt: str | None = None) -> tuple[Picture, Description]:
    """The two things to display for one figure; `alt` in place of the figure's label."""
    text = alt or str(figure.get_label())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpeg", dpi=DPI, pil_kwargs={"quality": QUALITY})
    return Picture(buffer.getvalue(), text), Description(text)


def display_figure(figure: Figure, alt: str | None = None) -> None:
    """Show a figure in the notebook; where there is none, print its text. `alt` in place of the figure's label."""
    from IPython.display import display

    for piece in pieces(figure, alt):
        display(piece)


def displayed(draw: Callable[P, Figure]) -> Callable[P, None]:
    """The function that shows in the notebook what `draw` draws, with the same arguments."""

    @functools.wraps(draw)
    def show(*args: P.args, **options: P.kwargs) -> None:
        display_figure(draw(*args, **options))

    return show
