"""Labs that paint step by step, with loss curves, Continue and Reset. Lessons 00–02, 06 and 07."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from stylelearn import gatys
from stylelearn.images import resize
from stylelearn.lab.base import Lab
from stylelearn.lab.column import Row
from stylelearn.lab.engine.clock import Clock
from stylelearn.lab.engine.errors import in_words
from stylelearn.lab.engine.runner import Job, Run
from stylelearn.lab.widgets.stage import curves
from stylelearn.optimize import Diverged, Step

PICTURE_EVERY = 0.15  # seconds between two live pictures, at least
CURVES_EVERY = 1.0


class StepLab(Lab):
    """A lab with the setting `steps`; a lab of its own gives its controls and defines `job`.

    Args:
        rows, more: as for `Lab`.
        first_steps: done before the constructor returns, so that there is a picture at once; 0 for none.
    """

    buttons: tuple[str, ...] = ("start", "stop", "resume", "reset")
    plots = True  # whether loss curves are drawn
    _last: Step | None

    def __init__(self, rows: Sequence[Row], first_steps: int, **more: Any) -> None:
        super().__init__(rows, **more)
        self._forget()
        job = self.job(self.settings, None, max(1, first_steps))
        self._keep(job, job.start, steps_done=0)  # type: ignore[arg-type]
        self._show_all("Nothing has been done yet: press Start")
        self.stage.share = 0
        if first_steps > 0:
            self._runner.run_here(self._job)
            if not self.error:
                self.stage.progress(0, f"the first {len(self._history)} steps; press Start for more")
        self._beginning = (self._job, self._raw, self._image, self._made, tuple(self._history))
        self._title = self.stage.tooltip

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """The work for these settings; its `start` is shown before the first step.

        Args:
            settings: the values of the controls. `steps`: how many are to be done.
            image: the picture to go on from, any size; None begins anew.
        """
        raise NotImplementedError

    def start(self, *, restart: bool = False) -> None:
        """Begin anew with the present settings, in the background; returns at once."""
        settings = self.settings
        self._runner.start(self.job(settings, None, settings["steps"]), restart=restart)

    def resume(self) -> None:
        """Go on from the present picture with the present settings, in the background; returns at once."""
        settings = self.settings
        job = self.job(settings, self._raw, settings["steps"])
        self._runner.start(replace(job, first=self._history[-1][0] if self._history else 0))

    def reset(self) -> None:
        """Back to the settings and the picture of the beginning."""
        with self._showing:  # whatever the running step still wants to show comes too late
            self._runner.stop(discard=True)
            self.set(**self._defaults)
            self._forget()
            self._job, self._raw, self._image, self._made, history = self._beginning
            self._history = list(history)
            self.stage.error = ""
            self._show_all(self._title)
            self.stage.progress(0, "")

    def reopened(self, image: Tensor, steps: int) -> None:
        with self._showing:
            self._forget()
            self._keep(self.job(self.settings, image, max(1, steps)), image, steps_done=steps)
            self._image = image  # what was saved is finished
            self._show_all(f"{self._job.title}, as it was saved")
            self.stage.announce("the settings of this picture are back")
            self.stage.idle(can_resume=True)

    def close(self) -> None:
        """Give back the pictures of the beginning and of the last step, too."""
        super().close()
        self._beginning = self._last = None  # type: ignore[assignment]

    def _forget(self) -> None:
        self._history = []
        self._marks: list[int] = []
        self._last = None

    def _began(self, run: Run) -> None:
        self._last = None
        self._clock = Clock()
        self.stage.error = ""
        self.stage.busy()
        stopped = self._runner.stopped
        self.stage.progress(0, "preparing …" + (f" {stopped} was stopped for it" if stopped else ""))

    def _stepped(self, run: Run, step: Step) -> None:
        clock = self._clock
        clock.step()
        if self._last is None:  # only now: a run that fails before its first step is to lose nothing
            if run.job.first == 0:
                self._forget()
            else:
                self._marks.append(run.job.first)
        number = run.job.first + step.number
        self._history.append((number, step.losses))
        self._last = step
        if clock.due("picture", PICTURE_EVERY):
            self._keep(run.job, step.image, steps_done=number)
            self._show(f"{run.job.title}, while it is being made", live=True)
            self.stage.progress(*clock.progress(step.number, run.job.count))
            clock.done("picture", PICTURE_EVERY)
        if clock.due("curves", CURVES_EVERY):
            self._plot()
            clock.done("curves", CURVES_EVERY)

    def _ended(self, run: Run, error: Exception | None) -> None:
        with self._showing:
            if run.discarded:
                self.stage.idle(can_resume=True)
                return
            if error is not None:
                self.stage.error = in_words(error)
            if isinstance(error, Diverged):
                self._keep(run.job, error.image, steps_done=run.job.first + error.step)
            elif self._last is not None:  # at the end the best picture counts, not the last
                self._keep(run.job, self._last.best_image, steps_done=run.job.first + self._last.number)
            done = self._made["steps_done"]
            if self._last is not None:
                self._show_all(f"{run.job.title}, after {done} steps")
            words = "ended" if error is not None else "stopped" if run.stopping else "done"
            early = words == "done" and done - run.job.first < run.job.count
            words += f" after {done} steps" + (f" by {run.stopped_by}" if run.stopped_by else "")
            self.stage.announce(words + (": nothing changes any more" if early else ""))
            self.stage.idle(can_resume=True)

    def _show_all(self, words: str) -> None:
        self._show(words)
        self._plot()

    def _plot(self) -> None:
        if self.plots:
            self.stage.curves = curves(self._history, self._marks)


def start_image(image: Tensor | None, start: str, content: Tensor, style: Tensor, seed: int = 0) -> Tensor:
    """The picture to go on from, of the content's size; if there is none, as of `gatys.start_image`."""
    if image is None:
        return gatys.start_image(start, content, style, seed)
    return resize(image, content.shape[-2:], "box")


def fitted(image: Tensor, size: int) -> Tensor:
    """The picture with a shorter side of `size`, and a longer one of at most twice that (a panorama gets less high)."""
    short, long = sorted(image.shape[-2:])
    return resize(image, size) if long <= 2 * short else resize(image, 2 * size, "long")
