"""The lab of lesson 10: one pair, every method, and a border between two of them that one can move."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelearn import samples
from stylelearn.lab.engine.clock import Clock, duration
from stylelearn.lab.engine.live import LiveLab, Move, at_size
from stylelearn.lab.engine.runner import Job, Outcome, Run
from stylelearn.lab.paintings import PHOTO, Painting, knows, table, title_of
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.pictures import PictureChooser
from stylelearn.optimize import Step
from stylelearn.registry import METHODS

_EVERY = 0.15  # seconds between two pictures while one is being made
_KEPT = 64  # pastiches
SIZES = (64, 128, 192, 256, 384, 512)


@dataclass(frozen=True)
class Wiped(Step):
    """A step that knows which painting it is about (None: neither) and of which pair."""

    now: Painting | None = None
    pair: tuple = ()


class CompareLab(LiveLab):
    """Two methods in one picture, left and right of a border; every method's seconds and measures below it.

    Args:
        content, style: names of the gallery, or anything that `read_image` takes; None for the gallery's first.
        left, right: names of `METHODS`, or "photograph".
        border: where one ends and the other begins, 0 (all right) to 1 (all left).
        steps: at most so many where pixels are moved, 10 to 300.
        size: longer side in pixels, 64 to 512.
        first: whether there is a picture when this returns.

    Attributes:
        painted: method -> `Painting`, for the present pictures, size and steps.
    """

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
        first: bool = True,
    ) -> None:
        self.content, self.style = PictureChooser("content", content), PictureChooser("style", style)
        self._cache: dict[tuple, Painting] = {}
        self._gallery: dict[tuple[str, str], Tensor] = {}
        self._fitted = functools.lru_cache(8)(at_size)
        self._all: set[tuple] = set()  # the pairs that all methods are to paint
        self._paused = False  # Stop was pressed: the border moves, but nothing is painted
        self._table = widgets.HTML()
        sides, how = _sides(left, right, border), _how(steps, size)
        self.all_button = widgets.Button(
            description="Paint all", icon="paint-brush", layout=widgets.Layout(width="auto"),
            tooltip="Let every method paint this pair, one after the other, for the table. Stop keeps what there is.",
        )  # fmt: skip
        settings = {"content": self.content, "style": self.style, **sides, **how}
        for name, control in settings.items():
            if name != "border":
                control.observe(self._unpause, "picked" if isinstance(control, PictureChooser) else "value")
        column = controls.column(
            self.content, self.style, *sides.values(), controls.ends("all right", "all left"), *how.values(),
            self.all_button,
        )  # fmt: skip
        super().__init__(settings, column, file_name="compared.png", first=first, buttons=("stop", "reset"))
        how["steps"].continuous_update = False  # another number of steps is another painting
        self.panel._bar.layout.display = ""
        self.children = (*self.children, self._table)
        self.all_button.on_click(self.guarded(self.paint_all))

    # --------------------------------------------------------------------------------------------------- what one does

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

    # ----------------------------------------------------------------------------------------------------- what it does

    def words(self, settings: dict[str, Any]) -> str:
        """What is left and what is right."""
        share = settings["border"]
        return (
            f"{settings['content']} in the style {settings['style']}: {title_of(settings['left'])} in the left "
            f"{share:.0%}, {title_of(settings['right'])} in the right {1 - share:.0%}"
        )

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """The two as far as they are; then a picture for each step of what is missing."""
        pair, paused = self._pair(settings), self._paused

        def paint() -> Iterator[Step]:
            shown = [self._painting(settings[side], pair) for side in ("left", "right")]
            asked = [*shown, *(self._others(pair) if pair in self._all else ())]
            waiting = [] if paused else [one for one in dict.fromkeys(asked) if not one.done]

            def seen(now: Painting | None) -> Wiped:
                made = wipe(shown[0].picture, shown[1].picture, settings["border"])
                return Wiped(1, 0.0, {}, made, made, now=now, pair=pair)

            yield seen(None)
            for one in waiting:
                while not one.done:
                    one.advance()
                    yield seen(one)

        return Move(paint, 1, settings, self.words(settings))

    def _pair(self, settings: dict[str, Any]) -> tuple:
        """What a painting depends on besides its method."""
        pictures = (self._picture(chooser) for chooser in (self.content, self.style))
        return (*pictures, settings["style"], settings["steps"], settings["size"])

    def _picture(self, chooser: PictureChooser) -> Tensor:
        """What is chosen; of a gallery's picture always the same tensor, so that its paintings are found again."""
        names = samples.content_names() if chooser.kind == "content" else samples.style_names()
        if chooser.value not in names:
            return chooser.image
        return self._gallery.setdefault((chooser.kind, chooser.value), chooser.image)

    def _painting(self, method: str, pair: tuple) -> Painting:
        key = _key(method, pair)
        if key not in self._cache:
            content, style, name, steps, size = pair
            self._cache[key] = Painting(method, self._fitted(content, size), self._fitted(style, size), name, steps)
            for old in list(self._cache)[:-_KEPT]:
                del self._cache[old]
        return self._cache[key]

    def _others(self, pair: tuple) -> list[Painting]:
        return [self._painting(method, pair) for method in METHODS if knows(method, pair[2])]

    def _finished(self, pair: tuple) -> dict[str, Painting]:
        return {name: one for name in METHODS if (one := self._cache.get(_key(name, pair))) is not None and one.done}

    def _unpause(self, _: Any) -> None:
        self._paused = False

    def _began(self, run: Run) -> None:
        self._clock = Clock()
        self.panel.busy()

    def _stepped(self, run: Run, step: Step) -> None:
        now = step.now  # type: ignore[attr-defined]
        due = self._clock.due("picture", _EVERY)
        if not run.discarded and (due or now is None or now.done):
            super()._stepped(run, step)
            self._tell(run.job.settings, step.pair)  # type: ignore[attr-defined]
            if now is not None and not now.done:
                left = now.seconds / max(1, now.step) * (now.count - now.step)
                words = f"painting {title_of(now.method)}: step {now.step} of {now.count}, {duration(left)} left"
                self.panel.progress(now.step / now.count, words)
            self._clock.done("picture", _EVERY)

    def _ended(self, run: Run, outcome: Outcome, error: Exception | None) -> None:
        super()._ended(run, outcome, error)
        self.panel.idle(can_resume=False)

    def _tell(self, settings: dict[str, Any], pair: tuple) -> None:
        """The names below the picture, and the table."""
        self.panel.caption.value = (
            '<div style="display:flex;justify-content:space-between;font-size:90%">'
            f"<span>◧ {html.escape(title_of(settings['left']))}</span>"
            f"<span>{html.escape(title_of(settings['right']))} ◨</span></div>"
        )
        self._table.value = table(self._finished(pair), pair[2], (settings["left"], settings["right"]))


def _key(method: str, pair: tuple) -> tuple:
    """Under which name a painting is kept; how many steps are allowed says nothing to a network."""
    content, style, name, steps, size = pair
    moves = method in METHODS and METHODS[method].steps > 0
    return method, content, style, name, size, steps if moves else 0


def wipe(left: Tensor, right: Tensor, border: float) -> Tensor:
    """The left part of one picture and the right part of another, with a thin line between.

    Args:
        left, right: (1, 3, H, W), of one size. border: 0 (only the right one) to 1 (only the left one).
    """
    width = left.shape[-1]
    cut = round(border * width)
    made = torch.cat([left[..., :cut], right[..., cut:]], dim=3)  # (1, 3, H, W)
    if 0 < cut < width:
        made[..., cut - 1 : cut + 1] = torch.tensor([0.0, 1.0])
    return made


def _sides(left: str, right: str, border: float) -> dict[str, widgets.Widget]:
    options = [(PHOTO, PHOTO), *((f"{one.lesson:02d} · {one.title}", name) for name, one in METHODS.items())]
    sides = {
        side: controls.choice(side, value, options, f"What is {side} of the border: a method, or the photograph.")
        for side, value in (("left", left), ("right", right))
    }
    line = controls.number(
        "border", border, 0, 1, 0.01, "Where the left picture ends and the right one begins. Drag it to and fro."
    )
    return {**sides, "border": line}


def _how(steps: int, size: int) -> dict[str, widgets.Widget]:
    return {
        "steps": controls.whole(
            "steps", steps, 10, 300, 10,
            "At most so many where pixels are moved: Gatys, deep photo, style swap optimised. Networks need one pass.",
        ),
        "size": controls.choice(
            "size", size, [(f"{one} px", one) for one in sorted({size, *SIZES}) if 64 <= one <= SIZES[-1]],
            "Longer side of the pictures. Twice the size takes four times as long, and more where patches are matched.",
        ),
    }  # fmt: skip
