"""A tree of questions in a notebook: each answer leads to the next question, or to an end."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylelearn.figures.display import POINTS, displayed, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Ask:
    """A question, and what each answer leads to: another question, or the words of an end."""

    question: str
    answers: Mapping[str, Ask | str]


_COLUMN, _LINE, _BOX = 222, 62, 146  # pixels: from one question to the next, from end to end, width of a box
_LETTERS = 21  # in a line of a box
_SIZE = 8.4  # points


def tree_figure(tree: Ask, title: str | None = None) -> Figure:
    """The questions from left to right, with the answers on the lines.

    Args:
        tree: the first question. title: a line above.
    """
    ways = [*_ways(tree)]
    width = (max(map(len, ways)) - 1) * _COLUMN + _BOX + 20
    height = len(ways) * _LINE + (30 if title else 8)
    figure = new_figure(width, height, layout=None)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    if title:
        axes.text(width / 2, 15, title, ha="center", va="center", size=POINTS, weight="bold")
    _draw(axes, tree, 10 + _BOX / 2, height - len(ways) * _LINE)
    said = (
        f"{', '.join(f'{question} {answer}' for question, answer in steps)}: {' '.join(end.split())}"
        for *steps, end in ways
    )
    figure.set_label((f"{title}. " if title else "") + "; ".join(said))
    return figure


plot_tree = displayed(tree_figure)


def _ways(node: Ask | str) -> Iterator[list]:
    """Each way as [(question, answer), …, end]."""
    if isinstance(node, str):
        yield [node]
        return
    for answer, then in node.answers.items():
        for way in _ways(then):
            yield [(node.question, answer), *way]


def _draw(axes: Axes, node: Ask | str, x: float, top: float) -> float:
    """Draw what begins here, and say how high its own box stands."""
    if isinstance(node, str):
        y = top + _LINE / 2
        _write(axes, x, y, node, end=True)
        return y
    heights = []
    for then in node.answers.values():
        heights.append(_draw(axes, then, x + _COLUMN, top))
        top += sum(1 for _ in _ways(then)) * _LINE
    y = (heights[0] + heights[-1]) / 2
    for answer, height in zip(node.answers, heights, strict=True):
        start, bend, end = x + _BOX / 2, x + _BOX / 2 + 12, x + _COLUMN - _BOX / 2
        axes.plot([start, bend, bend, end], [y, y, height, height], color="#555555", linewidth=1.2, zorder=1)
        axes.text(
            (bend + end) / 2 + 2, height - 3, textwrap.fill(answer, 10), ha="center", va="bottom", size=_SIZE,
            style="italic",
        )  # fmt: skip
    _write(axes, x, y, node.question, end=False)
    return y


def _write(axes: Axes, x: float, y: float, words: str, *, end: bool) -> None:
    """A box: a question has round corners and a thin frame, an end a thick one."""
    from matplotlib.patches import FancyBboxPatch

    lines = "\n".join(textwrap.fill(line, _LETTERS) for line in words.splitlines())
    high = 13 * (lines.count("\n") + 1) + 14
    shape = "square,pad=0" if end else "round,pad=0,rounding_size=12"
    axes.add_patch(
        FancyBboxPatch(
            (x - _BOX / 2, y - high / 2), _BOX, high, boxstyle=shape,
            facecolor="#e8f1f8" if end else "white", edgecolor="#0072b2" if end else "#555555",
            linewidth=2.0 if end else 1.2, zorder=2,
        )
    )  # fmt: skip
    axes.text(x, y, lines, ha="center", va="center", size=_SIZE, zorder=3, linespacing=1.15)
