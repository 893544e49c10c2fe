"""Live labs: a network makes the picture at once, so each move of a control paints anew. Lessons 03–05, 08–10.

A lab of its own gives its controls, `render` and `words`; see `johnson.py`. What `render` uses must be there before
`super().__init__`, which paints the first picture; `self._fitted(image, size)` is there. `functools.lru_cache` keeps
what a slider does not change: it takes tensors as keys (by identity), and a chooser keeps the tensor of a picture as
long as it is chosen.
"""

import contextlib
import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelearn.images import resize
from stylelearn.lab.base import Lab
from stylelearn.lab.column import Row
from stylelearn.lab.engine.errors import in_words
from stylelearn.lab.engine.runner import Job, Run
from stylelearn.lab.memory import named
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.optimize import Step

SIZES = (128, 192, 256, 384, 512, 768, 1024)
_KEPT = 10  # pictures that are kept at their size: the five of a lab, small and large


class LiveLab(Lab):
    """A picture that is a function of the controls, painted anew whenever one of them moves.

    The page never waits: one worker paints; of the moves that come meanwhile only the newest is painted next, the
    others are dropped. While controls move, a smaller picture follows, and the full one once they rest. An error is
    shown in a line, and the last picture stays.

    Args:
        rows, more: as for `Lab`.
    """

    buttons: tuple[str, ...] = ("reset",)
    at_once = True
    preview = 256  # pixels of the longer side while controls move; 0 for none

    def __init__(self, rows: Sequence[Row], **more: Any) -> None:
        self._fitted = functools.lru_cache(_KEPT)(functools.partial(resize, fit="long"))
        super().__init__(rows, **more)
        for control in self.controls.values():
            if isinstance(control, widgets.FloatSlider | widgets.IntSlider):
                control.continuous_update = True
        job = self.job(self.settings)
        chosen = [*self.pictures.values()]
        self._keep(job, resize(chosen[0], 256, "long") if chosen else torch.full((1, 3, 256, 256), 0.5))
        self._show("Nothing has been painted yet")
        self._runner.run_here(job)

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        """The picture (1, 3, H, W) for these settings, without gradients; runs in the background.

        Args:
            settings: the values of the controls at the time of the move.
            pictures: as `self.pictures` at that time.
        Raises:
            anything: its message is shown to the learner.
        """
        raise NotImplementedError

    def words(self, settings: dict[str, Any]) -> str:
        """What the picture shows, for its alternative text; of files and addresses the settings have only the names."""
        raise NotImplementedError

    @property
    def pictures(self) -> dict[str, Tensor]:
        """The pictures that are chosen, by the names of their settings, (1, 3, H, W) each."""
        return {name: each.image for name, each in self.controls.items() if isinstance(each, PictureChooser)}

    def start(self, *, restart: bool = True) -> None:
        """Paint with the present settings in the background, small first; returns at once."""
        settings = self.settings
        job = self.job(settings)
        if 0 < self.preview < settings.get("size", 0):
            small = self.job({**settings, "size": self.preview})
            job = replace(job, steps=functools.partial(_small_first, small, job))
        self._runner.start(job, restart=restart)

    def reset(self) -> None:
        """Back to the settings of the beginning, and to their picture."""
        self.set(**self._defaults)

    def set(self, **settings: Any) -> None:
        """Set several controls, and paint once."""
        super().set(**settings)
        self.start()

    def job(self, settings: dict[str, Any]) -> Job:
        """One pass with these settings, and with the pictures that are chosen now."""
        pictures = self.pictures

        def paint() -> Iterator[Step]:
            with torch.no_grad():
                made = self.render(settings, pictures)
            yield Step(1, 0.0, {}, made, made)

        return Job(paint, 1, settings, self.words(named(settings)))

    def _stepped(self, run: Run, step: Step) -> None:
        if step.number == 0:
            self.stage.show(step.image, f"{run.job.title}, while it moves", live=True)
            return
        self._keep(run.job, step.image)
        self._show(run.job.title)
        self.stage.error = ""
        self.stage.progress(-1, self._took())

    def _ended(self, run: Run, error: Exception | None) -> None:
        with self._showing:
            if run.discarded:
                return
            if error is not None:
                self._show(self._job.title)  # no preview of what cannot be painted
                self.stage.error = in_words(error)
                self.stage.progress(-1, "")
            elif run.stopped_by:
                self._show(self._job.title)
                self.stage.announce(f"stopped by {run.stopped_by}; the picture is kept")


def _small_first(small: Job, whole: Job) -> Iterator[Step]:
    first: list[Step] = []
    with contextlib.suppress(Exception):  # what is too small for a network may be painted all the same
        first = [replace(step, number=0) for step in itertools.islice(small.steps(), 1)]
    yield from first
    yield from whole.steps()


def sizes(value: int) -> widgets.Dropdown:
    """The control for the longer side of the picture, 64 to 1024."""
    return controls.size("Longer", value, SIZES, low=64, high=SIZES[-1])


def broad(value: float) -> widgets.FloatSlider:
    """The control for the share of the coarse pastiche, as of `coarse_to_fine`, 0 to 0.9."""
    words = "A small pastiche is painted first and enlarged; how much of it the network sees instead of the photo."
    return controls.number("broad marks", value, 0, 0.9, 0.05, words)
