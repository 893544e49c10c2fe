"""Pastiches in the making, for the lab of lesson 10: each goes on step by step, is kept, and is measured at its end."""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from stylelearn.encoders import Encoder
from stylelearn.evaluation.metrics import MEASURES, judge, measure
from stylelearn.painting import Optimised, allowed, count_styles, known_styles, painter_of
from stylelearn.registry import METHODS

PHOTO = "photograph"  # what one may see instead of a method
MEASURED = ("content", "gram", "structure", "palette")  # the columns of the table


@functools.cache
def _judge() -> Encoder:
    return judge()


class Painting:
    """One pastiche: made step by step, by whoever asks for the next one, and kept.

    Args:
        method: one of `METHODS`, or `PHOTO`, for which nothing is to be done.
        content, style: (1, 3, H, W); `name`: what the style is called, for networks that know it by name.
        steps: at most so many.

    Attributes:
        picture: as far as it is, (1, 3, H, W).
        seconds: spent on it so far. done: whether it is finished; then `measures` are there.
        step, count: how far it is.
    """

    def __init__(self, method: str, content: Tensor, style: Tensor, name: str, steps: int) -> None:
        self.method, self.picture, self.seconds, self.step, self.done = method, content, 0.0, 0, method == PHOTO
        self.measures: dict[str, float] = {}
        self._content, self._style = content, style
        self.count = 0
        if self.done:
            return
        self._known = name if known_styles(method) is not None else style
        self._painter = painter_of(method, self._known)
        self.count = max(1, allowed(method, steps)) if isinstance(self._painter, Optimised) else 1
        self._steps = self._make()

    def advance(self) -> None:
        """Make one step; after the last one the picture is measured.

        Raises:
            anything that the method raises; the next call then begins anew.
        """
        begin = time.perf_counter()
        try:
            made = next(self._steps, None)
            if made is None:
                self.measures = measure(self.picture, self._content, self._style, _judge(), only=MEASURED)
                self.done = True
                return
        except Exception:
            self._steps, self.step, self.seconds = self._make(), 0, 0.0
            raise
        self.picture = made
        self.step += 1
        self.seconds += time.perf_counter() - begin

    def _make(self) -> Iterator[Tensor]:
        painter = self._painter
        if not isinstance(painter, Optimised):
            with torch.no_grad():
                yield painter.paint(self._content, painter.encode(self._known))  # type: ignore[arg-type]
            return
        for step in painter.begin(self._content, self._style, self.count, 0):
            yield step.image
        yield painter.end(step.best_image, self._content)


def title_of(name: str) -> str:
    """What a table calls a method, or the photograph."""
    return METHODS[name].title if name in METHODS else name


def knows(method: str, style: str) -> bool:
    """Whether a method can paint in the style of that name."""
    known = known_styles(method)
    return known is None or style in known


def table(painted: Mapping[str, Painting], style: str, shown: Sequence[str] = ()) -> str:
    """What each method took and gave, as HTML; `shown` are the left and the right one."""
    heads = ["method", "lesson", "seconds", "styles", *(MEASURES[name].title for name in MEASURED)]
    marks = {name: f"{mark} " for name, mark in zip(shown, "◧◨", strict=False)}
    rows = []
    for name, method in METHODS.items():
        if name in painted:
            one = painted[name]
            cells = [f"{one.seconds:.2f}", count_styles(name), *(f"{one.measures[each]:.2f}" for each in MEASURED)]
            numbers = "".join(f"<td>{cell}</td>" for cell in cells)
        else:
            words = "not painted yet" if knows(name, style) else "has not learnt this style"
            numbers = f'<td colspan="{len(heads) - 2}" style="text-align:left"><i>{words}</i></td>'
        title = html.escape(marks.get(name, "") + method.title)
        head = f'<th scope="row" style="text-align:left;font-weight:inherit">{title}</th>'
        weight = "bold" if name in shown else "normal"
        rows.append(f'<tr style="font-weight:{weight}">{head}<td>{method.lesson:02d}</td>{numbers}</tr>')
    said = ", ".join(f"{MEASURES[name].title}: {MEASURES[name].better} is better" for name in MEASURED)
    caption = f"Painted here, once each; judged by {_judge().name}. {said}."
    return (
        '<table style="border-spacing:10px 2px;border-collapse:separate;text-align:right">'
        f'<caption style="text-align:left">{html.escape(caption)}</caption>'
        f"<thead><tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
