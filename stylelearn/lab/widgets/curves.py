"""Loss curves: every term by name over the steps, on a logarithmic axis."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History = Sequence[tuple[int, Mapping[str, float]]]
"""(number of the step, term by term), in order."""

WIDTH, HEIGHT, DPI = 520, 270, 100  # pixels
SPAN = 1e-5  # the axis shows nothing below this share of its top
POINTS = 300  # drawn for each curve at most; a longer history is thinned out
# Nobody has to tell colours apart: line style and marker differ as well. The colours are Okabe & Ito's, chosen for
# colour-blind readers; the line that is their sum is black.
_LOOKS = [
    ("#0072b2", "-", "o"), ("#d55e00", "--", "s"), ("#009e73", "-.", "^"), ("#cc79a7", ":", "D"),
    ("#e69f00", "-", "v"), ("#56b4e9", "--", "P"), ("#7f7f7f", "-.", "X"), ("#5b3a91", ":", "*"),
]  # fmt: skip


def curves_html(history: History, marks: Sequence[int] = ()) -> str:
    """The loss curves as an HTML picture with alternative text.

    Args:
        history: the steps so far; "" comes back for fewer than two.
        marks: steps after which somebody pressed Continue; drawn as vertical lines.
    """
    if len(history) < 2:
        return ""
    data = base64.b64encode(_png(history, marks)).decode("ascii")
    return (
        f'<img alt="{html.escape(describe(history))}" width="{WIDTH}" height="{HEIGHT}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}">'
    )


def describe(history: History) -> str:
    """The curves in words: where each began and where it is."""
    first, last = history[0], history[-1]
    terms = [f"{name} from {first[1].get(name, value):.3g} to {value:.3g}" for name, value in last[1].items()]
    return f"Loss curves, steps {first[0]} to {last[0]}: " + "; ".join(terms)


def _png(history: History, marks: Sequence[int]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here: a live lab draws no curves
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # A Figure of its own and not pyplot: pyplot keeps figures for ever and is not meant for threads.
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="step", ylabel="weighted loss")
    thinned = history[:: -(-len(history) // POINTS)]
    if thinned[-1] is not history[-1]:
        thinned = [*thinned, history[-1]]
    names = list(dict.fromkeys(name for _, losses in history for name in losses))
    if len(names) > 1:
        _draw(axes, [(number, sum(losses.values())) for number, losses in thinned], "sum", ("black", "-", ""), 1.6)
    for i, name in enumerate(names):
        values = [(number, losses[name]) for number, losses in thinned if name in losses]
        _draw(axes, values, name, _LOOKS[i % len(_LOOKS)], 1.2)
    for mark in marks:
        axes.axvline(mark, color="#7f7f7f", linewidth=0.8, linestyle=(0, (1, 3)))
    _logarithmic(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, alpha=0.3)
    axes.tick_params(labelsize=8)
    figure.legend(loc="outside right upper", fontsize=7.5, handlelength=3, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log", nonpositive="mask")
    low, high = axes.get_ylim()
    # A term that begins at (nearly) 0, as the content does when the start is the content, is not to flatten the rest.
    low = max(low, SPAN * high)
    axes.set_ylim(low, high)
    # Plain numbers: mathematical notation (10⁻³) needs a parser that threads would share.
    subs = (1, 2, 5) if high / low < 300 else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _draw(axes: Axes, values: list[tuple[int, float]], name: str, look: tuple[str, str, str], width: float) -> None:
    colour, line, marker = look
    numbers, losses = zip(*values, strict=True)
    axes.plot(
        numbers, losses, label=name, color=colour, linestyle=line, linewidth=width,
        marker=marker, markersize=4, markevery=max(1, len(values) // 8),
    )  # fmt: skip
