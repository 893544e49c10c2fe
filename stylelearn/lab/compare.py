"""The lab of lesson 10: one pair, every method, and a border between two of them that one can move."""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import torch
import traitlets
from torch import Tensor

from stylelearn.evaluation.metrics import MEASURES, judge, measure
from stylelearn.images import resize
from stylelearn.lab.engine.clock import Clock, duration
from stylelearn.lab.engine.runner import Job, Run
from stylelearn.lab.live import LiveLab
from stylelearn.lab.memory import named
from stylelearn.lab.mixing import Axis
from stylelearn.lab.steps import PICTURE_EVERY
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.optimize import Step
from stylelearn.painting import Optimised, allowed, count_styles, known_styles, painter_of
from stylelearn.registry import METHODS

PHOTO = "photograph"  # what can be shown instead of a method
MEASURED = ("content", "gram", "structure", "palette")  # the columns of the table
_KEPT = 8  # pairs whose pastiches are kept
SIZES = (64, 128, 192, 256, 384, 512)
_judge = functools.cache(judge)


class CompareLab(LiveLab):
    """Two methods in one picture, left and right of a border; every method's seconds and measures below it.

    Args:
        content, style: names of the gallery, or anything that `read_image` takes; None for the gallery's first.
        left, right: names of `METHODS`, or "photograph".
        border: where one ends and the other begins, 0 (all right) to 1 (all left).
        steps: at most so many where pixels are moved, 10 to 300.
        size: longer side in pixels, 64 to 512.

    Attributes:
        painted: method -> `Painting`, for the present pictures, size and steps.
    """

    file_name, buttons = "compared.png", ("stop", "reset")
    preview = 0  # a method paints once, and its picture is kept

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        *,
        left: str = "gatys",
        right: str = "adain",
        border: float = 0.5,
        steps: int = 100,
        size: int = 256,
        **shown: Any,
    ) -> None:
        self.content, self.style = PictureChooser("content", content), PictureChooser("style", style)
        self._cache: dict[tuple, dict[str, Painting]] = {}  # by what `_pair` says, and by method
        self._all: set[tuple] = set()  # the pairs that all methods are to paint
        self._sides: tuple[Tensor, ...] = ()  # what is left and right of the border
        # Of the step that comes next: both sides, the painting that it is about (None: neither), and of which pair.
        self._coming: tuple[tuple[Tensor, ...], Painting | None, tuple] = ((), None, ())
        self._paused = False  # Stop was pressed: the border moves, but nothing is painted
        self._table, self.border = widgets.HTML(), Axis(value=border)
        controls.check_range("border", border, 0, 1)
        self.all_button = controls.button(
            "Paint all",
            "Let every method paint this pair, one after the other, for the table. Stop keeps what there is.",
            self.guarded(self.paint_all), icon="paint-brush",
        )  # fmt: skip
        sides = [(PHOTO, PHOTO), *((f"{one.lesson:02d} · {one.title}", name) for name, one in METHODS.items())]
        steps_slider = controls.whole(
            "steps", steps, 10, 300, 10,
            "At most so many where pixels are moved: Gatys, deep photo, style swap optimised. Networks take none.",
        )  # fmt: skip
        rows = [
            {
                "content": self.content, "style": self.style,
                "left": controls.choice("left", left, sides, "What is left of the border: a method, or the photo."),
                "right": controls.choice("right", right, sides, "What is right of the border: a method, or the photo."),
                "border": self.border,  # on the picture
            },
            self.all_button,
            {
                "steps": steps_slider,
                "size": controls.size(
                    "Longer", size, SIZES, low=64, high=SIZES[-1], more=", and more where patches are matched"
                ),
            },
        ]  # fmt: skip
        super().__init__(rows, border=border, below=[self._table], **shown)
        steps_slider.continuous_update = False  # another number of steps is another painting
        traitlets.link((self.stage, "border"), (self.border, "value"))

    def paint_all(self) -> None:
        """Let all methods paint the present pair, in the background; those that do not know the style are left out."""
        self._all, self._paused = {self._pair(self.settings)}, False
        self.start()

    def stop(self) -> None:
        """Paint no further; what is there stays, and the border still moves."""
        self._paused, self._all = True, set()
        super().stop()

    @property
    def painted(self) -> dict[str, Painting]:
        """What is finished for the present pictures, size and steps."""
        return self._finished(self._pair(self.settings))

    def words(self, settings: dict[str, Any]) -> str:
        share = settings["border"]
        return (
            f"{settings['content']} in the style {settings['style']}: {title_of(settings['left'])} in the left "
            f"{share:.0%}, {title_of(settings['right'])} in the right {1 - share:.0%}"
        )

    def job(self, settings: dict[str, Any]) -> Job:
        """The two as far as they are; then a picture for each step of what is missing."""
        pair, pictures, paused = self._pair(settings), list(self.pictures.values()), self._paused

        def paint() -> Iterator[Step]:
            sides = [settings["left"], settings["right"]]
            methods = [name for name in METHODS if knows(name, settings["style"])] if pair in self._all else []
            asked = {name: self._painting(name, pair, pictures) for name in (*sides, *methods)}
            shown = [asked[name] for name in sides]
            waiting = [] if paused else [one for one in asked.values() if not one.done]

            def seen(now: Painting | None) -> Step:
                left, right = (one.picture for one in shown)
                self._coming = (left, right), now, pair
                made = wipe(left, right, settings["border"])
                return Step(1, 0.0, {}, made, made)

            yield seen(None)
            for one in waiting:
                while not one.done:
                    one.advance()
                    yield seen(one)

        return Job(paint, 1, settings, self.words(named(settings)), caption=lambda image: _names(settings))

    def _pair(self, settings: dict[str, Any]) -> tuple:
        """What a painting depends on besides its method; the gallery's pictures have names, own ones are themselves."""
        choosers = (self.content, self.style)
        pictures = (each.value if each.value in each.names() else each.image for each in choosers)
        return (*pictures, settings["style"], settings["steps"], settings["size"])

    def _painting(self, method: str, pair: tuple, pictures: Sequence[Tensor]) -> Painting:
        known = self._cache.setdefault(pair, {})
        if method not in known:
            *_, name, steps, size = pair
            content, style = (self._fitted(picture, size) for picture in pictures)
            known[method] = Painting(method, content, style, name, steps)
            for old in list(self._cache)[:-_KEPT]:
                del self._cache[old]
        return known[method]

    def _finished(self, pair: tuple) -> dict[str, Painting]:
        known = self._cache.get(pair, {})
        return {name: known[name] for name in METHODS if name in known and known[name].done}

    def _moved(self, name: str) -> None:
        self._paused = self._paused and name == "border"
        super()._moved(name)

    def on_stage(self) -> Tensor:
        return self._sides[1] if self._sides else self._image

    def original(self) -> Tensor | None:
        return self._sides[0] if self._sides else None

    def _began(self, run: Run) -> None:
        self._clock = Clock()
        self.stage.busy()

    def _stepped(self, run: Run, step: Step) -> None:
        sides, now, pair = self._coming
        due = self._clock.due("picture", PICTURE_EVERY)
        if due or now is None or now.done:
            self._sides = sides
            super()._stepped(run, step)
            shown = [run.job.settings[side] for side in ("left", "right")]
            self.stage.names = [title_of(side) for side in shown]
            self._table.value = table(self._finished(pair), pair[2], shown)
            if now is not None and not now.done:
                left = now.seconds / max(1, now.step) * (now.count - now.step)
                words = f"painting {title_of(now.method)}: step {now.step} of {now.count}, {duration(left)} left"
                self.stage.progress(now.step / now.count, words)
            self._clock.done("picture", PICTURE_EVERY)

    def _ended(self, run: Run, error: Exception | None) -> None:
        super()._ended(run, error)
        self.stage.idle(can_resume=False)


def _names(settings: Mapping[str, Any]) -> str:
    return (
        '<div style="display:flex;justify-content:space-between;font-size:90%">'
        f"<span>◧ {html.escape(title_of(settings['left']))}</span>"
        f"<span>{html.escape(title_of(settings['right']))} ◨</span></div>"
    )


def wipe(left: Tensor, right: Tensor, border: float) -> Tensor:
    """The left part, up to `border` from 0 to 1, of one picture (1, 3, H, W) and the rest of another, with a line."""
    width = left.shape[-1]
    cut = round(border * width)
    made = torch.cat([left[..., :cut], right[..., cut:]], dim=3)  # (1, 3, H, W)
    if 0 < cut < width:
        made[..., cut - 1 : cut + 1] = torch.tensor([0.0, 1.0])
    return made


class Painting:
    """One pastiche: made step by step, as the next one is asked for, and kept.

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
        """Make one step; after the last one the picture is measured. After an error the next call begins anew."""
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
            yield resize(step.image, tuple(self._content.shape[2:]), "box")  # the first steps are of half the size
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
